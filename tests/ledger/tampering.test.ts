import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ClosableDatabase } from "../../src/infrastructure/postgres/connections.ts";
import type { Finding } from "../../src/modules/ledger/application/audit/report.ts";
import { readHead, sealBatches } from "../../src/modules/ledger/application/seal-batches.ts";
import type { Head } from "../../src/modules/ledger/domain/canonical.ts";
import { runsOf } from "../support/property-seed.ts";
import {
  audit,
  auditInside,
  fillLedger,
  openAuditConnection,
  type Random,
  run,
  seededRandom,
  seedOfRun,
} from "./support.ts";
import {
  type Column,
  cutTail,
  type Done,
  dropSeals,
  edit,
  editColumn,
  insert,
  insertAs,
  insertions,
  readColumns,
  remove,
  reorder,
  rewriteChain,
  tables,
} from "./tampering.ts";
import { openVault, sale, type Vault } from "./vault.ts";

const seed = seedOfRun();
const tamperings = runsOf(1_000, 200);
let vault: Vault;
let database: ClosableDatabase;
let head: Head;
before(async () => {
  vault = await openVault();
  const random = seededRandom(seed);
  for (let part = 0; part < 6; part++) {
    await fillLedger(vault, random, 10, `part-${part}`);
    await sealBatches({ database: vault.pool }, 10);
  }
  head = (await readHead({ database: vault.pool })) ?? assert.fail("nothing was sealed");
  await vault.post([sale("unsealed", "ana", 100n)]);
  await vault.hold("unsealed hold", "seller:ana:available", 5n);
  database = openAuditConnection(vault.database.adminUrl);
  await run(database, "analyze");
});
after(async () => {
  await database?.close();
  await vault.close();
});

type Way = (random: Random, columns: readonly Column[]) => Promise<Done>;

const ways = {
  edit: (random, columns) => edit(database, random, columns),
  remove: (random) => remove(database, random),
  reorder: (random, columns) => reorder(database, random, columns),
  insert: (random) => insert(database, random),
  dropSeals: (random) => dropSeals(database, random),
  cutTail: (random) => cutTail(database, 1 + random.below(4)),
} satisfies Record<string, Way>;

/** Each as often as it stands here. */
const names: readonly (keyof typeof ways)[] = [
  ...Array.from({ length: 10 }, () => "edit" as const),
  ...(["remove", "remove", "remove", "reorder", "reorder", "reorder"] as const),
  ...(["insert", "insert", "dropSeals", "cutTail"] as const),
];

/** Tampers as a superuser whom no trigger stops, looks at what the audit finds, and takes it back. */
async function tampered<Done>(tamper: () => Promise<Done>, look: (done: Done) => Promise<void>): Promise<void> {
  await run(database, "begin");
  try {
    await run(database, "set local session_replication_role = replica");
    await look(await tamper());
  } finally {
    await run(database, "rollback");
  }
}

const found = async (options = {}) => (await auditInside(database, options)).findings;
const told = (findings: readonly Finding[]) => findings.map(({ where, what }) => `${where} ${what}`).join("\n");

