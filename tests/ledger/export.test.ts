import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { DatabaseFailure } from "../../src/kernel/statement.ts";
import { openJournal } from "../../src/modules/ledger/application/export-journal.ts";
import { csvOf } from "../../src/modules/ledger/application/journal-csv.ts";
import { hledgerAccountOf } from "../../src/modules/ledger/application/journal-hledger.ts";
import { type ServedLedger, serveLedger } from "./served-ledger.ts";
import { available, clearing, connectAs, type Item, postOn, sale } from "./vault.ts";

const run = promisify(execFile);

let served: ServedLedger;
after(() => served.close());

async function post(...items: Item[]): Promise<void> {
  for (const { result } of await served.vault.post(items)) assert.equal(result, "posted");
}

async function exported(query: string): Promise<string> {
  const { status, body } = await served.read(`/ledger/export?${query}`);
  assert.equal(status, 200, body);
  return body;
}

/** Reads CSV by the letter of RFC 4180; throws where it is not. */
function parseCsv(text: string): Record<string, string>[] {
  const rows: string[][] = [[]];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (field.lastIndex < text.length) {
    const at = field.lastIndex;
    const found = field.exec(text);
    assert.ok(found, `no CSV at ${JSON.stringify(text.slice(at, at + 40))}`);
    rows.at(-1)?.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? "");
    if (found[3] === "\r\n") rows.push([]);
  }
  assert.deepEqual(rows.pop(), [], "the last line ends");
  const [header = [], ...records] = rows;
  return records.map((record) => {
    assert.equal(record.length, header.length);
    return Object.fromEntries(header.map((name, place) => [name, record[place] ?? ""]));
  });
}

/** Fails unless the rows are a cut through the books: zero-sum in each transaction, each account without a gap. */
function assertWhole(rows: readonly Record<string, string>[]): void {
  const sums = new Map<string, number>();
  const versions = new Map<string, number>();
  for (const { transaction_id, currency, account, direction, amount, version } of rows) {
    const transaction = `${transaction_id} ${currency}`;
    const change = Number(amount) * (direction === "debit" ? 1 : -1);
    sums.set(transaction, Math.round(((sums.get(transaction) ?? 0) + change) * 1_000) / 1_000);
    const last = versions.get(`${account} ${currency}`) ?? 0;
    assert.equal(Number(version), last + 1, `${account} has no gap`);
    versions.set(`${account} ${currency}`, last + 1);
  }
  for (const [transaction, sum] of sums) assert.equal(sum, 0, `${transaction} adds up to zero`);
}

/** Ids and references that mean something to CSV, spreadsheets, hledger or a terminal. */
const nasty = [
  "a:b:c",
  "semi;colon",
  "two  spaces",
  " edges ",
  "line\nbreak",
  "tab\tand\rreturn",
  "=1+1",
  "'quoted",
  'say "hi", then',
  "日本語",
  "%3A",
  "%",
  "",
  "(virtual)",
  "[balanced]",
  "account ; type:A",
  "\u2028\u0085",
];

before(async () => {
  served = await serveLedger();
  await post(
    sale("plain", "ann", 100_000n, 2_500n),
    { ...sale("late", "ann", 4_00n), effectiveAt: "2026-01-31T23:59:59Z", externalId: "pi_1, x:y" },
    sale("yen", "ann", 1_234n, 34n, "JPY"),
    sale("dinar", "ann", 1_234n, 1n, "BHD"),
    ...nasty.map((id, n) => sale(`${id}${n}`, id, BigInt(n) + 1n)),
    {
      reference: "two currencies",
      kind: "adjustment",
      legs: [...sale("", "ann", 5n).legs, ...sale("", "bob", 7n, 0n, "JPY").legs],
    },
  );
});

