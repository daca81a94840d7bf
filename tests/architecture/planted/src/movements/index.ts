import "./pipeline.ts";
