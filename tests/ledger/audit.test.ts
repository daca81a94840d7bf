import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { ClosableDatabase } from "../../src/infrastructure/postgres/connections.ts";
import { type AuditCheck, runAudit } from "../../src/modules/ledger/application/audit/report.ts";
import { readHead, sealBatches } from "../../src/modules/ledger/application/seal-batches.ts";
import { formatHead } from "../../src/modules/ledger/domain/canonical.ts";
import { audit, fillLedger, openAuditConnection, seededRandom, seedOfRun } from "./support.ts";
import { available, openVault, refund, sale, type Vault } from "./vault.ts";

const seed = seedOfRun();
let vault: Vault;
let database: ClosableDatabase;
before(async () => {
  vault = await openVault();
  database = openAuditConnection(vault.database.appUrl);
});
after(async () => {
  await database?.close();
  await vault.close();
});

type Run = { code: number; stdout: string; stderr: string };

function marketflowAudit(...args: string[]): Promise<Run> {
  const launcher = join(import.meta.dirname, "../../src/apps/cli.ts");
  const env = { ...process.env, DATABASE_URL: vault.database.appUrl, NODE_ENV: "test" };
  return new Promise((done) => {
    execFile(process.execPath, [launcher, "audit", ...args], { env, timeout: 60_000 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

describe("the audit", () => {
  test("an empty ledger has nothing wrong", async () => {
    assert.deepEqual((await audit(database)).findings, []);
  });

  test(`a ledger with everything in it has nothing wrong, sealed or not (LEDGER_SEED=${seed})`, async () => {
    const random = seededRandom(seed);
    await fillLedger(vault, random, 60, "before");
    assert.deepEqual((await audit(database)).findings, []);
    await sealBatches({ database: vault.pool });
    await fillLedger(vault, random, 20, "after");
    const outcome = await audit(database);
    assert.deepEqual(outcome.findings, []);
    const counted = Object.assign({}, ...outcome.checks.map(({ checked }) => checked)) as Record<string, number>;
    const [present] = await vault.look<Record<string, bigint>>(
      `select (select count(*) from ledger.entries) as entries,
              (select count(*) from ledger.transactions) as transactions,
              (select count(*) from ledger.accounts) as accounts, (select count(*) from ledger.holds) as holds,
              (select count(*) from ledger.batches) as batches,
              (select sum(rows) from ledger.seals)::bigint as "sealed rows"`,
    );
    for (const [unit, count] of Object.entries(present ?? {})) assert.equal(counted[unit], Number(count), unit);
  });

  for (const [opening, name, open, close] of [
    [
      "a trigger that is switched off",
      "trigger entries_are_kept of ledger.entries",
      "alter table ledger.entries disable trigger entries_are_kept",
      "alter table ledger.entries enable trigger entries_are_kept",
    ],
    [
      "a floor that nothing watches",
      "constraint balances_above_floor of ledger.balances",
      "alter table ledger.balances rename constraint balances_above_floor to elsewhere",
      "alter table ledger.balances rename constraint elsewhere to balances_above_floor",
    ],
    [
      "a right too many",
      "ledger.seals",
      "grant insert on ledger.seals to marketflow_app",
      "revoke insert on ledger.seals from marketflow_app",
    ],
  ] as const) {
    test(`${opening} is found`, async () => {
      await vault.look(open);
      const { findings } = await audit(database);
      await vault.look(close);
      assert.deepEqual(
        findings.map(({ check, where }) => [check, where]),
        [["vault", name]],
      );
      assert.deepEqual((await audit(database)).findings, []);
    });
  }

  test("it finds nothing while others post, hold and seal", async () => {
    let posting = true;
    let rounds = 0;
    const random = seededRandom(seed + 1);
    const poster = (async () => {
      for (let round = 0; posting; round++, rounds++) {
        await Promise.all([
          fillLedger(vault, random, 5, `live-${round}`),
          vault.post([sale(`left-${round}`, "ana", 900n), refund(`right-${round}`, "bo", 1n)]),
          vault.hold(`live-hold-${round}`, available("ana"), 3n),
        ]);
        await sealBatches({ database: vault.pool });
      }
    })();
    try {
      for (let round = 0; round < 12 || rounds < 5; round++) assert.deepEqual((await audit(database)).findings, []);
    } finally {
      posting = false;
      await poster;
    }
    assert.deepEqual((await audit(database)).findings, []);
  });

  test("what holds at one seal is found from there on, and a later head is missed", async () => {
    await sealBatches({ database: vault.pool });
    const head = (await readHead({ database: vault.pool })) ?? assert.fail("nothing was sealed");
    await vault.post([sale("later", "ana", 100n)]);
    await sealBatches({ database: vault.pool });
    assert.deepEqual((await audit(database, { head, fromSeal: head.number })).findings, []);
    const wrong = { number: head.number, hash: "00".repeat(32) };
    assert.match((await audit(database, { head: wrong })).findings[0]?.what ?? "", /another hash than the head/);
    const beyond = { number: head.number + 5n, hash: head.hash };
    assert.match((await audit(database, { head: beyond })).findings[0]?.what ?? "", /its end was cut/);
  });

  test("other modules' checks run beside the ledger's, and findings are counted beyond those kept", async () => {
    const loud: AuditCheck = {
      name: "payments",
      async run(report) {
        report.expect(1_500);
        for (let place = 0; place < 1_500; place++)
          report.finding({ where: `payment ${place}`, what: "is not posted." });
        report.checked("payments", 1_500);
      },
    };
    const outcome = await runAudit([loud]);
    assert.equal(outcome.findingsTotal, 1_500);
    assert.equal(outcome.findings.length, 1_000);
    assert.deepEqual(outcome.findings[0], { check: "payments", where: "payment 0", what: "is not posted." });
    assert.deepEqual(outcome.checks[0]?.checked, { payments: 1_500 });
  });
});

describe("marketflow audit", () => {
  test("a clean ledger exits with 0, and its head is what --head takes", async () => {
    const first = await marketflowAudit("--json");
    assert.equal(first.code, 0, first.stderr);
    const document = JSON.parse(first.stdout) as { result: string; head: string; findings_total: number };
    assert.equal(document.result, "clean");
    const head = await readHead({ database: vault.pool });
    assert.equal(document.head, head === undefined ? null : formatHead(head));
    assert.match(first.stderr, /^balances\s+[\d,]+ entries: 0 findings/m);
    assert.equal((await marketflowAudit("--head", document.head)).code, 0);
  });

  test("one changed byte exits with 1 and names the row", async () => {
    await vault.admin.query("begin; set local session_replication_role = replica");
    await vault.admin.query(
      `update ledger.entries set amount = amount # 1
       where leg = 2 and transaction_id = (select min(id) from ledger.transactions)`,
    );
    await vault.admin.query("commit");
    const { code, stdout } = await marketflowAudit();
    assert.equal(code, 1);
    assert.match(stdout, /^chain: entry \d+\/2 \(account \S+ version \d+\) is not what seal 1 has hashed/m);
    assert.match(stdout, /^transactions: transaction \d+ .* is not balanced/m);
  });

  test("what it cannot do exits with 2 and says why", async () => {
    const malformed = await marketflowAudit("--head", "latest");
    assert.equal(malformed.code, 2);
    assert.match(malformed.stderr, /--head takes what an earlier audit printed/);
    const unknown = await marketflowAudit("--everything");
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /Usage: marketflow audit/);
  });
});
