import { createHash, randomUUIDv7 } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { type Currency, parseCurrency } from "../../src/kernel/currency.ts";
import { fromStoredDecimal, type Money, parseAmount, toDecimal, toJsonAmount } from "../../src/kernel/money.ts";
import type { GatewayOutcome, PaymentGateway } from "../../src/movements/ports.ts";
import { statement } from "./statement.ts";

/** An answer as Express sends it. */
export type Answer = { readonly status: number; readonly headers?: Record<string, string>; readonly body: object };

type PaymentRequest = { readonly key: string; readonly amount: Money; readonly metadata: object };

type StoredPayment = {
  id: string;
  fingerprint: Buffer;
  amount: string;
  currency: Currency;
  status: string;
  stripe_payment_intent_id: string;
  created_at: Date;
};

const scope = "default";
const gatewayDeadlineMs = 8000;

const insertPayment = statement(
  "insert_payment",
  `insert into payments.payments (
           id, scope, idempotency_key, fingerprint, amount, currency, status, capture, gateway, metadata, version,
           created_at, updated_at
         )
         values ($1, $2, $3, $4, $5, $6, 'pending', 'automatic', 'simulator', $7, 1, now(), now())
         on conflict (scope, idempotency_key) do nothing
         returning created_at`,
);
const insertAttempt = statement(
  "insert_attempt",
  `insert into payments.attempts (payment_id, number, operation, gateway, state, tries, due_at, accepted_at)
         values ($1, 1, 'create', 'simulator', 'open', 1, now() + interval '10 seconds', now())`,
);
const closeAttempt = statement(
  "close_attempt",
  `update payments.attempts
         set state = $2, stripe_payment_intent_id = $3, client_secret = $4, last_error = $5, settled_at = now()
         where payment_id = $1 and number = 1`,
);
const failPayment = statement(
  "fail_payment",
  "update payments.payments set status = 'failed', failure_code = $2, updated_at = now() where id = $1",
);
const appendEvent = statement(
  "append_event",
  `select events.append(
           'payment', array[$1::uuid], array[$2::integer], array[$3], array[$4::jsonb], array[null]
         )`,
);
const findPayment = statement(
  "find_payment",
  `select p.id, p.fingerprint, p.amount, p.currency, p.status, a.stripe_payment_intent_id, p.created_at
         from payments.payments p join payments.attempts a on a.payment_id = p.id and a.number = 1
         where p.scope = $1 and p.idempotency_key = $2`,
);

/**
 * Creates a payment the plain way: check, begin, insert, call the gateway, update, append the event, commit. The same
 * key with the same request answers 200 with the payment that is there, with another request 422.
 */
export async function createPayment(pool: Pool, gateway: PaymentGateway, body: unknown): Promise<Answer> {
  const request = parseRequest(body);
  if (request === undefined) return refusal(400, "invalid_request");
  const client = await pool.connect();
  try {
    await client.query("begin");
    const answer = await insertOrReplay(client, gateway, request);
    await client.query("commit");
    return answer;
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

async function insertOrReplay(client: PoolClient, gateway: PaymentGateway, request: PaymentRequest): Promise<Answer> {
  const { key, amount, metadata } = request;
  const id = randomUUIDv7();
  const decimal = toDecimal(amount);
  const canonical = JSON.stringify([decimal, amount.currency, metadata]);
  const fingerprint = createHash("sha256").update(canonical).digest();
  const values = [id, scope, key, fingerprint, decimal, amount.currency, JSON.stringify(metadata)];
  const inserted = await client.query<{ created_at: Date }>({ ...insertPayment, values });
  if (inserted.rows[0] === undefined) return replay(client, key, fingerprint);

  await client.query({ ...insertAttempt, values: [id] });
  const outcome = await gateway.createIntent(
    { attemptId: `${id}-1`, paymentId: id, amount, capture: "automatic", reference: null },
    gatewayDeadlineMs,
  );
  const { status, intentId, clientSecret, failureCode } = resultOf(outcome);
  await client.query({ ...closeAttempt, values: [id, outcome.type, intentId, clientSecret, failureCode] });
  if (status === "failed") await client.query({ ...failPayment, values: [id, failureCode] });
  const payload = JSON.stringify({ amount: decimal, currency: amount.currency, idempotency_key: key });
  await client.query({ ...appendEvent, values: [id, 1, "payment.created", payload] });
  const created = { id, amount: decimal, currency: amount.currency, status, created_at: inserted.rows[0].created_at };
  return { status: 201, body: present({ ...created, fingerprint, stripe_payment_intent_id: intentId ?? "" }) };
}

/** An outcome that is not known undoes the whole transaction: the plain server has nothing that could ask later. */
function resultOf(outcome: GatewayOutcome) {
  if (outcome.type === "not_sent" || outcome.type === "unknown") throw new Error(outcome.message);
  const failureCode = outcome.type === "declined" ? outcome.code : null;
  const { id: intentId = null, clientSecret = null } = outcome.intent ?? {};
  return { status: failureCode === null ? "pending" : "failed", intentId, clientSecret, failureCode };
}

async function replay(client: PoolClient, key: string, fingerprint: Buffer): Promise<Answer> {
  const { rows } = await client.query<StoredPayment>({ ...findPayment, values: [scope, key] });
  const stored = rows[0];
  if (stored === undefined || !stored.fingerprint.equals(fingerprint)) return refusal(422, "idempotency_key_reused");
  return { status: 200, headers: { "Idempotency-Replayed": "true" }, body: present(stored) };
}

function parseRequest(body: unknown): PaymentRequest | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { amount, currency, idempotency_key: key, metadata = {} } = body as Record<string, unknown>;
  if (typeof currency !== "string" || typeof key !== "string" || key.length < 1 || key.length > 255) return undefined;
  if (typeof amount !== "number" && typeof amount !== "string") return undefined;
  if (typeof metadata !== "object" || metadata === null) return undefined;
  const knownCurrency = parseCurrency(currency);
  if (knownCurrency === undefined) return undefined;
  const parsed = parseAmount(String(amount), knownCurrency);
  return parsed.ok ? { key, amount: parsed.value, metadata } : undefined;
}

function present(payment: StoredPayment): object {
  return {
    id: payment.id,
    stripe_payment_intent_id: payment.stripe_payment_intent_id,
    amount: toJsonAmount(fromStoredDecimal(payment.amount, payment.currency)),
    currency: payment.currency,
    status: payment.status,
    created_at: payment.created_at,
  };
}

function refusal(status: number, code: string): Answer {
  return { status, body: { status, code, title: code } };
}
