import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { Answer } from "../support/app.ts";
import { curl, hasCurl } from "../support/partner.ts";
import type { Server } from "../support/processes.ts";
import { openSite, type Site } from "../support/site.ts";

// What the two contracts say, asked as they say it: the sandbox as `npm start` runs it, bodies and headers to the
// letter, by curl. Two sandboxes over one database differ in what chance is told to bring.

let site: Site;
/** Here a retry succeeds, and a pago is paid. */
let lucky: Server;
/** Here a retry fails, and a pago is declined. */
let unlucky: Server;
before(async () => {
  if (!hasCurl) console.error("NO CURL: the requests of the contracts are made by fetch");
  site = await openSite();
  lucky = await site.startApi("dev", { RETRY_SUCCESS_PROBABILITY: "1" });
  unlucky = await site.startApi("dev", { RETRY_SUCCESS_PROBABILITY: "0", PASARELA_FAILURE_RATE: "1" });
});
after(() => site.close());

const json = "Content-Type: application/json";
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

function pay(body: string, key: string = randomUUID(), server: Server = lucky): Promise<Answer> {
  const headers = [json, `Idempotency-Key: ${key}`];
  return curl(`${server.partner}/payments`, { headers, data: body });
}

function billOf(amount: number, currency = "MXN"): string {
  return `{"reference": "FAC-12345", "amount": ${amount}, "currency": "${currency}"}`;
}

function retry(id: string, server: Server): Promise<Answer> {
  return curl(`${server.partner}/payments/${id}/retry`, { method: "POST" });
}

function list(query: string): Promise<Answer> {
  return curl(`${lucky.partner}/payments${query}`);
}

/** Checks a bill payment's fields and types, none more and none less, and returns what matters in this test. */
function seen(bill: Answer["body"]): Record<string, unknown> {
  const { payment_id: id, created_at: created, updated_at: updated, ...rest } = bill;
  assert.match(id, uuid);
  assert.match(created, time);
  assert.match(updated, time);
  assert.deepEqual(Object.keys(bill).sort(), [
    "amount",
    "created_at",
    "currency",
    "payment_id",
    "reference",
    "retries",
    "status",
    "updated_at",
  ]);
  return rest;
}

function fault(code: string, message: string) {
  return { success: false, error: { code, message } };
}

async function failedBill(): Promise<string> {
  const { status, body } = await pay(billOf(1500));
  assert.deepEqual([status, body.status], [201, "FAILED"]);
  return body.payment_id;
}

