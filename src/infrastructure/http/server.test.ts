import assert from "node:assert/strict";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import { pino } from "pino";
import { DatabaseFailure } from "../../kernel/statement.ts";
import { createHttpServer } from "./server.ts";

let server: FastifyInstance;
let lines: Record<string, unknown>[];
let measured: [string, number][];
let traceId: string | undefined;

const bodySchema = {
  type: "object",
  properties: { amount: { type: "number" }, note: { type: "string" } },
  required: ["amount"],
  additionalProperties: false,
};

beforeEach(() => {
  lines = [];
  measured = [];
  traceId = undefined;
  server = createHttpServer({
    logger: pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    routeMetric: (method, route) => (status) => void measured.push([`${method} ${route}`, status]),
    traceIdOf: () => traceId,
  });
  server.post("/things", { schema: { body: bodySchema } }, async (request, reply) =>
    reply.code(201).send(request.body),
  );
  server.get("/things/:id", async (request) => request.params);
  server.get("/broken", async () => {
    throw Object.assign(new Error("password of db-7 is hunter2"), { query: "select secret" });
  });
  server.get("/away", async () => {
    throw new DatabaseFailure("unavailable", false, "connect ECONNREFUSED 10.0.0.7:5432");
  });
  server.get("/refused", async (_request, reply) =>
    reply.problem({ status: 409, code: "in_use", detail: "Wait.", retryAfterSeconds: 3, members: { thing_id: "x" } }),
  );
});

afterEach(() => server.close());

function post(payload: string | Buffer, headers: Record<string, string> = { "content-type": "application/json" }) {
  return server.inject({ method: "POST", url: "/things", headers, payload });
}

/** Checks what every problem answer has, and gives back its body. */
function problem(response: LightMyRequestResponse, status: number, code: string): Record<string, unknown> {
  assert.equal(response.statusCode, status, response.body);
  assert.equal(response.headers["content-type"], "application/problem+json; charset=utf-8");
  assertSafe(response);
  const body = response.json() as Record<string, unknown>;
  assert.deepEqual([body["type"], body["status"], body["code"]], ["about:blank", status, code]);
  assert.equal(typeof body["title"], "string");
  assert.match(String(body["detail"]), /\w\.$/);
  assert.match(String(body["trace_id"]), /^[0-9a-f]{32}$/);
  return body;
}

function assertSafe({ headers }: LightMyRequestResponse): void {
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(headers["referrer-policy"], "no-referrer");
  assert.match(String(headers["content-security-policy"]), /default-src 'none'/);
  assert.equal(headers["cache-control"], "no-store");
  assert.match(String(headers["x-request-id"]), /^[\w.:-]{1,100}$/);
}

describe("an answer", () => {
  test("is JSON with security headers", async () => {
    const response = await post('{"amount": 1000.00}');
    assert.equal(response.statusCode, 201);
    assert.match(String(response.headers["content-type"]), /^application\/json/);
    assert.deepEqual(response.json(), { amount: 1000 });
    assertSafe(response);
  });

  test("echoes a usable request id, and has one of ours instead of an unusable one", async () => {
    const idOf = async (given?: string) => {
      const headers = given === undefined ? {} : { "x-request-id": given };
      return String((await server.inject({ url: "/things/1", headers })).headers["x-request-id"]);
    };
    assert.equal(await idOf("order-123:attempt.1_a"), "order-123:attempt.1_a");
    assert.equal(await idOf("x".repeat(100)), "x".repeat(100));
    const unusable = [undefined, "", "x".repeat(101), "two words", "<script>", 'a"b', "é"];
    const ours = await Promise.all(unusable.map(idOf));
    assert.equal(new Set(ours).size, unusable.length, "ours are all different");
    for (const [index, id] of ours.entries()) assert.notEqual(id, unusable[index]);
  });

  test("is measured by its route, not by its address", async () => {
    await server.inject({ url: "/things/1" });
    await server.inject({ url: "/things/2" });
    await server.inject({ url: "/nowhere" });
    await server.inject({ url: "/broken" });
    assert.deepEqual(measured, [
      ["GET /things/:id", 200],
      ["GET /things/:id", 200],
      ["ANY unmatched", 404],
      ["GET /broken", 500],
    ]);
  });
});

