import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { announce, complete, ended, lookUntilOver, type Trace } from "../../../movements/index.ts";
import { acceptBill, type BillPayment } from "../domain/bill-payment.ts";
import { type BillIntent, type BillRequest, type BillRequestRefusal, judgeRequest } from "../domain/bill-request.ts";
import { keepFinal, recallFinal } from "./cached-bills.ts";
import type { BillsContext } from "./context.ts";
import { firstTry, payingBill } from "./movements.ts";
import { readBill } from "./read-bills.ts";

/** A payment as its request is answered; `replayed` where an earlier request had made it. */
export type CreatedBill = { readonly bill: BillPayment; readonly replayed: boolean };

export type CreateBillRefusal = BillRequestRefusal | { type: "idempotency_key_in_use" };

/** Enough for the keys that clients keep repeating; the rest find out from the database that theirs is taken. */
const mostTakenKeys = 10_000;

/**
 * Pays a bill: judged, committed, paid by the gateway, settled. A payment that the gateway declined is made as well,
 * and one whose outcome is not known is PENDING until recovery knows it.
 *
 * A request with a key that is remembered gets the payment of the first one as it stands now, whatever its body says;
 * where the first is still under way it waits for it up to `replayWaitMs`. Requests whose key is under way in this
 * process do not go to the database for it: of 500 at once one is accepted, and 499 look what it left.
 */
export async function createBill(
  context: BillsContext,
  scope: string,
  request: BillRequest,
  trace: Trace,
): Promise<Result<CreatedBill, CreateBillRefusal>> {
  const judged = judgeRequest(request);
  if (!judged.ok) return judged;
  const { underWay, takenKeys } = context;
  const key = `${scope} ${request.idempotencyKey}`;
  const untilMs = performance.now() + context.replayWaitMs;
  for (;;) {
    if (!underWay.has(key) && !takenKeys.has(key)) {
      const bill = await announce(underWay, key, makeBill(context, scope, judged.value, trace));
      if (bill !== null) return accept({ bill, replayed: false });
      rememberTaken(takenKeys, key);
    }
    const standing = await replay(context, scope, judged.value.idempotencyKey, untilMs);
    if (standing === "under_way") return refuse({ type: "idempotency_key_in_use" });
    if (standing !== "forgotten") return accept({ bill: standing, replayed: true });
    takenKeys.delete(key);
    if (performance.now() > untilMs) return refuse({ type: "idempotency_key_in_use" });
  }
}

function rememberTaken(takenKeys: Set<string>, key: string): void {
  takenKeys.add(key);
  if (takenKeys.size <= mostTakenKeys) return;
  for (const oldest of takenKeys) {
    takenKeys.delete(oldest);
    return;
  }
}

/** Null where the key is taken. */
async function makeBill(
  context: BillsContext,
  scope: string,
  intent: BillIntent,
  trace: Trace,
): Promise<BillPayment | null> {
  const { lanes, gateway, pipeline } = context;
  const id = context.newId();
  const item = { id, scope, intent, gateway: gateway.name, traceparent: trace.traceparent };
  const createdAt = await trace.span("accept", () => lanes.accept.submit(item));
  if (createdAt === null) return null;
  const bill = acceptBill(id, intent, createdAt);
  const completion = await complete(payingBill(context), firstTry(bill), trace, pipeline);
  if (completion.type === "postponed") return bill;
  return completion.settled ?? (await readBill(context, scope, id));
}

/** What stands under the key: a payment, one whose first request still runs, or none because the key was forgotten. */
async function replay(
  context: BillsContext,
  scope: string,
  key: string,
  untilMs: number,
): Promise<BillPayment | "under_way" | "forgotten"> {
  const waiting = { underWay: context.underWay, key: `${scope} ${key}`, untilMs };
  await endedHere(waiting);
  const kept = await recallFinal(context.cache, scope, key);
  if (kept !== undefined) return kept;
  const standing = await lookUntilOver(
    waiting,
    () => context.lanes.findByKey.submit({ scope, key }),
    (found) => (found === null ? !context.underWay.has(waiting.key) : !found.underWay),
  );
  if (standing === null) return "forgotten";
  if (standing.underWay) return "under_way";
  keepFinal(context.cache, scope, key, standing);
  return standing.bill;
}

/** Waits for the first request where it is in this process: until then there is nothing to be seen. */
async function endedHere({ underWay, key, untilMs }: Parameters<typeof lookUntilOver>[0]): Promise<void> {
  const first = underWay.get(key);
  if (first !== undefined) await ended(first, Math.max(0, untilMs - performance.now()));
}
