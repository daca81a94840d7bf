import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createRedaction } from "./redaction.ts";

const redact = createRedaction(["sandbox-value-1", 'quoted"value']);

describe("redaction", () => {
  const secretFields: readonly (readonly [string, unknown])[] = [
    ["authorization", "Bearer hidden-value"],
    ["Authorization", "hidden-value"],
    ["proxy-authorization", "hidden-value"],
    ["cookie", "session=hidden-value"],
    ["set-cookie", ["a=hidden-value", "b=hidden-value"]],
    ["stripe-signature", "t=1,v1=hidden-value"],
    ["password", 'a"hidden-value\\'],
    ["PGPASSWORD", "hidden-value"],
    ["client_secret", "hidden-value"],
    ["clientSecret", "hidden-value"],
    ["stripeWebhookSecret", "hidden-value"],
    ["STRIPE_SECRET_KEY", "hidden-value"],
    ["STRIPE_KEY", "hidden-value"],
    ["x-api-key", "hidden-value"],
    ["apiKey", "hidden-value"],
    ["access_token", "hidden-value"],
    ["DATABASE_URL", "hidden-value"],
    ["DATABASE_OWNER_URL", "hidden-value"],
    ["databaseUrl", "hidden-value"],
    ["redisUrl", "hidden-value"],
    ["connectionString", "hidden-value"],
    ["secret", { inner: "hidden-value" }],
  ];
  for (const [name, value] of secretFields) {
    test(`hides ${name} at any depth and leaves valid JSON`, () => {
      const line = JSON.stringify({ before: 1, a: { b: [{ [name]: value, after: "kept" }] }, end: true });
      const clean = redact(line);
      assert.ok(!clean.includes("hidden-value"), clean);
      assert.deepEqual(JSON.parse(clean), {
        before: 1,
        a: { b: [{ [name]: "[redacted]", after: "kept" }] },
        end: true,
      });
    });

    test(`hides ${name} in JSON inside a message`, () => {
      const clean = redact(JSON.stringify({ message: JSON.stringify({ [name]: value }), end: true }));
      assert.ok(!clean.includes("hidden-value"), clean);
      assert.equal(JSON.parse(clean).end, true);
    });
  }

  const shapes: readonly (readonly [string, string])[] = [
    ["Invalid API Key provided: sk_live_hidden", "Invalid API Key provided: [redacted]"],
    ["rk_test_hidden", "[redacted]"],
    ["whsec_hidden", "[redacted]"],
    ["pi_123_secret_hidden", "pi_123_secret_[redacted]"],
    ["sent Bearer hidden.hidden-hidden", "sent Bearer [redacted]"],
    ["connect postgres://app:hidden@db:5432/x failed", "connect postgres://app:[redacted]@db:5432/x failed"],
    ["redis://:hidden@cache:6379", "redis://:[redacted]@cache:6379"],
  ];
  for (const [message, expected] of shapes) {
    test(`hides the secret of "${message}"`, () => {
      assert.deepEqual(JSON.parse(redact(JSON.stringify({ message }))), { message: expected });
    });
  }

  test("hides the values it was told of, wherever they stand", () => {
    const clean = redact(JSON.stringify({ message: 'x sandbox-value-1 y quoted"value z', stack: ["sandbox-value-1"] }));
    assert.deepEqual(JSON.parse(clean), { message: "x [redacted] y [redacted] z", stack: ["[redacted]"] });
  });

  test("leaves what is no secret as it is", () => {
    const line = JSON.stringify({
      idempotency_key: "order_123_attempt_1",
      url: "/payments?cursor=abc",
      stripe_payment_intent_id: "pi_123",
      address: "http://localhost:3000/payments",
      message: "the password is asked for",
    });
    assert.equal(redact(line), line);
  });

  test("takes time in proportion to the line, whatever stands in it", () => {
    for (const hostile of [
      '"password":'.repeat(20_000),
      `"${"a-".repeat(100_000)}`,
      '\\"secret\\":'.repeat(20_000),
      "secret".repeat(40_000),
    ]) {
      const begun = performance.now();
      redact(hostile);
      assert.ok(performance.now() - begun < 2_000);
    }
  });
});
