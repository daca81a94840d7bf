import "fast-check";
import "./missing.ts";
