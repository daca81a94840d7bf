import { Client } from "pg";
import type { BenchDatabase } from "../cluster.ts";

/** How many events one batch appends, by category: a third are pagos, the rest are payments, bills and payouts. */
const ofBatch = { pago: 120, payment: 120, bill: 80, payout: 40 } as const;
const batchLength = Object.values(ofBatch).reduce((sum, events) => sum + events, 0);
const batchesAtOnce = 100;

/** The ids of so many streams and the versions of their events, in the order in which they are appended. */
function streamsOf(events: number, versions: number): string {
  return `(
    with s as materialized (select n, uuidv7() as id from generate_series(1, ${events / versions}) n)
    select s.n, s.id, v from s cross join generate_series(1, ${versions}) v order by v, s.n
  ) s`;
}

/** Each statement appends the events of one category, as the commits of its module would have. */
const statements = [
  `events.append('pago', array_agg(id), array_agg(v), array_agg('PagoExitoso'::text), array_agg(
    jsonb_build_object(
      'event_type', 'PagoExitoso', 'event_id', gen_random_uuid(),
      'timestamp', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      'data', jsonb_build_object(
        'id_pago', id, 'id_afiliado', 'afiliado_' || (batch * ${ofBatch.pago} + n) % 4096, 'monto', 100.5,
        'moneda', 'USD', 'referencia_pago', 'ref_' || replace(id::text, '-', '')
      )
    )
  ), array_agg(null::text))
  from ${streamsOf(ofBatch.pago, 1)}`,
  `events.append('payment', array_agg(id), array_agg(v), array_agg(
    case v when 1 then 'payment.created' else 'payment.succeeded' end
  ), array_agg(
    jsonb_build_object('amount', '1000', 'currency', 'USD', 'seller_id', 'seller_' || n, 'reference', null)
    || case v when 1 then '{}' else jsonb_build_object(
      'captured_minor', '100000', 'fee_minor', '2500', 'intent_id', 'pi_' || id, 'failure_code', null
    ) end
  ), array_agg(null::text))
  from ${streamsOf(ofBatch.payment, 2)}`,
  `events.append('bill', array_agg(id), array_agg(v), array_agg(
    case v when 1 then 'bill.created' else 'bill.succeeded' end
  ), array_agg(
    jsonb_build_object('amount', '500', 'currency', 'MXN', 'reference', 'FAC-12345')
    || case v when 1 then '{}' else jsonb_build_object('retries', 0, 'gateway_reference', 'bp_' || id) end
  ), array_agg(null::text))
  from ${streamsOf(ofBatch.bill, 2)}`,
  `events.append('payout', array_agg(id), array_agg(v), array_agg('payout.succeeded'::text), array_agg(
    jsonb_build_object(
      'seller_id', 'seller_' || n, 'amount', '30.25', 'currency', 'USD', 'gateway_reference', 'po_' || id
    )
  ), array_agg(null::text))
  from ${streamsOf(ofBatch.payout, 1)}`,
];

/** Appends at least so many events of all kinds, as a busy day's commits would; returns how many. */
export async function fillLog({ ownerUrl }: BenchDatabase, events: number): Promise<number> {
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    const batches = Math.ceil(events / batchLength);
    for (let from = 1; from <= batches; from += batchesAtOnce) {
      await client.query(
        `do $$
         begin
           for batch in ${from}..${Math.min(from + batchesAtOnce - 1, batches)} loop
             ${statements.map((statement) => `perform ${statement}`).join(";\n")};
           end loop;
         end
         $$`,
      );
    }
    await client.query("vacuum (analyze) events.log");
    return batches * batchLength;
  } finally {
    await client.end();
  }
}
