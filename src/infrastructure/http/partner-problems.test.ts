import assert from "node:assert/strict";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import { pino } from "pino";
import { LaneRefusal } from "../../movements/ports.ts";
import { presentPartnerProblem } from "./partner-problems.ts";
import { createHttpServer } from "./server.ts";

let server: FastifyInstance;

const number = { type: "number" };
const pago = {
  type: "object",
  properties: { id_afiliado: { type: "string", minLength: 1 }, monto: { ...number, exclusiveMinimum: 0 } },
  required: ["id_afiliado", "monto"],
  additionalProperties: false,
};
const lote = { type: "object", properties: { pagos: { type: "array", items: pago } }, required: ["pagos"] };
const bill = { type: "object", properties: { amount: number }, required: ["amount"], additionalProperties: false };
const page = { type: "object", properties: { limit: { enum: ["10", "20"] } } };
const keyed = { type: "object", properties: { "idempotency-key": { type: "string" } }, required: ["idempotency-key"] };

beforeEach(() => {
  server = createHttpServer({
    logger: pino({ level: "silent" }),
    routeMetric: () => () => {},
    traceIdOf: () => undefined,
    present: presentPartnerProblem,
  });
  server.post("/pagos", { schema: { body: pago } }, async (request) => request.body);
  server.post("/pagos/lotes", { schema: { body: lote } }, async (request) => request.body);
  server.get("/pagos", { schema: { querystring: page } }, async () => ({}));
  server.get("/pagos/lost", async (_request, reply) =>
    reply.problem({ status: 404, code: "pago_not_found", detail: "Pago no encontrado" }),
  );
  server.get("/pagos/used", async (_request, reply) =>
    reply.problem({ status: 409, code: "in_use", detail: "Wait.", errors: [{ pointer: "/a", detail: "b" }] }),
  );
  server.post("/payments", { schema: { body: bill } }, async (request) => request.body);
  server.post("/payments/keyed", { schema: { headers: keyed } }, async (request) => ({ key: request.idempotencyKey }));
  server.get("/payments", { schema: { querystring: page } }, async () => ({}));
  for (const path of ["/payments/busy", "/pagos/busy"]) {
    server.get(path, async () => {
      throw new LaneRefusal("accept", "full");
    });
  }
  for (const path of ["/payments/broken", "/pagos/broken"]) {
    server.get(path, async () => {
      throw new Error("hunter2");
    });
  }
});

afterEach(() => server.close());

const json = { "content-type": "application/json" };

function post(url: string, payload: string, headers: Record<string, string> = json) {
  return server.inject({ method: "POST", url, payload, headers });
}

function get(url: string) {
  return server.inject({ url });
}

/** Status and body, once the headers are what every answer has. */
function seen(response: LightMyRequestResponse): [number, unknown] {
  assert.equal(response.headers["content-type"], "application/json; charset=utf-8");
  assert.equal(response.headers["x-content-type-options"], "nosniff");
  assert.ok(response.headers["x-request-id"]);
  return [response.statusCode, response.json()];
}

function failure(code: string, message: string) {
  return { success: false, error: { code, message } };
}

describe("a problem under /pagos", () => {
  test("of fields is 422 with FastAPI's list", async () => {
    const response = await post("/pagos", '{"id_afiliado": "", "monto": 0, "more": 1}');
    assert.deepEqual(seen(response), [
      422,
      {
        detail: [
          { type: "extra_forbidden", loc: ["body", "more"], msg: "Extra inputs are not permitted" },
          {
            type: "string_too_short",
            loc: ["body", "id_afiliado"],
            msg: "id_afiliado must NOT have fewer than 1 characters.",
          },
          { type: "greater_than", loc: ["body", "monto"], msg: "monto must be > 0." },
        ],
      },
    ]);
    assert.deepEqual(seen(await post("/pagos/", '{"monto": "1"}')), [
      422,
      {
        detail: [
          { type: "missing", loc: ["body", "id_afiliado"], msg: "Field required" },
          { type: "float_type", loc: ["body", "monto"], msg: "monto must be of type number." },
        ],
      },
    ]);
  });

  test("says positions in lists as numbers, and a parameter's place", async () => {
    const response = await post("/pagos/lotes", '{"pagos": [{"id_afiliado": "a", "monto": 1}, {"id_afiliado": "b"}]}');
    assert.deepEqual(seen(response), [
      422,
      { detail: [{ type: "missing", loc: ["body", "pagos", 1, "monto"], msg: "Field required" }] },
    ]);
    const [, body] = seen(await get("/pagos?limit=7"));
    assert.deepEqual(body, {
      detail: [{ type: "enum", loc: ["query", "limit"], msg: "limit must be one of 10, 20." }],
    });
  });

  test("of a body that is no JSON is 422 with the type json_invalid", async () => {
    const [status, body] = seen(await post("/pagos", "{"));
    const [fault] = (body as { detail: { type: string; loc: string[]; msg: string }[] }).detail;
    assert.deepEqual([status, fault?.type, fault?.loc], [422, "json_invalid", ["body"]]);
    assert.match(fault?.msg ?? "", /not valid JSON/);
    const [, inexact] = seen(await post("/pagos", '{"id_afiliado": "a", "monto": 1e3}'));
    assert.deepEqual(inexact, {
      detail: [{ type: "json_invalid", loc: ["body", "monto"], msg: "Write the number without an exponent." }],
    });
  });

  test("of anything else is its status and a sentence", async () => {
    assert.deepEqual(seen(await get("/pagos/lost")), [404, { detail: "Pago no encontrado" }]);
    assert.deepEqual(seen(await get("/pagos/used")), [409, { detail: "Wait." }]);
    const large = `{"id_afiliado": "${"x".repeat(1_048_576)}", "monto": 1}`;
    assert.deepEqual(seen(await post("/pagos", large)), [
      413,
      { detail: "The body is larger than is taken here. Send less." },
    ]);
    assert.equal(seen(await post("/pagos", "a=1", { "content-type": "text/plain" }))[0], 415);
    const busy = await get("/pagos/busy");
    assert.deepEqual([seen(busy)[0], busy.headers["retry-after"]], [503, "1"]);
  });

  test("of ours hides what happened and says what to quote", async () => {
    const [status, body] = seen(await get("/pagos/broken"));
    assert.deepEqual([status, Object.keys(body as object)], [500, ["detail"]]);
    assert.match(JSON.stringify(body), /X-Request-Id/);
    assert.doesNotMatch(JSON.stringify(body), /hunter2|trace_id/);
  });
});

