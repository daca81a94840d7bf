import "node:fs";
import "../apps/cli.ts";
