import "../bills/index.ts";
