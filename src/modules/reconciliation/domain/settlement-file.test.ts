import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Line } from "./lines.ts";
import { createSettlementReader } from "./settlement-reader.ts";

function read(text: string) {
  const reader = createSettlementReader();
  const lines = [...reader.push(text), ...reader.end()];
  return { lines, faults: reader.faults(), ignored: reader.ignoredLines(), period: reader.period() };
}

/** Reads a file of our own columns that must be good. */
function lineOf(record: string): Line | undefined {
  const { lines, faults } = read(`${header}\n${record}\n`);
  assert.deepEqual(faults, []);
  return lines[0];
}

const header = "id,kind,intent_id,source_id,amount,currency,occurred_at";
const stripeHeader =
  "balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id,payment_intent_id," +
  "customer_facing_amount,customer_facing_currency";

describe("a settlement file in our own columns", () => {
  test("has a charge under its intent and everything else under its source", () => {
    assert.deepEqual(lineOf("txn_1,charge,pi_1,ch_1,1000.00,USD,2026-01-31T12:00:00Z"), {
      id: "txn_1",
      kind: "charge",
      gatewayId: "pi_1",
      amount: { amountMinor: 100_000n, currency: "USD" },
      occurredAt: "2026-01-31T12:00:00.000Z",
      isPart: false,
    });
    assert.equal(lineOf("txn_2,refund,pi_1,re_1,5,JPY,2026-01-31T12:00:00+02:00")?.gatewayId, "re_1");
    assert.equal(lineOf("txn_3,dispute_reversal,,dp_1,0.005,BHD,2026-01-31T12:00:00.5Z")?.amount.amountMinor, 5n);
  });

  test("may have its columns in any order, with others between them, and a name in capitals", () => {
    const { lines } = read(
      "AMOUNT,note,currency,id,kind,source_id,intent_id,occurred_at\n1.50,x,EUR,t,charge,,pi_9,2026-01-01T00:00:00Z\n",
    );
    assert.equal(lines[0]?.gatewayId, "pi_9");
    assert.equal(lines[0]?.amount.amountMinor, 150n);
  });

  test("spans the period from its first line to just after its last", () => {
    const { period } = read(
      `${header}\na,charge,pi_1,,1,USD,2026-01-02T00:00:00Z\nb,charge,pi_2,,1,USD,2026-01-01T00:00:00Z\n`,
    );
    assert.deepEqual(period, { from: new Date("2026-01-01T00:00:00Z"), to: new Date("2026-01-02T00:00:00.001Z") });
  });

  const bad: [string, RegExp][] = [
    ["t,payout,pi_1,,1,USD,2026-01-01T00:00:00Z", /kind must be one of charge, refund/],
    ["t,charge,,re_1,1,USD,2026-01-01T00:00:00Z", /intent_id must be 1 to 255/],
    ["t,refund,pi_1,,1,USD,2026-01-01T00:00:00Z", /source_id must be 1 to 255/],
    [",charge,pi_1,,1,USD,2026-01-01T00:00:00Z", /^id must be 1 to 255/],
    ["t,charge,pi_1,,1,usd,2026-01-01T00:00:00Z", /currency must be an ISO 4217 code/],
    ["t,charge,pi_1,,1.005,USD,2026-01-01T00:00:00Z", /amount must be an amount of USD.*"1.005"/],
    ["t,charge,pi_1,,-1,USD,2026-01-01T00:00:00Z", /amount must be positive/],
    ["t,charge,pi_1,,0,USD,2026-01-01T00:00:00Z", /amount must be an amount/],
    ['t,charge,pi_1,,"1,000.00",USD,2026-01-01T00:00:00Z', /amount must be an amount/],
    ["t,charge,pi_1,,1,USD,yesterday", /occurred_at must be a time/],
    ["t,charge,pi_1,,1,USD,2026-01-01T00:00:00", /occurred_at must be a time/],
    ["t,charge,pi_1,,1,USD,2026-02-31T00:00:00Z", /occurred_at must be a time/],
    ["t,charge,pi_1,,1,USD,0000-01-01T00:00:00Z", /occurred_at must be a time/],
    ["t,charge,pi_1,,1,USD", /There are 6 fields, and the header has 7/],
  ];
  for (const [record, detail] of bad) {
    test(`is refused with the line ${record}`, () => {
      const { lines, faults } = read(`${header}\r\nok,charge,pi_0,,1,USD,2026-01-01T00:00:00Z\r\n${record}\r\n`);
      assert.equal(faults.length, 1);
      assert.equal(faults[0]?.line, 3);
      assert.match(faults[0]?.detail ?? "", detail);
      assert.deepEqual(lines, []);
    });
  }

  test("is refused for a header that lacks columns, has one twice, or is none", () => {
    assert.match(read("id,kind,amount\n").faults[0]?.detail ?? "", /lacks intent_id, source_id, currency, occurred_at/);
    assert.match(read(`${header},ID\n`).faults[0]?.detail ?? "", /column id is there twice/);
    assert.match(read("txn_1,charge,pi_1\n").faults[0]?.detail ?? "", /header lacks/);
  });

  test("tells of at most twenty bad lines, and reads no further", () => {
    const reader = createSettlementReader();
    reader.push(`${header}\n${"t,charge,pi_1,,0,USD,2026-01-01T00:00:00Z\n".repeat(500)}`);
    assert.equal(reader.faults().length, 20);
    assert.equal(reader.isOver(), true);
  });
});

