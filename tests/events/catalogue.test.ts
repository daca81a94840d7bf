import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TSchema } from "typebox";
import { Value } from "typebox/value";
import { billStatuses } from "../../src/modules/bills/domain/bill-payment.ts";
import { messageOf } from "../../src/modules/events/application/outgoing.ts";
import { catalogue, definitionOf, type EventData, eventTypes } from "../../src/modules/events/catalogue/catalogue.ts";
import { categories } from "../../src/modules/events/catalogue/definition.ts";
import { envelopeSchema, propertiesSchema } from "../../src/modules/events/catalogue/envelope.ts";
import { defaultTopics, routes } from "../../src/modules/events/catalogue/topics.ts";
import type { LogEvent } from "../../src/modules/events/domain/log-event.ts";
import { paymentStatuses } from "../../src/modules/payments/domain/payment.ts";
import { filesOf } from "../architecture/source-files.ts";
import { type Answer, eventually, get, post, startTestApp, type TestApp } from "../support/app.ts";
import { payAffiliate, payBill } from "../support/partner.ts";
import { deliver, disputeEvent } from "../support/webhooks.ts";

/** The gateway declines payments, bills and payouts of it. */
const declined = 99_900.1;
/** The buyer's bank declines payments of it, which a webhook tells. */
const declinedLater = 99_900.2;
/** The gateway declines refunds of it. */
const refundDeclined = 99_901.3;
const sellerPaid = 1000;

let running: TestApp;
let keys = 0;
const key = () => `key_${++keys}`;

function pay(more: object = {}): Promise<Answer> {
  const body = { amount: sellerPaid, currency: "USD", seller_id: "seller_1", reference: "order_1", ...more };
  return post(running.address, "/payments", { ...body, idempotency_key: key() });
}

/** A payment that its buyer has paid. */
async function paid(more: object = {}): Promise<{ id: string; intentId: string }> {
  const { body } = await pay(more);
  const shown = () => get(running.address, `/payments/${body.id}`);
  await eventually(shown, (answer) => answer.body.status === "succeeded");
  return { id: body.id, intentId: body.stripe_payment_intent_id };
}

async function ok(answer: Promise<Answer>, ...statuses: number[]): Promise<Answer["body"]> {
  const { status, body } = await answer;
  assert.ok(statuses.includes(status), `${status}: ${JSON.stringify(body)}`);
  return body;
}

const moves = {
  async payments() {
    await ok(pay({ amount: declined }), 200, 201, 402);
    await ok(pay({ amount: declinedLater, seller_id: undefined, reference: undefined }), 201);
    const { id: waiting } = await ok(pay({ capture: false }), 201);
    await ok(post(running.address, `/payments/${waiting}/cancel`), 200);
    const { id: authorized, stripe_payment_intent_id: intentId } = await ok(pay({ capture: false }), 201);
    await eventually(
      () => running.look("select from payments.webhook_inbox where intent_id = $1", [intentId]),
      (rows) => rows.length > 0,
    );
    await ok(post(running.address, `/payments/${authorized}/capture`, { amount: 400.1 }), 200);
  },
  async refunds() {
    const { id } = await paid({ amount: 200_000 });
    const refund = (body: object) =>
      post(running.address, `/payments/${id}/refunds`, { ...body, idempotency_key: key() });
    await ok(refund({ amount: 250.25, reason: "broken" }), 201);
    await ok(refund({ amount: refundDeclined }), 201, 402);
  },
  async disputes() {
    for (const status of ["won", "lost"]) {
      const { id, intentId } = await paid();
      const dispute = { intentId, disputeId: `dp_${id}` };
      await ok(deliver(running.address, disputeEvent(dispute)), 200);
      await ok(deliver(running.address, disputeEvent({ ...dispute, type: "closed", status })), 200);
    }
  },
  async bills() {
    await ok(payBill(running.partnerAddress, 500), 201);
    const { payment_id: id } = await ok(payBill(running.partnerAddress, declined), 201, 402);
    for (let retry = 1; retry <= 3; retry += 1) await post(running.partnerAddress, `/payments/${id}/retry`);
  },
  async pagos() {
    await running.look(
      `select ledger.post_all('default', array['funding'], array['funding:test'], array[null::text], null, null,
         array[1, 1], array['gateway:simulator:funding', 'platform:funding'], array['USD', 'USD'],
         array[100000000, -100000000]::bigint[])`,
    );
    await ok(payAffiliate(running.partnerAddress), 200);
    await ok(payAffiliate(running.partnerAddress, { monto: declined, id_afiliado: 'á "b"/1' }), 200);
  },
  async payouts() {
    await paid({ seller_id: "seller_2" });
    const payOut = (amount: number) =>
      post(running.address, "/payouts", { seller_id: "seller_2", amount, currency: "USD", idempotency_key: key() });
    await ok(payOut(30.25), 201);
    await ok(payOut(5000), 409);
  },
};

