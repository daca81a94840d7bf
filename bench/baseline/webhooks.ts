import { createHmac, timingSafeEqual } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import type { Answer } from "./payments.ts";
import { statement } from "./statement.ts";

const toleranceSeconds = 300;

type IntentEvent = { id: string; type: string; data: { object: { id: string } } };

type MovedPayment = {
  id: string;
  version: number;
  amount: string;
  currency: string;
  gateway: string;
  seller_id: string | null;
  captured_minor: string | null;
  fee_minor: string | null;
};

const statusOf: Readonly<Record<string, string>> = {
  "payment_intent.succeeded": "succeeded",
  "payment_intent.payment_failed": "failed",
  "payment_intent.canceled": "cancelled",
};

const insertEvent = statement(
  "insert_inbox",
  `insert into payments.webhook_inbox (event_id, type, intent_id, payment_id, payload, processed_at, disposition)
         values ($1, $2, $3, $4, $5, now(), 'applied')
         on conflict (event_id) do nothing`,
);
const movePayment = statement(
  "move_payment",
  `update payments.payments p
         set status = $2, version = p.version + 1, updated_at = now(), captured_minor = t.minor,
             fee_minor = payments.commission(t.minor, p.commission_basis_points)
         from payments.attempts a
         join payments.payments b on b.id = a.payment_id
         cross join lateral (
           select case $2 when 'succeeded' then (b.amount * 10::numeric ^ ledger.exponent_of(b.currency))::bigint end
         ) t (minor)
         where a.stripe_payment_intent_id = $1 and p.id = a.payment_id
           and payments.status_rank($2) > payments.status_rank(p.status)
         returning p.id, p.version, p.amount, p.currency, p.gateway, p.seller_id, p.captured_minor, p.fee_minor`,
);
const paymentExists = statement("payment_exists", "select from payments.attempts where stripe_payment_intent_id = $1");
const postTransaction = statement("post_sale", "select baseline.post_transaction($1, $2, $3, $4, $5, $6, $7)");
const appendEvent = statement(
  "append_event",
  `select events.append(
           'payment', array[$1::uuid], array[$2::integer], array[$3], array[$4::jsonb], array[null]
         )`,
);

/**
 * Applies one webhook event in one transaction: inbox row, status, event, posting. An event for a payment that is not
 * committed yet is answered 503, so that the gateway sends it again; the plain server keeps nothing for later.
 */
export async function receiveWebhook(pool: Pool, secret: string, raw: Buffer, signature: string): Promise<Answer> {
  if (!isSigned(raw, signature, secret)) return { status: 401, body: { code: "invalid_signature" } };
  const text = raw.toString();
  const event: IntentEvent = JSON.parse(text);
  const intentId = event.data.object.id;
  const status = statusOf[event.type];
  const client = await pool.connect();
  try {
    await client.query("begin");
    const moved = await client.query<MovedPayment>({
      ...movePayment,
      values: [intentId, status ?? "pending"],
    });
    const payment = moved.rows[0];
    if (payment === undefined && status !== undefined) {
      const { rowCount } = await client.query({ ...paymentExists, values: [intentId] });
      if (rowCount === 0) {
        await client.query("rollback");
        return { status: 503, body: { code: "payment_not_here_yet" } };
      }
    }
    const inserted = await client.query({
      ...insertEvent,
      values: [event.id, event.type, intentId, payment?.id, text],
    });
    if (payment !== undefined && inserted.rowCount === 1) {
      const payload = JSON.stringify({ amount: payment.amount, currency: payment.currency, gateway_event: event.id });
      await client.query({ ...appendEvent, values: [payment.id, payment.version, `payment.${status}`, payload] });
      await postSale(client, payment, intentId);
    }
    await client.query("commit");
    return { status: 200, body: { status: "ok" } };
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

/** The clearing account takes in what was captured; the seller and the commission share it. */
async function postSale(client: PoolClient, payment: MovedPayment, intentId: string): Promise<void> {
  const { id, gateway, seller_id: seller, currency, captured_minor: captured, fee_minor: fee } = payment;
  if (captured === null || fee === null) return;
  const legs: [string, bigint][] = [
    [`gateway:${gateway}:clearing`, BigInt(captured)],
    [`seller:${seller ?? "platform"}:available`, BigInt(fee) - BigInt(captured)],
    ["platform:commission", -BigInt(fee)],
  ];
  const [codes, amounts] = [legs.map(([code]) => code), legs.map(([, minor]) => minor)];
  const values = ["default", "sale", `payment:${id}`, codes, legs.map(() => currency), amounts, intentId];
  await client.query({ ...postTransaction, values });
}

function isSigned(raw: Buffer, signature: string, secret: string): boolean {
  const parts = signature.split(",").map((part) => part.split("="));
  const timestamp = parts.find(([name]) => name === "t")?.[1];
  if (timestamp === undefined || Math.abs(Date.now() / 1000 - Number(timestamp)) > toleranceSeconds) return false;
  const expected = createHmac("sha256", secret).update(`${timestamp}.`).update(raw).digest();
  return parts.some(([name, hex = ""]) => {
    const given = Buffer.from(hex, "hex");
    return name === "v1" && given.length === expected.length && timingSafeEqual(given, expected);
  });
}