describe("CSV", () => {
  test("has a row for each leg, in the order of posting, with everything that the books say of it", async () => {
    const { headers } = await served.read("/ledger/export?format=csv");
    assert.equal(headers.get("content-type"), "text/csv; charset=utf-8; header=present");
    assert.match(headers.get("content-disposition") ?? "", /filename="ledger.csv"/);
    const rows = parseCsv(await exported("format=csv"));
    assertWhole(rows);
    const [first] = rows;
    assert.ok(first);
    const { transaction_id, posted_at, ...facts } = first;
    assert.deepEqual(facts, {
      leg: "1",
      effective_at: "",
      kind: "sale",
      reference: "plain",
      external_id: "",
      account: clearing,
      currency: "USD",
      direction: "debit",
      amount: "1000.00",
      balance: "1000.00",
      version: "1",
    });
    const [counted] = await served.vault.look<{ n: bigint }>("select count(*) as n from ledger.entries");
    assert.equal(BigInt(rows.length), counted?.n);
  });

  test("gives back what others wrote, and lets a spreadsheet run none of it", async () => {
    const rows = parseCsv(await exported("format=csv"));
    for (const [n, id] of nasty.entries()) {
      const row = rows.find(({ account, reference }) => account === available(id) && reference?.endsWith(`${id}${n}`));
      assert.ok(row, JSON.stringify(id));
      const { reference = "" } = row;
      assert.equal(reference.replace(/^'/, ""), `${id}${n}`);
      assert.doesNotMatch(reference, /^[=+\-@\t\r\n]/);
    }
  });

  test("has what was posted in a period, its beginning included and its end not", async () => {
    await post(sale("period-1", "ann", 1n));
    await post(sale("period-2", "ann", 1n));
    const all = parseCsv(await exported("format=csv"));
    const timeOf = (wanted: string) => all.find(({ reference }) => reference === wanted)?.["posted_at"] ?? "";
    const [from, to] = [timeOf("period-1"), timeOf("period-2")];
    const some = parseCsv(await exported(`format=csv&from=${from}&to=${to}`));
    assert.deepEqual([...new Set(some.map(({ reference }) => reference))], ["period-1"]);
    assert.deepEqual(
      parseCsv(await exported(`from=${to}`)).map(({ reference }) => reference),
      ["period-2", "period-2"],
    );
  });
});

const required = process.env["REQUIRE_SERVICES"] === "1";
const absent = spawnSync("hledger", ["--version"]).error !== undefined;
const skip =
  absent && !required ? "NO HLEDGER: install Debian's package hledger to run this against the real one" : false;
if (skip !== false) process.stdout.write(`${skip}\n`);

describe("hledger", () => {
  /** Runs the real program on the export, in a locale that knows ASCII only. */
  async function hledger(...args: string[]): Promise<string> {
    assert.ok(!absent, "REQUIRE_SERVICES=1 needs the program hledger");
    const folder = await mkdtemp(join(tmpdir(), "marketflow-hledger-"));
    try {
      const file = join(folder, "ledger.journal");
      await writeFile(file, await exported("format=hledger"));
      return (await run("hledger", ["-f", file, ...args], { env: { ...process.env, LC_ALL: "C" } })).stdout;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  test("its check accepts the journal, and its strict check does", { skip }, async () => {
    await hledger("check");
    await hledger("check", "--strict");
  });

  test("its balances are those of the API, for every account and currency", { skip }, async () => {
    const rows = parseCsv((await hledger("balance", "--flat", "-E", "-N", "-O", "csv")).replaceAll("\n", "\r\n"));
    const theirs = new Map(
      rows.map(({ account, balance }) => [
        account,
        balance
          ?.split(", ")
          .filter((amount) => amount !== "0")
          .sort(),
      ]),
    );
    const { body } = await served.read("/ledger/accounts?limit=100");
    assert.equal(body.next_cursor, null);
    const ours = new Map<string, string[]>();
    for (const { code, currency, balance, normal_side } of body.data) {
      const decimals = { JPY: 0, BHD: 3 }[currency as string] ?? 2;
      const name = hledgerAccountOf(code);
      const signed = (normal_side === "debit" ? balance : -balance).toFixed(decimals);
      ours.set(name, [...(ours.get(name) ?? []), `${signed} ${currency}`].sort());
    }
    assert.ok(ours.size > nasty.length);
    assert.deepEqual(theirs, ours);
  });

  test("it counts as many transactions as there are, and knows what is an asset and what is owed", {
    skip,
  }, async () => {
    const [counted] = await served.vault.look<{ n: bigint }>("select count(*) as n from ledger.transactions");
    assert.match(await hledger("stats"), new RegExp(`Transactions +: ${counted?.n} `));
    assert.match(await hledger("balancesheet", "-O", "csv"), new RegExp(clearing));
    assert.match(await hledger("incomestatement", "-O", "csv"), /platform:commission/);
  });

  test("different codes are different accounts, each id is one level, and all of it is ASCII", async () => {
    const names = nasty.map((id) => hledgerAccountOf(available(id)));
    assert.equal(new Set(names).size, nasty.length);
    for (const name of names) assert.match(name, /^seller:[\w.%-]+:available$/);
    assert.equal(hledgerAccountOf("affiliate:a:b:paid"), "affiliate:a%3Ab:paid");
    assert.equal(hledgerAccountOf("platform:commission"), "platform:commission");
    const text = await exported("format=hledger");
    assert.match(text, /^[\n\x20-\x7e]*$/);
    assert.match(text, /\n2026-01-31 \* \(\d+\) sale late {2}; posted_at:.*, external_id:pi_1%2C%20x:y\n/);
    assert.match(text, /\n; complete: \d+ transactions\n$/);
  });
});

describe("an export is one cut through the books", () => {
  test("while four lanes post, no account has a gap, and what was committed before is in", async () => {
    let stop = false;
    let committed = 0;
    const lanes = [0, 1, 2, 3].map(async (lane) => {
      const client = await connectAs(served.vault.database.appUrl);
      for (let n = 0; !stop; n++) {
        // Some postings take their time between the number of their batch and their commit.
        await client.query("begin");
        const code = available(n % 3 === 0 ? "shared" : `lane ${lane}`);
        await postOn(client, [
          {
            reference: `lane-${lane}-${n}`,
            legs: [
              [`gateway:${lane}:clearing`, 7n],
              [code, -7n],
            ],
          },
        ]);
        await client.query(`select pg_sleep(${n % 2 === 0 ? 0 : 0.003})`);
        await client.query("commit");
        committed += 1;
      }
      await client.end();
    });
    try {
      for (let n = 0; n < 15; n++) {
        const before = committed;
        const rows = parseCsv(await exported("format=csv"));
        assertWhole(rows);
        const seen = new Set(
          rows.map(({ reference }) => reference).filter((reference) => reference?.startsWith("lane-")),
        );
        assert.ok(seen.size >= before, `${seen.size} of ${before}`);
      }
    } finally {
      stop = true;
      await Promise.all(lanes);
    }
  });

  test("it waits for a posting that began before it, and has it", async () => {
    const client = await connectAs(served.vault.database.appUrl);
    await client.query("begin");
    await postOn(client, [sale("slow", "slow", 1n)]);
    await post(sale("quick", "quick", 1n, 0n, "EUR"));
    const text = exported("format=csv");
    await new Promise((resolve) => setTimeout(resolve, 200));
    await client.query("commit");
    await client.end();
    const references = parseCsv(await text).map(({ reference }) => reference);
    assert.ok(references.includes("slow") && references.includes("quick"));
  });

  test("it is refused where that posting does not end, and does not wait for what only reads", async () => {
    const client = await connectAs(served.vault.database.appUrl);
    await client.query("begin");
    await client.query("select count(*) from ledger.balances");
    const whole = { from: null, to: null };
    assert.equal((await openJournal(served.context, whole, 0)).ok, true);
    await postOn(client, [sale("stuck", "stuck", 1n)]);
    assert.deepEqual(await openJournal(served.context, whole, 50), { ok: false, refusal: { type: "ledger_busy" } });
    await client.query("rollback");
    await client.end();
    const journal = await openJournal(served.context, whole, 50);
    assert.ok(journal.ok);
    await post(sale("afterwards", "ann", 1n));
    let text = "";
    for await (const chunk of csvOf(journal.value)) text += chunk;
    assert.ok(!text.includes("afterwards") && !text.includes("stuck"), "what is posted later is in the next export");
  });
});

describe("a long export", () => {
  /** More than the sockets between reader and server take in by themselves. */
  const many = 30_000;
  before(async () => {
    for (let first = 0; first < many; first += 10_000) {
      const items = Array.from({ length: 10_000 }, (_, n) => sale(`${"x".repeat(240)}-${first + n}`, `s${n % 9}`, 2n));
      await post(...items);
    }
  });

  test("goes through batches that are larger than a page, and leaves nothing out", async () => {
    const rows = parseCsv(await exported("format=csv"));
    assertWhole(rows);
    const [counted] = await served.vault.look<{ n: bigint }>("select count(*) as n from ledger.entries");
    assert.equal(BigInt(rows.length), counted?.n);
  });

  test("reads no further than its reader takes, and no more than four run at a time", async () => {
    const readers = new AbortController();
    const open = () => fetch(`${served.address}/ledger/export`, { signal: readers.signal });
    const answers = await Promise.all([open(), open(), open(), open()]);
    assert.ok(answers.every(({ status }) => status === 200));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const refused = await served.read("/ledger/export");
    assert.deepEqual([refused.status, refused.body.code], [503, "too_many_exports"]);
    assert.equal(refused.headers.get("retry-after"), "10");
    readers.abort();
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal((await served.read("/ledger/export?from=2999-01-01T00:00:00Z")).status, 200);
  });
});

test("an export that breaks off is cut, so that nobody takes a part for the whole", async () => {
  let pages = 0;
  const broken = await serveLedger((database) => ({
    async query(query) {
      if (query.name === "ledger.listJournal" && ++pages > 1) throw new DatabaseFailure("unavailable", false, "gone");
      return await database.query(query);
    },
  }));
  try {
    const items = Array.from({ length: 2_000 }, (_, n) => sale(`cut-${n}`, "cut", 1n));
    await broken.vault.post(items);
    await assert.rejects(broken.read("/ledger/export"), /terminated|fetch failed|other side closed/);
    assert.equal(pages, 2);
  } finally {
    await broken.close();
  }
});
