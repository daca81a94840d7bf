import { type Expectation, probe } from "../probe.ts";
import { missingByCounts, type Workload } from "./workload.ts";

/** Payments of the marketplace API: each acknowledged one has its row, its closed attempt and its event. */
export const paymentsWorkload: Workload = {
  target: "payment",
  probe: (port, key) => probe(port, expectationsOf(key), "id"),
  missing: (database, keySuffix, acknowledged) => missingByCounts(database, storedQuery, keySuffix, acknowledged),
};

function expectationsOf(key: string): Expectation[] {
  const request = (what: string, amount: string, currency: string, status: number) => ({
    what,
    path: "/payments",
    body: `{"amount":${amount},"currency":"${currency}","idempotency_key":"${key}"}`,
    status,
  });
  return [
    request("a payment", "1000.00", "USD", 201),
    request("the same request again", "1000.0", "USD", 200),
    request("the key with another amount", "1000.01", "USD", 422),
    request("an amount of zero", "0", "USD", 400),
    request("three decimals of a dollar", "1.005", "USD", 400),
    request("a currency that is none", "1", "ABC", 400),
  ];
}

const storedQuery = `
  select count(*)::integer as payments,
         count(a.payment_id)::integer as attempts,
         count(e.stream)::integer as events
  from payments.payments p
  left join payments.attempts a
    on a.payment_id = p.id and a.number = 1 and a.state = 'succeeded' and a.stripe_payment_intent_id is not null
  left join events.log e on e.stream = p.id and e.type = 'payment.created'
  where p.idempotency_key like '%' || $1`;
