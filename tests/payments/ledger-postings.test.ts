import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { get } from "../support/app.ts";
import { deliver, intentEvent } from "../support/webhooks.ts";
import { type Books, newSeller, openBooks } from "./books.ts";

let books: Books;
before(async () => {
  books = await openBooks();
});
after(() => books.close());

const clearing = "gateway:simulator:clearing";
const commission = "platform:commission";

describe("a sale in the ledger", () => {
  it("debits clearing and credits the seller and the commission", async () => {
    const seller = newSeller();
    const { id, intentId } = await books.pay({ seller_id: seller });
    assert.deepEqual(await books.legs(`payment:${id}`), [
      [clearing, 100_000],
      [`seller:${seller}:available`, -97_500],
      [commission, -2_500],
    ]);
    const payment = await books.payment(id);
    assert.deepEqual([payment.amount_captured, payment.commission, payment.amount_refunded], [1000, 25, 0]);
    const [transaction] = await books.look(
      "select kind, external_id, tenant from ledger.transactions where reference = $1",
      [`payment:${id}`],
    );
    assert.deepEqual(transaction, { kind: "sale", external_id: intentId, tenant: "default" });
  });

  it("stands in the timeline with its legs", async () => {
    const seller = newSeller();
    const { id } = await books.pay({ seller_id: seller });
    const { body } = await get(books.address, `/payments/${id}/timeline`);
    const posting = body.data.find(({ kind }: { kind: string }) => kind === "posting");
    assert.deepEqual([posting.type, posting.reference], ["sale", `payment:${id}`]);
    assert.deepEqual(posting.entries, [
      { account: clearing, direction: "debit", amount: 1000 },
      { account: `seller:${seller}:available`, direction: "credit", amount: 975 },
      { account: commission, direction: "credit", amount: 25 },
    ]);
  });

  it("is the platform's own where the payment names no seller", async () => {
    const { id } = await books.pay({ amount: 10 });
    assert.deepEqual(await books.legs(`payment:${id}`), [
      [clearing, 1_000],
      ["seller:platform:available", -975],
      [commission, -25],
    ]);
  });

  it("is posted once, however often and in however many events the success is told", async () => {
    const seller = newSeller();
    const { id, intentId } = await books.make({ seller_id: seller });
    const same = intentEvent({ type: "payment_intent.succeeded", intentId });
    const tellings = Array.from({ length: 20 }, (_, n) =>
      n % 2 === 0 ? same : intentEvent({ type: "payment_intent.succeeded", intentId }),
    );
    await Promise.all(tellings.map((event) => deliver(books.address, event)));
    assert.deepEqual(await books.account(`seller:${seller}:available`), { balance: 97_500, held: 0 });
    assert.equal((await books.legs(`payment:${id}`)).length, 3);
  });

  it("is posted for what was taken, where that is less than the amount", async () => {
    const seller = newSeller();
    const { id, intentId } = await books.make({ seller_id: seller });
    await deliver(books.address, intentEvent({ type: "payment_intent.succeeded", intentId, amountReceived: 40_000 }));
    assert.deepEqual(await books.legs(`payment:${id}`), [
      [clearing, 40_000],
      [`seller:${seller}:available`, -39_000],
      [commission, -1_000],
    ]);
    assert.equal((await books.payment(id)).amount_captured, 400);
  });

  it("is posted where a failure was believed before", async () => {
    const seller = newSeller();
    const { id, intentId } = await books.make({ seller_id: seller });
    await deliver(books.address, intentEvent({ type: "payment_intent.payment_failed", intentId }));
    assert.deepEqual(await books.legs(`payment:${id}`), []);
    await deliver(books.address, intentEvent({ type: "payment_intent.succeeded", intentId }));
    assert.equal((await books.legs(`payment:${id}`)).length, 3);
  });

  it("is not there for a payment that is pending, failed or cancelled", async () => {
    const [pending, failed, cancelled] = [await books.make(), await books.make(), await books.make()];
    await deliver(books.address, intentEvent({ type: "payment_intent.payment_failed", intentId: failed.intentId }));
    await deliver(books.address, intentEvent({ type: "payment_intent.canceled", intentId: cancelled.intentId }));
    for (const { id } of [pending, failed, cancelled]) assert.deepEqual(await books.legs(`payment:${id}`), []);
  });

  it("and the status are one commit: where nothing can be posted the payment stays pending", async () => {
    const seller = newSeller();
    const { id, intentId } = await books.make({ seller_id: seller });
    const event = intentEvent({ type: "payment_intent.succeeded", intentId, id: `evt_unposted_${process.pid}` });
    const execute = "execute on function ledger.post_all";
    await books.look(`revoke ${execute} from marketflow_app`);
    try {
      assert.equal((await deliver(books.address, event)).status, 500);
      assert.equal((await books.payment(id)).status, "pending");
      assert.equal(await books.inbox(`evt_unposted_${process.pid}`), undefined);
      const events = await books.look("select type from events.log where stream = $1", [id]);
      assert.deepEqual(events, [{ type: "payment.created" }]);
    } finally {
      await books.look(`grant ${execute} to marketflow_app`);
    }
    assert.equal((await deliver(books.address, event)).status, 200);
    assert.equal((await books.payment(id)).status, "succeeded");
    assert.equal((await books.legs(`payment:${id}`)).length, 3);
  });

  it("shares every amount half up, to the minor unit of its currency", async () => {
    // The amount, its currency, and what the commission of 2.5 % comes to in minor units.
    const cases = [
      ["0.01", "USD", 1, 0],
      ["0.19", "USD", 19, 0],
      ["0.20", "USD", 20, 1],
      ["0.59", "USD", 59, 1],
      ["0.60", "USD", 60, 2],
      ["99.99", "USD", 9_999, 250],
      ["1", "JPY", 1, 0],
      ["19", "JPY", 19, 0],
      ["20", "JPY", 20, 1],
      ["1001", "JPY", 1_001, 25],
      ["0.020", "BHD", 20, 1],
      ["1.230", "BHD", 1_230, 31],
      ["9999999999", "BHD", 9_999_999_999_000, 249_999_999_975],
    ] as const;
    for (const [amount, currency, minor, fee] of cases) {
      const seller = newSeller();
      const { id } = await books.pay({ amount, currency, seller_id: seller });
      const expected = [
        [clearing, minor],
        [`seller:${seller}:available`, fee - minor],
        ...(fee === 0 ? [] : [[commission, -fee]]),
      ];
      assert.deepEqual(await books.legs(`payment:${id}`), expected, `${amount} ${currency}`);
      assert.deepEqual(await books.account(`seller:${seller}:available`, currency), { balance: minor - fee, held: 0 });
    }
  });

  it("is refused with no other money: a success of another amount moves nothing", async () => {
    const { id, intentId } = await books.make();
    const before = await books.balances();
    for (const other of [{ amount: 99_999 }, { currency: "eur" }]) {
      await deliver(books.address, intentEvent({ type: "payment_intent.succeeded", intentId, ...other }));
    }
    assert.equal((await books.payment(id)).status, "pending");
    assert.equal(await books.balances(), before);
  });

  it("of many payments at once is one for each, and the totals agree with the payments", async () => {
    const seller = newSeller();
    const made = await Promise.all(
      Array.from({ length: 60 }, () => books.make({ amount: "10.00", seller_id: seller })),
    );
    const type = "payment_intent.succeeded";
    await Promise.all(
      made.map(({ intentId }) => deliver(books.address, intentEvent({ type, intentId, amount: 1_000 }))),
    );
    assert.deepEqual(await books.account(`seller:${seller}:available`), { balance: 60 * 975, held: 0 });
    const [sum] = await books.look<{ sum: string }>("select sum(debits - credits)::text as sum from ledger.balances");
    assert.equal(sum?.sum, "0");
  });
});
