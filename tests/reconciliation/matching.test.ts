import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { advanceRun } from "../../src/modules/reconciliation/application/advance-run.ts";
import type { ReconciliationContext } from "../../src/modules/reconciliation/application/context.ts";
import { getRun, listExceptions } from "../../src/modules/reconciliation/application/read-runs.ts";
import { receiveFile } from "../../src/modules/reconciliation/application/receive-file.ts";
import { startRun } from "../../src/modules/reconciliation/application/start-run.ts";
import type { Exception } from "../../src/modules/reconciliation/domain/exceptions.ts";
import type { LedgerMovement } from "../../src/modules/reconciliation/domain/lines.ts";
import type { Run } from "../../src/modules/reconciliation/domain/runs.ts";
import type { SettlementLine } from "../../src/movements/index.ts";
import {
  type Books,
  booked,
  bytesOf,
  contextOf,
  day,
  dayMs,
  eur,
  fakeGateway,
  fakeLedger,
  openBooks,
  period,
  settled,
} from "./support.ts";

let books: Books;
before(async () => {
  books = await openBooks();
});
after(() => books.close());

/** Whatever was compared, no line of it is kept. */
afterEach(async () => {
  assert.deepEqual(await books.look("select from reconciliation.lines"), []);
});

type Outcome = { readonly run: Run; readonly exceptions: readonly Exception[] };

async function finish(context: ReconciliationContext, runId: string): Promise<Outcome> {
  while ((await advanceRun(context, runId)) === "advanced");
  const run = await getRun(context, runId);
  const listed = await listExceptions(context, runId, { reason: null, isResolved: null, after: 0, limit: 100 });
  assert.ok(run.ok && listed.ok);
  return { run: run.value, exceptions: listed.value.exceptions };
}

async function compare(
  theirs: readonly SettlementLine[],
  ours: readonly LedgerMovement[],
  request = { period, toleranceMs: 3 * dayMs },
): Promise<Outcome> {
  const context = contextOf(books.pool, { gateway: fakeGateway(theirs), ledger: fakeLedger(ours) });
  const started = await startRun(context, request);
  assert.ok(started.ok);
  return await finish(context, started.value);
}

function told({ exceptions }: Outcome): (readonly [string, string])[] {
  return exceptions.map(({ reason, gatewayId }) => [gatewayId, reason] as const).sort();
}