describe("Stripe's balance report", () => {
  test("has charges, refunds and disputes, and lines about no payment that are counted", () => {
    const { lines, faults, ignored } = read(
      [
        stripeHeader,
        "txn_1,2026-01-31 12:00:00,usd,1000.00,29.30,970.70,charge,ch_1,pi_1,1000.00,usd",
        "txn_2,2026-01-31 13:00:00,usd,-10.00,0,-10.00,refund,re_1,pi_1,-10.00,usd",
        "txn_3,2026-01-31 14:00:00,usd,-20.00,15,-35.00,dispute,dp_1,pi_1,,",
        "txn_4,2026-01-31 15:00:00,usd,20.00,-15,35.00,dispute_reversal,dp_1,pi_1,,",
        "txn_5,2026-01-31 16:00:00,usd,-900.00,0,-900.00,payout,po_1,,,",
      ].join("\r\n"),
    );
    assert.deepEqual(faults, []);
    assert.equal(ignored, 1);
    assert.deepEqual(
      lines.map(({ kind, gatewayId, amount, occurredAt }) => [kind, gatewayId, amount.amountMinor, occurredAt]),
      [
        ["charge", "pi_1", 100_000n, "2026-01-31T12:00:00.000Z"],
        ["refund", "re_1", 1_000n, "2026-01-31T13:00:00.000Z"],
        ["dispute", "dp_1", 2_000n, "2026-01-31T14:00:00.000Z"],
        ["dispute_reversal", "dp_1", 2_000n, "2026-01-31T15:00:00.000Z"],
      ],
    );
  });

  test("has what a partial capture did not take as a part of its charge", () => {
    const { lines } = read(
      `${stripeHeader}\ntxn_1,2026-01-31 12:00:00,usd,-4.00,0,-4.00,partial_capture_reversal,ch_1,pi_1,,\n`,
    );
    assert.deepEqual([lines[0]?.kind, lines[0]?.amount.amountMinor, lines[0]?.isPart], ["charge", -400n, true]);
  });

  test("says what the buyer paid where Stripe converted it", () => {
    const { lines } = read(`${stripeHeader}\ntxn_1,2026-01-31 12:00:00,usd,11.80,0,11.80,charge,ch_1,pi_1,10.00,eur\n`);
    assert.deepEqual(lines[0]?.amount, { amountMinor: 1_000n, currency: "EUR" });
  });

  test("is refused where an amount goes the other way, and tells which columns it needs", () => {
    const refund = read(`${stripeHeader}\ntxn_2,2026-01-31 13:00:00,usd,10.00,0,10.00,refund,re_1,pi_1,,\n`);
    assert.match(refund.faults[0]?.detail ?? "", /gross must be negative/);
    const header = read("balance_transaction_id,created_utc,currency,gross,reporting_category,source_id\n");
    assert.match(header.faults[0]?.detail ?? "", /lacks payment_intent_id/);
  });
});
