import { setTimeout as sleep } from "node:timers/promises";

/** What each pago of a lote is: the same affiliates in every lote, one pago each, of different amounts. */
export const pagosOfLote = 10_000;

/** The body of a lote of that many pagos in dollars. */
export function loteOf(pagos: number): string {
  const lines = Array.from({ length: pagos }, (_, index) => {
    const afiliado = `afiliado_${String(index).padStart(5, "0")}`;
    return `{"id_afiliado":"${afiliado}","monto":${100 + (index % 100)}.50,"moneda":"USD"}`;
  });
  return `{"pagos":[${lines.join(",")}]}`;
}

/** How long one request may take: storing a lote is a second's work at most. */
const requestDeadlineMs = 30_000;

/** Sends a lote and returns its id. Throws where it is not taken. */
export async function sendLote(port: number, body: string, key: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/pagos/lotes`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body,
    signal: AbortSignal.timeout(requestDeadlineMs),
  });
  const text = await response.text();
  if (response.status !== 202) throw new Error(`a lote was answered ${response.status}: ${text.slice(0, 500)}`);
  return String(JSON.parse(text).id_lote);
}

/** Where a lote stands, as the API says. */
export type LoteProgress = {
  readonly estado: string;
  readonly total: number;
  readonly por_estado: Readonly<Record<string, number>>;
};

export async function progressOf(port: number, id: string): Promise<LoteProgress> {
  const response = await fetch(`http://127.0.0.1:${port}/pagos/lotes/${id}`, {
    signal: AbortSignal.timeout(requestDeadlineMs),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`a lote's progress was answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

/** Waits until all lotes are TERMINADO, asking twice a second. Throws where they are not in time. */
export async function untilFinished(port: number, ids: readonly string[], deadlineMs: number): Promise<void> {
  const untilMs = performance.now() + deadlineMs;
  for (const id of ids) {
    for (;;) {
      const { estado, por_estado } = await progressOf(port, id);
      if (estado === "TERMINADO") break;
      if (performance.now() > untilMs) {
        throw new Error(`a lote is not finished after ${deadlineMs / 1000} s: ${JSON.stringify(por_estado)}`);
      }
      await sleep(500);
    }
  }
}
