import { setTimeout as sleep } from "node:timers/promises";

/** A server that did not come back, or something else that keeps the file from being sent or watched. */
export class LotesFailure extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "LotesFailure";
  }
}

export type SentLote = { readonly id: string; readonly replayed: boolean };

export type LoteProgress = { readonly hasEnded: boolean; readonly paid: number; readonly failed: number };

/** What sending a file needs of the partner API. Everything waits for a server that is away, for so long. */
export type LotesClient = {
  send(body: string, key: string): Promise<SentLote>;
  progress(id: string): Promise<LoteProgress>;
  /** The CSV of what failed, in pieces. */
  errors(id: string): Promise<AsyncIterable<string>>;
};

export type LotesClientOptions = {
  readonly url: string;
  /** Told when the server does not answer, for the first time of a while. */
  readonly onAway: (reason: string) => void;
  /** How long a server that is away is waited for, in milliseconds. */
  readonly patienceMs?: number;
  readonly firstWaitMs?: number;
};

const defaultPatienceMs = 300_000;
const answerTimeoutMs = 30_000;
const longestWaitMs = 15_000;

/** A client of the partner API at the given address. Its functions throw a {@link LotesFailure}. */
export function createLotesClient(options: LotesClientOptions): LotesClient {
  const { url, onAway, patienceMs = defaultPatienceMs, firstWaitMs = 250 } = options;

  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    const untilMs = performance.now() + patienceMs;
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      const { response, reason } = await tryOnce(new URL(path, url), init);
      if (response !== undefined) return response;
      if (waitMs === firstWaitMs) onAway(reason);
      if (performance.now() + waitMs > untilMs) {
        throw new LotesFailure(`The server at ${url} was away for ${Math.round(patienceMs / 1_000)} s: ${reason}`);
      }
      await sleep(waitMs);
    }
  }

  async function askForJson(path: string, init?: RequestInit): Promise<{ response: Response; body: Answered }> {
    const response = await ask(path, init);
    const text = await response.text();
    if (!response.ok) throw new LotesFailure(`${path} answered ${response.status}: ${text.slice(0, 2_000)}`);
    try {
      return { response, body: JSON.parse(text) as Answered };
    } catch (error) {
      throw new LotesFailure(`${url} is no partner API: ${path} answered something else than JSON.`, error);
    }
  }

  return {
    async send(text, key) {
      const headers = { "content-type": "application/json", "idempotency-key": key };
      const { response, body } = await askForJson("/pagos/lotes", { method: "POST", body: text, headers });
      if (body.id_lote === undefined) throw new LotesFailure(`${url} is no partner API: it gave a lote no id.`);
      return { id: body.id_lote, replayed: response.headers.get("idempotency-replayed") === "true" };
    },
    async progress(id) {
      const { body } = await askForJson(`/pagos/lotes/${id}`);
      const { EXITOSO: paid = 0, FALLIDO: failed = 0 } = body.por_estado ?? {};
      return { hasEnded: body.estado === "TERMINADO", paid, failed };
    },
    async errors(id) {
      const response = await ask(`/pagos/lotes/${id}/errores`);
      if (!response.ok || response.body === null) {
        throw new LotesFailure(`The errors of the lote ${id} cannot be had: the server answered ${response.status}.`);
      }
      return response.body.pipeThrough(new TextDecoderStream());
    },
  };
}

type Answered = {
  readonly id_lote?: string;
  readonly estado?: string;
  readonly por_estado?: Readonly<Record<string, number>>;
};

/** No response where the server is away: it refuses, does not answer in time, or says that it cannot now. */
async function tryOnce(address: URL, init: RequestInit): Promise<{ response?: Response; reason: string }> {
  try {
    const response = await fetch(address, { ...init, signal: AbortSignal.timeout(answerTimeoutMs) });
    if (response.status < 500 && response.status !== 408 && response.status !== 429) return { response, reason: "" };
    await response.body?.cancel();
    return { reason: `it answered ${response.status}` };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { reason: cause instanceof Error ? cause.message || cause.name : String(cause) };
  }
}
