import Stripe from "stripe";
import type { GatewayFailure } from "../../../movements/ports.ts";

/** What an error of the SDK says about the request: see `GatewayOutcome`. */
export type Classified = { readonly type: "declined" | "not_sent" | "unknown" } & GatewayFailure;

/** The code of a connection that broke when the request may have been written: worth one more try with its key. */
export const connectionLost = "gateway_connection_lost";

/**
 * Errors that Node raises before it has written a byte of the request: the name was not resolved, nobody listens,
 * there is no route, or the TLS handshake failed (its codes are OpenSSL's). ECONNRESET, EPIPE and ETIMEDOUT are not
 * here, because they can come after the request arrived.
 */
const beforeWriting = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/;
const tlsHandshake =
  /^(CERT_|ERR_TLS_CERT_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_SELF_SIGNED|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/;

const requestIdSuffix = (error: Stripe.errors.StripeError) =>
  error.requestId === undefined ? "" : ` (Stripe's request ${error.requestId})`;

/**
 * The code of a connection error: the SDK keeps Node's error in `detail`, and Node a failed connect to several
 * addresses in `errors`.
 */
function connectionCodes(detail: unknown): string[] {
  if (typeof detail !== "object" || detail === null) return [];
  const { code, errors } = detail as { code?: unknown; errors?: unknown };
  if (Array.isArray(errors) && errors.length > 0) return errors.flatMap(connectionCodes);
  return typeof code === "string" ? [code] : [];
}

function classifyConnection(error: Stripe.errors.StripeError): Classified {
  const codes = connectionCodes(error.detail);
  const named = codes.length > 0 ? ` (${codes.join(", ")})` : "";
  if (codes.length > 0 && codes.every((code) => beforeWriting.test(code) || tlsHandshake.test(code))) {
    return { type: "not_sent", code: "gateway_unreachable", message: `Stripe could not be reached${named}.` };
  }
  // "Your integration can't be sure whether the server received the request": #network-errors.
  if (codes.includes("ETIMEDOUT")) {
    return { type: "unknown", code: "gateway_timeout", message: "Stripe did not answer within the deadline." };
  }
  return { type: "unknown", code: connectionLost, message: `The connection to Stripe broke${named}.` };
}

/**
 * Sorts what the SDK threw. The rules are from https://docs.stripe.com/error-low-level (the #… below),
 * https://docs.stripe.com/api/errors and https://docs.stripe.com/api/idempotent_requests. What no rule knows is
 * unknown: that is always safe, because recovery then asks Stripe.
 */
export function classifyStripeError(error: unknown): Classified {
  if (!(error instanceof Stripe.errors.StripeError)) {
    const reason = error instanceof Error ? error.message : String(error);
    return { type: "unknown", code: "gateway_error", message: `The call to Stripe failed: ${reason}` };
  }
  if (error instanceof Stripe.errors.StripeConnectionError) return classifyConnection(error);
  return classifyAnswer(error);
}

function classifyAnswer(error: Stripe.errors.StripeError): Classified {
  const { statusCode: status = 0 } = error;
  const message = `${error.message || "Stripe gave no reason."}${requestIdSuffix(error)}`;
  // No permission or no valid key: Stripe looks at credentials before any endpoint runs (#content-errors names the
  // 401 among what runs before the idempotency layer), so nothing was made and a repaired key may ask again.
  if (status === 401 || status === 403) return { type: "not_sent", code: "gateway_rejected_credentials", message };
  // "Rate limiters run before the API's idempotency layer" (#content-errors). A lock_timeout, though, comes from an
  // endpoint that was running (https://docs.stripe.com/rate-limits#object-lock-timeouts).
  if (status === 429 && error.code !== "lock_timeout")
    return { type: "not_sent", code: "gateway_rate_limited", message };
  // Another request with this key is still running, and may be making the intent (api/idempotent_requests).
  if (status === 409) return { type: "unknown", code: "gateway_request_in_progress", message };
  // The key was used with other parameters: our bug. This request can never be taken, so it is declined; whatever the
  // key made before is untouched by the answer.
  if (error.rawType === "idempotency_error") return { type: "declined", code: "idempotency_error", message };
  // The request was refused: its content is invalid (400, 404), or the card declined (402). The same key gives the
  // same answer again (#content-errors).
  if (status === 400 || status === 402 || status === 404) {
    return { type: "declined", code: error.code ?? error.rawType ?? "gateway_refused_request", message };
  }
  // "Treat the result of a 500 request as indeterminate" (#server-errors); the same key only replays the stored 500,
  // so what became of it has to be asked with a retrieve or a list. The rest (a proxy's page, a 424) is no better.
  return { type: "unknown", code: "gateway_error", message };
}
