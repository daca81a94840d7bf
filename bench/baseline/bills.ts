import { randomUUIDv7 } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import { type Currency, parseCurrency } from "../../src/kernel/currency.ts";
import { type Money, parseAmount, toJsonAmount } from "../../src/kernel/money.ts";
import type { BillGateway } from "../../src/movements/ports.ts";
import type { Answer } from "./payments.ts";
import { statement } from "./statement.ts";

type BillRequest = { readonly key: string; readonly reference: string; readonly amount: Money };

type StoredBill = {
  id: string;
  reference: string;
  amount_minor: string;
  currency: Currency;
  status: string;
  retries: number;
  created_at: Date;
  updated_at: Date;
};

const scope = "default";
const tenant = "default";
const gatewayDeadlineMs = 8000;
const fields = new Set(["reference", "amount", "currency"]);

const insertKey = statement(
  "insert_bill_key",
  `insert into bills.idempotency_keys (scope, key, payment_id, expires_at)
         values ($1, $2, $3, now() + interval '1 day')
         on conflict (scope, key) do update set payment_id = excluded.payment_id, expires_at = excluded.expires_at
           where idempotency_keys.expires_at <= now()`,
);
const insertBill = statement(
  "insert_bill",
  `insert into bills.payments (
           id, scope, reference, amount_minor, currency, status, gateway, due_at, created_at, updated_at
         )
         values ($1, $2, $3, $4, $5, 'PENDING', 'simulator', now() + interval '10 seconds', now(), now())`,
);
const settleBill = statement(
  "settle_bill",
  `update bills.payments
         set status = $2, gateway_reference = $3, last_error = $4, due_at = null, version = version + 1,
             updated_at = now()
         where id = $1
         returning id, reference, amount_minor, currency, status, retries, created_at, updated_at`,
);
const postTransaction = statement("post_bill", "select baseline.post_transaction($1, $2, $3, $4, $5, $6, $7)");
const appendEvents = statement(
  "append_bill_events",
  `select events.append(
           'bill', array[$1::uuid, $1], array[1, 2], array['bill.created', $2], array[$3::jsonb, $4], array[null, null]
         )`,
);
const findBill = statement(
  "find_bill",
  `select p.id, p.reference, p.amount_minor, p.currency, p.status, p.retries, p.created_at, p.updated_at
         from bills.idempotency_keys k join bills.payments p on p.id = k.payment_id
         where k.scope = $1 and k.key = $2`,
);

/**
 * Pays a bill the plain way: check, begin, insert, call the gateway, update, post, append the events, commit. The same
 * key answers 200 with the payment that is there, whatever else is asked.
 */
export async function payBill(
  pool: Pool,
  gateway: BillGateway,
  key: string | undefined,
  body: unknown,
): Promise<Answer> {
  if (key === undefined) {
    const fault = { type: "missing", loc: ["header", "idempotency-key"], msg: "Field required" };
    return { status: 422, body: { detail: [fault] } };
  }
  const request = parseRequest(key, body);
  if (typeof request === "string") return refusal(request);
  const client = await pool.connect();
  try {
    await client.query("begin");
    const answer = await payOrReplay(client, gateway, request);
    await client.query("commit");
    return answer;
  } catch (error) {
    await client.query("rollback").catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

async function payOrReplay(client: PoolClient, gateway: BillGateway, request: BillRequest): Promise<Answer> {
  const { key, reference, amount } = request;
  const { amountMinor, currency } = amount;
  const id = randomUUIDv7();
  const inserted = await client.query({ ...insertKey, values: [scope, key, id] });
  if (inserted.rowCount === 0) return replay(client, key);

  await client.query({ ...insertBill, values: [id, scope, reference, amountMinor, currency] });
  const outcome = await gateway.payBill(
    { attemptId: `${id}-1`, paymentId: id, reference, amount, retry: 0 },
    gatewayDeadlineMs,
  );
  // The plain server has nothing that could ask later: what is not known undoes the whole transaction.
  if (outcome.type === "not_sent" || outcome.type === "unknown") throw new Error(outcome.message);
  const paid = outcome.type === "succeeded";
  const gatewayReference = paid ? outcome.gatewayReference : null;
  const failure = paid ? null : outcome.message;
  const status = paid ? "SUCCESS" : "FAILED";
  const settled = await client.query<StoredBill>({ ...settleBill, values: [id, status, gatewayReference, failure] });
  if (paid) {
    const codes = ["gateway:simulator:bills", "bills:payable"];
    const amounts = [amountMinor, -amountMinor];
    const values = [tenant, "bill", `bill:${id}`, codes, [currency, currency], amounts, gatewayReference];
    await client.query({ ...postTransaction, values });
  }
  const created = JSON.stringify({ reference, amount: toJsonAmount(amount), currency });
  const result = JSON.stringify({ gateway_reference: gatewayReference, message: failure });
  const type = paid ? "bill.succeeded" : "bill.failed";
  await client.query({ ...appendEvents, values: [id, type, created, result] });
  const [bill] = settled.rows;
  if (bill === undefined) throw new Error("the payment is not there");
  return { status: 201, body: present(bill) };
}

async function replay(client: PoolClient, key: string): Promise<Answer> {
  const { rows } = await client.query<StoredBill>({ ...findBill, values: [scope, key] });
  const [bill] = rows;
  if (bill === undefined) throw new Error("the key stands and its payment does not");
  return { status: 200, headers: { "Idempotency-Replayed": "true" }, body: present(bill) };
}

/** The request, or the sentence that refuses it. */
function parseRequest(key: string, body: unknown): BillRequest | string {
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) return "Idempotency-Key must be 1 to 255 visible characters";
  if (typeof body !== "object" || body === null) return "The body must be an object";
  const unknown = Object.keys(body).find((name) => !fields.has(name));
  if (unknown !== undefined) return `Unknown field: ${unknown}`;
  const { reference, amount, currency } = body as Record<string, unknown>;
  if (typeof amount !== "number" || amount <= 0) return "Amount must be greater than zero";
  if (typeof currency !== "string" || currency.length !== 3) return "Currency must be exactly 3 characters";
  const known = parseCurrency(currency);
  if (known === undefined) return "Currency must be one of ISO 4217";
  const parsed = parseAmount(String(amount), known);
  if (!parsed.ok) return `Amount is not one of ${known}`;
  if (typeof reference !== "string" || reference.length < 1 || reference.length > 100) {
    return "Reference must be 1 to 100 characters";
  }
  return { key, reference, amount: parsed.value };
}

function present(bill: StoredBill): object {
  const { id, reference, currency, status, retries, created_at, updated_at } = bill;
  const amount = toJsonAmount({ amountMinor: BigInt(bill.amount_minor), currency });
  return { payment_id: id, reference, amount, currency, status, retries, created_at, updated_at };
}

function refusal(message: string): Answer {
  return { status: 400, body: { success: false, error: { code: "VALIDATION_ERROR", message } } };
}
