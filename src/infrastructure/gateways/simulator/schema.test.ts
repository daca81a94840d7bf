import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it, test } from "node:test";
import { promisify } from "node:util";
import { parseCurrency } from "../../../kernel/currency.ts";
import { readSimulatorJournal } from "./journal.ts";
import { openDatabase } from "./schema.ts";
import { createSimulator, type Simulator } from "./simulator.ts";

const currency = parseCurrency("USD");
assert(currency !== undefined);

/** The tables as they were before disputes, without the indexes that have not changed. */
const version0 = `
create table book (name text primary key, value text not null) strict, without rowid;
create table intents (
  n integer primary key, attempt text unique, payment_id text not null, reference text, metadata text,
  amount integer not null, currency text not null,
  capture text not null check (capture in ('automatic', 'manual')),
  status text not null check (status in ('pending', 'requires_capture', 'succeeded', 'failed', 'cancelled')),
  received integer not null default 0, failure text, plan text, due_at integer, created_at integer not null
) strict;
create table journal (
  n integer primary key, kind text not null check (kind in ('charge', 'refund', 'cancel')), intent integer not null,
  payment_id text not null, amount integer not null, currency text not null, at integer not null
) strict;
create trigger journal_keeps_rows before delete on journal
begin select raise(abort, 'the journal is append-only'); end;
create trigger journal_keeps_values before update on journal
begin select raise(abort, 'the journal is append-only'); end;
create table events (
  n integer primary key, intent integer not null, type text not null, status text not null, received integer not null,
  failure text, created_at integer not null, tries integer not null default 0, due_at integer, delivered_at integer
) strict;
create table refunds (
  n integer primary key, intent integer not null, amount integer not null, reason text, metadata text not null,
  created_at integer not null
) strict;
create table replies (
  key text primary key, fingerprint text not null, status integer not null, body text not null,
  created_at integer not null
) strict, without rowid;
insert into book values ('tag', 'oldbook1');
insert into intents values
  (1, 'p-1', 'p', null, null, 1000, 'USD', 'automatic', 'succeeded', 1000, null, null, null, 1000),
  (2, 'q-1', 'q', null, null, 500, 'USD', 'automatic', 'pending', 0, null, 'pay', 1, 2000);
insert into journal values
  (1, 'charge', 1, 'p', 1000, 'USD', 1000), (2, 'refund', 1, 'p', 100, 'USD', 2000),
  (3, 'cancel', 3, 'r', 70, 'USD', 2500), (5, 'refund', 1, 'p', 200, 'USD', 3000);
insert into refunds values (1, 1, 100, null, '{}', 2000), (4, 1, 200, null, '{}', 3000);
insert into events values (1, 1, 'payment_intent.succeeded', 'succeeded', 1000, null, 1000, 0, 1000, null);
`;

/** The same book as version 1 had it, before bills and payouts: what it then had more, and one dispute. */
const version1 = `${version0
  .replace("delivered_at integer\n", "delivered_at integer, object text\n")
  .replace("'cancel'))", "'cancel', 'dispute', 'dispute_reversal'))")
  .replace(
    "at integer not null\n) strict;\ncreate trigger",
    "at integer not null, source integer\n) strict;\ncreate trigger",
  )
  .replace(
    "created_at integer not null\n) strict;\ncreate table replies",
    "created_at integer not null, attempt text\n) strict;\ncreate table replies",
  )
  .replace(/insert into (journal|refunds|events) values[^;]+;/g, "")}
create table disputes (
  n integer primary key, intent integer not null, amount integer not null,
  status text not null check (status in ('needs_response', 'won', 'lost')), created_at integer not null
) strict;
insert into refunds values (1, 1, 100, null, '{}', 2000, 'r-1');
insert into disputes values (3, 1, 900, 'needs_response', 3000);
insert into events values (1, 1, 'payment_intent.succeeded', 'succeeded', 1000, null, 1000, 0, 1000, null, null);
insert into journal values
  (1, 'charge', 1, 'p', 1000, 'USD', 1000, null), (2, 'refund', 1, 'p', 100, 'USD', 2000, 1),
  (4, 'dispute', 1, 'p', 900, 'USD', 3000, 3);
pragma user_version = 1;
`;

let home: string;
let path: string;
let simulator: Simulator | undefined;

function start(): Simulator {
  simulator = createSimulator({ path, latencyMs: 0, payAfterMs: 0, buyer: "pays", webhook: null });
  return simulator;
}

