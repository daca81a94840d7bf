import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { exampleEnvironment } from "../src/settings.ts";

// `npm run generate` writes .env.example from the table of settings; `npm run check` compares the two.
writeFileSync(join(import.meta.dirname, "..", ".env.example"), exampleEnvironment());
