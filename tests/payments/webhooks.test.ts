import assert from "node:assert/strict";
import { randomUUIDv7 } from "node:crypto";
import { after, before, describe, it } from "node:test";
import fc from "fast-check";
import { type PaymentStatus, statusAfter } from "../../src/modules/payments/domain/payment.ts";
import { eventually, get, post, startTestApp, type TestApp } from "../support/app.ts";
import { deliver, intentEvent, sign } from "../support/webhooks.ts";

let running: TestApp;
before(async () => {
  running = await startTestApp();
});
after(() => running.close());

let keys = 0;
async function newPayment(): Promise<{ id: string; intentId: string }> {
  keys += 1;
  const request = { amount: 1000, currency: "USD", idempotency_key: `webhook_${keys}` };
  const { body } = await post(running.address, "/payments", request);
  return { id: body.id, intentId: body.stripe_payment_intent_id };
}

async function statusOf(id: string): Promise<PaymentStatus> {
  return (await get(running.address, `/payments/${id}`)).body.status;
}

async function dispositionsOf(id: string): Promise<string[]> {
  const rows = await running.look<{ disposition: string }>(
    "select disposition from payments.webhook_inbox where payment_id = $1 order by received_at, event_id",
    [id],
  );
  return rows.map(({ disposition }) => disposition);
}

const learned = {
  "payment_intent.succeeded": "succeeded",
  "payment_intent.payment_failed": "failed",
  "payment_intent.canceled": "cancelled",
  "payment_intent.processing": "pending",
} as const satisfies Record<string, PaymentStatus>;

