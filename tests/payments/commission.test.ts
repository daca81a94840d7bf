import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { deliver, intentEvent } from "../support/webhooks.ts";
import { type Books, newSeller, openBooks } from "./books.ts";

let books: Books;
before(async () => {
  books = await openBooks();
});
afterEach(() => books.look("delete from payments.commission_rates where seller_id <> '' or category <> ''"));
after(() => books.close());

async function rate(basisPoints: number, { seller = "", category = "" }): Promise<void> {
  await books.look("insert into payments.commission_rates values ($1, $2, $3)", [seller, category, basisPoints]);
}

/** The commission on a sale of 1000.00, in major units. */
async function commissionOf(seller: string, metadata: object = {}): Promise<number> {
  const { id } = await books.pay({ seller_id: seller, metadata });
  return (await books.payment(id)).commission;
}

describe("the commission", () => {
  it("is the seller's rate in the category, else the seller's, else the category's, else everybody's", async () => {
    const [both, own, none] = [newSeller(), newSeller(), newSeller()];
    await rate(100, { seller: both, category: "books" });
    await rate(300, { seller: both });
    await rate(400, { seller: own });
    await rate(500, { category: "books" });
    const books5 = { category: "books" };
    assert.equal(await commissionOf(both, books5), 10);
    assert.equal(await commissionOf(both), 30);
    assert.equal(await commissionOf(both, { category: "toys" }), 30);
    assert.equal(await commissionOf(own, books5), 40);
    assert.equal(await commissionOf(none, books5), 50);
    assert.equal(await commissionOf(none, { category: "toys" }), 25);
    assert.equal(await commissionOf(none), 25);
  });

  it("is read for each of many payments that come at once", async () => {
    const [dear, cheap] = [newSeller(), newSeller()];
    await rate(1_000, { seller: dear });
    await rate(1, { category: "cheap" });
    const asked = Array.from({ length: 30 }, (_, n) =>
      [commissionOf(dear), commissionOf(cheap, { category: "cheap" }), commissionOf(cheap)].at(n % 3),
    );
    const expected = Array.from({ length: 30 }, (_, n) => [100, 0.1, 25].at(n % 3));
    assert.deepEqual(await Promise.all(asked), expected);
  });

  it("is what held when the payment was made, whatever is set before it succeeds or is refunded", async () => {
    const seller = newSeller();
    const { id, intentId } = await books.make({ seller_id: seller });
    await rate(1_000, { seller });
    await deliver(books.address, intentEvent({ type: "payment_intent.succeeded", intentId }));
    assert.equal((await books.payment(id)).commission, 25);
    await books.look("update payments.commission_rates set basis_points = 9000 where seller_id = $1", [seller]);
    const { body } = await books.refund(id, { amount: 400 });
    assert.deepEqual((await books.legs(`refund:${body.id}`))[1], ["platform:commission", 1_000]);
    assert.equal((await books.refund(id)).status, 201);
    assert.deepEqual(await books.left(id), {});
    assert.equal(await commissionOf(seller), 900);
  });

  it("of nothing and of everything leaves a sale of two legs, refundable in parts", async () => {
    for (const [basisPoints, account] of [
      [0, (seller: string) => `seller:${seller}:available`],
      [10_000, () => "platform:commission"],
    ] as const) {
      const seller = newSeller();
      await rate(basisPoints, { seller });
      const { id } = await books.pay({ seller_id: seller });
      assert.deepEqual(await books.legs(`payment:${id}`), [
        ["gateway:simulator:clearing", 100_000],
        [account(seller), -100_000],
      ]);
      for (const amount of [333.33, 333.33, undefined]) {
        const { status, body } = await books.refund(id, { amount });
        assert.deepEqual([status, body.status], [201, "succeeded"]);
      }
      assert.deepEqual(await books.left(id), {});
    }
  });

  it("never takes more from a side than it has, for any split of odd rates", async () => {
    // The commission of each refund rounds against the one before it.
    for (const [basisPoints, amount, parts] of [
      [5_000, "0.05", Array(5).fill("0.01")],
      [9_999, "0.07", ["0.02", "0.02", "0.03"]],
      [1, "100.00", ["49.99", "50.01"]],
      [3_333, "0.03", ["0.01", "0.01", "0.01"]],
      [6_667, "1.01", ["0.34", "0.33", "0.34"]],
    ] as const) {
      const seller = newSeller();
      await rate(basisPoints, { seller });
      const { id } = await books.pay({ seller_id: seller, amount });
      for (const part of parts) {
        const { status, body } = await books.refund(id, { amount: part });
        assert.deepEqual([status, body.code], [201, undefined], `${part} of ${amount} at ${basisPoints}`);
        const legs = await books.legs(`refund:${body.id}`);
        assert.ok(legs.slice(0, -1).every(([, moved]) => moved > 0));
      }
      assert.deepEqual(await books.left(id), {});
    }
  });

  it("cannot be set to what is no share", async () => {
    for (const basisPoints of [-1, 10_001]) {
      await assert.rejects(rate(basisPoints, { seller: "nobody" }), /commission_rates_basis_points_check/);
    }
  });
});
