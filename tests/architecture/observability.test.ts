import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createMetrics } from "../../src/infrastructure/telemetry/metrics.ts";
import { root } from "./source-files.ts";

/** Every name of a metric that a text of PromQL speaks of. */
function namesIn(text: string): Set<string> {
  return new Set([...text.matchAll(/\b(?:marketflow|process|nodejs)_[a-z0-9_]+/g)].map(([name]) => name));
}

/** Every name that the application exposes, with the suffixes of histograms. */
async function exposedNames(): Promise<Set<string>> {
  const text = await createMetrics().render();
  const names = new Set<string>();
  for (const [, name = "", type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    names.add(name);
    if (type === "histogram") for (const suffix of ["bucket", "sum", "count"]) names.add(`${name}_${suffix}`);
  }
  return names;
}

describe("what watches MarketFlow", () => {
  for (const file of ["ops/prometheus/alerts.yml", "ops/grafana/dashboards/marketflow.json"]) {
    test(`${file} asks for metrics that exist`, async () => {
      const asked = namesIn(readFileSync(join(root, file), "utf8"));
      const exposed = await exposedNames();
      assert.ok(asked.size >= 8, `only ${asked.size} names were found in ${file}`);
      assert.deepEqual(
        [...asked].filter((name) => !exposed.has(name)),
        [],
      );
    });
  }

  test("every metric of our own is on the dashboard", async () => {
    const shown = namesIn(readFileSync(join(root, "ops/grafana/dashboards/marketflow.json"), "utf8"));
    const exposed = [...(await exposedNames())].filter((name) => name.startsWith("marketflow_"));
    const families = exposed.filter((name) => !/_(?:bucket|sum|count)$/.test(name));
    const missing = families.filter(
      (name) => ![...shown].some((asked) => asked === name || asked.startsWith(`${name}_`)),
    );
    assert.deepEqual(missing, []);
  });
});
