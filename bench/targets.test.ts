import assert from "node:assert/strict";
import { test } from "node:test";
import { keyDigits, type TargetName, targets } from "./targets.ts";

const changing = "0a1b2c3d";
const names = Object.keys(targets) as TargetName[];

function split(request: string): { head: string; body: string } {
  const [head = "", body = ""] = request.split("\r\n\r\n");
  return { head, body };
}

test("every request says how long its body is", () => {
  assert.equal(changing.length, keyDigits);
  for (const name of names) {
    const { head, body } = split(targets[name].requests(3000, "-round-1")(changing));
    assert.match(head, /^POST \/\w+ HTTP\/1\.1\r\nHost: 127\.0\.0\.1:3000\r\n/, name);
    assert.equal(Number(/\r\nContent-Length: (\d+)/.exec(head)?.[1]), body.length, name);
    assert.doesNotThrow(() => JSON.parse(body), name);
  }
});

test("every request has its key where the contract has it", () => {
  const payment = split(targets.payment.requests(3000, "-round-1")(changing));
  assert.equal(JSON.parse(payment.body).idempotency_key, "0a1b2c3d-round-1");
  for (const name of ["bill", "pago"] as const) {
    assert.match(
      split(targets[name].requests(8000, "-round-1")(changing)).head,
      /\r\nIdempotency-Key: 0a1b2c3d-round-1$/,
    );
  }
});

test("pagos go to affiliates that the key chooses", () => {
  const request = targets.pago.requests(8000, "-round-1");
  assert.equal(JSON.parse(split(request("fff00000")).body).id_afiliado, "afiliado_fff");
});

test("an answer counts as right only as it was asked for", () => {
  const bill = {
    payment_id: "019a0000-0000-7000-8000-000000000000",
    reference: "FAC-12345",
    amount: 500,
    currency: "MXN",
    status: "SUCCESS",
    retries: 0,
    created_at: new Date().toISOString(),
  };
  assert.ok(targets.bill.isRight(bill));
  for (const wrong of [{ status: "FAILED" }, { amount: 5 }, { payment_id: "1" }, { created_at: "2020-01-01" }]) {
    assert.ok(!targets.bill.isRight({ ...bill, ...wrong }), JSON.stringify(wrong));
  }
});
