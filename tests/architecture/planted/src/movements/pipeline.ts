import "../infrastructure/postgres/pool.ts";
