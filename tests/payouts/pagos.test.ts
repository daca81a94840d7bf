import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { type Answer, get, post } from "../support/app.ts";
import { type ServedPayouts, servePayouts } from "./served-payouts.ts";

let served: ServedPayouts;
before(async () => {
  served = await servePayouts({ replayWaitMs: 300 });
  await served.fund(1_000_000_00n);
  await served.fund(1_000_000_00n, "COP");
});
after(() => served.close());
beforeEach(() => {
  served.gateway.plan = () => "pay";
  served.gateway.latencyMs = 0;
});

const pago = { id_afiliado: "afiliado_123", monto: 100.5, moneda: "USD" };
const funding = "gateway:fake:funding";

function pay(more: object = {}, headers: Record<string, string> = {}): Promise<Answer> {
  return post(served.partner, "/pagos/", { ...pago, ...more }, headers);
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe("POST /pagos/", () => {
  it("pays an affiliate and answers with every field of the contract and no other", async () => {
    const { status, body } = await pay();
    assert.equal(status, 200);
    const { id_pago, referencia_pago, fecha_creacion, ...rest } = body;
    assert.deepEqual(rest, { ...pago, estado: "EXITOSO", mensaje: "Pago procesado exitosamente" });
    assert.match(id_pago, uuid);
    assert.match(fecha_creacion, moment);
    assert.equal(referencia_pago, `ref_${id_pago.replaceAll("-", "")}`);
  });

  it("is the same without the final slash", async () => {
    const { status, body } = await post(served.partner, "/pagos", { ...pago, moneda: "COP" });
    assert.deepEqual([status, body.estado, body.moneda], [200, "EXITOSO", "COP"]);
  });

  it("tells the gateway whom to pay, how much, and what the statement shows", async () => {
    const { body } = await pay();
    const { attemptId, ...told } = served.gateway.payments.at(-1) ?? { attemptId: "" };
    assert.equal(attemptId, body.id_pago);
    assert.deepEqual(told, {
      payoutId: body.id_pago,
      recipient: pago.id_afiliado,
      amount: { amountMinor: 100_50n, currency: "USD" },
      reference: body.referencia_pago,
    });
  });

  it("moves the money from what was set apart to what the affiliate was paid", async () => {
    const before = await served.balanceOf(funding);
    await pay({ id_afiliado: "del libro", monto: 12.34 });
    assert.deepEqual(await served.balanceOf(funding), { balance: before.balance - 1234n, held: 0n });
    assert.deepEqual(await served.balanceOf("affiliate:del libro:paid"), { balance: 1234n, held: 0n });
  });

  it("answers a declined pago with the gateway's reason, and the money is free again", async () => {
    served.gateway.plan = () => ({ decline: "Cuenta cerrada" });
    const before = await served.balanceOf(funding);
    const { status, body } = await pay();
    assert.deepEqual([status, body.estado, body.mensaje], [200, "FALLIDO", "Cuenta cerrada"]);
    assert.deepEqual(await served.balanceOf(funding), before);
    assert.deepEqual(await served.balanceOf("affiliate:afiliado_123:paid", "EUR"), { balance: 0n, held: 0n });
  });

  it("declines without asking the gateway where too little was set apart", async () => {
    const asked = served.gateway.asked.pay;
    const { status, body } = await pay({ moneda: "EUR" });
    assert.deepEqual([status, body.estado, body.mensaje], [200, "FALLIDO", "Fondos insuficientes"]);
    assert.equal(served.gateway.asked.pay, asked);
    const [row] = await served.look("select failure_code from payouts.payouts where id = $1", [body.id_pago]);
    assert.deepEqual(row, { failure_code: "insufficient_funds" });
  });

  it("answers 202 with PROCESANDO where the outcome is not known, and keeps the money reserved", async () => {
    const before = await served.balanceOf(funding);
    for (const plan of ["times out before paying", "is not reached"] as const) {
      served.gateway.plan = () => plan;
      const { status, body } = await pay();
      assert.deepEqual([status, body.estado], [202, "PROCESANDO"]);
      assert.match(body.mensaje, /se está procesando/);
    }
    const after = await served.balanceOf(funding);
    assert.deepEqual([after.balance, after.held - before.held], [before.balance, 2n * 100_50n]);
  });

  const bad: [string, object | string, string, (string | number)[]][] = [
    ["a monto of zero", { ...pago, monto: 0 }, "greater_than", ["body", "monto"]],
    ["a monto below zero", { ...pago, monto: -5 }, "greater_than", ["body", "monto"]],
    ["a monto that is a text", { ...pago, monto: "100" }, "float_type", ["body", "monto"]],
    ["a monto with three decimals", { ...pago, monto: 1.005 }, "decimal_max_places", ["body", "monto"]],
    ["a monto beyond the limit", { ...pago, monto: 10_000_000_000 }, "less_than_equal", ["body", "monto"]],
    ["no monto", { id_afiliado: "a", moneda: "USD" }, "missing", ["body", "monto"]],
    ["another moneda", { ...pago, moneda: "MXN" }, "enum", ["body", "moneda"]],
    ["a moneda in small letters", { ...pago, moneda: "usd" }, "enum", ["body", "moneda"]],
    ["an empty id_afiliado", { ...pago, id_afiliado: "" }, "string_too_short", ["body", "id_afiliado"]],
    ["an id_afiliado that is a number", { ...pago, id_afiliado: 5 }, "string_type", ["body", "id_afiliado"]],
    [
      "an id_afiliado that cannot be stored",
      { ...pago, id_afiliado: "\u0000" },
      "value_error",
      ["body", "id_afiliado"],
    ],
    ["what is not JSON", "{", "json_invalid", ["body"]],
  ];
  for (const [name, body, type, loc] of bad) {
    it(`refuses ${name} with 422 and keeps nothing`, async () => {
      const count = "select count(*)::integer as kept from payouts.payouts";
      const [before] = await served.look(count);
      const answer = await post(served.partner, "/pagos/", body);
      assert.equal(answer.status, 422);
      assert.deepEqual(Object.keys(answer.body), ["detail"]);
      const [fault] = answer.body.detail;
      assert.deepEqual([fault.type, fault.loc, typeof fault.msg], [type, loc, "string"]);
      assert.deepEqual((await served.look(count))[0], before);
    });
  }
});

describe("the Idempotency-Key of a pago", () => {
  const keyed = (key: string) => ({ "idempotency-key": key });

  it("gives the same pago for the same request, however it is written", async () => {
    const first = await pay({}, keyed("same"));
    const again = await post(
      served.partner,
      "/pagos",
      '{"moneda":"USD","monto":100.50,"id_afiliado":"afiliado_123"}',
      keyed('"same"'),
    );
    assert.deepEqual([again.status, again.body], [200, first.body]);
    assert.deepEqual(
      [first, again].map(({ headers }) => headers.get("idempotency-replayed")),
      [null, "true"],
    );
    const paid = served.gateway.payments.filter(({ payoutId }) => payoutId === first.body.id_pago);
    assert.equal(paid.length, 1);
  });

  it("refuses a key with a space, or none in it, with 422", async () => {
    for (const key of ["a b", '""', "x".repeat(256)]) {
      const { status, body } = await pay({}, keyed(key));
      assert.deepEqual([status, body.detail[0].loc], [422, ["header", "idempotency-key"]]);
    }
  });

  it("refuses another request with 422", async () => {
    await pay({}, keyed("other"));
    const { status, body } = await pay({ monto: 7 }, keyed("other"));
    assert.equal(status, 422);
    assert.deepEqual(
      [body.detail[0].type, body.detail[0].loc],
      ["idempotency_key_reused", ["header", "idempotency-key"]],
    );
  });

  it("says that a failed pago has failed, again and again", async () => {
    served.gateway.plan = () => ({ decline: "Cuenta cerrada" });
    const first = await pay({}, keyed("failed"));
    served.gateway.plan = () => "pay";
    const again = await pay({}, keyed("failed"));
    assert.deepEqual([again.status, again.body], [200, first.body]);
  });

  it("answers 202 where the first request was left to recovery", async () => {
    served.gateway.plan = () => "is not reached";
    const first = await pay({}, keyed("unknown"));
    const again = await pay({}, keyed("unknown"));
    assert.deepEqual([again.status, again.body.estado, again.body.id_pago], [202, "PROCESANDO", first.body.id_pago]);
    assert.equal(again.headers.get("idempotency-replayed"), "true");
  });

  it("answers 409 with when to come back where the first request runs too long", async () => {
    served.gateway.latencyMs = 1_000;
    const first = pay({}, keyed("slow"));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const second = await pay({}, keyed("slow"));
    assert.deepEqual([second.status, typeof second.body.detail], [409, "string"]);
    assert.match(second.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    assert.equal((await first).status, 200);
  });

  it("200 requests at once make one pago and one call", async () => {
    served.gateway.latencyMs = 50;
    const asked = served.gateway.asked.pay;
    const answers = await Promise.all(Array.from({ length: 200 }, () => pay({}, keyed("at_once"))));
    assert.equal(new Set(answers.map(({ body }) => body.id_pago)).size, 1);
    assert.equal(answers.filter(({ headers }) => headers.get("idempotency-replayed") === "true").length, 199);
    assert.equal(served.gateway.asked.pay, asked + 1);
  });
});

describe("GET /pagos/{id_pago}", () => {
  it("shows a pago that was made", async () => {
    const { body: made } = await pay();
    const { status, body } = await get(served.partner, `/pagos/${made.id_pago}`);
    assert.equal(status, 200);
    const { fecha_procesamiento, ...rest } = body;
    assert.match(fecha_procesamiento, moment);
    assert.deepEqual(rest, {
      id: made.id_pago,
      ...pago,
      estado: "EXITOSO",
      referencia_pago: made.referencia_pago,
      fecha_creacion: made.fecha_creacion,
      mensaje_error: null,
    });
  });

  it("shows why a pago failed", async () => {
    served.gateway.plan = () => ({ decline: "Cuenta cerrada" });
    const { body: made } = await pay();
    const { body } = await get(served.partner, `/pagos/${made.id_pago}`);
    assert.deepEqual([body.estado, body.mensaje_error], ["FALLIDO", "Cuenta cerrada"]);
  });

  it("is 404 for what is no pago, also for the id of a payout to a seller", async () => {
    await served.earn("vendedor", 100n);
    const seller = await post(served.marketplace, "/payouts", {
      seller_id: "vendedor",
      amount: 1,
      currency: "USD",
      idempotency_key: "not_a_pago",
    });
    for (const id of ["0198f000-0000-7000-8000-000000000000", "nada", seller.body.id]) {
      const { status, body } = await get(served.partner, `/pagos/${id}`);
      assert.deepEqual([status, body], [404, { detail: "Pago no encontrado" }]);
    }
  });
});

describe("the events of pagos", () => {
  async function eventsOf(id: string) {
    return await served.look<{ category: string; type: string; version: number; data: Record<string, unknown> }>(
      "select category, type, stream_version as version, data from events.log where stream = $1",
      [id],
    );
  }

  it("PagoExitoso is in the log in the contract's envelope", async () => {
    const { body } = await pay({ monto: 20 });
    const [event, ...others] = await eventsOf(body.id_pago);
    assert.deepEqual(others, []);
    assert.deepEqual([event?.category, event?.type, event?.version], ["pago", "PagoExitoso", 1]);
    const { event_id, timestamp, ...envelope } = event?.data ?? {};
    assert.match(String(event_id), /^[0-9a-f]{8}-/);
    assert.match(String(timestamp), moment);
    assert.deepEqual(envelope, {
      event_type: "PagoExitoso",
      data: {
        id_pago: body.id_pago,
        id_afiliado: pago.id_afiliado,
        monto: 20,
        moneda: "USD",
        referencia_pago: body.referencia_pago,
      },
    });
  });

  it("PagoFallido says why", async () => {
    served.gateway.plan = () => ({ decline: "Fondos insuficientes" });
    const { body } = await pay();
    const [event] = await eventsOf(body.id_pago);
    assert.equal(event?.type, "PagoFallido");
    assert.deepEqual(event?.data["data"], {
      id_pago: body.id_pago,
      ...pago,
      referencia_pago: body.referencia_pago,
      mensaje_error: "Fondos insuficientes",
    });
  });

  it("the statistics are shown in the contract's words", async () => {
    const { status, body } = await get(served.partner, "/pagos/outbox/estadisticas");
    assert.deepEqual([status, body], [200, { total_eventos: 10, eventos_procesados: 8, eventos_pendientes: 2 }]);
  });
});
