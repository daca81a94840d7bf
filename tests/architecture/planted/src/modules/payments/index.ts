import "../catalog/index.ts";
