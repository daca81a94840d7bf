import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import type {
  CreateRefundRequest,
  FindRefundRequest,
  PaymentGateway,
  RefundFinding,
  RefundOutcome,
} from "../../src/movements/index.ts";
import { type Answer, get, post, webhookSecret } from "../support/app.ts";
import { createTestDatabase } from "../support/database.ts";
import { startSimulatedApp } from "../support/simulated-app.ts";
import { deliver, intentEvent } from "../support/webhooks.ts";

/** An account and what an entry moved: debits are positive, in minor units. */
export type BookedLeg = readonly [account: string, amount: number];

/** A payment that was made and, unless said otherwise, paid. */
export type MadePayment = { readonly id: string; readonly intentId: string };

/** What the bank answers to a refund; undefined is that it was made. */
export type RefundAnswer = (request: CreateRefundRequest) => RefundOutcome | undefined;

/** What the bank says of a refund that it was asked about; undefined leaves it to the simulator. */
export type RefundFound = (request: FindRefundRequest) => RefundFinding | undefined;

/** An application whose bank says what a test wants, whose webhooks the test sends, and whose ledger it reads. */
export type Books = {
  readonly address: string;
  look<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Makes a payment, 1000.00 USD unless said otherwise. */
  make(more?: object): Promise<MadePayment>;
  /** Makes a payment whose success the gateway has told. */
  pay(more?: object): Promise<MadePayment>;
  /** Asks for a refund; without a key under one of its own. */
  refund(paymentId: string, body?: object, headers?: Record<string, string>): Promise<Answer>;
  payment(id: string): Promise<Answer["body"]>;
  /** The legs of the transaction with this reference, in their order; empty where there is none. */
  legs(reference: string): Promise<BookedLeg[]>;
  /** What all transactions of a payment left in each account, on the debit side; accounts at zero are left out. */
  left(paymentId: string): Promise<Record<string, number>>;
  /** An account's balance on its normal side, and what of it is held; zeros where there is none. */
  account(code: string, currency?: string): Promise<{ balance: number; held: number }>;
  /** Every balance, as text: what a refused operation must not change. */
  balances(): Promise<string>;
  inbox(eventId: string): Promise<string | undefined>;
  /** What the bank answers from now on. */
  bank(answer: RefundAnswer): void;
  /** What the bank finds when it is asked for a refund by its id. */
  bankFinds(found: RefundFound): void;
  readonly asked: readonly CreateRefundRequest[];
  close(): Promise<void>;
};

const lookups = {
  legs: `select a.code, e.amount::float8 as amount
    from ledger.transactions t join ledger.entries e on e.transaction_id = t.id
    join ledger.accounts a on a.id = e.account_id
    where t.reference = $1 order by e.leg`,
  left: `select a.code, sum(e.amount)::float8 as amount
    from ledger.transactions t join ledger.entries e on e.transaction_id = t.id
    join ledger.accounts a on a.id = e.account_id
    where t.reference = 'payment:' || $1 or t.reference in (
      select k || ':' || r.id from payments.refunds r, unnest(array['refund', 'refund_reversal']) k
      where r.payment_id = $1::uuid
      union all
      select k || ':' || d.id from payments.disputes d, unnest(array['dispute', 'dispute_reversal', 'chargeback']) k
      where d.payment_id = $1::uuid
    )
    group by a.code having sum(e.amount) <> 0 order by a.code`,
  account: `select (b.sign * (b.debits - b.credits))::float8 as balance, b.held::float8 as held
    from ledger.accounts a join ledger.balances b on b.account_id = a.id where a.code = $1 and a.currency = $2`,
  balances: "select string_agg(b::text, E'\\n' order by b.account_id) as text from ledger.balances b",
};

let keys = 0;

/** A seller of one test's own. */
export function newSeller(): string {
  keys += 1;
  return `seller_${process.pid}_${keys}`;
}

