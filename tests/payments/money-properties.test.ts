import assert from "node:assert/strict";
import { hash, randomUUIDv7 } from "node:crypto";
import { after, before, test } from "node:test";
import fc from "fast-check";
import {
  type ClosableDatabase,
  createDedicatedConnection,
  createPool,
} from "../../src/infrastructure/postgres/connections.ts";
import { type Currency, parseCurrency } from "../../src/kernel/currency.ts";
import { toDecimal } from "../../src/kernel/money.ts";
import { netReceivables } from "../../src/modules/ledger/application/net-receivables.ts";
import { createPostingLane, type PostingContext, postTransaction } from "../../src/modules/ledger/index.ts";
import { capturePayment } from "../../src/modules/payments/application/capture-payment.ts";
import { createPayment } from "../../src/modules/payments/application/create-payment.ts";
import { receiveEvent } from "../../src/modules/payments/application/receive-webhook.ts";
import { refundPayment } from "../../src/modules/payments/application/refund-payment.ts";
import { createPaymentLanes, type PaymentsContext } from "../../src/modules/payments/index.ts";
import { type PaymentGateway, untraced } from "../../src/movements/index.ts";
import { connectAs } from "../ledger/vault.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { propertySeed, runsOf } from "../support/property-seed.ts";
import { disputeEvent, intentEvent, refundedEvent, refundStatusEvent } from "../support/webhooks.ts";
import { gatewayIdOf, refundDeclined, refundMade } from "./books.ts";
import { type Bank, MoneyModel } from "./money-model.ts";

let database: TestDatabase;
let admin: Awaited<ReturnType<typeof connectAs>>;
let context: PaymentsContext;
let ledger: PostingContext;
const opened: ClosableDatabase[] = [];
/** What the bank answers to the next refund. */
let bank: Bank = "succeeded";

before(async () => {
  database = await createTestDatabase();
  admin = await connectAs(database.adminUrl);
  const connection = {
    url: database.appUrl,
    applicationName: "properties",
    statementTimeoutMs: 10_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
  };
  const pool = createPool({ ...connection, most: 4 });
  const lane = () => {
    const made = createDedicatedConnection(connection);
    opened.push(made);
    return made;
  };
  opened.push(pool);
  const limits = { maxBatch: 16, maxQueued: 100, maxWaitMs: 5_000, sendAheadFrom: 8 };
  ledger = { database: pool, tenant: "default", lane: createPostingLane(lane(), "default", limits) };
  const observer = { batch: () => undefined, shed: () => undefined, failed: () => undefined };
  context = {
    lanes: createPaymentLanes(lane, { ...limits, leaseMs: 600_000, observerOf: () => observer }),
    database: pool,
    gateway,
    ledger,
    pipeline: { callDeadlineMs: 1_000 },
    leaseMs: 600_000,
    replayWaitMs: 1_000,
    newId: randomUUIDv7,
    sha256: (text) => hash("sha256", text, "hex"),
    underWay: new Map(),
    observe: {
      statusReached: () => undefined,
      eventReceived: () => undefined,
      attemptRecovered: () => undefined,
    },
  };
});
after(async () => {
  await Promise.all(opened.map((connection) => connection.close()));
  await admin.end();
  await database.drop();
});

const notAsked = () => Promise.reject(new Error("nobody asks this of the gateway here"));

/** Makes every intent, captures what it is asked to, and refunds as the bank says. */
const gateway: PaymentGateway = {
  name: "simulator",
  readAmount: (amountMinor, currency) => ({ amountMinor, currency }),
  async createIntent({ paymentId, amount }) {
    const captured = { ...amount, amountMinor: 0n };
    const id = `pi_${paymentId}`;
    return { type: "succeeded", intent: { id, status: "pending", amount, captured, clientSecret: null, paymentId } };
  },
  async captureIntent({ paymentId, intentId: id, amount: captured }) {
    const amount = captured;
    return { type: "succeeded", intent: { id, status: "succeeded", amount, captured, clientSecret: null, paymentId } };
  },
  createRefund: async (request) => (bank === "failed" ? refundDeclined : refundMade(request, bank)),
  cancelIntent: notAsked,
  findIntent: notAsked,
  findRefund: notAsked,
  listSettlements: notAsked,
  close: async () => undefined,
};

