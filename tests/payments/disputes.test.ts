import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { eventually, get, post, startTestApp } from "../support/app.ts";
import { deliver, disputeEvent, intentEvent, refundedEvent, refundStatusEvent } from "../support/webhooks.ts";
import { type Books, gatewayIdOf, type MadePayment, newSeller, openBooks, refundMade } from "./books.ts";

let books: Books;
before(async () => {
  books = await openBooks();
});
afterEach(() => books.bank(() => undefined));
after(() => books.close());

const clearing = "gateway:simulator:clearing";
const disputed = "gateway:simulator:disputed";
const commission = "platform:commission";
const losses = "platform:losses";
const available = (seller: string) => `seller:${seller}:available`;
const receivable = (seller: string) => `seller:${seller}:receivable`;

type Paid = MadePayment & { readonly seller: string; readonly disputeId: string };

async function paid(more: object = {}): Promise<Paid> {
  const seller = newSeller();
  const made = await books.pay({ seller_id: seller, ...more });
  return { ...made, seller, disputeId: `dp_${made.id}` };
}

type Told = Partial<Parameters<typeof disputeEvent>[0]>;

/** Tells of the payment's dispute, and returns what became of the telling. */
async function tell({ intentId, disputeId }: Paid, event: Told = {}): Promise<string | undefined> {
  const payload = disputeEvent({ intentId, disputeId, ...event });
  assert.equal((await deliver(books.address, payload)).status, 200);
  return await books.inbox(JSON.parse(payload).id);
}

const opened: Told = { type: "created", status: "needs_response" };
const lost: Told = { type: "closed", status: "lost" };
const won: Told = { type: "closed", status: "won" };

/** The seller is paid out. */
async function spend(seller: string, amountMinor: number): Promise<void> {
  await books.look(
    `select ledger.post_all('default', array['payout'], array['payout:' || $1::text], array[null::text], null, null,
       array[1, 1], array['seller:' || $1::text || ':available', 'bills:payouts'], array['USD', 'USD'],
       array[$2::bigint, -$2::bigint])`,
    [seller, amountMinor],
  );
}

