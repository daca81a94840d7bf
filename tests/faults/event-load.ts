import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, ask, type Server } from "../support/processes.ts";

/** The affiliates that are paid. */
const affiliates = Array.from({ length: 24 }, (_, n) => `afiliado_${n}`);
const monedas = ["USD", "EUR", "COP"] as const;
/** The simulated gateway declines it. */
const declined = "99900.10";

export type EventLoad = {
  /** How many of each were acknowledged so far. */
  readonly made: { pagos: number; payments: number; refunds: number };
  /** Lets what is under way end. */
  stop(): Promise<void>;
};

type EventLoadOptions = {
  /** How many ask at the same time, each soon after it has its answer. */
  readonly paying: number;
  readonly selling: number;
  readonly pauseMs: number;
};

/**
 * Makes events: pagos to several affiliates in all their currencies, of which one in twenty is declined, and payments,
 * of which every second one is refunded in two halves, so that its stream has more to be in order.
 */
export function makeEvents({ partner, address }: Server, { paying, selling, pauseMs }: EventLoadOptions): EventLoad {
  const made = { pagos: 0, payments: 0, refunds: 0 };
  let stopped = false;
  const repeat = async (act: () => Promise<void>): Promise<void> => {
    while (!stopped) {
      await act();
      await sleep(pauseMs);
    }
  };
  const pay = async () => {
    const answer = await payAffiliate(partner, Math.random() < 0.05 ? declined : amount());
    if (answer?.status === 200) made.pagos += 1;
  };
  const sell = async () => {
    const body = { amount: "20.00", currency: "USD", idempotency_key: randomUUID() };
    const payment = await ask(`${address}/payments`, body);
    if (payment?.status !== 201) return;
    made.payments += 1;
    if (made.payments % 2 === 0) made.refunds += await refundInHalves(`${address}/payments/${payment.body["id"]}`);
  };
  const workers = [
    ...Array.from({ length: paying }, () => repeat(pay)),
    ...Array.from({ length: selling }, () => repeat(sell)),
  ];
  return {
    made,
    async stop() {
      stopped = true;
      await Promise.all(workers);
    },
  };
}

/** Pays somebody something; null where no answer came. */
export async function payAffiliate(partner: string, monto = "10.00", moneda = pick(monedas)): Promise<Answer | null> {
  return await ask(`${partner}/pagos/`, `{"id_afiliado":"${pick(affiliates)}","monto":${monto},"moneda":"${moneda}"}`);
}

/** Once the buyer has paid, which takes some milliseconds. Returns how many refunds were accepted. */
async function refundInHalves(payment: string): Promise<number> {
  let accepted = 0;
  for (let tries = 0; tries < 20 && accepted < 2; tries++) {
    await sleep(50);
    const answer = await ask(`${payment}/refunds`, { amount: "10.00", idempotency_key: randomUUID() });
    if (answer !== null && answer.status < 300) accepted += 1;
  }
  return accepted;
}

function amount(): string {
  return `${1 + Math.floor(Math.random() * 500)}.${10 + Math.floor(Math.random() * 90)}`;
}

function pick<Item extends string>(items: readonly Item[]): Item {
  const item = items[Math.floor(Math.random() * items.length)];
  if (item === undefined) throw new Error("there is nothing to choose from");
  return item;
}
