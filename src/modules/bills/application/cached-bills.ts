import type { Currency } from "../../../kernel/currency.ts";
import type { Cache } from "../../../movements/index.ts";
import { type BillPayment, type ExhaustedBill, isFinal, type PaidBill } from "../domain/bill-payment.ts";
import type { StandingBill } from "./lanes.ts";
import { billOf } from "./rows.ts";

/** Kept for less than the key is remembered: a key that is taken anew must not be answered with what stood before. */
const marginMs = 2_000;

/** The scope is encoded because both may have colons: one's key must never be another's. */
const nameOf = (scope: string, key: string): string => `bills:${encodeURIComponent(scope)}:${key}`;

/** Keeps what stands under a key where nothing can change it any more. Does not wait: it only makes faster. */
export function keepFinal(cache: Cache, scope: string, key: string, { bill, leftMs }: StandingBill): void {
  if (isFinal(bill) && leftMs > marginMs) void cache.set(nameOf(scope, key), written(bill), leftMs - marginMs);
}

/** The final payment under a key, where the cache has it. */
export async function recallFinal(
  cache: Cache,
  scope: string,
  key: string,
): Promise<PaidBill | ExhaustedBill | undefined> {
  const text = await cache.get(nameOf(scope, key));
  if (text === undefined) return undefined;
  const bill = read(text);
  return bill !== undefined && isFinal(bill) ? bill : undefined;
}

function written(bill: PaidBill | ExhaustedBill): string {
  const { amount, ...facts } = bill;
  return JSON.stringify({ ...facts, amountMinor: amount.amountMinor.toString(), currency: amount.currency });
}

/** Undefined for a text that is not ours: the cache is shared, and is not believed where it makes no sense. */
function read(text: string): BillPayment | undefined {
  try {
    const { amountMinor, createdAt, updatedAt, failureCode, gatewayReference, ...facts } = JSON.parse(text) as {
      [name: string]: string;
    };
    return billOf({
      ...(facts as unknown as { id: string; reference: string; status: string; retries: number; attempt: number }),
      amountMinor: BigInt(amountMinor ?? ""),
      currency: facts["currency"] as Currency,
      gatewayReference: gatewayReference ?? null,
      lastError: failureCode ?? null,
      createdAt: new Date(createdAt ?? ""),
      updatedAt: new Date(updatedAt ?? ""),
    });
  } catch {
    return undefined;
  }
}