describe("a problem of bills, and of every other address", () => {
  test("400 is VALIDATION_ERROR with the first fault's sentence", async () => {
    assert.deepEqual(seen(await post("/payments", "{}")), [400, failure("VALIDATION_ERROR", "amount is missing.")]);
    assert.deepEqual(seen(await get("/payments?limit=7")), [
      400,
      failure("VALIDATION_ERROR", "limit must be one of 10, 20."),
    ]);
    const [status, body] = seen(await post("/payments", "{"));
    assert.equal(status, 400);
    assert.match(JSON.stringify(body), /"VALIDATION_ERROR","message":"The body is not valid JSON/);
  });

  test("has the general codes in capitals", async () => {
    const codeOf = async (response: LightMyRequestResponse) => {
      const [status, body] = seen(response);
      return [status, (body as { error: { code: string } }).error.code];
    };
    assert.deepEqual(await codeOf(await get("/nowhere")), [404, "NOT_FOUND"]);
    assert.deepEqual(await codeOf(await get("/pagosx")), [404, "NOT_FOUND"]);
    assert.deepEqual(await codeOf(await get("/payments/busy")), [503, "OVERLOADED"]);
    assert.deepEqual(await codeOf(await get("/payments/broken")), [500, "INTERNAL_ERROR"]);
    assert.deepEqual(await codeOf(await post("/payments", `"${"x".repeat(1_048_576)}"`)), [413, "BODY_TOO_LARGE"]);
    assert.deepEqual(await codeOf(await post("/payments", "a", { "content-type": "text/plain" })), [
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    ]);
    assert.deepEqual(await codeOf(await get("/payments/%zz")), [400, "VALIDATION_ERROR"]);
  });

  test("of a header that is missing is 422 with FastAPI's list", async () => {
    assert.deepEqual(seen(await post("/payments/keyed", "{}")), [
      422,
      { detail: [{ type: "missing", loc: ["header", "idempotency-key"], msg: "Field required" }] },
    ]);
  });

  test("on the wire, before there is a request, has the same form", async () => {
    const address = new URL(await server.listen({ host: "127.0.0.1", port: 0 }));
    const answer = await new Promise<string>((resolve, reject) => {
      let text = "";
      const socket = connect(Number(address.port), address.hostname, () => socket.write("GARBAGE\r\n\r\n"));
      socket.setTimeout(2_000, () => socket.destroy(new Error("no end")));
      socket.on("data", (data) => {
        text += data;
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(text));
    });
    assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*content-type: application\/json/i);
    assert.match(answer, /\{"success":false,"error":\{"code":"VALIDATION_ERROR","message":"[^"]+"\}\}$/);
  });
});

describe("the idempotency key of a request", () => {
  test("is the header, bare or quoted", async () => {
    const keyOf = async (given: string) => {
      const response = await post("/payments/keyed", "{}", { ...json, "idempotency-key": given });
      return (response.json() as { key: string }).key;
    };
    assert.equal(await keyOf("order-1"), "order-1");
    assert.equal(await keyOf('"order-1"'), "order-1");
    assert.equal(await keyOf('"half'), '"half');
    assert.equal(await keyOf(""), "");
  });

  test("is undefined where there is no such header", async () => {
    server.get("/key", async (request) => ({ absent: request.idempotencyKey === undefined }));
    assert.deepEqual((await get("/key")).json(), { absent: true });
  });
});
