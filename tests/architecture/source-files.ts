import { globSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";

/** The project's own folder. */
export const root = join(import.meta.dirname, "..", "..");

export type SourceFile = { readonly path: string; readonly text: string };

const notOurs = ["node_modules", "dist", "coverage", "planted"];

/** The files that match, relative to `base`, in order; what is generated, installed or planted is left out. */
export function pathsOf(patterns: string | readonly string[], base = root): string[] {
  return globSync(patterns, { cwd: base, exclude: (name) => notOurs.includes(name.split(sep).at(-1) ?? "") })
    .map((path) => path.split(sep).join("/"))
    .sort();
}

/** The same files with their text. */
export function filesOf(patterns: string | readonly string[], base = root): SourceFile[] {
  return pathsOf(patterns, base).map((path) => ({ path, text: readFileSync(join(base, path), "utf8") }));
}
