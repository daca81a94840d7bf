import "./persistence.ts";
