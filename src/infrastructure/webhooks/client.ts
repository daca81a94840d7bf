import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { SendOutcome, WebhookClient, WebhookRequest } from "../../modules/webhooks/ports.ts";
import { type AddressPolicy, addressFault, hostOf } from "./addresses.ts";
import { guardedLookup, type Resolve, resolveLocally, resolvePublicly } from "./lookup.ts";

export type WebhookClientOptions = AddressPolicy & {
  /** How long one try may take, from the question to DNS to the end of the answer, in milliseconds. */
  readonly timeoutMs?: number;
  /** Who is asked for a host's addresses; the name servers, and in a sandbox the system. */
  readonly resolve?: Resolve;
};

/** The least that Standard Webhooks asks of senders. */
const defaultTimeoutMs = 15_000;
const answerKeptBytes = 1_024;
/** An answer up to here is read to its end, so that its connection can be used again; a longer one ends it. */
const answerReadBytes = 65_536;
/**
 * How many are under way is bounded by whoever sends. A bound in here would let a try wait for other endpoints of the
 * same host until its own deadline. Idle connections are few and end soon, so that they neither add up nor hold on to
 * an address that the host's name has left.
 */
const agentOptions = { keepAlive: true, maxFreeSockets: 4, timeout: 30_000 } as const;

/** Posts webhooks over HTTP. A redirect is an answer like any other that is not 2xx: it is not followed. */
export function createWebhookClient(options: WebhookClientOptions): WebhookClient {
  const { allowPrivate, timeoutMs = defaultTimeoutMs } = options;
  const resolve = options.resolve ?? (allowPrivate ? resolveLocally : resolvePublicly);
  const lookup = guardedLookup(resolve, allowPrivate);
  const http = new HttpAgent(agentOptions);
  // Said here, because NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would otherwise take any certificate.
  const https = new HttpsAgent({ ...agentOptions, rejectUnauthorized: true });

  function post({ url: text, headers, body }: WebhookRequest): ClientRequest {
    const url = new URL(text);
    const target = {
      method: "POST",
      hostname: hostOf(url),
      port: url.port,
      path: url.pathname + url.search,
      headers: { ...headers, "content-length": Buffer.byteLength(body) },
      lookup,
    };
    const begun =
      url.protocol === "https:" ? httpsRequest({ ...target, agent: https }) : httpRequest({ ...target, agent: http });
    begun.end(body);
    return begun;
  }

  return {
    faultOf: (url) => addressFault(url, options),
    async send(request, signal) {
      // Looked at again with every try: what was registered may be from a time with other rules.
      const fault = addressFault(request.url, options);
      if (fault !== null) return { type: "not_answered", error: `the address is not allowed (${fault.type})` };
      const deadline = AbortSignal.timeout(timeoutMs);
      const first = await settled(post(request), signal, deadline);
      if (first !== "connection_was_old") return first;
      const second = await settled(post(request), signal, deadline);
      return second === "connection_was_old" ? notAnswered("the connection was closed") : second;
    },
    close() {
      http.destroy();
      https.destroy();
    },
  };
}

/**
 * Waits for what becomes of a request. A connection that had been used before may have been closed by the other side
 * just then: such a request is posted once more at once, which receivers recognise by its id where they have it.
 */
function settled(
  request: ClientRequest,
  stopping: AbortSignal,
  deadline: AbortSignal,
): Promise<SendOutcome | "connection_was_old"> {
  const { promise, resolve } = Promise.withResolvers<SendOutcome | "connection_was_old">();
  let answer: { readonly response: IncomingMessage; readonly kept: Buffer[] } | undefined;

  function settle(otherwise: SendOutcome | "connection_was_old"): void {
    stopping.removeEventListener("abort", abort);
    deadline.removeEventListener("abort", expire);
    // Once there is a status it decides, whatever becomes of the rest of the answer.
    resolve(answer === undefined ? otherwise : outcomeOf(answer.response, answer.kept));
  }
  const abort = () => breakOff({ type: "aborted" });
  const expire = () => breakOff(notAnswered("there was no answer in time"));
  const closed = () => settle(notAnswered("the connection was closed"));

  function breakOff(outcome: SendOutcome): void {
    settle(outcome);
    request.destroy();
  }

  stopping.addEventListener("abort", abort);
  deadline.addEventListener("abort", expire);
  if (stopping.aborted) abort();
  else if (deadline.aborted) expire();

  request.on("response", (response) => {
    const kept: Buffer[] = [];
    answer = { response, kept };
    let read = 0;
    response.on("data", (chunk: Buffer) => {
      if (read < answerKeptBytes) kept.push(chunk.subarray(0, answerKeptBytes - read));
      read += chunk.length;
      if (read > answerReadBytes) breakOff(notAnswered("the answer is too long"));
    });
    for (const event of ["end", "error", "close"]) response.on(event, closed);
  });
  request.on("error", (error: NodeJS.ErrnoException) => {
    const wasOld = request.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
    settle(wasOld ? "connection_was_old" : notAnswered(wordsFor(error)));
  });
  request.on("close", closed);
  return promise;
}

function notAnswered(error: string): SendOutcome {
  return { type: "not_answered", error };
}

function outcomeOf(response: IncomingMessage, kept: readonly Buffer[]): SendOutcome {
  // PostgreSQL's texts have no U+0000, and half a character at the cut becomes a replacement.
  const answer = Buffer.concat(kept).toString("utf8").replaceAll("\u0000", "\ufffd");
  const retryAfterMs = readRetryAfter(response.headers["retry-after"], Date.now());
  return { type: "answered", status: response.statusCode ?? 0, answer, retryAfterMs };
}

/** Seconds or a date, as RFC 9110 has it; null where it is neither. */
function readRetryAfter(value: string | undefined, nowMs: number): number | null {
  if (value === undefined) return null;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}

const words: Readonly<Record<string, string>> = {
  ENOTFOUND: "the host's name has no address",
  ENODATA: "the host's name has no address",
  ETIMEOUT: "the name servers did not answer",
  EAI_AGAIN: "the name servers did not answer",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was reset",
  ETIMEDOUT: "the connection could not be made in time",
  EHOSTUNREACH: "the host cannot be reached",
  ENETUNREACH: "the host's network cannot be reached",
};

/** What went wrong, in words for the endpoint's owner. */
function wordsFor(error: NodeJS.ErrnoException): string {
  // Several addresses that were all tried fail together.
  const cause = error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException) : error;
  const known = words[cause.code ?? ""];
  return (known ?? (cause.message || cause.code || "the request failed")).slice(0, 500).replaceAll("\u0000", "");
}