/** Starts an application on a database of its own. */
export async function openBooks(environment: Record<string, string> = {}): Promise<Books> {
  const database = await createTestDatabase();
  const home = await mkdtemp(join(tmpdir(), "marketflow-books-"));
  let answer: RefundAnswer = () => undefined;
  let found: RefundFound = () => undefined;
  const asked: CreateRefundRequest[] = [];
  const app = await startSimulatedApp(
    {
      PORT: "0",
      PARTNER_PORT: "0",
      MARKETFLOW_HOME: home,
      LOG_LEVEL: "silent",
      DATABASE_URL: database.appUrl,
      STRIPE_WEBHOOK_SECRET: webhookSecret,
      SIMULATOR_BUYER: "absent",
      ...environment,
    },
    {
      wrap: (simulator) =>
        withBank(
          simulator,
          asked,
          (request) => answer(request),
          (request) => found(request),
        ),
    },
  );
  const admin = new Pool({ connectionString: database.adminUrl, max: 2 });
  // A connection that is ended may still be there when its database is dropped with whoever is in it.
  admin.on("error", () => undefined);
  admin.on("connect", (client) => client.on("error", () => undefined));
  const { address } = app;
  const look = async <Row>(text: string, values: unknown[] = []) => (await admin.query(text, values)).rows as Row[];

  async function make(more: object = {}): Promise<MadePayment> {
    keys += 1;
    const body = { amount: "1000.00", currency: "USD", idempotency_key: `books_${keys}`, ...more };
    const created = await post(address, "/payments", body);
    if (created.status !== 201) throw new Error(`no payment was made: ${JSON.stringify(created.body)}`);
    return { id: created.body.id, intentId: created.body.stripe_payment_intent_id };
  }

  return {
    address,
    look,
    make,
    async pay(more = {}) {
      const made = await make(more);
      const [row] = await look<{ units: number; currency: string }>(
        `select (amount * 10::numeric ^ ledger.exponent_of(currency))::float8 as units, currency
         from payments.payments where id = $1`,
        [made.id],
      );
      const { units: amount = 0, currency = "" } = row ?? {};
      const type = "payment_intent.succeeded";
      await deliver(address, intentEvent({ type, intentId: made.intentId, amount, currency: currency.toLowerCase() }));
      return made;
    },
    refund(paymentId, body = {}, headers = {}) {
      keys += 1;
      const key = "idempotency-key" in headers ? {} : { idempotency_key: `refund_${keys}` };
      return post(address, `/payments/${paymentId}/refunds`, { ...key, ...body }, headers);
    },
    payment: async (id) => (await get(address, `/payments/${id}`)).body,
    async legs(reference) {
      const rows = await look<{ code: string; amount: number }>(lookups.legs, [reference]);
      return rows.map(({ code, amount }) => [code, amount] as const);
    },
    async left(paymentId) {
      const rows = await look<{ code: string; amount: number }>(lookups.left, [paymentId]);
      return Object.fromEntries(rows.map(({ code, amount }) => [code, amount]));
    },
    async account(code, currency = "USD") {
      const [row] = await look<{ balance: number; held: number }>(lookups.account, [code, currency]);
      return row ?? { balance: 0, held: 0 };
    },
    balances: async () => (await look<{ text: string }>(lookups.balances))[0]?.text ?? "",
    async inbox(eventId) {
      const text = "select disposition from payments.webhook_inbox where event_id = $1";
      return (await look<{ disposition: string }>(text, [eventId]))[0]?.disposition;
    },
    bank(other) {
      answer = other;
    },
    bankFinds(other) {
      found = other;
    },
    asked,
    async close() {
      await app.close();
      await admin.end();
      await database.drop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** The simulator, but that refunds are what the test says: it does not know of payments whose success the test told. */
function withBank(
  gateway: PaymentGateway,
  asked: CreateRefundRequest[],
  answer: RefundAnswer,
  found: RefundFound,
): PaymentGateway {
  return {
    name: gateway.name,
    readAmount: (units, currency) => gateway.readAmount(units, currency),
    createIntent: (request, deadlineMs) => gateway.createIntent(request, deadlineMs),
    cancelIntent: (request, deadlineMs) => gateway.cancelIntent(request, deadlineMs),
    captureIntent: (request, deadlineMs) => gateway.captureIntent(request, deadlineMs),
    async createRefund(request) {
      asked.push(request);
      return answer(request) ?? refundMade(request, "succeeded");
    },
    findRefund: async (request, deadlineMs) => found(request) ?? (await gateway.findRefund(request, deadlineMs)),
    listSettlements: (request, deadlineMs) => gateway.listSettlements(request, deadlineMs),
    findIntent: (request, deadlineMs) => gateway.findIntent(request, deadlineMs),
    close: () => gateway.close(),
  };
}

/** What the bank calls a refund of ours. */
export function gatewayIdOf(refundId: string): string {
  return `re_${refundId}`;
}

/** The bank has made the refund, or has taken it and will tell later. */
export function refundMade(request: CreateRefundRequest, status: "pending" | "succeeded"): RefundOutcome {
  const { refundId, amount, intentId } = request;
  return { type: "succeeded", refund: { id: gatewayIdOf(refundId), status, amount, intentId } };
}

/** The bank does not make the refund. */
export const refundDeclined: RefundOutcome = {
  type: "declined",
  refund: null,
  code: "refund_declined",
  message: "The refund was declined.",
};
