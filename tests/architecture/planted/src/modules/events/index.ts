import "../identity/index.ts";