describe("a problem", () => {
  test("404 where there is nothing, also for a method that an address does not have", async () => {
    assert.equal(problem(await server.inject({ url: "/nowhere" }), 404, "not_found")["title"], "Not Found");
    problem(await server.inject({ method: "DELETE", url: "/things" }), 404, "not_found");
  });

  test("413 for a body over 1 MiB, and not for one of just that", async () => {
    const ofSize = (bytes: number) => `{"amount":1,"note":"${"x".repeat(bytes - 22)}"}`;
    assert.equal(Buffer.byteLength(ofSize(1_048_576)), 1_048_576);
    assert.equal((await post(ofSize(1_048_576))).statusCode, 201);
    problem(await post(ofSize(1_048_577)), 413, "body_too_large");
  });

  test("415 for everything that does not call itself JSON", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data"]) {
      problem(await post("{}", { "content-type": type }), 415, "unsupported_media_type");
    }
    assert.equal((await post('{"amount":1}', { "content-type": "application/json; charset=utf-8" })).statusCode, 201);
  });

  test("400 for a body that is not JSON, is empty or has numbers that are not exact", async () => {
    for (const body of ["", "{", '{"amount": NaN}', '{"amount": 1e3}', '{"amount": 0.1000000000000000055}']) {
      problem(await post(body), 400, "invalid_request");
    }
    const body = problem(await post('{"amount": 1e3}'), 400, "invalid_request");
    assert.deepEqual(body["errors"], [{ pointer: "/amount", detail: "Write the number without an exponent." }]);
  });

  test("no problem for an empty body where a route takes none, whatever it calls itself", async () => {
    server.post("/things/1/start", async () => ({ started: true }));
    const start = (payload: string) =>
      server.inject({
        method: "POST",
        url: "/things/1/start",
        headers: { "content-type": "application/json" },
        payload,
      });
    assert.deepEqual((await start("")).json(), { started: true });
    problem(await start("{"), 400, "invalid_request");
  });

  test("400 for a body that does not fit, with every fault; nothing is changed or dropped to make it fit", async () => {
    const body = problem(await post('{"note": 1, "amout": 1}'), 400, "invalid_request");
    assert.deepEqual((body["errors"] as { pointer: string }[]).map(({ pointer }) => pointer).sort(), [
      "/amount",
      "/amout",
      "/note",
    ]);
    problem(await post('{"amount": "1"}'), 400, "invalid_request");
    problem(await post("[]"), 400, "invalid_request");
    problem(await post("null"), 400, "invalid_request");
    problem(await server.inject({ method: "POST", url: "/things" }), 400, "invalid_request");
  });

  test("400 for a body that is nested too deeply", async () => {
    problem(await post("[".repeat(100_000) + "]".repeat(100_000)), 400, "invalid_request");
  });

  test("stays small, however many faults a body has", async () => {
    const fields = Array.from({ length: 50_000 }, (_, index) => `"k${index}":0`);
    const response = await post(`{${fields.join(",")}}`);
    problem(response, 400, "invalid_request");
    assert.ok(response.body.length < 100_000, `an answer of ${response.body.length} bytes`);
  });

  test("400 for an address that cannot be decoded, and for an overlong part of one, in the same form", async () => {
    problem(await server.inject({ url: "/things/%zz" }), 400, "invalid_request");
    const overlong = await server.inject({ url: `/things/${"x".repeat(300)}` });
    problem(overlong, overlong.statusCode, overlong.statusCode === 404 ? "not_found" : "invalid_request");
  });

  test("500 for an unexpected throw leaks nothing, and the log has what the answer hides", async () => {
    traceId = "0af7651916cd43dd8448eb211c80319c";
    const response = await server.inject({ url: "/broken", headers: { "x-request-id": "r1" } });
    const body = problem(response, 500, "internal_error");
    assert.equal(body["trace_id"], traceId);
    assert.doesNotMatch(
      response.body + JSON.stringify(response.headers),
      /hunter2|db-7|select|Error:|\.ts|node_modules/,
    );
    assert.deepEqual(Object.keys(body).sort(), ["code", "detail", "status", "title", "trace_id", "type"]);
    const [line] = lines;
    assert.equal(lines.length, 1);
    assert.deepEqual(
      [line?.["level"], line?.["request_id"], line?.["trace_id"], line?.["route"], line?.["code"]],
      [50, "r1", traceId, "/broken", "internal_error"],
    );
  });

  test("503 where the database is away says when to try again, and nothing about the database", async () => {
    const response = await server.inject({ url: "/away" });
    problem(response, 503, "database_unavailable");
    assert.equal(response.headers["retry-after"], "1");
    assert.doesNotMatch(response.body, /10\.0\.0\.7|ECONN/);
    assert.equal(lines[0]?.["level"], 40, "an outage is a warning, not a bug");
  });

  test("of a route carries its own members and Retry-After", async () => {
    const response = await server.inject({ url: "/refused" });
    const body = problem(response, 409, "in_use");
    assert.deepEqual([body["title"], body["thing_id"], response.headers["retry-after"]], ["Conflict", "x", "3"]);
  });

  test("of the request's own making is not logged", async () => {
    await post("{");
    await server.inject({ url: "/nowhere" });
    assert.deepEqual(lines, []);
  });
});

test("a server that closes waits for the answer under way, and not for its connection to end", async () => {
  const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
  server.get("/slow", async () => {
    isAsked();
    await sleep(200);
    return { done: true };
  });
  const address = await server.listen({ port: 0, host: "127.0.0.1" });
  const answer = fetch(`${address}/slow`).then((response) => response.json());
  await asked;
  const beganMs = performance.now();
  const closing = server.close();
  assert.deepEqual(await answer, { done: true });
  await closing;
  assert.ok(performance.now() - beganMs < 5_000, "a client may keep its connection for 72 s");
});

describe("on the wire", () => {
  async function exchange(text: string): Promise<string> {
    const address = new URL(await server.listen({ host: "127.0.0.1", port: 0 }));
    return await new Promise((resolve, reject) => {
      let answer = "";
      const socket = connect(Number(address.port), address.hostname, () => socket.write(text));
      socket.setTimeout(2_000, () => socket.destroy(new Error(`no end after ${answer}`)));
      socket.on("data", (data) => {
        answer += data;
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(answer));
    });
  }

  test("an answer has its request id and headers", async () => {
    const answer = await exchange("GET /things/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(answer, /\r\nx-request-id: \S+\r\n/i);
    assert.ok(answer.endsWith('{"id":"1"}'), answer);
  });

  test("what is not HTTP is answered with 400 in the form of every other problem", async () => {
    const answer = await exchange("GARBAGE\r\n\r\n");
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.match(answer, /\r\ncontent-type: application\/problem\+json/i);
  });
});
