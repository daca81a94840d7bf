import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseCurrency } from "../../../kernel/currency.ts";
import { judgeDraft, type Leg, type TransactionDraft } from "./transaction.ts";

function leg(account: string, amountMinor: bigint, code = "USD"): Leg {
  const currency = parseCurrency(code);
  assert.ok(currency);
  return { account, amount: { amountMinor, currency } };
}

const clearing = "gateway:stripe:clearing";
const available = "seller:s_1:available";

const sale: TransactionDraft = {
  kind: "sale",
  reference: "pay_1",
  externalId: null,
  effectiveAt: null,
  holdId: null,
  shortfall: null,
  legs: [leg(clearing, 1_000n), leg(available, -975n), leg("platform:commission", -25n)],
};
const judged = (changes: Partial<TransactionDraft>) => judgeDraft({ ...sale, ...changes });
const refused = (changes: Partial<TransactionDraft>) => {
  const result = judged(changes);
  return result.ok ? undefined : result.refusal;
};

describe("a draft", () => {
  test("that is balanced goes to the vault as it is", () => {
    assert.deepEqual(judgeDraft(sale), { ok: true, value: sale });
  });

  test("may have several currencies, each balanced", () => {
    const legs = [leg(clearing, 1n), leg(available, -1n), leg(clearing, 5n, "JPY"), leg(available, -5n, "JPY")];
    assert.equal(judged({ legs }).ok, true);
  });

  test("that is not balanced is refused with the difference, also where two currencies hide it", () => {
    const short = [leg(clearing, 1_000n), leg(available, -999n)];
    assert.deepEqual(refused({ legs: short }), { type: "unbalanced", currency: "USD", differenceMinor: 1n });
    const mixed = [leg(clearing, 1_000n, "EUR"), leg(available, -1_000n, "USD")];
    assert.deepEqual(refused({ legs: mixed }), { type: "unbalanced", currency: "EUR", differenceMinor: 1_000n });
  });

  test("whose account is not in the chart is refused, and says which", () => {
    const legs = [leg(clearing, 1n), leg("cash", -1n)];
    assert.deepEqual(refused({ legs }), { type: "account_not_in_chart", account: "cash" });
    assert.deepEqual(refused({ shortfall: "debts" }), { type: "account_not_in_chart", account: "debts" });
  });

  test("has at least two legs, none of zero, and not thousands", () => {
    assert.deepEqual(refused({ legs: [] }), { type: "too_few_legs" });
    assert.deepEqual(refused({ legs: [leg(clearing, 1n)] }), { type: "too_few_legs" });
    const zero = [leg(clearing, 0n), leg(available, 0n)];
    assert.deepEqual(refused({ legs: zero }), { type: "leg_must_not_be_zero" });
    const many = Array.from({ length: 1_001 }, (_, n) => leg(clearing, n % 2 === 0 ? 1n : -1n));
    assert.equal(judged({ legs: many }).ok, false);
  });

  test("has a kind in snake_case", () => {
    for (const kind of ["", "Sale", "sale 2", "sale-2", "x".repeat(41)]) {
      assert.deepEqual(refused({ kind }), { type: "kind_malformed" }, kind);
    }
    assert.equal(judged({ kind: "x".repeat(40) }).ok, true);
  });

  test("has a reference of 1 to 255 characters that the database can hold", () => {
    for (const reference of ["", "x".repeat(256), "a\u0000b"]) {
      assert.deepEqual(refused({ reference }), { type: "reference_malformed" });
    }
    assert.equal(judged({ reference: "x".repeat(255) }).ok, true);
  });

  test("is accepted exactly where its legs add up to zero", () => {
    const amount = fc.bigInt(-(10n ** 15n), 10n ** 15n).filter((minor) => minor !== 0n);
    fc.assert(
      fc.property(fc.array(amount, { minLength: 2, maxLength: 20 }), (amounts) => {
        const sum = amounts.reduce((total, minor) => total + minor, 0n);
        assert.equal(judged({ legs: amounts.map((minor) => leg(clearing, minor)) }).ok, sum === 0n);
        if (sum === 0n) return;
        const balanced = [...amounts.map((minor) => leg(clearing, minor)), leg(available, -sum)];
        assert.equal(judged({ legs: balanced }).ok, true);
      }),
    );
  });
});
