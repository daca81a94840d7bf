import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { type Answer, get, post, startTestApp, type TestApp } from "../support/app.ts";
import { payAffiliate, payBill } from "../support/partner.ts";

let running: TestApp;
let partner: string;
before(async () => {
  running = await startTestApp();
  partner = running.partnerAddress;
});
after(() => running.close());

/** The answer's status, code and message in the form of the bills contract. */
function failureOf({ status, headers, body }: Answer): [number, string] {
  assert.match(headers.get("content-type") ?? "", /^application\/json/);
  assert.deepEqual(
    [Object.keys(body), Object.keys(body.error)],
    [
      ["success", "error"],
      ["code", "message"],
    ],
  );
  assert.equal(body.success, false);
  assert.match(body.error.message, /\w/);
  return [status, body.error.code];
}

/** The answer's status in the form of the pagos contract, with the places of the faults where it lists them. */
function detailOf({ status, headers, body }: Answer): [number, unknown] {
  assert.match(headers.get("content-type") ?? "", /^application\/json/);
  assert.deepEqual(Object.keys(body), ["detail"]);
  if (typeof body.detail === "string") return [status, "a sentence"];
  for (const fault of body.detail) assert.deepEqual(Object.keys(fault), ["type", "loc", "msg"]);
  return [status, body.detail.map(({ type, loc }: { type: string; loc: unknown[] }) => [type, ...loc])];
}

const large = `"${"x".repeat(1_048_576)}"`;
const asText = { "content-type": "text/plain" };

async function postRaw(path: string, body: string, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(partner + path, { method: "POST", body, headers });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

describe("the edge of the partner listener", () => {
  it("is another listener than the marketplace's, with other routes and other errors", async () => {
    assert.notEqual(partner, running.address);
    const ours = await get(partner, "/nowhere");
    assert.deepEqual(failureOf(ours), [404, "NOT_FOUND"]);
    const theirs = await get(running.address, "/nowhere");
    assert.equal(theirs.headers.get("content-type"), "application/problem+json; charset=utf-8");
    for (const path of ["/ledger/accounts", "/webhooks/stripe", "/metrics"]) {
      assert.deepEqual(failureOf(await get(partner, path)), [404, "NOT_FOUND"], path);
    }
    assert.equal((await get(running.address, "/pagos/outbox/estadisticas")).status, 404);
  });

  it("has the same headers on answers and on errors", async () => {
    const ask = (path: string) => fetch(partner + path, { headers: { "x-request-id": "order-1" } });
    for (const response of [await ask("/health"), await ask("/nowhere"), await ask("/pagos/%zz")]) {
      assert.equal(response.headers.get("x-request-id"), "order-1");
      assert.equal(response.headers.get("x-content-type-options"), "nosniff");
      assert.equal(response.headers.get("cache-control"), "no-store");
      assert.match(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
    }
  });

  it("refuses what is too large, no JSON or not called JSON, in each contract's form", async () => {
    const key = { "idempotency-key": "k-1" };
    assert.deepEqual(failureOf(await post(partner, "/payments", large, key)), [413, "BODY_TOO_LARGE"]);
    assert.deepEqual(detailOf(await post(partner, "/pagos", large)), [413, "a sentence"]);
    assert.deepEqual(failureOf(await postRaw("/payments", "a", { ...asText, ...key })), [
      415,
      "UNSUPPORTED_MEDIA_TYPE",
    ]);
    assert.deepEqual(detailOf(await postRaw("/pagos", "a", asText)), [415, "a sentence"]);
    assert.deepEqual(failureOf(await post(partner, "/payments", "{", key)), [400, "VALIDATION_ERROR"]);
    assert.deepEqual(detailOf(await post(partner, "/pagos", "{")), [422, [["json_invalid", "body"]]]);
    assert.deepEqual(failureOf(await post(partner, "/payments", "", key)), [400, "VALIDATION_ERROR"]);
    assert.deepEqual(detailOf(await post(partner, "/pagos", "[]")), [422, [["dict_type", "body"]]]);
  });

  it("refuses numbers that a double would change, before anybody reads them", async () => {
    const bill = '{"reference": "FAC-1", "amount": 1000.000000000000000001, "currency": "MXN"}';
    const refused = await post(partner, "/payments", bill, { "idempotency-key": "k-2" });
    assert.deepEqual(failureOf(refused), [400, "VALIDATION_ERROR"]);
    const pago = '{"id_afiliado": "a", "monto": 9007199254740993, "moneda": "USD"}';
    assert.deepEqual(detailOf(await post(partner, "/pagos", pago)), [422, [["json_invalid", "body", "monto"]]]);
  });

  it("answers bytes that are no request in the form of every other error", async () => {
    const { hostname, port } = new URL(partner);
    const answer = await new Promise<string>((resolve, reject) => {
      let text = "";
      const socket = connect(Number(port), hostname, () => socket.write("GARBAGE\r\n\r\n"));
      socket.setTimeout(2_000, () => socket.destroy(new Error("no end")));
      socket.on("data", (data) => {
        text += data;
      });
      socket.on("error", reject);
      socket.on("close", () => resolve(text));
    });
    assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*\{"success":false,"error":\{"code":"VALIDATION_ERROR"/);
  });

  it("takes an idempotency key bare or quoted", async () => {
    const first = await payBill(partner, 500, '"quoted-1"');
    const second = await payBill(partner, 500, "quoted-1");
    assert.deepEqual([first.status, second.status], [201, 200]);
    assert.equal(second.body.payment_id, first.body.payment_id);
  });

  it("is measured apart from the marketplace's, route by route", async () => {
    await payBill(partner, 500);
    await payAffiliate(partner);
    const { body } = await get(running.address, "/metrics");
    for (const route of ["/payments", "/pagos"]) {
      const series = `{listener="partner",method="POST",route="${route}",status="2xx"}`;
      const at = body.indexOf(`marketflow_http_request_duration_seconds_count${series}`);
      assert.ok(at >= 0, `no ${series}`);
    }
    assert.match(body, /marketflow_bills_total\{status="SUCCESS"\} [1-9]/);
    assert.match(body, /marketflow_payouts_total\{recipient="affiliate",status="(?:EXITOSO|FALLIDO)"\} [1-9]/);
  });

  it("takes no new request once the application stops", async () => {
    const other = await startTestApp();
    assert.equal((await get(other.partnerAddress, "/health")).status, 200);
    await other.close();
    await assert.rejects(fetch(`${other.partnerAddress}/health`));
  });
});
