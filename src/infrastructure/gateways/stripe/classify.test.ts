import assert from "node:assert/strict";
import { describe, it } from "node:test";
import Stripe from "stripe";
import { classifyStripeError } from "./classify.ts";

type Raw = Parameters<typeof Stripe.errors.generateV1Error>[0];

function answered(statusCode: number, fields: Record<string, string> = {}): unknown {
  return Stripe.errors.generateV1Error({ message: "No.", statusCode, ...fields } as Raw);
}

function broken(detail: unknown): unknown {
  return new Stripe.errors.StripeConnectionError({ message: "broken", detail } as Raw);
}

const withCode = (code: string) => Object.assign(new Error(code), { code });

const cases: readonly [what: string, error: unknown, type: string, code: string][] = [
  ["a declined card", answered(402, { type: "card_error", code: "card_declined" }), "declined", "card_declined"],
  ["an invalid request", answered(400, { code: "amount_too_large" }), "declined", "amount_too_large"],
  ["an intent that is not there", answered(404, { code: "resource_missing" }), "declined", "resource_missing"],
  ["a key with other parameters", answered(400, { type: "idempotency_error" }), "declined", "idempotency_error"],
  ["a key that is in use", answered(409, { type: "idempotency_error" }), "unknown", "gateway_request_in_progress"],
  ["a wrong secret", answered(401), "not_sent", "gateway_rejected_credentials"],
  ["a key without the permission", answered(403), "not_sent", "gateway_rejected_credentials"],
  ["too many requests", answered(429), "not_sent", "gateway_rate_limited"],
  ["an object that is locked", answered(429, { code: "lock_timeout" }), "unknown", "gateway_error"],
  ["a failed dependency", answered(424), "unknown", "gateway_error"],
  ["an internal error", answered(500, { type: "api_error" }), "unknown", "gateway_error"],
  ["an unavailable server", answered(503), "unknown", "gateway_error"],
  ["an answer that is not JSON", new Stripe.errors.StripeAPIError({ message: "?" } as Raw), "unknown", "gateway_error"],
  ["an error of our own", new TypeError("a bug"), "unknown", "gateway_error"],
  ["a refused connection", broken(withCode("ECONNREFUSED")), "not_sent", "gateway_unreachable"],
  ["a name that does not resolve", broken(withCode("ENOTFOUND")), "not_sent", "gateway_unreachable"],
  ["a resolver that is down", broken(withCode("EAI_AGAIN")), "not_sent", "gateway_unreachable"],
  ["a certificate that is over", broken(withCode("CERT_HAS_EXPIRED")), "not_sent", "gateway_unreachable"],
  ["a self-signed certificate", broken(withCode("DEPTH_ZERO_SELF_SIGNED_CERT")), "not_sent", "gateway_unreachable"],
  ["a reset connection", broken(withCode("ECONNRESET")), "unknown", "gateway_connection_lost"],
  ["a broken pipe", broken(withCode("EPIPE")), "unknown", "gateway_connection_lost"],
  ["a timeout", broken(withCode("ETIMEDOUT")), "unknown", "gateway_timeout"],
  ["a connection without a reason", broken(undefined), "unknown", "gateway_connection_lost"],
  [
    "several addresses that all refuse",
    broken(new AggregateError([withCode("ECONNREFUSED"), withCode("EHOSTUNREACH")], "all refused")),
    "not_sent",
    "gateway_unreachable",
  ],
  [
    "several addresses of which one timed out",
    broken(new AggregateError([withCode("ECONNREFUSED"), withCode("ETIMEDOUT")], "one was slow")),
    "unknown",
    "gateway_timeout",
  ],
];

describe("what an error of Stripe says about the request", () => {
  for (const [what, error, type, code] of cases) {
    it(`${what} is ${type} (${code})`, () => {
      const classified = classifyStripeError(error);
      assert.equal(classified.type, type);
      assert.equal(classified.code, code);
      assert.match(classified.message, /\S/);
    });
  }
});
