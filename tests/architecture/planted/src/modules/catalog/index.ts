import "../events/index.ts";
