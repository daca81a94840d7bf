import "./application.ts";