describe("comparing a gateway's report with the ledger", () => {
  it("matches charges by intent, and refunds and disputes by their own ids, page by page", async () => {
    const outcome = await compare(
      [
        settled("pi_1", 1000n),
        settled("pi_2", 500n, { amount: { amountMinor: 500n, currency: eur } }),
        settled("re_1", 100n, { kind: "refund" }),
        settled("dp_1", 900n, { kind: "dispute" }),
        settled("dp_1", 900n, { kind: "dispute_reversal" }),
      ],
      [
        booked("dp_1", 900n, { kind: "dispute_reversal" }),
        booked("dp_1", 900n, { kind: "dispute" }),
        booked("re_1", 100n, { kind: "refund" }),
        booked("pi_2", 500n, { currency: eur }),
        booked("pi_1", 1000n),
      ],
    );
    assert.deepEqual(told(outcome), []);
    const { counts, status } = outcome.run;
    assert.equal(status, "completed");
    assert.deepEqual([counts.gatewayLines, counts.ledgerLines, counts.matched], [5, 5, 5]);
  });

  it("tells of each thing that does not agree by its reason, with what both sides have", async () => {
    const outcome = await compare(
      [
        settled("pi_only_there", 100n),
        settled("pi_amount", 300n),
        settled("pi_currency", 400n),
        settled("pi_twice_there", 500n),
        settled("pi_twice_there", 500n),
        settled("pi_twice_here", 600n),
        settled("pi_both", 700n),
      ],
      [
        booked("re_only_here", 200n, { kind: "refund" }),
        booked("pi_amount", 301n),
        booked("pi_currency", 400n, { currency: eur }),
        booked("pi_twice_there", 500n),
        booked("pi_twice_here", 600n),
        booked("pi_twice_here", 600n),
        booked("pi_both", 700n),
      ],
    );
    assert.deepEqual(told(outcome), [
      ["pi_amount", "amount_differs"],
      ["pi_currency", "currency_differs"],
      ["pi_only_there", "missing_here"],
      ["pi_twice_here", "duplicate_here"],
      ["pi_twice_there", "duplicate_at_gateway"],
      ["re_only_here", "missing_at_gateway"],
    ]);
    const { counts } = outcome.run;
    assert.deepEqual(
      [counts.matched, counts.missing_here, counts.missing_at_gateway, counts.amount_differs, counts.currency_differs],
      [1, 1, 1, 1, 1],
    );
    assert.deepEqual([counts.duplicate_at_gateway, counts.duplicate_here], [1, 1]);
    assert.deepEqual(outcome.exceptions.map(({ number }) => number).sort(), [1, 2, 3, 4, 5, 6]);
    const differs = outcome.exceptions.find(({ reason }) => reason === "amount_differs");
    assert.deepEqual(
      [differs?.gatewaySide.amount?.amountMinor, differs?.ledgerSide.amount?.amountMinor, differs?.ledgerSide.count],
      [300n, 301n, 1],
    );
    assert.deepEqual(differs?.gatewaySide.occurredAt, day(10));
  });

  it("does not take a refund for the charge of the same id, nor a wrong direction for a right one", async () => {
    const wrongWay = { ...booked("re_2", 50n, { kind: "refund" }), amount: booked("pi", 50n).amount };
    const outcome = await compare(
      [settled("same_id", 100n), settled("re_2", 50n, { kind: "refund" })],
      [booked("same_id", 100n, { kind: "refund" }), wrongWay],
    );
    assert.deepEqual(told(outcome), [
      ["re_2", "amount_differs"],
      ["same_id", "missing_at_gateway"],
      ["same_id", "missing_here"],
    ]);
  });

  it("does not look at what a settlement report has no lines for", async () => {
    const payout = { ...booked("po_1", 100n), kind: "gateway_payout" };
    const adjustment = { ...booked("pi_1", 100n), kind: "adjustment" };
    assert.deepEqual(told(await compare([], [payout, adjustment])), []);
  });

  it("lets each side tell of a refund that failed as nothing, as a refund, or as one and its reversal", async () => {
    const refund = booked("re_failed", 100n, { kind: "refund" });
    const reversal = { ...booked("re_failed", 100n), kind: "refund_reversal" };
    assert.deepEqual(told(await compare([], [refund, reversal])), []);
    const shown = settled("re_failed", 100n, { kind: "refund" });
    assert.deepEqual(told(await compare([shown], [refund, reversal])), []);
    const other = settled("re_failed", 90n, { kind: "refund" });
    assert.deepEqual(told(await compare([other], [refund, reversal])), [["re_failed", "amount_differs"]]);
  });

  it("tells of a sale without a gateway's id by its reference", async () => {
    const sale = { ...booked("pi_1", 100n), externalId: null, reference: "payment:strange" };
    assert.deepEqual(told(await compare([], [sale])), [["payment:strange", "missing_at_gateway"]]);
  });
});

