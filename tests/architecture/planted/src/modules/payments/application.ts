import "./http.ts";