describe("a dispute", () => {
  it("holds the seller's share and takes the money out of clearing", async () => {
    const payment = await paid();
    assert.equal(await tell(payment, opened), "applied");
    assert.deepEqual(await books.legs(`dispute:${payment.disputeId}`), [
      [disputed, 100_000],
      [clearing, -100_000],
    ]);
    assert.deepEqual(await books.account(available(payment.seller)), { balance: 97_500, held: 97_500 });
    const { status, body } = await books.refund(payment.id, { amount: 1 });
    assert.deepEqual([status, body.code], [409, "refund_exceeds_payment"], "the bank has the money already");
  });

  it("that is lost takes the money from the seller and the commission, and frees the hold", async () => {
    const payment = await paid();
    await tell(payment, opened);
    assert.equal(await tell(payment, lost), "applied");
    assert.deepEqual(await books.legs(`chargeback:${payment.disputeId}`), [
      [available(payment.seller), 97_500],
      [commission, 2_500],
      [disputed, -100_000],
    ]);
    assert.deepEqual(await books.account(available(payment.seller)), { balance: 0, held: 0 });
    assert.deepEqual(await books.left(payment.id), {});
    const shown = await books.payment(payment.id);
    assert.deepEqual([shown.status, shown.amount_refunded], ["succeeded", 0]);
  });

  it("that is won leaves everything as it was before it, and refundable", async () => {
    const payment = await paid();
    const before = await books.left(payment.id);
    await tell(payment, opened);
    assert.equal(await tell(payment, won), "applied");
    assert.deepEqual(await books.left(payment.id), before);
    assert.deepEqual(await books.account(available(payment.seller)), { balance: 97_500, held: 0 });
    assert.equal((await books.refund(payment.id)).status, 201);
    assert.deepEqual(await books.left(payment.id), {});
  });

  it("whose events come in any order and twice ends in the same state", async () => {
    const orders = [
      [opened, opened, lost, lost],
      [lost, opened],
      [opened, lost, won],
      [opened, won, won],
      [won, opened],
      [opened, won, lost],
    ];
    for (const events of orders) {
      const payment = await paid();
      const end = events.find(({ type }) => type === "closed") ?? lost;
      const tellings: (string | undefined)[] = [];
      for (const event of events) tellings.push(await tell(payment, event));
      const left = await books.left(payment.id);
      if (end === lost) assert.deepEqual(left, {});
      else assert.equal(left[available(payment.seller)], -97_500);
      assert.equal(left[disputed], undefined);
      assert.equal((await books.account(available(payment.seller))).held, 0);
      assert.ok(tellings.slice(events.indexOf(end) + 1).every((telling) => telling === "superseded"));
    }
  });

  it("that is told by one event to many at once has one effect", async () => {
    const payment = await paid();
    const { intentId, disputeId } = payment;
    const event = disputeEvent({ intentId, disputeId });
    const answers = await Promise.all(Array.from({ length: 20 }, () => deliver(books.address, event)));
    assert.ok(answers.every(({ status }) => status === 200));
    assert.deepEqual(await books.account(available(payment.seller)), { balance: 97_500, held: 97_500 });
    assert.equal((await books.legs(`dispute:${payment.disputeId}`)).length, 2);
  });

  it("after a partial refund is borne for what is left, and the rest is the marketplace's loss", async () => {
    const payment = await paid();
    assert.equal((await books.refund(payment.id, { amount: 300 })).status, 201);
    await tell(payment, opened);
    assert.deepEqual(await books.account(available(payment.seller)), { balance: 68_250, held: 68_250 });
    await tell(payment, lost);
    assert.deepEqual(await books.legs(`chargeback:${payment.disputeId}`), [
      [available(payment.seller), 68_250],
      [commission, 1_750],
      [losses, 30_000],
      [disputed, -100_000],
    ]);
    assert.deepEqual(await books.left(payment.id), { [clearing]: -30_000, [losses]: 30_000 });
  });

  it("of a part leaves the rest to be refunded", async () => {
    const payment = await paid();
    await tell(payment, { ...opened, amount: 40_000 });
    assert.equal((await books.refund(payment.id, { amount: "600.01" })).body.code, "refund_exceeds_payment");
    assert.equal((await books.refund(payment.id, { amount: 600 })).status, 201);
    await tell(payment, { ...lost, amount: 40_000 });
    assert.deepEqual(await books.left(payment.id), {});
  });

  it("twice of one payment is borne once, and the second is the marketplace's loss", async () => {
    const payment = await paid();
    await tell(payment, lost);
    await tell(payment, { ...opened, disputeId: `${payment.disputeId}_2` });
    await tell(payment, { ...lost, disputeId: `${payment.disputeId}_2` });
    assert.deepEqual(await books.left(payment.id), { [clearing]: -100_000, [losses]: 100_000 });
  });

  it("whose payment's pending refund then fails is borne for that part as well", async () => {
    const payment = await paid();
    books.bank((request) => refundMade(request, "pending"));
    const { body: refund } = await books.refund(payment.id, { amount: 300 });
    await tell(payment, opened);
    const told = { intentId: payment.intentId, refundId: refund.id, gatewayRefundId: gatewayIdOf(refund.id) };
    await deliver(books.address, refundStatusEvent({ ...told, status: "failed" }));
    await tell(payment, lost);
    assert.deepEqual(await books.left(payment.id), {});
    assert.deepEqual(await books.account(available(payment.seller)), { balance: 0, held: 0 });
  });

  it("of a seller who was paid out becomes their debt, which later sales net off", async () => {
    const payment = await paid();
    await spend(payment.seller, 90_000);
    await tell(payment, opened);
    assert.deepEqual(await books.account(available(payment.seller)), { balance: 7_500, held: 7_500 });
    await tell(payment, lost);
    assert.deepEqual(await books.legs(`chargeback:${payment.disputeId}`), [
      [available(payment.seller), 7_500],
      [commission, 2_500],
      [disputed, -100_000],
      [receivable(payment.seller), 90_000],
    ]);
    await books.pay({ seller_id: payment.seller, amount: "500.00" });
    const debt = () => books.account(receivable(payment.seller));
    await eventually(debt, ({ balance }) => balance === 90_000 - 48_750);
    assert.deepEqual(await books.account(available(payment.seller)), { balance: 0, held: 0 });
    await books.pay({ seller_id: payment.seller });
    await eventually(debt, ({ balance }) => balance === 0);
    const rest = 97_500 - (90_000 - 48_750);
    assert.deepEqual(await books.account(available(payment.seller)), { balance: rest, held: 0 });
  });

  it("that only asks, or is of other money, moves nothing", async () => {
    const payment = await paid();
    const before = await books.balances();
    for (const type of ["created", "updated", "closed"] as const) {
      assert.equal(await tell(payment, { type, status: `warning_${type}` }), "recorded");
    }
    for (const type of ["funds_withdrawn", "funds_reinstated", "updated"] as const) {
      assert.equal(await tell(payment, { type }), "recorded");
    }
    assert.equal(await tell(payment, { ...opened, currency: "eur" }), "mismatched");
    assert.equal(await books.balances(), before);
  });

  it("that comes before its payment has succeeded waits for that", async () => {
    const seller = newSeller();
    const made = await books.make({ seller_id: seller });
    const early = disputeEvent({ intentId: made.intentId, disputeId: `dp_${made.id}` });
    await deliver(books.address, early);
    assert.equal(await books.inbox(JSON.parse(early).id), "waiting");
    await deliver(books.address, intentEvent({ type: "payment_intent.succeeded", intentId: made.intentId }));
    const held = () => books.account(available(seller));
    await eventually(held, (account) => account.held === 97_500);
    assert.equal(await books.inbox(JSON.parse(early).id), "applied");
  });

  it("of a payment that is not ours is kept", async () => {
    const event = disputeEvent({ intentId: "pi_nobodys", disputeId: "dp_nobodys" });
    assert.equal((await deliver(books.address, event)).status, 200);
    assert.equal(await books.inbox(JSON.parse(event).id), "waiting");
  });

  it("stands in the timeline, and goes on beside refunds at the gateway", async () => {
    const payment = await paid();
    await tell(payment, { ...opened, amount: 50_000 });
    await deliver(books.address, refundedEvent({ intentId: payment.intentId, refundedInAll: 50_000 }));
    await tell(payment, { ...lost, amount: 50_000 });
    assert.deepEqual(await books.left(payment.id), {});
    const { body } = await get(books.address, `/payments/${payment.id}/timeline`);
    const told = body.data.map(({ kind, type }: Record<string, string>) => `${kind} ${type}`);
    for (const line of [
      "event payment.disputed",
      "event payment.dispute_lost",
      "posting dispute",
      "posting chargeback",
    ])
      assert.ok(told.includes(line), line);
  });
});

