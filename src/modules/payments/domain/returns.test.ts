import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { commissionOf, type Funds, feePartOf, giveBack, leftOf, type Part, sizeRefund, takeBack } from "./returns.ts";

/** A payment that was taken, with its commission, and of which nothing has gone back. */
function taken(capturedMinor: bigint, feeMinor: bigint): Funds {
  return { capturedMinor, feeMinor, returnedMinor: 0n, returnedFeeMinor: 0n, refundingMinor: 0n, refundedMinor: 0n };
}

/** Gives so much back, sized as a refund is. */
function after(funds: Funds, asked: bigint | null): { funds: Funds; part: Part } {
  const sized = sizeRefund(funds, asked);
  assert.ok(sized.ok);
  const { amountMinor, feeMinor } = sized.value;
  assert.ok(feeMinor >= 0n && feeMinor <= amountMinor, "no side is given anything by a refund");
  return { funds: giveBack(funds, sized.value), part: sized.value };
}

function expectSound({ capturedMinor, feeMinor, returnedMinor, returnedFeeMinor }: Funds): void {
  assert.ok(returnedFeeMinor >= 0n && returnedFeeMinor <= feeMinor, "the commission gives back what it has");
  const share = returnedMinor - returnedFeeMinor;
  assert.ok(share >= 0n && share <= capturedMinor - feeMinor, "the seller gives back what they have");
}

const amounts = fc.oneof(fc.bigInt({ min: 1n, max: 200n }), fc.bigInt({ min: 1n, max: 10n ** 13n }));
const rates = fc.oneof(fc.constantFrom(0, 1, 250, 5_000, 9_999, 10_000), fc.nat({ max: 10_000 }));
const fractions = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 12 });

describe("the commission", () => {
  test("is half up", () => {
    for (const [amount, basisPoints, commission] of [
      [100_000n, 250, 2_500n],
      [19n, 250, 0n],
      [20n, 250, 1n],
      [59n, 250, 1n],
      [60n, 250, 2n],
      [1n, 5_000, 1n],
      [1n, 4_999, 0n],
      [7n, 0, 0n],
      [7n, 10_000, 7n],
    ] as const) {
      assert.equal(commissionOf(amount, basisPoints), commission, `${amount} at ${basisPoints}`);
    }
  });

  test("is within the amount, for every rate", () => {
    fc.assert(
      fc.property(amounts, rates, (amount, basisPoints) => {
        const commission = commissionOf(amount, basisPoints);
        assert.ok(commission >= 0n && commission <= amount);
      }),
    );
  });
});

describe("what goes back of a payment", () => {
  test("in any number of parts ends at zero on both sides, and takes no more than a side has in between", () => {
    fc.assert(
      fc.property(amounts, rates, fractions, (amount, basisPoints, parts) => {
        let funds = taken(amount, commissionOf(amount, basisPoints));
        for (const thousandths of parts) {
          const asked = (leftOf(funds) * BigInt(thousandths)) / 1_000n;
          if (asked === 0n) continue;
          funds = after(funds, asked).funds;
          expectSound(funds);
        }
        if (leftOf(funds) > 0n) funds = after(funds, null).funds;
        assert.equal(funds.returnedMinor, amount);
        assert.equal(funds.returnedFeeMinor, funds.feeMinor);
      }),
    );
  });

  test("stays sound where parts of it are taken back in any order, and is all refundable again", () => {
    fc.assert(
      fc.property(amounts, rates, fractions, fc.array(fc.nat({ max: 20 })), (amount, basisPoints, parts, failing) => {
        const fee = commissionOf(amount, basisPoints);
        let funds = taken(amount, fee);
        const standing: Part[] = [];
        for (const [place, thousandths] of parts.entries()) {
          const asked = (leftOf(funds) * BigInt(thousandths)) / 1_000n;
          if (asked > 0n) {
            const given = after(funds, asked);
            standing.push(given.part);
            funds = given.funds;
          }
          const [failed] = standing.splice(failing[place] ?? 99, 1);
          if (failed !== undefined) funds = takeBack(funds, failed);
          expectSound(funds);
        }
        for (const part of standing) funds = takeBack(funds, part);
        assert.deepEqual(funds, taken(amount, fee));
      }),
    );
  });

  test("takes no more from a side than the refund is, where the parts that carried the rounding have failed", () => {
    const four = taken(4n, 2n);
    let funds = four;
    const parts: Part[] = [];
    for (let place = 0; place < 4; place++) {
      const given = after(funds, 1n);
      parts.push(given.part);
      funds = given.funds;
    }
    assert.deepEqual(
      parts.map(({ feeMinor }) => feeMinor),
      [1n, 0n, 1n, 0n],
    );
    for (const failing of [0n, 1n]) {
      // What is left given back has only parts of one side; the next one would be due two units of the other.
      const failed = parts.filter(({ feeMinor }) => feeMinor !== failing).reduce(takeBack, funds);
      assert.equal(after(failed, 1n).part.feeMinor, failing === 0n ? 1n : 0n);
      assert.equal(after(failed, 2n).part.feeMinor, failing === 0n ? 2n : 0n);
    }
  });

  test("is shared in proportion, to within one minor unit", () => {
    const funds = taken(100_000n, 2_500n);
    assert.equal(feePartOf(funds, 1_000n), 25n);
    assert.equal(feePartOf(funds, 19n), 0n);
    assert.equal(feePartOf(funds, 20n), 1n);
    // Half of the second unit was rounded up with the first part.
    assert.equal(feePartOf(after(funds, 20n).funds, 20n), 0n);
  });
});

describe("the size of a refund", () => {
  test("is all that is left where nothing is said", () => {
    const { funds } = after(taken(1_000n, 25n), 400n);
    assert.deepEqual(sizeRefund(funds, null), { ok: true, value: { amountMinor: 600n, feeMinor: 15n } });
  });

  test("is refused where it is more than is left, or nothing is, or nothing was taken", () => {
    const funds = taken(1_000n, 25n);
    const exceeds = { ok: false, refusal: { type: "refund_exceeds_payment" } };
    assert.deepEqual(sizeRefund(funds, 1_001n), exceeds);
    assert.deepEqual(sizeRefund(funds, 0n), exceeds);
    assert.deepEqual(sizeRefund(after(funds, null).funds, null), exceeds);
    assert.deepEqual(sizeRefund(taken(0n, 0n), null), { ok: false, refusal: { type: "payment_not_refundable" } });
  });
});
