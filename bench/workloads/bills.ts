import { type Expectation, probe } from "../probe.ts";
import { missingByCounts, type Workload } from "./workload.ts";

/** Bills of the partner API: each acknowledged one is paid, and has its key, its two events and its posting. */
export const billsWorkload: Workload = {
  target: "bill",
  async probe(port, key) {
    const problems = await probe(port, repeatedRequests(key), "payment_id");
    return [...problems, ...(await probe(port, otherRequests(key)))];
  },
  missing: (database, keySuffix, acknowledged) => missingByCounts(database, storedQuery, keySuffix, acknowledged),
};

const path = "/payments";

function billOf(amount: string, currency: string, reference = "FAC-12345"): string {
  return `{"reference":"${reference}","amount":${amount},"currency":"${currency}"}`;
}

function repeatedRequests(key: string): Expectation[] {
  return [
    { what: "a bill", path, key, body: billOf("500", "MXN"), status: 201 },
    { what: "the same key with another bill", path, key, body: billOf("700", "MXN", "FAC-999"), status: 200 },
  ];
}

function otherRequests(key: string): Expectation[] {
  const refused = (what: string, body: string) => ({ what, path, key: `${key}-refused`, body, status: 400 });
  return [
    {
      what: "a bill that the gateway declines",
      path,
      key: `${key}-declined`,
      body: billOf("1500", "MXN"),
      status: 201,
    },
    { what: "a bill without a key", path, body: billOf("500", "MXN"), status: 422 },
    refused("an amount of zero", billOf("0", "MXN")),
    refused("three decimals of a peso", billOf("1.005", "MXN")),
    refused("a currency of two letters", billOf("1", "MX")),
    refused("a currency that is none", billOf("1", "ABC")),
    refused("an empty reference", billOf("1", "MXN", "")),
    refused("a field that is none", '{"reference":"FAC-1","amount":1,"currency":"MXN","note":"x"}'),
  ];
}

const storedQuery = `
  select count(*)::integer as keys,
         count(p.id)::integer as payments,
         count(created.stream)::integer as "events of creation",
         count(succeeded.stream)::integer as "events of success",
         count(t.id)::integer as transactions
  from bills.idempotency_keys k
  left join bills.payments p on p.id = k.payment_id and p.status = 'SUCCESS' and p.retries = 0
  left join events.log created on created.stream = p.id and created.type = 'bill.created'
  left join events.log succeeded on succeeded.stream = p.id and succeeded.type = 'bill.succeeded'
  left join ledger.transactions t on t.reference = 'bill:' || p.id and t.tenant = 'default'
  where k.key like '%' || $1`;
