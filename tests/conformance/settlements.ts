import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { PaymentGateway, SettlementLine } from "../../src/movements/ports.ts";
import {
  aRequest,
  created,
  deadlineMs,
  type GatewaySetup,
  type GatewayUnderTest,
  money,
  paid,
  until,
} from "./gateway-under-test.ts";

const always = { from: new Date(0), to: new Date("2100-01-01T00:00:00Z") };

/** Every line of a range, and how many lines each page had. */
async function settlements(gateway: PaymentGateway, range = always) {
  const lines: SettlementLine[] = [];
  const pages: number[] = [];
  let cursor: string | null = null;
  do {
    const page = await gateway.listSettlements({ ...range, cursor }, deadlineMs);
    assert(page.type === "page", JSON.stringify({ ...page, lines: undefined }));
    lines.push(...page.lines);
    pages.push(page.lines.length);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return { lines, pages };
}

const byKind = (a: SettlementLine, b: SettlementLine) => a.kind.localeCompare(b.kind);

/** What a gateway promises about its settlement report. */
export function describeSettlements(setup: GatewaySetup): void {
  describe("the settlement report", () => {
    let under: GatewayUnderTest;
    beforeEach(async () => {
      under = await setup({ payAfterMs: 10 });
    });
    afterEach(() => under.close());

    it("is empty where no money moved", async () => {
      assert.deepEqual(await settlements(under.gateway), { lines: [], pages: [0] });
    });

    it("has what was charged and what was given back, with the refund's id", async () => {
      const startedAt = Date.now();
      const request = aRequest({ amount: money(500n, "ISK") });
      const { paymentId } = request;
      const { id: intentId } = await paid(under.gateway, request);
      const amount = money(200n, "ISK");
      const refund = { attemptId: "r-1", paymentId, refundId: "r", intentId, amount };
      const outcome = await under.gateway.createRefund(refund, deadlineMs);
      const { lines } = await settlements(under.gateway);
      assert.deepEqual(
        lines.sort(byKind).map(({ id: _, occurredAt: __, ...line }) => line),
        [
          { kind: "charge", intentId, sourceId: null, amount: request.amount },
          { kind: "refund", intentId, sourceId: outcome.type === "succeeded" && outcome.refund.id, amount },
        ],
      );
      assert.equal(new Set(lines.map(({ id }) => id)).size, 2);
      // Stripe counts in whole seconds.
      for (const { occurredAt } of lines) assert(occurredAt.getTime() >= startedAt - 1000);
    });

    it("has what was captured where that is less than what was authorized", async () => {
      const request = aRequest({ capture: "manual" });
      const { paymentId } = request;
      const { id: intentId } = await created(under.gateway, request);
      await new Promise((resolve) => setTimeout(resolve, 200));
      const amount = money(40_000n, "USD");
      await under.gateway.captureIntent({ attemptId: "c-1", paymentId, intentId, amount }, deadlineMs);
      const { lines } = await settlements(under.gateway);
      assert.deepEqual(
        lines.map((line) => line.amount),
        [amount],
      );
    });

    for (const [outcome, amountMinor, kinds] of [
      ["lost", 9_990_110n, ["charge", "dispute"]],
      ["won", 9_990_120n, ["charge", "dispute", "dispute_reversal"]],
    ] as const) {
      it(`has the dispute of a payment as it is ${outcome}`, async () => {
        const request = aRequest({ amount: money(amountMinor, "USD") });
        const { id: intentId } = await paid(under.gateway, request);
        under.advance(10_000);
        await until("the dispute is open", async () => (await settlements(under.gateway)).lines.length === 2);
        const refund = { attemptId: "r-1", paymentId: request.paymentId, refundId: "r", intentId };
        const refused = await under.gateway.createRefund({ ...refund, amount: money(1n, "USD") }, deadlineMs);
        assert.equal(refused.type === "declined" && refused.code, "charge_disputed");
        under.advance(10_000);
        const count = kinds.length;
        await until("it is closed", async () => (await settlements(under.gateway)).lines.length === count);
        const lines = (await settlements(under.gateway)).lines.sort(byKind);
        assert.deepEqual(
          lines.map(({ kind }) => kind),
          kinds,
        );
        const [charge, ...disputed] = lines;
        assert.equal(charge?.sourceId, null);
        assert.equal(new Set(disputed.map(({ sourceId }) => sourceId)).size, 1);
        assert.match(String(disputed[0]?.sourceId), /^dp_/);
        for (const line of lines) assert.deepEqual([line.intentId, line.amount], [intentId, request.amount]);
      });
    }

    it("comes in pages that miss nothing and repeat nothing, though payments go on", async () => {
      await Promise.all(Array.from({ length: 260 }, () => created(under.gateway, aRequest())));
      await until("all are paid", async () => (await settlements(under.gateway)).lines.length === 260);
      const before = await settlements(under.gateway);
      const [first] = await Promise.all([settlements(under.gateway), paid(under.gateway, aRequest())]);
      const ids = new Set(first.lines.map(({ id }) => id));
      assert.equal(ids.size, first.lines.length);
      assert(before.pages.length > 1);
      for (const count of before.pages) assert(count <= 1000);
      assert.equal(before.lines.length, 260);
      for (const { id } of before.lines) assert(ids.has(id));
    });

    it("has the lines of its time range only", async () => {
      const early = await paid(under.gateway, aRequest());
      const boundary = new Date(Math.ceil(Date.now() / 1000) * 1000 + 1000);
      under.advance(3000);
      const late = await paid(under.gateway, aRequest());
      const before = await settlements(under.gateway, { from: always.from, to: boundary });
      const after = await settlements(under.gateway, { from: boundary, to: always.to });
      assert.deepEqual(
        [before, after].map(({ lines }) => lines.map(({ intentId }) => intentId)),
        [[early.id], [late.id]],
      );
    });

    it("is unreachable where the gateway does not tell, and for a cursor that is none", async () => {
      const stranger = await under.gateway.listSettlements({ ...always, cursor: "txn_none" }, deadlineMs);
      assert.equal(stranger.type, "unreachable");
      under.fail("settlements", "error_before");
      assert.equal((await under.gateway.listSettlements({ ...always, cursor: null }, deadlineMs)).type, "unreachable");
    });
  });
}