describe("tampering", () => {
  test("an untouched ledger has no findings, with its head or without", async () => {
    assert.deepEqual((await audit(database)).findings, []);
    assert.deepEqual((await audit(database, { head })).findings, []);
    const counts = await run<{ seals: bigint; entries: bigint }>(
      database,
      "select (select count(*) from ledger.seals) as seals, (select count(*) from ledger.entries) as entries",
    );
    assert.ok((counts[0]?.seals ?? 0n) >= 6n && (counts[0]?.entries ?? 0n) >= 150n);
  });

  test(`${tamperings} random tamperings by a superuser are all found (LEDGER_SEED=${seed})`, async (context) => {
    const random = seededRandom(seed);
    const columns = await readColumns(database);
    // A new table of the ledger is not to be forgotten here.
    assert.deepEqual([...new Set(columns.map(({ table }) => table))].sort(), [...tables].sort());
    const counts: Record<string, number> = {};
    const missed: string[] = [];
    let impossible = 0;
    for (let done = 0; done < tamperings; ) {
      const name = random.pick(names);
      await tampered(
        () => ways[name](random, columns).catch(refused),
        async (what) => {
          if (what === undefined) {
            impossible++;
            return;
          }
          done++;
          counts[name] = (counts[name] ?? 0) + 1;
          if ((await found(name === "cutTail" ? { head } : {})).length === 0) missed.push(what);
        },
      );
      assert.ok(impossible < 3 * tamperings, "most of what was tried could not be done");
    }
    context.diagnostic(`${JSON.stringify(counts)}, ${impossible} more were refused or changed nothing`);
    assert.deepEqual(missed, []);
  });

  test("every column of every table can be tampered with, and every row added, and is found", async () => {
    const random = seededRandom(seed);
    const columns = await readColumns(database);
    assert.ok(columns.length > 60 && insertions.length > 15);
    const ways: [string, () => Promise<Done>][] = [
      ...columns.map((column): [string, () => Promise<Done>] => [
        `${column.table}.${column.column}`,
        () => editColumn(database, random, column),
      ]),
      ...insertions.map((text): [string, () => Promise<Done>] => [text, () => insertAs(database, random, text)]),
    ];
    for (const [name, tamper] of ways) {
      let wasDone = false;
      for (let tries = 0; tries < 500 && !wasDone; tries++) {
        await tampered(
          () => tamper().catch(refused),
          async (what) => {
            if (what === undefined) return;
            wasDone = true;
            assert.ok((await found()).length > 0, what);
          },
        );
      }
      assert.ok(wasDone, `never done: ${name}`);
    }
  });

  test("a tail that was cut with everything that belongs to it is found by the head, and only by it", async () => {
    for (const seals of [1, 2, 4]) {
      await tampered(
        () => cutTail(database, seals),
        async () => {
          assert.equal(told(await found()), "");
          assert.match(told(await found({ head })), /^seal \d+ is the head that was exported, and the chain ends at/);
        },
      );
    }
  });

  test("a chain that was written anew is found by the head, and only by it", async () => {
    await tampered(
      () => rewriteChain(database, seededRandom(seed)),
      async () => {
        assert.equal(told(await found()), "");
        assert.match(told(await found({ head })), /has another hash than the head|the chain ends at/);
      },
    );
  });
});

/** A constraint stopped it: that is not tampering. Everything else is a fault of this test. */
function refused(error: unknown): undefined {
  const message = error instanceof Error ? error.message : String(error);
  if (/violates|out of range|out of bounds|number of elements to trim/.test(message)) return undefined;
  throw error;
}

describe("the row that was changed is named", () => {
  const cases: readonly [name: string, tamper: string, where: RegExp][] = [
    [
      "one byte of an entry's amount",
      `update ledger.entries set amount = amount # 1
       where leg = 2 and transaction_id = (select min(transaction_id) from ledger.entries)`,
      /^entry \d+\/2 \(account seller:\S+:available version \d+\)$/,
    ],
    [
      "one byte of a reference",
      `update ledger.transactions set reference = 'q' || substr(reference, 2)
       where id = (select min(id) from ledger.transactions)`,
      /^transaction \d+ \(reference qart-0-0-0/,
    ],
    [
      "a microsecond of a batch",
      `update ledger.batches set posted_at = posted_at + interval '1 microsecond'
       where id = (select min(id) from ledger.batches)`,
      /^batch \d+$/,
    ],
    [
      "an account's tenant",
      "update ledger.accounts set tenant = 'Test' where id = (select min(id) from ledger.accounts)",
      /^account \d+ \(\S+ \w{3}\)$/,
    ],
    [
      "what became of a hold",
      `update ledger.hold_resolutions set resolution = 'expired'
       where hold_id = (select min(hold_id) from ledger.hold_resolutions where resolution = 'voided')`,
      /^resolution of hold \d+$/,
    ],
    [
      "why a floor was changed",
      "update ledger.floor_changes set reason = 'Agreed' where id = (select min(id) from ledger.floor_changes)",
      /^floor change \d+$/,
    ],
    [
      "a balance",
      `update ledger.balances set debits = debits + 1, credits = credits + 1
       where account_id = (select min(account_id) from ledger.entries)`,
      /^balance of account \d+ \(\S+\)$/,
    ],
    [
      "a seal's hash",
      "update ledger.seals set hash = set_byte(hash, 31, get_byte(hash, 31) # 1) where number = 2",
      /^seal 2$/,
    ],
  ];
  for (const [name, tamper, where] of cases) {
    test(name, async () => {
      await tampered(
        () => run(database, tamper),
        async () => {
          const findings = await found();
          assert.ok(
            findings.some((finding) => where.test(finding.where)),
            told(findings),
          );
        },
      );
    });
  }

  test("of a row that was deleted, the seal, the place and how many", async () => {
    await tampered(
      () =>
        run(
          database,
          "delete from ledger.entries where transaction_id = (select min(id) from ledger.transactions) and leg = 2",
        ),
      async () => {
        const findings = await found();
        assert.match(
          told(findings),
          /seal 1 has hashed \d+ rows.* 1 were removed\. The first of them came after entry \d+\/1 /,
        );
        assert.match(told(findings), /comes 2 versions after the entry before it|counts entries|newest entry/);
      },
    );
  });
});