/** An amount of a payment: so many thousandths of what was taken, and so many minor units more. */
type Size = { readonly thousandths: number; readonly more: number };

type Step =
  | {
      readonly do: "make";
      readonly seller: number;
      readonly currency: number;
      readonly amount: bigint;
      readonly manual: boolean;
    }
  | { readonly do: "succeed" | "capture" | "refunded"; readonly payment: number; readonly size: Size }
  | { readonly do: "refund"; readonly payment: number; readonly size: Size | null; readonly bank: Bank }
  | { readonly do: "refund status"; readonly refund: number; readonly status: "succeeded" | "failed" }
  | {
      readonly do: "dispute";
      readonly payment: number;
      readonly nth: number;
      readonly size: Size;
      readonly status: "open" | "won" | "lost";
    }
  | { readonly do: "again"; readonly event: number }
  | { readonly do: "pay out"; readonly payment: number; readonly thousandths: number }
  | { readonly do: "net" };

const sellers = 3;
/** Yen have no decimals, dollars two and dinars three. */
const currencies = ["JPY", "USD", "BHD"].map(parseCurrency).filter((currency) => currency !== undefined);

const nat = fc.nat({ max: 1_000 });
const size = fc.record({
  thousandths: fc.oneof(fc.constantFrom(0, 10, 100, 250, 500, 1_000), fc.nat({ max: 400 })),
  more: fc.integer({ min: -2, max: 3 }),
});
const amount = fc.oneof(fc.bigInt({ min: 1n, max: 60n }), fc.bigInt({ min: 1n, max: 9_999_999_000n }));
const make = fc.record({
  do: fc.constant("make" as const),
  seller: fc.nat({ max: sellers - 1 }),
  currency: fc.nat({ max: currencies.length - 1 }),
  amount,
  manual: fc.boolean(),
});
/** Mostly all of it, so that there is something to give back. */
const takenSize = fc.record({
  thousandths: fc.constantFrom(1_000, 1_000, 1_000, 700, 0),
  more: fc.constantFrom(0, 0, -1, 1),
});
const succeed = fc.record({
  do: fc.constantFrom("succeed" as const, "capture" as const),
  payment: nat,
  size: takenSize,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: make },
  { weight: 2, arbitrary: succeed },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("refunded" as const), payment: nat, size }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("refund" as const),
      payment: nat,
      size: fc.option(size, { freq: 8 }),
      bank: fc.constantFrom<Bank>("succeeded", "succeeded", "pending", "failed"),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("refund status" as const),
      refund: nat,
      status: fc.constantFrom("succeeded" as const, "failed" as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("dispute" as const),
      payment: nat,
      nth: fc.nat({ max: 1 }),
      size,
      status: fc.constantFrom("open" as const, "open" as const, "won" as const, "lost" as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("again" as const), event: nat }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("pay out" as const),
      payment: nat,
      thousandths: fc.constantFrom(300, 900, 1_000, 1_001),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "net" } as const) },
);

let runs = 0;
/** How often each operation came to what, so that the property is seen to have tried them all. */
const seen = new Map<string, number>();

function saw(operation: string, came: string): void {
  const what = `${operation}: ${came}`;
  seen.set(what, (seen.get(what) ?? 0) + 1);
}

/** One history: what happened is done to the application and to the model, and both must say and have the same. */
class History {
  readonly model = new MoneyModel("simulator");
  readonly names: readonly string[];
  readonly rates: readonly number[];
  readonly payments: {
    readonly id: string;
    readonly currency: Currency;
    readonly amount: bigint;
    readonly manual: boolean;
  }[] = [];
  readonly refunds: { readonly id: string; readonly paymentId: string; readonly intentId: string }[] = [];
  /** What was told, with what the model makes of being told it again. */
  readonly told: { readonly payload: string; readonly again: () => string; waits: boolean }[] = [];
  #before = { books: new Map<string, bigint>(), held: new Map<string, bigint>() };

