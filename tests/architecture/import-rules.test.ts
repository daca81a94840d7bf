import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { checkImports, importRules } from "./import-rules.ts";
import { pathsOf } from "./source-files.ts";

const planted = join(import.meta.dirname, "planted");

/** What each planted file breaks, as "file -> what it imports". */
const violations: Readonly<Record<string, string>> = {
  "kernel-imports-nothing": "src/kernel/money.ts -> fs",
  "movements-import-the-kernel": "src/movements/pipeline.ts -> src/infrastructure/postgres/pool.ts",
  "domain-is-pure": "src/modules/payments/domain.ts -> typebox",
  "persistence-knows-the-domain": "src/modules/payments/persistence.ts -> src/modules/payments/application.ts",
  "application-knows-no-edge": "src/modules/payments/application.ts -> src/modules/payments/http.ts",
  "catalogue-is-definitions": "src/modules/events/catalogue.ts -> src/modules/events/index.ts",
  "edge-knows-the-application": "src/modules/payments/http.ts -> src/modules/payments/persistence.ts",
  "module-behind-its-door": "src/modules/orders/application.ts -> src/modules/payments/domain.ts",
  "movements-behind-its-door": "src/modules/orders/application.ts -> src/movements/pipeline.ts",
  "infrastructure-knows-ports": "src/infrastructure/postgres/pool.ts -> src/infrastructure/http/server.ts",
  "telemetry-for-the-http-edge": "src/infrastructure/postgres/pool.ts -> src/infrastructure/telemetry/metrics.ts",
  "app-for-apps-and-tests": "src/infrastructure/http/server.ts -> src/app.ts",
  "apps-are-imported-by-nobody": "src/kernel/money.ts -> src/apps/cli.ts",
  "settings-for-the-composition": "src/infrastructure/http/server.ts -> src/settings.ts",
  "source-knows-no-tool": "src/apps/cli.ts -> bench/load.ts",
  "no-development-dependency": "src/infrastructure/http/development.ts -> fast-check",
  "no-circle": "src/modules/payments/application.ts -> src/modules/payments/http.ts",
  resolves: "src/infrastructure/http/development.ts -> ./missing.ts",
  "module-order-identity": "src/modules/identity/index.ts -> src/modules/ledger/index.ts",
  "module-order-catalog": "src/modules/catalog/index.ts -> src/modules/events/index.ts",
  "module-order-ledger": "src/modules/ledger/index.ts -> src/modules/identity/index.ts",
  "module-order-events": "src/modules/events/index.ts -> src/modules/identity/index.ts",
  "module-order-cart": "src/modules/cart/index.ts -> src/modules/ledger/index.ts",
  "module-order-payments": "src/modules/payments/index.ts -> src/modules/catalog/index.ts",
  "module-order-bills": "src/modules/bills/index.ts -> src/modules/payments/index.ts",
  "module-order-payouts": "src/modules/payouts/index.ts -> src/modules/bills/index.ts",
  "module-order-orders": "src/modules/orders/index.ts -> src/modules/bills/index.ts",
  "module-order-webhooks": "src/modules/webhooks/index.ts -> src/modules/orders/index.ts",
  "module-order-reconciliation": "src/modules/reconciliation/index.ts -> src/modules/orders/index.ts",
};

describe("import rules", () => {
  test("every rule has a planted violation, and no violation names a rule that is gone", () => {
    assert.deepEqual(Object.keys(violations).sort(), [...importRules].sort());
  });

  test("every planted violation is found under its rule's name", async () => {
    const { files, faults } = await checkImports(planted);
    assert.deepEqual([...files].sort(), pathsOf("src/**/*.ts", planted));
    const found = faults.map(
      ({ rule, from, to }) => `${rule}: ${from} -> ${to.replace(/^.*node_modules\/([^/]+).*$/, "$1")}`,
    );
    for (const [rule, violation] of Object.entries(violations)) {
      assert.ok(
        found.includes(`${rule}: ${violation}`),
        `${rule} did not fire on ${violation}; found:\n${found.join("\n")}`,
      );
    }
  });

  test("the source keeps every rule, and every file of it was read", async () => {
    const { files, faults } = await checkImports();
    assert.ok(files.length > 40, `only ${files.length} files were read`);
    assert.deepEqual([...files].sort(), pathsOf("src/**/*.ts"));
    assert.deepEqual(faults, []);
  });
});