describe("the bills contract", () => {
  it("creates a payment of 500, which succeeds at once", async () => {
    const { status, body } = await pay(billOf(500));
    assert.equal(status, 201);
    assert.deepEqual(seen(body), {
      reference: "FAC-12345",
      amount: 500,
      currency: "MXN",
      status: "SUCCESS",
      retries: 0,
    });
    const read = await curl(`${lucky.partner}/payments/${body.payment_id}`);
    assert.deepEqual([read.status, read.body], [200, body]);
  });

  it("takes 1000 for success, and creates a payment of 1500 that the gateway declines", async () => {
    assert.equal((await pay(billOf(1000))).body.status, "SUCCESS");
    const { status, body } = await pay(billOf(1500));
    assert.equal(status, 201);
    assert.deepEqual(seen(body), {
      reference: "FAC-12345",
      amount: 1500,
      currency: "MXN",
      status: "FAILED",
      retries: 0,
    });
  });

  it("answers a key that it has seen with the original payment, whatever the body says now", async () => {
    const key = randomUUID();
    const first = await pay(billOf(500), key);
    assert.equal(first.headers.get("idempotency-replayed"), null);
    const again = await pay('{"reference": "FAC-99999", "amount": 750, "currency": "USD"}', key);
    assert.equal(again.status, 200);
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    assert.deepEqual(again.body, first.body);
  });

  it("asks for the header where it is missing", async () => {
    const { status, body } = await curl(`${lucky.partner}/payments`, { headers: [json], data: billOf(500) });
    assert.equal(status, 422);
    assert.deepEqual(body, {
      detail: [{ type: "missing", loc: ["header", "idempotency-key"], msg: "Field required" }],
    });
  });

  it("refuses an amount that is not greater than zero", async () => {
    const expected = [400, fault("VALIDATION_ERROR", "Amount must be greater than zero")];
    for (const amount of [0, -100]) {
      const { status, body } = await pay(billOf(amount));
      assert.deepEqual([status, body], expected);
    }
  });

  it("refuses a currency that does not have three characters", async () => {
    for (const currency of ["MX", "MXNN"]) {
      const { status, body } = await pay(billOf(500, currency));
      assert.deepEqual([status, body], [400, fault("VALIDATION_ERROR", "Currency must be exactly 3 characters")]);
    }
  });

  it("refuses everything else that cannot be right, with a sentence of its own", async () => {
    const reference = (text: string) => `{"reference": "${text}", "amount": 500, "currency": "MXN"}`;
    const bodies = {
      "a currency that nobody has": billOf(500, "XXX"),
      "more decimals than the currency has": billOf(500.005),
      "decimals of a yen": billOf(500.5, "JPY"),
      "a number that JSON cannot carry": '{"reference": "FAC-1", "amount": 1000.000000000000000001, "currency": "MXN"}',
      "no number": '{"reference": "FAC-1", "amount": NaN, "currency": "MXN"}',
      "an empty reference": reference(""),
      "a reference of 101": reference("x".repeat(101)),
      "an unknown field": '{"reference": "FAC-1", "amount": 500, "currency": "MXN", "tip": 1}',
      "no reference": '{"amount": 500, "currency": "MXN"}',
    };
    for (const [name, body] of Object.entries(bodies)) {
      const answer = await pay(body);
      assert.deepEqual([answer.status, answer.body.error?.code], [400, "VALIDATION_ERROR"], name);
      assert.match(answer.body.error.message, /\w+ \w+/, name);
    }
    for (const key of ["k".repeat(256), "two words"]) {
      const answer = await pay(billOf(500), key);
      assert.deepEqual([answer.status, answer.body.error?.code], [400, "VALIDATION_ERROR"], key);
    }
  });

  it("retries a failed payment to success, and refuses to retry a success", async () => {
    const id = await failedBill();
    const retried = await retry(id, lucky);
    assert.deepEqual([retried.status, retried.body.status, retried.body.payment_id], [200, "SUCCESS", id]);
    seen(retried.body);
    const again = await retry(id, lucky);
    assert.equal(again.status, 409);
    assert.deepEqual([again.body.success, again.body.error.code], [false, "CANNOT_RETRY_PAYMENT"]);
    const message = `Payment '${id}' cannot be retried. Current status: SUCCESS...`;
    assert.equal(again.body.error.message.slice(0, message.length), message);
  });

  it("gives up after the third failed retry, and says so to the letter", async () => {
    const id = await failedBill();
    for (const [status, retries] of [
      ["FAILED", 1],
      ["FAILED", 2],
      ["EXHAUSTED", 3],
    ] as const) {
      const answer = await retry(id, unlucky);
      assert.deepEqual([answer.status, answer.body.status, answer.body.retries], [200, status, retries]);
      seen(answer.body);
    }
    const { status, body } = await retry(id, unlucky);
    assert.equal(status, 409);
    assert.deepEqual(Object.keys(body.error), ["code", "message"]);
    assert.equal(body.error.code, "CANNOT_RETRY_PAYMENT");
    const message = `Payment '${id}' cannot be retried. Current status: EXHAUSTED...`;
    assert.equal(body.error.message.slice(0, message.length), message);
    assert.equal((await curl(`${lucky.partner}/payments/${id}`)).body.status, "EXHAUSTED");
  });

  it("lists with filter, limit, offset and total, newest first", async () => {
    for (let made = 0; made < 3; made += 1) await failedBill();
    const { status, body } = await list("?status=FAILED&limit=2&offset=0");
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body).sort(), ["limit", "offset", "payments", "total"]);
    assert.deepEqual([body.payments.length, body.limit, body.offset], [2, 2, 0]);
    assert.ok(body.total >= 3);
    for (const bill of body.payments) assert.equal(seen(bill)["status"], "FAILED");
    const times = body.payments.map(({ created_at: created }: { created_at: string }) => created);
    assert.deepEqual(times, times.toSorted().toReversed());
    const { body: next } = await list("?status=FAILED&limit=2&offset=1");
    assert.deepEqual(next.payments[0], body.payments[1]);
    const { body: all } = await list("");
    assert.deepEqual([all.limit, all.offset], [20, 0]);
    assert.ok(all.total > body.total);
  });

  it("refuses a filter that means nothing", async () => {
    for (const query of ["?status=LOST", "?limit=0", "?limit=101", "?limit=ten", "?offset=-1"]) {
      const { status, body } = await list(query);
      assert.deepEqual([status, body.success, body.error?.code], [400, false, "VALIDATION_ERROR"], query);
    }
  });

  it("says of a payment that is not there that it is not found", async () => {
    const id = randomUUID();
    for (const answer of [await curl(`${lucky.partner}/payments/${id}`), await retry(id, lucky)]) {
      assert.equal(answer.status, 404);
      assert.deepEqual([answer.body.success, answer.body.error.code], [false, "PAYMENT_NOT_FOUND"]);
      assert.equal(typeof answer.body.error.message, "string");
    }
  });

  it("tells its health", async () => {
    const { status, body } = await curl(`${lucky.partner}/health`);
    const { timestamp, ...rest } = body;
    assert.equal(status, 200);
    assert.match(timestamp, time);
    assert.deepEqual(rest, {
      status: "healthy",
      services: { database: { status: "healthy" }, redis: { status: "in-memory" } },
    });
  });

  it("is documented", async () => {
    for (const path of ["/docs", "/redoc"]) {
      const page = await curl(lucky.partner + path);
      assert.deepEqual([page.status, page.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
    }
    const { status, body } = await curl(`${lucky.partner}/openapi.json`);
    assert.equal(status, 200);
    assert.match(body.openapi, /^3\.1/);
    assert.equal(body.info.title, "MarketFlow partner API");
    for (const path of ["/payments", "/payments/{payment_id}", "/payments/{payment_id}/retry", "/pagos/{id_pago}"]) {
      assert.ok(path in body.paths, path);
    }
    assert.ok("/pagos" in body.paths || "/pagos/" in body.paths);
    assert.ok("/pagos/outbox/estadisticas" in body.paths);
  });
});

