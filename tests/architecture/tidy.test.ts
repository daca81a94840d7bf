import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { filesOf, pathsOf } from "./source-files.ts";
import { tidyFaults, tidyRules } from "./tidy-rules.ts";

const door = "// Owns: a.\n// Invariants: b.\n// Called by: c.\n";

/** For each rule: files it must refuse, and files that are close and fine. */
const planted: Readonly<Record<string, { refused: [string, string][]; fine: [string, string][] }>> = {
  "file-length": {
    refused: [
      ["src/a.ts", "x;\n".repeat(401)],
      ["tests/a.ts", "x;\n".repeat(601)],
    ],
    fine: [
      ["src/a.ts", "x;\n".repeat(400)],
      ["src/a.test.ts", "x;\n".repeat(600)],
      ["src/modules/payments/persistence.queries.ts", "x;\n".repeat(900)],
    ],
  },
  "line-width": {
    refused: [["src/a.ts", `short\n${"x".repeat(121)}\n`]],
    fine: [["src/a.ts", `${"x".repeat(120)}\n`]],
  },
  "kebab-case": {
    refused: [
      ["src/createPayment.ts", ""],
      ["src/create_payment.ts", ""],
      ["src/Payment.ts", ""],
    ],
    fine: [
      ["src/create-payment.test.ts", ""],
      ["migrations/0001_event_log.sql", ""],
    ],
  },
  "no-default-export": {
    refused: [["src/a.ts", "const a = 1;\nexport default a;\n"]],
    fine: [["src/a.ts", 'import a from "a";\n']],
  },
  "no-postponed-work": {
    refused: [
      ["src/a.ts", `// ${"TO"}DO: later\n`],
      ["src/a.sql", `-- ${"FIX"}ME\n`],
    ],
    fine: [["src/a.ts", "const todos = 1;\n"]],
  },
  "door-comment": {
    refused: [
      ["src/modules/payments/index.ts", "export {};\n"],
      ["src/movements/index.ts", door.replace("Owns", "Own")],
    ],
    fine: [
      ["src/modules/payments/index.ts", door],
      ["src/modules/payments/domain.ts", ""],
    ],
  },
  "known-layer": {
    refused: [
      ["src/modules/payments/helpers.ts", ""],
      ["src/modules/common/index.ts", door],
    ],
    fine: [
      ["src/modules/payments/application/create-payment.ts", ""],
      ["src/modules/payments/persistence.sql", ""],
    ],
  },
  "sql-ownership": {
    refused: [
      ["src/modules/payments/persistence.sql", "select * from payments.payments join ledger.accounts a on true"],
      ["src/modules/payments/persistence.sql", 'update "ledger"."balances" set x = 1'],
      ["src/modules/events/persistence.sql", "select 1 from events.log, payments.payments"],
      ["migrations/0002_payments.sql", "create table payments.a (b bigint references ledger.accounts)"],
    ],
    fine: [
      ["src/modules/payments/persistence.sql", "select events.append(a) from payments.payments -- not ledger.accounts"],
      ["src/modules/payments/persistence.sql", "select 'ledger.accounts', p.events.x from payments.payments p"],
      ["migrations/0001_events.sql", "create table events.log (a bigint)"],
    ],
  },
  "no-private-address": {
    refused: [
      ["src/a.ts", `const a = "/${"home"}/me/x";\n`],
      ["src/a.ts", `// https://${"registry"}.example.org\n`],
    ],
    fine: [["src/a.ts", '// see https://www.w3.org/TR/trace-context/ and "./work/a"\n']],
  },
};

describe("tidy", () => {
  test("every rule has something planted for it", () => {
    assert.deepEqual(Object.keys(planted).sort(), Object.keys(tidyRules).sort());
  });

  for (const [name, rule] of Object.entries(tidyRules)) {
    test(`${name} refuses what it should, and nothing else`, () => {
      for (const [path, text] of planted[name]?.refused ?? [])
        assert.ok(rule({ path, text }), `${path}: ${text.slice(0, 80)}`);
      for (const [path, text] of planted[name]?.fine ?? []) assert.equal(rule({ path, text }), undefined);
    });
  }

  test("the tree is tidy, and all of it was read", () => {
    const code = filesOf(["{src,tests,scripts,bench,ops}/**/*.{ts,sql}", "migrations/*.sql"]);
    assert.ok(code.length > 60, `only ${code.length} files were read`);
    const sources = pathsOf("src/**/*.ts").length;
    assert.equal(code.filter(({ path }) => path.startsWith("src/") && path.endsWith(".ts")).length, sources);
    assert.ok(code.filter(({ path }) => path.endsWith(".sql")).length >= 3);
    assert.deepEqual(tidyFaults(code), []);
  });

  test("nothing else that is committed names one machine's paths or a package registry", () => {
    const texts = filesOf([
      "*.{json,md,yaml,yml,cjs}",
      "Dockerfile",
      ".ci/run",
      "{docs,ops,bin}/**/*.{md,mjs,yaml,yml,json}",
    ]);
    assert.ok(texts.some(({ path }) => path === "package-lock.json"));
    const faults = texts.map((file) => ({ path: file.path, fault: tidyRules["no-private-address"]?.(file) }));
    assert.deepEqual(
      faults.filter(({ fault }) => fault !== undefined),
      [],
    );
  });
});
