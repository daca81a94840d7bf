import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { PayoutGateway } from "../../src/movements/ports.ts";
import {
  anAttempt,
  type Disbursing,
  type DisbursingSetup,
  type DisbursingUnderTest,
  describeDisbursing,
} from "./disbursing.ts";
import { deadlineMs, money } from "./gateway-under-test.ts";

/** A gateway that pays affiliates and sellers out, as the suite calls it. */
export function payingOut(gateway: PayoutGateway, recipient = "acct_1affiliate"): Disbursing {
  return {
    pay: ({ attemptId, subject: payoutId, amount }, ms) =>
      gateway.createPayout({ attemptId, payoutId, recipient, amount, reference: `ref_${payoutId}` }, ms),
    find: ({ attemptId, subject: payoutId }, ms) => gateway.findPayout({ attemptId, payoutId }, ms),
  };
}

/** Every promise that a {@link PayoutGateway} makes, as tests of one adapter. */
export function describePayoutGateway(name: string, setup: DisbursingSetup): void {
  describe(`${name} is a payout gateway`, () => {
    describeDisbursing(setup);
    describeAmounts(setup);
  });
}

function describeAmounts(setup: DisbursingSetup): void {
  describe("amounts", () => {
    let under: DisbursingUnderTest;
    beforeEach(async () => {
      under = await setup(0);
    });
    afterEach(() => under.close());

    for (const [minor, code] of [
      [1n, "USD"],
      [10_050n, "EUR"],
      [99_999_999n, "COP"],
      [1000n, "JPY"],
      [5n, "ISK"],
    ] as const) {
      it(`pays ${minor} minor units of ${code} out`, async () => {
        const attempt = anAttempt({ amount: money(minor, code) });
        const outcome = await under.pay(attempt, deadlineMs);
        assert.equal(outcome.type, "succeeded", JSON.stringify(outcome));
        assert.equal(under.paidOf(attempt.subject).length, 1);
      });
    }
  });
}
