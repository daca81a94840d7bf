import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { eventIdOf, messageOf } from "../../src/modules/events/application/outgoing.ts";
import { defaultTopics, topicsOf } from "../../src/modules/events/catalogue/topics.ts";
import type { LogEvent } from "../../src/modules/events/domain/log-event.ts";
import type { Message } from "../../src/modules/events/ports.ts";
import { propertySeed } from "../support/property-seed.ts";

const stream = "019a0f5e-7c11-7d0a-9c3e-6f1b2a4d8e01";
const event: LogEvent = {
  position: 9_007_199_254_740_993n,
  category: "payment",
  stream,
  version: 2,
  type: "payment.succeeded",
  data: '{"amount": "1000", "currency": "USD", "intent_id": "pi_1", "failure_code": null}',
  traceparent: null,
  recordedAt: new Date("2026-03-14T09:26:53.589Z"),
};
const pago: LogEvent = {
  ...event,
  category: "pago",
  type: "PagoExitoso",
  data:
    '{"data": {"monto": 9999999999.99, "moneda": "USD", "id_pago": "019a0f65-8e4f-7c91-b2d6-3a5f9e0c1d72", ' +
    '"id_afiliado": "afiliado/\\"ñ\\" 123", "referencia_pago": "ref_1"}, ' +
    '"event_id": "0b8e2c9d-6a3f-4e17-9d52-c7f1a4b6e830", "timestamp": "2026-03-14T09:26:53.589Z", ' +
    '"event_type": "PagoExitoso"}',
};

function leaving(more: Partial<LogEvent>, topics = defaultTopics): Message {
  const message = messageOf({ ...event, ...more }, topics);
  assert.ok(message.ok, message.ok ? "" : message.refusal.type);
  return message.value;
}

function refusalOf(more: Partial<LogEvent>): unknown {
  const message = messageOf({ ...event, ...more }, defaultTopics);
  return message.ok ? undefined : message.refusal;
}

describe("an event on its way out", () => {
  it("has the envelope of the contract, and the id of what it is about", () => {
    const { payload, ...rest } = leaving({});
    assert.deepEqual(JSON.parse(payload), {
      event_type: "payment.succeeded",
      event_id: rest.eventId,
      timestamp: "2026-03-14T09:26:53.589Z",
      data: { payment_id: stream, amount: "1000", currency: "USD", intent_id: "pi_1", failure_code: null },
    });
    assert.deepEqual(rest, {
      topic: "payments-events",
      key: stream,
      stream,
      eventId: eventIdOf(stream, 2),
      position: 9_007_199_254_740_993n,
      properties: {
        event_id: eventIdOf(stream, 2),
        event_type: "payment.succeeded",
        event_version: "1",
        stream,
        stream_version: "2",
        position: "9007199254740993",
      },
    });
  });

  it("carries its trace where it has one", () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert.equal(leaving({ traceparent }).properties["traceparent"], traceparent);
  });

  it("leaves to the letter where it is a pago, under the affiliate's key and its own event_id", () => {
    const message = leaving(pago);
    assert.equal(message.payload, pago.data);
    assert.equal(message.key, 'afiliado/"ñ" 123');
    assert.equal(message.eventId, "0b8e2c9d-6a3f-4e17-9d52-c7f1a4b6e830");
    assert.equal(message.topic, "pagos-events");
  });

  it("goes to the topic that is set for pagos, named in short or in full", () => {
    assert.equal(leaving(pago, topicsOf("other-pagos")).topic, "other-pagos");
    assert.equal(leaving(pago, topicsOf("persistent://acme/money/pagos")).topic, "pagos");
    assert.equal(leaving({}, topicsOf("other-pagos")).topic, "payments-events");
  });

  it("keeps numbers that a double cannot carry, and data that is empty", () => {
    const { payload } = leaving({ data: '{"amount": 12345678901234567890.123}' });
    assert.match(payload, /"data":\{"payment_id":"[^"]+","amount": 12345678901234567890\.123\}\}$/);
    for (const data of ["{}", "{ }"]) {
      assert.deepEqual(JSON.parse(leaving({ data }).payload).data, { payment_id: stream });
    }
  });

  it("is JSON whatever its data says", () => {
    const fields = fc.dictionary(
      fc.string().filter((key) => key !== "payment_id" && key !== "__proto__"),
      fc.jsonValue({ maxDepth: 1 }),
    );
    fc.assert(
      fc.property(fields, (data) => {
        const text = JSON.stringify(data);
        const expected = { payment_id: stream, ...JSON.parse(text) };
        assert.deepEqual(JSON.parse(leaving({ data: text }).payload).data, expected);
      }),
      { seed: propertySeed, numRuns: 50 },
    );
  });

  it("is refused where the catalogue does not have it, or where its data is not what it says", () => {
    assert.deepEqual(refusalOf({ type: "payment.lost" }), { type: "event_unknown", eventType: "payment.lost" });
    assert.deepEqual(refusalOf({ category: "bill" }), { type: "event_unknown", eventType: "payment.succeeded" });
    for (const data of ["[]", '"text"', "null", "1"]) {
      assert.deepEqual(refusalOf({ data }), { type: "event_malformed", eventType: "payment.succeeded" }, data);
    }
    const without = ['"event_id"', '"event_type"', '"id_afiliado"', '"data"'];
    for (const field of without) {
      const data = pago.data.replace(field, '"elsewhere"');
      assert.deepEqual(refusalOf({ ...pago, data }), { type: "event_malformed", eventType: "PagoExitoso" }, field);
    }
    assert.deepEqual(refusalOf({ ...pago, type: "PagoFallido" }), {
      type: "event_malformed",
      eventType: "PagoFallido",
    });
    assert.deepEqual(refusalOf({ ...pago, data: "{" }), { type: "event_malformed", eventType: "PagoExitoso" });
  });
});

describe("an event's id", () => {
  it("is the SHA-256 of its stream and version, as a uuid of version 8", () => {
    const bytes = createHash("sha256").update(`${stream}:7`).digest().subarray(0, 16);
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    const id = eventIdOf(stream, 7);
    assert.equal(id.replaceAll("-", ""), bytes.toString("hex"));
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(eventIdOf(stream, 7), id);
    assert.notEqual(eventIdOf(stream, 8), id);
  });
});