  constructor(rates: readonly number[]) {
    runs += 1;
    this.rates = rates;
    this.names = rates.map((_, n) => `run${runs}_${n}`);
  }

  /** Everybody has a rate of their own, and the last one may go into debt. */
  async open(): Promise<void> {
    const trusted = this.names.at(-1) ?? "";
    this.model.floors.set(trusted, -500n);
    for (const [n, rate] of this.rates.entries()) {
      await admin.query("insert into payments.commission_rates values ($1, '', $2)", [this.names[n], rate]);
    }
    for (const currency of currencies) {
      const account = `seller:${trusted}:available`;
      await admin.query("select ledger.set_floor('default', $1, $2, -500, 'trusted')", [account, currency]);
    }
    // What those of the histories before still owe would be netted off in the middle of this one.
    while ((await netReceivables(ledger)) > 0) {}
    this.#before = await stored();
  }

  async take(step: Step): Promise<void> {
    const before = await digest();
    const refused = await this.#do(step);
    if (refused) assert.equal(await digest(), before, "what was refused has changed a balance");
    await this.#compare();
  }

  /** True where nothing may have changed. */
  async #do(step: Step): Promise<boolean> {
    if (step.do === "make") return await this.#make(step);
    if (step.do === "again") return await this.#again(step.event);
    if (step.do === "net") {
      await netReceivables(ledger);
      this.model.net();
      return false;
    }
    if (step.do === "refund status") return await this.#refundStatus(step);
    const payment = this.payments[step.payment % (this.payments.length || 1)];
    if (payment === undefined) return true;
    const { id, currency } = payment;
    if (step.do === "pay out") return await this.#payOut(id, currency, BigInt(step.thousandths));
    const intentId = `pi_${id}`;
    const of = (size: Size) => atLeastOne((payment.amount * BigInt(size.thousandths)) / 1_000n + BigInt(size.more));
    const units = { intentId, currency: currency.toLowerCase() };
    if (step.do === "refund") return await this.#refund(id, currency, step.size && of(step.size), step.bank);
    if (step.do === "refunded") {
      const inAll = of(step.size);
      // The model's name for the refund; the application makes its own.
      const name = randomUUIDv7();
      const payload = refundedEvent({ ...units, refundedInAll: Number(inAll) });
      return await this.#tell(payload, () => this.model.refundedInAll(id, name, inAll));
    }
    if (step.do === "dispute") {
      const { status, nth } = step;
      const disputed = of(step.size);
      const disputeId = `dp_${id}_${nth}`;
      const type = status === "open" ? "created" : "closed";
      const payload = disputeEvent({ ...units, type, status, disputeId, amount: Number(disputed) });
      return await this.#tell(payload, () => this.model.dispute(id, disputeId, disputed, status));
    }
    const wanted = of(step.size);
    if (payment.manual && step.do === "capture") return await this.#capture(id, currency, wanted);
    const amountReceived = leastOf(wanted, payment.amount);
    const whole = { amount: Number(payment.amount), amountReceived: Number(amountReceived) };
    const payload = intentEvent({ type: "payment_intent.succeeded", ...units, ...whole });
    return await this.#tell(payload, () => this.model.succeed(id, amountReceived));
  }

  async #make({
    seller,
    currency: place,
    amount: amountMinor,
    manual,
  }: Extract<Step, { do: "make" }>): Promise<boolean> {
    const currency = currencies[place];
    assert.ok(currency);
    const sellerId = this.names[seller] ?? "";
    const request = {
      amount: toDecimal({ amountMinor, currency }),
      currency,
      idempotencyKey: randomUUIDv7(),
      metadata: {},
      reference: null,
      sellerId,
      capture: manual ? ("manual" as const) : ("automatic" as const),
    };
    const made = await createPayment(context, "properties", request, untraced);
    assert.ok(made.ok);
    const { id } = made.value.payment;
    this.payments.push({ id, currency, amount: amountMinor, manual });
    this.model.make(id, { seller: sellerId, currency, amount: amountMinor, rate: BigInt(this.rates[seller] ?? 0) });
    return true;
  }

  async #payOut(id: string, currency: Currency, thousandths: bigint): Promise<boolean> {
    const amountMinor = atLeastOne(
      (this.model.spendableOf(id) * thousandths) / 1_000n + (thousandths > 1_000n ? 1n : 0n),
    );
    const expected = this.model.payOut(id, amountMinor);
    const from = `seller:${this.model.payments.get(id)?.seller}:available`;
    const posted = await postTransaction(ledger, {
      kind: "payout",
      reference: randomUUIDv7(),
      externalId: null,
      effectiveAt: null,
      holdId: null,
      legs: [
        { account: from, amount: { amountMinor, currency } },
        { account: "bills:payouts", amount: { amountMinor: -amountMinor, currency } },
      ],
      shortfall: null,
    });
    assert.equal(posted.ok ? "posted" : posted.refusal.type, expected);
    return !posted.ok;
  }

  async #capture(id: string, currency: Currency, amountMinor: bigint): Promise<boolean> {
    const expected = this.model.capture(id, amountMinor);
    const asked = toDecimal({ amountMinor, currency });
    const done = await capturePayment(context, "properties", id, asked, untraced);
    assert.equal(done.ok ? "captured" : done.refusal.type, expected);
    saw("capture", expected);
    return !done.ok;
  }

  async #refund(id: string, currency: Currency, amountMinor: bigint | null, answer: Bank): Promise<boolean> {
    bank = answer;
    const asked = amountMinor === null ? null : toDecimal({ amountMinor, currency });
    const request = { amount: asked, reason: null, idempotencyKey: randomUUIDv7() };
    const done = await refundPayment(context, "properties", id, request, untraced);
    const refundId = done.ok ? done.value.refund.id : "";
    const expected = this.model.refund(id, refundId, amountMinor, answer);
    assert.equal(done.ok ? done.value.refund.status : done.refusal.type, expected);
    saw("refund", expected);
    if (done.ok) this.refunds.push({ id: refundId, paymentId: id, intentId: `pi_${id}` });
    return !done.ok;
  }

  async #refundStatus({ refund: place, status }: Extract<Step, { do: "refund status" }>): Promise<boolean> {
    const refund = this.refunds[place % (this.refunds.length || 1)];
    if (refund === undefined) return true;
    const { id: refundId, paymentId, intentId } = refund;
    const payload = refundStatusEvent({ intentId, refundId, gatewayRefundId: gatewayIdOf(refundId), status });
    return await this.#tell(payload, () => this.model.settleRefund(paymentId, refundId, status));
  }

  async #tell(payload: string, expect: () => string): Promise<boolean> {
    const expected = expect();
    assert.equal(await receive(payload), expected);
    saw(JSON.parse(payload).type, expected);
    this.told.push({ payload, again: expect, waits: expected === "waiting" });
    return expected !== "applied";
  }

  /** What waits is received again until it has been applied; everything else has no effect again. */
  async #again(place: number): Promise<boolean> {
    const told = this.told[place % (this.told.length || 1)];
    if (told === undefined) return true;
    const expected = told.waits ? told.again() : "duplicate";
    assert.equal(await receive(told.payload), expected);
    told.waits = expected === "waiting";
    return expected !== "applied";
  }

  async #compare(): Promise<void> {
    const { books, held } = await stored();
    assert.deepEqual(notZero(since(books, this.#before.books)), notZero(this.model.books));
    assert.deepEqual(notZero(since(held, this.#before.held)), notZero(this.model.held));
    assert.equal(
      [...books.values()].reduce((a, b) => a + b, 0n),
      0n,
    );
    const shown = await admin.query<{ id: string; returned: bigint; captured: bigint }>(
      `select id, returned_minor as returned, coalesce(captured_minor, 0) as captured from payments.payments
       where id = any($1)`,
      [this.payments.map(({ id }) => id)],
    );
    for (const { id, returned, captured } of shown.rows) {
      assert.equal(captured - returned, this.model.left(id));
      assert.ok(returned >= 0n && returned <= captured);
    }
  }
}

const leastOf = (...amounts: bigint[]) => amounts.reduce((a: bigint, b: bigint) => (b < a ? b : a));
const atLeastOne = (minor: bigint) => -leastOf(-1n, -minor);

/** What has been added since: the histories before this one are still in the books. */
function since(now: Map<string, bigint>, before: Map<string, bigint>): (readonly [string, bigint])[] {
  return [...now].map(([account, value]) => [account, value - (before.get(account) ?? 0n)] as const);
}

function notZero(amounts: Iterable<readonly [string, bigint]>): Record<string, bigint> {
  return Object.fromEntries([...amounts].filter(([, value]) => value !== 0n).sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function receive(payload: string): Promise<string> {
  const received = await receiveEvent(context, JSON.parse(payload), payload, untraced);
  return received.ok ? received.value : received.refusal.type;
}

/** Debits less credits of each account, and what of it is held. */
async function stored(): Promise<{ books: Map<string, bigint>; held: Map<string, bigint> }> {
  const { rows } = await admin.query<{ account: string; amount: bigint; held: bigint }>(
    `select a.code || ' ' || a.currency as account, b.debits - b.credits as amount, b.held
     from ledger.accounts a join ledger.balances b on b.account_id = a.id`,
  );
  return {
    books: new Map(rows.map(({ account, amount }) => [account, amount])),
    held: new Map(rows.map(({ account, held }) => [account, held])),
  };
}

/** A digest of every balance in all its columns; an account that was only opened has none yet. */
async function digest(): Promise<string> {
  const { rows } = await admin.query<{ digest: string }>(
    `select md5(string_agg(b::text, ',' order by b.account_id)) as digest
     from ledger.balances b where b.version > 0 or b.held > 0`,
  );
  return rows[0]?.digest ?? "";
}

/** What must have been tried for the property to say anything; the rarest of these comes some ten times. */
const outcomes = [
  "capture: captured",
  "charge.dispute.created: applied",
  "charge.dispute.closed: applied",
  "charge.refunded: applied",
  "charge.refunded: waiting",
  "refund.updated: applied",
  "refund: failed",
  "refund: pending",
  "refund: succeeded",
  "refund: refund_exceeds_payment",
  "refund: seller_balance_insufficient",
];

test("whatever happens to payments, the books are those of the model and every minor unit is somewhere", async () => {
  const rate = fc.oneof(fc.constantFrom(0, 1, 250, 333, 5_000, 9_999, 10_000), fc.nat({ max: 10_000 }));
  const rates = fc.array(rate, { minLength: sellers, maxLength: sellers });
  const opening = fc.array(fc.tuple(make, succeed), { minLength: 1, maxLength: 3 });
  const rest = fc.array(step, { minLength: 15, maxLength: 40 });
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(rates, opening, rest, async (someRates, first, then) => {
      const history = new History(someRates);
      await history.open();
      for (const next of [
        ...first.map(([made]) => made),
        ...first.map(([, paid], payment) => ({ ...paid, payment })),
        ...then,
      ]) {
        await history.take(next);
        taken += 1;
      }
    }),
    { seed: propertySeed, numRuns: runsOf(50, 25), endOnFailure: false, interruptAfterTimeLimit: 60_000 },
  );
  assert.ok(taken > 500, `only ${taken} steps were taken`);
  for (const what of outcomes) assert.ok(seen.has(what), `never saw ${what}`);
});