describe("the border of the period", () => {
  it("finds counterparts around it, and tells only of lines within it", async () => {
    const lastMoment = day(10, "23:59:59");
    const nextMoment = day(11, "00:00:00");
    const outcome = await compare(
      [
        settled("pi_booked_later", 100n, { occurredAt: lastMoment }),
        settled("pi_booked_earlier", 100n, { occurredAt: period.from }),
        settled("pi_settled_later", 100n, { occurredAt: day(12) }),
        settled("pi_next_day", 100n, { occurredAt: nextMoment }),
        settled("pi_too_late", 100n),
      ],
      [
        booked("pi_booked_later", 100n, { at: day(11, "00:00:20") }),
        booked("pi_booked_earlier", 100n, { at: day(9, "23:59:50") }),
        booked("pi_settled_later", 100n),
        booked("pi_day_before", 100n, { at: day(9) }),
        booked("pi_too_late", 100n, { at: day(15) }),
      ],
    );
    assert.deepEqual(told(outcome), [["pi_too_late", "missing_here"]]);
    assert.equal(outcome.run.counts.matched, 2);
  });

  it("has each pair in one of two adjacent periods", async () => {
    const theirs = [9, 10, 10, 11].map((number, nth) => settled(`pi_${nth}`, 100n, { occurredAt: day(number) }));
    const ours = [10, 10, 11, 11].map((number, nth) => booked(`pi_${nth}`, 100n, { at: day(number) }));
    const matched: number[] = [];
    for (const number of [8, 9, 10, 11, 12]) {
      const adjacent = { from: day(number, "00:00:00"), to: day(number + 1, "00:00:00") };
      const outcome = await compare(theirs, ours, { period: adjacent, toleranceMs: 2 * dayMs });
      assert.deepEqual(told(outcome), []);
      matched.push(outcome.run.counts.matched);
    }
    assert.deepEqual(matched, [0, 1, 2, 1, 0]);
  });

  it("says of a file, which ends where its period ends, what may be in the next one", async () => {
    const ours = [booked("pi_edge", 100n, { at: day(10, "00:00:10") }), booked("pi_middle", 100n, { at: day(15) })];
    const context = contextOf(books.pool, { ledger: fakeLedger(ours) });
    const header = "id,kind,intent_id,source_id,amount,currency,occurred_at";
    const file = `${header}\nt,charge,pi_x,,1.00,USD,2026-03-12T00:00:00Z\n`;
    const month = { from: day(10, "00:00:00"), to: day(25, "00:00:00") };
    const received = await receiveFile(context, bytesOf(file), { period: month, toleranceMs: dayMs }, 1_000_000);
    assert.ok(received.ok);
    const { exceptions } = await finish(context, received.value);
    const border = Object.fromEntries(exceptions.map(({ gatewayId, atBorder }) => [gatewayId, atBorder]));
    assert.deepEqual(border, { pi_edge: true, pi_middle: false, pi_x: false });
  });
});