type Row = Omit<LogEvent, "position"> & { readonly position: string };

async function logged(): Promise<LogEvent[]> {
  const rows = await running.look<Row>(
    `select position, category, stream, stream_version as version, type, data::text, traceparent,
            recorded_at as "recordedAt"
     from events.log order by position`,
  );
  return rows.map((row) => ({ ...row, position: BigInt(row.position) }));
}

function faultsOf(schema: TSchema, value: unknown): string[] {
  return Value.Errors(schema, value).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const typeName = /['"]((?:payment|bill|payout|ledger)\.[a-z_]+|Pago[A-Z][a-z]+)['"]/g;
const category = /(?:^\s*|then |else )'(\w+)'/g;

/** The arguments of every call of events.append. A type that is put together of a status is none of its texts. */
function appendsOf(sql: string): string[] {
  return [...sql.matchAll(/(?<!function )events\.append\(/g)].map(({ index, 0: opening }) => {
    const begin = index + opening.length;
    let depth = 1;
    let end = begin;
    for (; depth > 0 && end < sql.length; end += 1) depth += sql[end] === "(" ? 1 : sql[end] === ")" ? -1 : 0;
    return sql.slice(begin, end - 1);
  });
}

before(async () => {
  running = await startTestApp({ environment: { SIMULATOR_BUYER: "pays" } });
  await Promise.all(Object.values(moves).map((move) => move()));
});
after(() => running.close());

describe("the catalogue of events", () => {
  it("has no event that does not happen", async () => {
    const missing = async () => {
      const seen = new Set((await logged()).map(({ type }) => type));
      return eventTypes.filter((type) => !seen.has(type));
    };
    await eventually(missing, ({ length }) => length === 0);
  });

  it("has every event of the log, and says exactly what leaves for each", async () => {
    const events = await logged();
    assert.ok(events.length > 30, `only ${events.length} events were seen`);
    for (const event of events) {
      const definition = definitionOf(event.type);
      assert.ok(definition, `${event.type} is not in the catalogue`);
      const message = messageOf(event, defaultTopics);
      assert.ok(message.ok, `${event.type} cannot leave`);
      const { payload, properties, topic } = message.value;
      const said = JSON.parse(payload);
      assert.deepEqual(faultsOf(envelopeSchema(definition), said), [], payload);
      assert.deepEqual(faultsOf(propertiesSchema, properties), [], event.type);
      assert.equal(said.event_id, properties["event_id"]);
      assert.equal(topic, routes[definition.category].topic);
      const { idField } = routes[definition.category];
      if (idField !== null) assert.equal(said.data[idField], event.stream);
      if (event.category !== "pago") assert.ok(idField === null || !(idField in JSON.parse(event.data)), event.type);
    }
  });

  it("has every type and category that a statement or a use case names", () => {
    const calls = filesOf(["src/modules/**/*.sql", "migrations/*.sql"]).flatMap(({ text }) => appendsOf(text));
    assert.ok(calls.length >= 10, `only ${calls.length} calls of events.append were read`);
    const useCases = filesOf("src/modules/*/application/**/*.ts").map(({ text }) => text);
    const named = [...calls, ...useCases].flatMap((text) => [...text.matchAll(typeName)].map(([, type]) => type));
    const settled = paymentStatuses.filter((status) => status !== "pending").map((status) => `payment.${status}`);
    const ended = billStatuses.filter((status) => status !== "PENDING").map((status) => status.toLowerCase());
    const types = [...named, ...settled, ...ended.map((end) => `bill.${end === "success" ? "succeeded" : end}`)];
    assert.deepEqual([...new Set(types)].sort(), [...eventTypes].sort());
    const appendedAs = calls.flatMap((call) => [...call.slice(0, call.indexOf(",")).matchAll(category)]);
    assert.deepEqual([...new Set(appendedAs.map(([, name]) => name))].sort(), [...categories].sort());
  });

  it("names each type once, and its examples are what it says", () => {
    assert.equal(new Set(eventTypes).size, catalogue.length);
    for (const { type, data, example } of catalogue) assert.deepEqual(faultsOf(data, example), [], type);
  });

  it("refuses a field that it does not have, and one that is missing", () => {
    const definition = definitionOf("payout.failed");
    assert.ok(definition);
    const data: EventData<"payout.failed"> = {
      payout_id: "019a0f68-4b9d-7e02-8c17-d5a6b3f0e984",
      seller_id: "seller_42",
      amount: "30.25",
      currency: "USD",
      failure_code: "payout_declined",
      failure_message: "No.",
    };
    assert.deepEqual(faultsOf(definition.data, data), []);
    const { currency: _, ...less } = data;
    for (const wrong of [{ ...data, more: 1 }, less, { ...data, amount: "30,25" }, { ...data, payout_id: "1" }]) {
      assert.notDeepEqual(faultsOf(definition.data, wrong), [], JSON.stringify(wrong));
    }
  });
});
