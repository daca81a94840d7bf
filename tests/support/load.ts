import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "./processes.ts";

export type PaymentBody = { readonly amount: string; readonly currency: string; readonly idempotency_key: string };

/** What came of one request: `status` 0 where no answer came, `id` where a payment was acknowledged. */
export type LoadResult = {
  readonly body: PaymentBody;
  readonly status: number;
  readonly code: unknown;
  readonly id: string | null;
};

export type Load = {
  results(): readonly LoadResult[];
  /** Lets what is under way end and returns everything. */
  stop(): Promise<readonly LoadResult[]>;
};

const pauseAfterRefusalMs = 20;
/** Enough for something to be under way at any moment, and not so much that nothing else of this machine runs. */
const pauseMs = 5;

/** Makes payments over so many connections, each asking soon after it has its answer, until it is stopped. */
export function putUnderLoad(address: string, connections: number, amountOf: () => string = () => "12.50"): Load {
  const results: LoadResult[] = [];
  let stopped = false;
  const workers = Array.from({ length: connections }, async () => {
    while (!stopped) {
      const body = { amount: amountOf(), currency: "USD", idempotency_key: randomUUID() };
      const answer = await ask(`${address}/payments`, body);
      const isPayment = answer !== null && answer.status < 300;
      const id = isPayment ? String(answer.body["id"]) : null;
      results.push({ body, status: answer?.status ?? 0, code: answer?.body["code"], id });
      await sleep(isPayment ? pauseMs : pauseAfterRefusalMs);
    }
  });
  return {
    results: () => results,
    async stop() {
      stopped = true;
      await Promise.all(workers);
      return results;
    },
  };
}
