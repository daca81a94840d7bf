import { decimalText } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { HttpRefusal } from "./refusals.ts";

/** The idempotency key of a request, from its body or its header; both and different is refused. */
export function readKey(
  fromBody: string | undefined,
  fromHeader: string | undefined,
): Result<string, Extract<HttpRefusal, { type: "idempotency_keys_differ" | "idempotency_key_missing" }>> {
  if (fromHeader !== undefined && fromBody !== undefined && fromHeader !== fromBody)
    return refuse({ type: "idempotency_keys_differ" });
  const key = fromBody ?? fromHeader;
  return key === undefined ? refuse({ type: "idempotency_key_missing" }) : accept(key);
}

/** An amount as digits: a JSON number was read exactly before, or refused. */
export function decimalOf(amount: number | string): string {
  return typeof amount === "string" ? amount : decimalText(amount);
}