function payOut(body: string, server: Server = lucky, more: readonly string[] = []): Promise<Answer> {
  return curl(`${server.partner}/pagos/`, { headers: [json, ...more], data: body });
}

const pago = '{"id_afiliado": "afiliado_123", "monto": 100.50, "moneda": "USD"}';

/** Checks the fields that differ from pago to pago, and returns the rest. */
function seenPago(body: Answer["body"]): Record<string, unknown> {
  const { id_pago: id, referencia_pago: reference, fecha_creacion: created, ...rest } = body;
  assert.match(id, uuid);
  assert.match(reference, /^ref_\w+$/);
  assert.match(created, time);
  return rest;
}

describe("the pagos contract", () => {
  it("pays an affiliate, with and without the final slash", async () => {
    const expected = {
      id_afiliado: "afiliado_123",
      monto: 100.5,
      moneda: "USD",
      estado: "EXITOSO",
      mensaje: "Pago procesado exitosamente",
    };
    const { status, body } = await payOut(pago);
    assert.deepEqual([status, seenPago(body)], [200, expected]);
    const bare = await curl(`${lucky.partner}/pagos`, { headers: [json], data: pago });
    assert.deepEqual([bare.status, seenPago(bare.body)], [200, expected]);
    assert.notEqual(bare.body.id_pago, body.id_pago, "without a key, two requests are two pagos");
  });

  it("shows the state of a pago", async () => {
    const { body: made } = await payOut(pago);
    const { status, body } = await curl(`${lucky.partner}/pagos/${made.id_pago}`);
    const { fecha_procesamiento: processed, ...rest } = body;
    assert.equal(status, 200);
    assert.match(processed, time);
    assert.deepEqual(rest, {
      id: made.id_pago,
      id_afiliado: "afiliado_123",
      monto: 100.5,
      moneda: "USD",
      estado: "EXITOSO",
      referencia_pago: made.referencia_pago,
      fecha_creacion: made.fecha_creacion,
      mensaje_error: null,
    });
  });

  it("takes the three monedas", async () => {
    for (const [moneda, monto] of Object.entries({ USD: 10.01, EUR: 20, COP: 50_000 })) {
      const { status, body } = await payOut(`{"id_afiliado": "afiliado_1", "monto": ${monto}, "moneda": "${moneda}"}`);
      assert.deepEqual([status, body.estado, body.monto, body.moneda], [200, "EXITOSO", monto, moneda]);
    }
  });

  it("answers a declined pago with 200, FALLIDO and the gateway's reason", async () => {
    const { status, body } = await payOut(pago, unlucky);
    assert.equal(status, 200);
    assert.deepEqual(seenPago(body), {
      id_afiliado: "afiliado_123",
      monto: 100.5,
      moneda: "USD",
      estado: "FALLIDO",
      mensaje: "Fondos insuficientes",
    });
    const { body: state } = await curl(`${lucky.partner}/pagos/${body.id_pago}`);
    assert.deepEqual([state.estado, state.mensaje_error], ["FALLIDO", "Fondos insuficientes"]);
  });

  it("pays once for one key, and refuses the key for another pago", async () => {
    const key = [`Idempotency-Key: ${randomUUID()}`];
    const first = await payOut(pago, lucky, key);
    const again = await payOut(pago, lucky, key);
    assert.deepEqual([again.status, again.body], [200, first.body]);
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    const other = await payOut(pago.replace("100.50", "99"), lucky, key);
    assert.deepEqual([other.status, Object.keys(other.body)], [422, ["detail"]]);
  });

  it("refuses bad input with the place of the fault", async () => {
    const bodies: [string, string, ...unknown[]][] = [
      ['{"id_afiliado": "a", "monto": 100.50, "moneda": "GBP"}', "enum", "body", "moneda"],
      ['{"id_afiliado": "a", "monto": 0, "moneda": "USD"}', "greater_than", "body", "monto"],
      ['{"id_afiliado": "a", "monto": -5, "moneda": "USD"}', "greater_than", "body", "monto"],
      ['{"id_afiliado": "", "monto": 1, "moneda": "USD"}', "string_too_short", "body", "id_afiliado"],
      ['{"monto": 1, "moneda": "USD"}', "missing", "body", "id_afiliado"],
      ['{"id_afiliado": 7, "monto": 1, "moneda": "USD"}', "string_type", "body", "id_afiliado"],
      ["{", "json_invalid", "body"],
    ];
    for (const [data, type, ...loc] of bodies) {
      const { status, body } = await payOut(data);
      assert.deepEqual([status, Object.keys(body)], [422, ["detail"]], data);
      assert.deepEqual(Object.keys(body.detail[0]), ["type", "loc", "msg"], data);
      assert.deepEqual([body.detail[0].type, body.detail[0].loc], [type, loc], data);
    }
    const { status, body } = await payOut('{"id_afiliado": "a", "monto": true, "moneda": "USD"}');
    assert.deepEqual([status, body.detail[0].loc], [422, ["body", "monto"]]);
  });

  it("counts the events of the outbox", async () => {
    const statistics = async () => {
      const { status, body } = await curl(`${lucky.partner}/pagos/outbox/estadisticas`);
      assert.equal(status, 200);
      assert.deepEqual(Object.keys(body).sort(), ["eventos_pendientes", "eventos_procesados", "total_eventos"]);
      assert.equal(body.total_eventos, body.eventos_procesados + body.eventos_pendientes);
      return body.total_eventos;
    };
    const total = await statistics();
    await payOut(pago);
    await payOut(pago, unlucky);
    assert.equal(await statistics(), total + 2);
  });

  it("says of a pago that is not there that it is not found", async () => {
    const { status, body } = await curl(`${lucky.partner}/pagos/${randomUUID()}`);
    assert.deepEqual([status, body], [404, { detail: "Pago no encontrado" }]);
  });
});