describe("webhook events", () => {
  it("every order and repetition of a payment's events ends in the same state", async () => {
    const types = Object.keys(learned) as (keyof typeof learned)[];
    const deliveries = fc
      .subarray(types, { minLength: 1 })
      .chain((chosen) =>
        fc.tuple(
          fc.shuffledSubarray([...chosen, ...chosen], { minLength: chosen.length, maxLength: chosen.length * 2 }),
          fc.constant(chosen),
        ),
      );
    await fc.assert(
      fc.asyncProperty(deliveries, fc.boolean(), async ([shuffled, chosen], atOnce) => {
        const { id, intentId } = await newPayment();
        const payloads = new Map(types.map((type) => [type, intentEvent({ type, intentId })]));
        const order = [...shuffled, ...chosen].map((type) => payloads.get(type) ?? "");
        if (atOnce) await Promise.all(order.map((payload) => deliver(running.address, payload)));
        else for (const payload of order) await deliver(running.address, payload);

        const expected = chosen.reduce<PaymentStatus>((status, type) => statusAfter(status, learned[type]), "pending");
        assert.equal(await statusOf(id), expected);
        const rows = await running.look("select from payments.webhook_inbox where payment_id = $1", [id]);
        assert.equal(rows.length, chosen.length);
      }),
      { numRuns: 60 },
    );
  });

  it("the order of statuses is the same in the database", async () => {
    const statuses = ["pending", "failed", "cancelled", "succeeded"] as const;
    for (const current of statuses) {
      for (const next of statuses) {
        const [row] = await running.look<{ moves: boolean }>(
          "select payments.status_rank($2) > payments.status_rank($1) as moves",
          [current, next],
        );
        assert.equal(statusAfter(current, next) !== current, row?.moves, `${current} to ${next}`);
      }
    }
  });

  it("the same event at the same time has one effect", async () => {
    const { id, intentId } = await newPayment();
    const payload = intentEvent({ type: "payment_intent.succeeded", intentId });
    const answers = await Promise.all(Array.from({ length: 50 }, () => deliver(running.address, payload)));
    assert.ok(answers.every(({ status }) => status === 200));
    assert.deepEqual(await dispositionsOf(id), ["applied"]);
    const events = await running.look<{ type: string }>(
      "select type from events.log where stream = $1 order by stream_version",
      [id],
    );
    assert.deepEqual(
      events.map(({ type }) => type),
      ["payment.created", "payment.succeeded"],
    );
  });

  it("an event for a payment that is not here yet is kept, and applied when it is", async () => {
    const id = randomUUIDv7();
    const payload = intentEvent({
      type: "payment_intent.succeeded",
      intentId: "pi_early",
      paymentId: id,
      amount: 5_000,
    });
    assert.equal((await deliver(running.address, payload)).status, 200);
    assert.deepEqual(await dispositionsOf(id), ["waiting"]);
    // The payment as another process would accept it, with the id that the event names.
    await running.look(
      `with payment as (
         insert into payments.payments (id, scope, idempotency_key, fingerprint, amount, currency, status, capture,
                                        gateway, version, created_at, updated_at)
         values ($1, 'default', 'early', '', 50.00, 'USD', 'pending', 'automatic', 'simulator', 1, now(), now())
       )
       insert into payments.attempts (payment_id, number, operation, gateway, state, due_at, accepted_at)
       values ($1, 1, 'create', 'simulator', 'open', now() + interval '1 hour', now())`,
      [id],
    );
    await eventually(
      () => statusOf(id),
      (status) => status === "succeeded",
    );
    assert.deepEqual(await dispositionsOf(id), ["applied"]);
  });

  it("an event of another amount or currency moves nothing and is kept aside", async () => {
    const { id, intentId } = await newPayment();
    for (const wrong of [{ amount: 99_999 }, { currency: "eur" }]) {
      const payload = intentEvent({ type: "payment_intent.succeeded", intentId, ...wrong });
      assert.equal((await deliver(running.address, payload)).status, 200);
    }
    const ofAnother = intentEvent({ type: "payment_intent.succeeded", intentId: "pi_of_another", paymentId: id });
    assert.equal((await deliver(running.address, ofAnother)).status, 200);
    assert.equal(await statusOf(id), "pending");
    assert.deepEqual(await dispositionsOf(id), ["mismatched", "mismatched", "mismatched"]);
  });

  it("events of other types are recorded and answered 200", async () => {
    const { id } = await newPayment();
    for (const type of ["charge.refunded", "charge.dispute.created", "customer.created", "payment_intent.processing"]) {
      const event = {
        id: `evt_other_${type}`,
        object: "event",
        type,
        data: { object: { object: "charge", metadata: { marketflow_payment_id: id } } },
      };
      assert.equal((await deliver(running.address, JSON.stringify(event))).status, 200);
    }
    assert.deepEqual(await dispositionsOf(id), ["recorded", "recorded", "recorded", "recorded"]);
    assert.equal(await statusOf(id), "pending");
  });

  it("a signed body that is not an event is refused with 400 and not stored", async () => {
    const bodies = [
      "not json",
      "[]",
      "null",
      "{}",
      '{"id":"evt_x"}',
      '{"id":"evt_x","type":"payment_intent.succeeded","data":{"object":{}}}',
    ];
    for (const payload of bodies) {
      const { status, body } = await deliver(running.address, payload);
      assert.deepEqual([status, body.code], [400, "invalid_request"], payload);
    }
    assert.deepEqual(await running.look("select from payments.webhook_inbox where event_id = 'evt_x'"), []);
  });

  it("texts that PostgreSQL cannot store do not stop an event", async () => {
    const { id, intentId } = await newPayment();
    const payload = intentEvent({ type: "payment_intent.payment_failed", intentId }).replace(
      "Your card",
      "\\u0000\\ud800 Your card",
    );
    assert.equal((await deliver(running.address, payload)).status, 200);
    assert.equal(await statusOf(id), "failed");
  });

  it("several v1 signatures are allowed while a secret is rotated", async () => {
    const payload = intentEvent({ type: "payment_intent.processing", intentId: "pi_none" });
    const good = sign(payload);
    const old = sign(payload, { secret: "whsec_old" }).replace(/^t=\d+,/, "");
    const [time, v1] = good.split(",");
    for (const signature of [`${time},${old},${v1}`, `${time},${v1},${old},v0=abc`]) {
      const { status } = await post(running.address, "/webhooks/stripe", payload, { "stripe-signature": signature });
      assert.equal(status, 200, signature);
    }
  });
});