function layOut(sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

describe("a book of an earlier version", () => {
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "marketflow-book-"));
    path = join(home, "simulator.db");
    simulator = undefined;
  });
  afterEach(async () => {
    await simulator?.close();
    rmSync(home, { recursive: true });
  });

  it("opens with all that it had, and its refunds' lines say which refund they are about", async () => {
    layOut(version0);
    const gateway = start();
    const range = { from: new Date(0), to: new Date(10_000), cursor: null };
    const page = await gateway.listSettlements(range, 1000);
    assert.deepEqual(
      page.type === "page" &&
        page.lines.map(({ id, kind, sourceId, amount }) => [id, kind, sourceId, amount.amountMinor]),
      [
        ["txn_sim_oldbook11", "charge", null, 1000n],
        ["txn_sim_oldbook12", "refund", "re_sim_oldbook11", 100n],
        ["txn_sim_oldbook15", "refund", "re_sim_oldbook14", 200n],
      ],
    );
    assert.equal(readSimulatorJournal(path)[2]?.kind, "cancel");
  });

  it("goes on as any other: what is due is paid, what is left is refunded and disputed", async () => {
    layOut(version0);
    const gateway = start();
    const amount = { amountMinor: 600n, currency: currency as NonNullable<typeof currency> };
    const refund = { attemptId: "r-1", paymentId: "p", refundId: "r", intentId: "pi_sim_oldbook11", amount };
    const tooMuch = { ...refund, attemptId: "r-0", amount: { ...amount, amountMinor: 701n } };
    assert.equal((await gateway.createRefund(tooMuch, 1000)).type, "declined");
    assert.equal((await gateway.createRefund(refund, 1000)).type, "succeeded");
    await gateway.dispute("p", "lost");
    const until = Date.now() + 5000;
    while (gateway.chargesOf("q").length === 0) {
      assert(Date.now() < until, "the intent that was due was not paid");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.deepEqual(
      readSimulatorJournal(path)
        .filter(({ paymentId, n }) => paymentId === "p" && n > 5)
        .map(({ kind, amountMinor }) => [kind, amountMinor]),
      [
        ["refund", 600n],
        ["dispute", 100n],
      ],
    );
  });

  for (const [version, sql, lines] of [
    [0, version0, 4],
    [1, version1, 3],
  ] as const) {
    it(`is brought up to date once from version ${version}, and its journal still cannot be changed`, () => {
      layOut(sql);
      for (let time = 0; time < 2; time++) openDatabase(path).close();
      const database = new DatabaseSync(path);
      assert.deepEqual({ ...database.prepare("pragma user_version").get() }, { user_version: 2 });
      assert.deepEqual({ ...database.prepare("select count(*) as lines from journal").get() }, { lines });
      assert.throws(() => database.exec("delete from journal"), /append-only/);
      assert.throws(() => database.exec("update journal set source = 7"), /append-only/);
      assert.equal(database.prepare("select 1 from sqlite_schema where name = 'journal_before'").get(), undefined);
      database.close();
    });
  }

  it("opens where it knows disputes and nothing of payouts, and then pays bills and affiliates", async () => {
    layOut(version1);
    const gateway = start();
    const amount = { amountMinor: 600n, currency: currency as NonNullable<typeof currency> };
    const bill = { attemptId: "b-1", paymentId: "b", reference: "FAC-1", amount, retry: 0 };
    const payout = { attemptId: "o-1", payoutId: "o", recipient: "afiliado_1", amount, reference: "ref_o" };
    assert.equal((await gateway.bills.payBill(bill, 1000)).type, "succeeded");
    assert.equal((await gateway.payouts.createPayout(payout, 1000)).type, "succeeded");
    // The buyer pays what was due meanwhile.
    const lines = readSimulatorJournal(path).filter(({ paymentId }) => paymentId !== "q");
    assert.deepEqual(
      lines.map(({ kind, intent, source, paymentId, recipient }) => [kind, intent, source, paymentId, recipient]),
      [
        ["charge", 1, null, "p", null],
        ["refund", 1, 1, "p", null],
        ["dispute", 1, 3, "p", null],
        ["bill_payment", null, 1, "b", null],
        ["payout", null, 2, "o", "afiliado_1"],
      ],
    );
    const refund = { attemptId: "r-1", intentId: "pi_sim_oldbook11", gatewayRefundId: null };
    assert.equal((await gateway.findRefund(refund, 1000)).type, "found");
  });

  it("is left as it is where the program is the older one", () => {
    openDatabase(path).close();
    layOut("pragma user_version = 3");
    assert.throws(() => openDatabase(path), /version 3/);
  });
});

test("processes that open a new book at the same time all have it", async (t) => {
  const module = JSON.stringify(new URL("./schema.ts", import.meta.url).href);
  for (let round = 0; round < 4; round++) {
    const home = mkdtempSync(join(tmpdir(), "marketflow-book-"));
    t.after(() => rmSync(home, { recursive: true }));
    const source = `import { openDatabase } from ${module};
      while (Date.now() < ${Date.now() + 700});
      openDatabase(${JSON.stringify(join(home, "book.db"))}).close();`;
    const opening = Array.from({ length: 4 }, () => promisify(execFile)(process.execPath, ["--eval", source]));
    await Promise.all(opening);
  }
});
