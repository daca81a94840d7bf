import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { SimulatedCall } from "../../src/infrastructure/gateways/simulator/simulator.ts";
import { type Answer, get, post, startTestApp, type TestApp } from "../support/app.ts";

let running: TestApp;
const creations = new Map<string, number>();
before(async () => {
  running = await startTestApp({
    environment: { SIMULATOR_LATENCY_MS: "150" },
    faults(call: SimulatedCall) {
      if (call.operation !== "create") return undefined;
      creations.set(call.request.paymentId, (creations.get(call.request.paymentId) ?? 0) + 1);
      return undefined;
    },
  });
});
after(() => running.close());

const request = { amount: 12.5, currency: "EUR" };

function send(key: string, more: object = {}): Promise<Answer> {
  return post(running.address, "/payments", { ...request, ...more, idempotency_key: key });
}

describe("one idempotency key", () => {
  it("200 requests at once make one payment, one attempt and one gateway call", async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => send("at_once")));
    const ids = new Set(answers.map(({ body }) => body.id));
    assert.equal(ids.size, 1);
    const made = answers.filter(({ status }) => status === 201);
    const replayed = answers.filter(
      ({ status, headers }) => status === 200 && headers.get("idempotency-replayed") === "true",
    );
    assert.deepEqual([made.length, replayed.length], [1, 199]);
    const [id = ""] = ids;
    assert.equal(creations.get(id), 1);
    const attempts = await running.look("select from payments.attempts where payment_id = $1", [id]);
    assert.equal(attempts.length, 1);
  });

  it("another request with the key is refused, also while the first runs", async () => {
    const first = send("reused_while_running");
    await new Promise((resolve) => setTimeout(resolve, 50));
    const other = await send("reused_while_running", { amount: 13 });
    assert.deepEqual([other.status, other.body.code], [422, "idempotency_key_reused"]);
    assert.equal((await first).status, 201);
  });

  it("a first request that runs too long is 409 with when to come back, and then the payment", async () => {
    running.simulator.setLatency(3_000);
    try {
      const first = send("slow");
      await new Promise((resolve) => setTimeout(resolve, 100));
      const second = await send("slow");
      assert.deepEqual([second.status, second.body.code], [409, "idempotency_key_in_use"]);
      assert.match(second.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
      const { status, body } = await first;
      assert.equal(status, 201);
      const third = await send("slow");
      assert.deepEqual([third.status, third.body], [200, body]);
    } finally {
      running.simulator.setLatency(0);
    }
  });

  it("keys that look alike are different keys", async () => {
    const keys = ["Key", "key", "key%20", "key\\", "key{}", 'key"', "key,"];
    const answers = await Promise.all(keys.map((key) => send(key)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      keys.map(() => 201),
    );
    for (const [place, key] of keys.entries()) {
      const { body } = await get(running.address, `/payments/${answers[place]?.body.id}`);
      assert.equal(body.idempotency_key, key);
    }
  });
});