describe("a dispute by the simulated buyer", () => {
  it("is lost or won by the payment's amount, end to end", async () => {
    const running = await startTestApp({ environment: { SIMULATOR_BUYER: "pays" } });
    try {
      const balances = () =>
        running.look<{ code: string; balance: number; held: number }>(
          `select a.code, (b.sign * (b.debits - b.credits))::float8 as balance, b.held::float8 as held
           from ledger.accounts a join ledger.balances b on b.account_id = a.id
           where b.debits <> b.credits or b.held <> 0 order by a.code`,
        );
      for (const [seller, amount] of Object.entries({ loser: "99901.10", winner: "99901.20" })) {
        await post(running.address, "/payments", {
          amount,
          currency: "USD",
          seller_id: seller,
          idempotency_key: seller,
        });
      }
      const share = 9_740_367;
      // Both are held while the banks decide.
      await eventually(balances, (rows) => rows.filter(({ held }) => held > 9_000_000).length === 2);
      const after = await eventually(balances, (rows) => rows.every(({ held }) => held === 0), 15_000);
      assert.deepEqual(after, [
        { code: clearing, balance: 9_990_120, held: 0 },
        { code: commission, balance: 9_990_120 - share, held: 0 },
        { code: available("winner"), balance: share, held: 0 },
      ]);
    } finally {
      await running.close();
    }
  });
});
