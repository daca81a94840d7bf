import type { Category } from "./definition.ts";

/** How the events of a category leave. */
export type Route = {
  /** Its topic's short name, where nothing else is set. */
  readonly topic: string;
  readonly about: string;
  /** What the broker chooses the partition by, in words. */
  readonly key: string;
  /** The field of `data` that holds the stream, which events get as they leave; null where the stream says nothing. */
  readonly idField: string | null;
};

export const routes: Readonly<Record<Category, Route>> = {
  pago: {
    topic: "pagos-events",
    about: "Payouts to affiliates, in the words of the pagos contract.",
    key: "`id_afiliado`",
    idField: "id_pago",
  },
  payment: {
    topic: "payments-events",
    about: "Money in, refunds and disputes.",
    key: "the payment's id",
    idField: "payment_id",
  },
  bill: {
    topic: "bills-events",
    about: "Bills paid, with controlled retries.",
    key: "the id of the bill's payment",
    idField: "payment_id",
  },
  payout: {
    topic: "payouts-events",
    about: "Payouts to sellers.",
    key: "the payout's id",
    idField: "payout_id",
  },
  ledger: {
    topic: "ledger-events",
    about: "The double-entry ledger as a whole.",
    key: "the same for all, so that seals are in the order of their numbers",
    idField: null,
  },
};

/** The topic of each category, by its short name. */
export type Topics = Readonly<Record<Category, string>>;

/** The topics where that of the pagos is called so: short, or persistent://tenant/namespace/topic. */
export function topicsOf(pagoTopic: string): Topics {
  return {
    pago: pagoTopic.slice(pagoTopic.lastIndexOf("/") + 1),
    payment: routes.payment.topic,
    bill: routes.bill.topic,
    payout: routes.payout.topic,
    ledger: routes.ledger.topic,
  };
}

export const defaultTopics: Topics = topicsOf(routes.pago.topic);
