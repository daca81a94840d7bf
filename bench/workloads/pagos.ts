import { type Expectation, probe } from "../probe.ts";
import { missingByCounts, type Workload } from "./workload.ts";

/** Single pagos of the partner API: each acknowledged one is EXITOSO, has its event and its posting, and is over. */
export const pagosWorkload: Workload = {
  target: "pago",
  async probe(port, key) {
    const problems = await probe(port, repeatedRequests(key), "id_pago");
    return [...problems, ...(await probe(port, refusedRequests(key)))];
  },
  missing: (database, keySuffix, acknowledged) => missingByCounts(database, storedQuery, keySuffix, acknowledged),
};

const path = "/pagos";

function pagoOf(monto: string, moneda: string, afiliado = "afiliado_123"): string {
  return `{"id_afiliado":"${afiliado}","monto":${monto},"moneda":"${moneda}"}`;
}

function repeatedRequests(key: string): Expectation[] {
  const body = pagoOf("100.50", "USD");
  return [
    { what: "a pago", path, key, body, status: 200 },
    { what: "the same pago again", path, key, body, status: 200 },
    { what: "the key with another pago", path, key, body: pagoOf("100.51", "USD"), status: 422 },
  ];
}

function refusedRequests(key: string): Expectation[] {
  const refused = (what: string, body: string) => ({ what, path, key: `${key}-refused`, body, status: 422 });
  return [
    refused("a monto of zero", pagoOf("0", "USD")),
    refused("a moneda that is none of the three", pagoOf("1", "GBP")),
    refused("an empty id_afiliado", pagoOf("1", "USD", "")),
  ];
}

const storedQuery = `
  select count(*)::integer as pagos,
         count(*) filter (where p.status = 'EXITOSO' and u.payout_id is null)::integer as "pagos that are settled",
         count(e.stream)::integer as events,
         count(t.id)::integer as transactions
  from payouts.payouts p
  left join payouts.under_way u on u.payout_id = p.id
  left join events.log e on e.stream = p.id and e.type = 'PagoExitoso'
  left join ledger.transactions t on t.reference = 'payout:' || p.id and t.tenant = 'default'
  where p.idempotency_key like '%' || $1`;
