import type { Database } from "../../../../kernel/statement.ts";
import { type ConsumerObserver, createConsumer, type Receive } from "../../../events/index.ts";
import { type PagoEvent, readPagoEvent } from "../../domain/estado-de-cuenta.ts";
import { applyPagos } from "../../persistence/statement.queries.ts";

/** The consumer that keeps the affiliates' statement, by its name in the inbox. */
const name = "affiliate-statement";

/**
 * Keeps the affiliates' statement from the published events of pagos: each is taken once, whatever is delivered again
 * and by how many processes it is consumed. Several partitions may share the database's connection.
 */
export function createStatementConsumer(database: Database, observe: ConsumerObserver): Receive {
  return createConsumer<PagoEvent>({
    name,
    parse: ({ payload }) => readPagoEvent(payload),
    handle: (events) => applyEvents(database, events),
    observe,
  });
}

async function applyEvents(database: Database, events: readonly PagoEvent[]): Promise<number> {
  const [row] = await applyPagos.run(
    {
      consumer: name,
      eventIds: events.map(({ eventId }) => eventId),
      pagoIds: events.map(({ pagoId }) => pagoId),
      affiliateIds: events.map(({ affiliateId }) => affiliateId),
      currencies: events.map(({ amount }) => amount.currency),
      statuses: events.map(({ status }) => status),
      amounts: events.map(({ amount }) => amount.amountMinor),
      references: events.map(({ reference }) => reference),
      failureMessages: events.map(({ failureMessage }) => failureMessage),
      processedAts: events.map(({ processedAt }) => processedAt.toISOString()),
    },
    database,
  );
  return Number(row?.newEvents ?? 0n);
}
