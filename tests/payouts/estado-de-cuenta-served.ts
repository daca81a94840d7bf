import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { presentPartnerProblem } from "../../src/infrastructure/http/partner-problems.ts";
import { createHttpServer } from "../../src/infrastructure/http/server.ts";
import type { ReceivedMessage } from "../../src/modules/events/ports.ts";
import {
  type PayoutsContext,
  registerEstadoDeCuentaRoutes,
  registerLoteRoutes,
  registerPagoRoutes,
} from "../../src/modules/payouts/index.ts";
import { untraced } from "../../src/movements/index.ts";
import { messageOf } from "../events/consumer-driver.ts";
import type { ServedPayouts } from "./served-payouts.ts";

/** Every route under /pagos on a free port, as the composition root registers them. */
export async function serveEstados(context: PayoutsContext): Promise<{ url: string; close(): Promise<void> }> {
  const server = createHttpServer({
    logger: pino({ level: "silent" }),
    routeMetric: () => () => undefined,
    traceIdOf: () => undefined,
    present: presentPartnerProblem,
  });
  server.decorateRequest("trace", { getter: () => untraced });
  const scopeOf = () => "default";
  registerPagoRoutes(server, context, { scopeOf, readStatistics: async () => ({ total: 0, handled: 0, pending: 0 }) });
  registerLoteRoutes(server, context, { wake: () => undefined }, { scopeOf });
  registerEstadoDeCuentaRoutes(server, context);
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  return { url, close: () => server.close() };
}

export type PublishedPago = {
  readonly type: "PagoExitoso" | "PagoFallido";
  readonly eventId: string;
  readonly pagoId: string;
  readonly affiliateId: string;
  /** As JSON has it ("100.5"). */
  readonly monto: string;
  readonly moneda: string;
  readonly timestamp: string;
};

/** A pago's event, with what is not said made up. */
export function pagoEvent(known: Partial<PublishedPago> = {}): PublishedPago {
  return {
    type: "PagoExitoso",
    eventId: randomUUID(),
    pagoId: randomUUID(),
    affiliateId: "afiliado_123",
    monto: "100.5",
    moneda: "USD",
    timestamp: "2026-05-01T10:00:00.000Z",
    ...known,
  };
}

/** The event as a broker delivers it. */
export function messageOfPago({ type, eventId, pagoId, affiliateId, ...event }: PublishedPago): ReceivedMessage {
  const failure = type === "PagoFallido" ? `,"mensaje_error":"Fondos insuficientes"` : "";
  const data =
    `{"id_pago":"${pagoId}","id_afiliado":${JSON.stringify(affiliateId)},"monto":${event.monto},` +
    `"moneda":"${event.moneda}","referencia_pago":"ref_${pagoId.replaceAll("-", "")}"${failure}}`;
  const payload = `{"event_type":"${type}","event_id":"${eventId}","timestamp":"${event.timestamp}","data":${data}}`;
  return messageOf(eventId, payload);
}

/** What the relay would publish of everything that the log has of pagos, in its order. */
export async function publishedPagos(served: ServedPayouts): Promise<ReceivedMessage[]> {
  const rows = await served.look<{ position: string; data: string }>(
    "select position, data::text from events.log where category = 'pago' order by position",
  );
  return rows.map(({ position, data }) => messageOf(position, data));
}