describe("a settlement file", () => {
  it("of twenty thousand lines is compared in steps, whatever the pieces it comes in", async () => {
    const rows = 20_000;
    const ours = Array.from({ length: rows }, (_, nth) => booked(`pi_${nth}`, nth % 1_000 === 7 ? 99n : 100n));
    const lines = Array.from(
      { length: rows },
      (_, nth) => `t${nth},charge,pi_${nth + 10},,1.00,USD,2026-03-10T12:00:00Z`,
    );
    const file = `id,kind,intent_id,source_id,amount,currency,occurred_at\r\n${lines.join("\r\n")}\r\n`;
    const steps: string[] = [];
    const ledger = fakeLedger(ours, 5_000);
    const context = contextOf(books.pool, { ledger }, { onStep: (_id, step) => steps.push(step) });
    const received = await receiveFile(context, bytesOf(file, 65_536), { period, toleranceMs: 0 }, 10_000_000);
    assert.ok(received.ok);
    const { run } = await finish(context, received.value);
    const { matched, missing_here, missing_at_gateway, amount_differs, gatewayLines, ledgerLines } = run.counts;
    assert.deepEqual([gatewayLines, ledgerLines], [rows, rows]);
    assert.deepEqual([missing_here, missing_at_gateway, amount_differs], [10, 10, 19]);
    assert.equal(matched, rows - 10 - 19);
    assert.deepEqual(steps, [...Array(4).fill("ledger"), ...Array(4).fill("match")]);
    const [kept] = await books.look<{ numbers: number; most: number }>(
      "select count(distinct number)::integer as numbers, max(number) as most from reconciliation.exceptions " +
        "where run_id = $1",
      [run.id],
    );
    assert.deepEqual(kept, { numbers: 39, most: 39 });
  });

  it("of Stripe's takes off a charge what was not captured, and off a refund what failed", async () => {
    const columns = "balance_transaction_id,created_utc,currency,gross,reporting_category,source_id,payment_intent_id";
    const file = [
      columns,
      "txn_a,2026-03-10 12:00:00,usd,10.00,charge,ch_1,pi_part",
      "txn_b,2026-03-10 12:00:01,usd,-4.00,partial_capture_reversal,ch_1,pi_part",
      "txn_c,2026-03-10 12:00:02,usd,-0.30,fee,,",
      "txn_d,2026-03-10 12:00:02,usd,-1.00,refund,re_never,pi_part",
      "txn_e,2026-03-10 12:00:02,usd,1.00,refund_failure,re_never,pi_part",
    ].join("\n");
    const context = contextOf(books.pool, { ledger: fakeLedger([booked("pi_part", 600n)]) });
    const received = await receiveFile(context, bytesOf(file, 7), { period: undefined, toleranceMs: dayMs }, 1_000_000);
    assert.ok(received.ok);
    const { run, exceptions } = await finish(context, received.value);
    assert.deepEqual(exceptions, []);
    assert.deepEqual([run.counts.matched, run.counts.ignoredLines], [2, 1]);
    assert.deepEqual([run.from, run.to], [day(10), day(10, "12:00:02.001")]);
  });

  const bad = [
    ["with a bad line at its end", (lines: string) => `${lines}\nt,charge,pi_1,,-1,USD,2026-03-10T00:00:00Z`, 8_002],
    ["that is not UTF-8", (lines: string) => Buffer.concat([Buffer.from(lines), Buffer.from([0x0a, 0xff])]), 0],
    ["with a quote that is never closed", (lines: string) => `${lines}\n"t`, 8_002],
  ] as const;
  for (const [what, spoil, line] of bad) {
    it(`${what} leaves nothing behind`, async () => {
      const lines = Array.from({ length: 8_000 }, (_, nth) => `t${nth},charge,pi_${nth},,1,USD,2026-03-10T00:00:00Z`);
      const file = spoil(`id,kind,intent_id,source_id,amount,currency,occurred_at\n${lines.join("\n")}`);
      async function* pieces() {
        yield Buffer.from(file);
      }
      const context = contextOf(books.pool, {});
      const received = await receiveFile(context, pieces(), { period, toleranceMs: 0 }, 10_000_000);
      assert.ok(!received.ok && received.refusal.type === "settlement_file_invalid");
      assert.equal(received.refusal.faults[0]?.line, line);
      assert.deepEqual(await books.look("select from reconciliation.runs where step <> 'done'"), []);
    });
  }

  it("that is empty, too large, or breaks off leaves nothing behind either", async () => {
    const context = contextOf(books.pool, {});
    const header = "id,kind,intent_id,source_id,amount,currency,occurred_at";
    const request = { period, toleranceMs: 0 };
    const empty = await receiveFile(context, bytesOf(header), request, 1_000);
    assert.ok(!empty.ok && empty.refusal.type === "settlement_file_empty");
    const large = await receiveFile(context, bytesOf(header.repeat(100)), request, 1_000);
    assert.ok(!large.ok && large.refusal.type === "settlement_file_too_large");
    async function* breaking() {
      yield Buffer.from(header);
      throw new Error("the sender has gone");
    }
    await assert.rejects(receiveFile(context, breaking(), request, 1_000), /the sender has gone/);
    assert.deepEqual(await books.look("select from reconciliation.runs where step <> 'done'"), []);
  });
});
