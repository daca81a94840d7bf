import assert from "node:assert/strict";
import { randomUUIDv7 } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isUuid } from "../../../kernel/identifiers.ts";
import {
  canonicalRequest,
  judgeRequest,
  lowestIdAt,
  type PaymentRequest,
  paymentStatuses,
  statusAfter,
} from "./payment.ts";

const request: PaymentRequest = {
  amount: "1000.00",
  currency: "USD",
  idempotencyKey: "key",
  metadata: {},
  reference: null,
  sellerId: null,
  capture: "automatic",
};

function canonical(change: Partial<PaymentRequest>): string {
  const judged = judgeRequest({ ...request, ...change });
  assert.ok(judged.ok);
  return canonicalRequest(judged.value);
}

describe("a request in canonical form", () => {
  test("is the same however the amount and the metadata are written", () => {
    for (const amount of ["1000", "1000.0", "1000.00", "01000.000"]) assert.equal(canonical({ amount }), canonical({}));
    const pairs = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.integer()), {
      selector: ([key]) => key,
    });
    fc.assert(
      fc.property(pairs, (entries) => {
        const forward = canonical({ metadata: Object.fromEntries(entries) });
        assert.equal(canonical({ metadata: Object.fromEntries([...entries].reverse()) }), forward);
      }),
    );
  });

  test("differs where anything that was asked for differs", () => {
    const others: Partial<PaymentRequest>[] = [
      { amount: "1000.01" },
      { currency: "EUR" },
      { metadata: { a: 1 } },
      { metadata: { a: "1" } },
      { reference: "a" },
      { sellerId: "a" },
      { capture: "manual" },
    ];
    const forms = [{}, ...others].map(canonical);
    assert.equal(new Set(forms).size, forms.length);
    assert.equal(canonical({ idempotencyKey: "other" }), canonical({}), "the key is not part of what is asked for");
  });
});

describe("statuses", () => {
  test("learned in any order, with any repetition, end in the same one", () => {
    const learned = fc.array(fc.constantFrom(...paymentStatuses), { maxLength: 8 });
    fc.assert(
      fc.property(learned, fc.infiniteStream(fc.nat()), (statuses, random) => {
        const shuffled = statuses
          .map((status) => [random.next().value ?? 0, status] as const)
          .sort(([a], [b]) => a - b);
        const end = (list: typeof statuses) => list.reduce(statusAfter, "pending");
        assert.equal(end([...shuffled.map(([, status]) => status), ...statuses]), end(statuses));
      }),
    );
  });

  test("never leave succeeded, because then money has moved", () => {
    for (const status of paymentStatuses) assert.equal(statusAfter("succeeded", status), "succeeded");
  });
});

describe("an id bounds a walk in time", () => {
  test("below every id of its moment and above those before it", () => {
    const before = Date.now();
    const id = randomUUIDv7();
    assert.ok(lowestIdAt(new Date(before)) < id);
    assert.ok(lowestIdAt(new Date(Date.now() + 1_000)) > id);
  });

  test("is an id for every moment that a date can be", () => {
    for (const moment of [0, -1, 8.64e15, 2 ** 48]) assert.ok(isUuid(lowestIdAt(new Date(moment))), String(moment));
  });
});
