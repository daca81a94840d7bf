import { createHmac, timingSafeEqual } from "node:crypto";

/** How old or how far in the future a signature may be, in seconds: Stripe's default, in both directions. */
const toleranceSeconds = 300;

/**
 * Whether a webhook's `Stripe-Signature` header ("t=…,v1=…[,v1=…]") signs exactly these bytes with our secret, within
 * the tolerance of now. Several v1 signatures are there while a secret is rotated; other schemes are passed over
 * (docs.stripe.com/webhooks#verify-manually). The comparison takes the same time wherever the texts differ.
 */
export function isSignedBy(secret: string, header: string | undefined, body: Buffer, nowMs: number): boolean {
  const { timestamp, signatures } = readHeader(header ?? "");
  if (timestamp === undefined || signatures.length === 0) return false;
  if (Math.abs(nowMs / 1000 - Number(timestamp)) > toleranceSeconds) return false;
  const expected = createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest();
  return signatures.filter((signature) => matches(signature, expected)).length > 0;
}

function matches(signature: string, expected: Buffer): boolean {
  const given = Buffer.from(signature, "hex");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** More signatures than this are nobody's rotation, and each costs a comparison. */
const mostSignatures = 10;

function readHeader(header: string): { timestamp: string | undefined; signatures: string[] } {
  let timestamp: string | undefined;
  const signatures: string[] = [];
  for (const part of header.split(",", mostSignatures + 2)) {
    const [scheme, value = ""] = part.trim().split("=", 2);
    if (scheme === "t" && /^\d{1,12}$/.test(value)) timestamp = value;
    if (scheme === "v1" && /^[0-9a-f]{64}$/.test(value)) signatures.push(value);
  }
  return { timestamp, signatures };
}
