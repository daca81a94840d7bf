import { join } from "node:path";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import extractConfiguration from "dependency-cruiser/config-utl/extract-depcruise-config";
import { root } from "./source-files.ts";

export type ImportFault = { readonly rule: string; readonly from: string; readonly to: string };

export type ImportReport = {
  /** Every file of the tree that was read, relative to its base. */
  readonly files: readonly string[];
  readonly faults: readonly ImportFault[];
};

const { forbidden = [], options = {} } = await extractConfiguration(join(root, ".dependency-cruiser.cjs"));

/** The names of all rules, each of which the planted tree must break. */
export const importRules: readonly string[] = forbidden.map((rule) => rule.name ?? "unnamed");

/** Checks who imports whom in the `src` below `base`, which is the project or the planted tree. */
export async function checkImports(base = root): Promise<ImportReport> {
  const { output } = await cruise(["src"], { ...options, baseDir: base, validate: true, ruleSet: { forbidden } });
  const { modules, summary } = output as ICruiseResult;
  return {
    files: modules.map(({ source }) => source).filter((source) => source.startsWith("src/") && source.endsWith(".ts")),
    faults: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
  };
}
