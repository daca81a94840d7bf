import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Engine, type EngineOptions } from "../simulator/engine.ts";
import { planOfFault } from "../simulator/intents.ts";
import { type JournalEntry, journalEntries } from "../simulator/journal.ts";
import { type Fault, faultOfAmount, faultOfDisbursement, faultOfRefund } from "../simulator/magic-amounts.ts";
import { type Answer, answerError, cardDeclined, noSuch, refundDeclined, serverError } from "./stand-in-answers.ts";
import {
  createIntent,
  listIntents,
  moveIntent,
  type Parameters,
  type Purchase,
  retrieveIntent,
} from "./stand-in-intents.ts";
import { createRefund, listRefunds, retrieveRefund } from "./stand-in-refunds.ts";
import { listTransactions } from "./stand-in-transactions.ts";
import { createTransfer, insufficientFunds, listTransfers, retrieveTransfer } from "./stand-in-transfers.ts";

/** A request as the `faults` hook sees it; the parameters are those of the form or of the query. */
export type StandInCall = { readonly method: string; readonly path: string; readonly parameters: Parameters };

/** What can go wrong with an HTTP server besides what the magic amounts do: the connection is closed unanswered. */
export type StandInFault = Fault | "closed_before" | "closed_after";

export type StandInOptions = Omit<EngineOptions, "clock"> & {
  readonly clock?: (() => number) | undefined;
  /** The port on 127.0.0.1; 0 takes any free one. */
  readonly port: number;
  readonly latencyMs?: number | undefined;
  readonly faults?: ((call: StandInCall) => StandInFault | undefined) | undefined;
};

export type StripeStandIn = {
  /** The address to give to the SDK as `apiBase`. */
  readonly url: string;
  readonly chargesOf: (paymentId: string) => JournalEntry[];
  readonly refundsOf: (paymentId: string) => JournalEntry[];
  /** What was transferred in a group, which is the payout's id. */
  readonly payoutsOf: (payoutId: string) => JournalEntry[];
  readonly close: () => Promise<void>;
};

const bodyAtMost = 1024 * 1024;

class StandIn {
  readonly engine: Engine;
  readonly #latencyMs: number;
  readonly #faults: StandInOptions["faults"];
  /** Idempotency keys of requests that are running: another one with the same key is a conflict. */
  readonly #running = new Set<string>();
  #requests = 0;

  constructor(options: StandInOptions) {
    this.engine = new Engine(options);
    this.#latencyMs = options.latencyMs ?? 0;
    this.#faults = options.faults;
  }

  /** Answers one request, or lets it hang, or closes its connection. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url = "/" } = request;
    const body = await readBody(request);
    const { pathname, searchParams } = new URL(url, "http://stand-in");
    const parameters = method === "POST" ? new URLSearchParams(body) : searchParams;
    const call: StandInCall = { method, path: pathname, parameters };
    response.setHeader("request-id", `req_sim_${this.engine.book.tag}${++this.#requests}`);
    response.setHeader("content-type", "application/json");
    if (!/^Bearer (sk|rk)_\w+$/.test(request.headers.authorization ?? "")) {
      const message = "Invalid API Key provided.";
      return send(response, answerError(401, { type: "invalid_request_error", message }));
    }
    const header = request.headers["idempotency-key"];
    const key = method === "POST" && typeof header === "string" ? header : undefined;
    if (key !== undefined && this.#running.has(key)) {
      const message = "There is currently another in-progress request using this Idempotent Key.";
      return send(response, answerError(409, { type: "idempotency_error", code: "idempotency_key_in_use", message }));
    }
    if (key !== undefined) this.#running.add(key);
    try {
      await this.#execute(call, key, `${method} ${pathname}\n${body}`, response);
    } catch {
      send(response, answerError(500, serverError));
    } finally {
      if (key !== undefined) this.#running.delete(key);
    }
  }

  async #execute(call: StandInCall, key: string | undefined, fingerprint: string, response: ServerResponse) {
    const before = key === undefined ? undefined : this.#replyTo(key, fingerprint);
    if (before !== undefined) {
      if (before.kept) response.setHeader("idempotent-replayed", "true");
      return send(response, before);
    }
    const fault = this.#faultOf(call);
    // Nobody can refuse a connection that was accepted: the closest that HTTP has is to close it unanswered.
    if (fault === "closed_before" || fault === "not_sent") return void response.destroy();
    if (fault === "timeout_before") return;
    const answer = await this.engine.submit(() => {
      const answered = this.#answer(call, fault);
      if (key !== undefined && answered.kept) this.#keep(key, fingerprint, answered);
      return answered;
    });
    if (this.#latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.#latencyMs).unref());
    if (fault === "timeout_after" || fault === "timeout_after_charge" || fault === "refund_timeout_after") return;
    if (fault === "closed_after") return void response.destroy();
    send(response, answer);
  }

  #faultOf(call: StandInCall): StandInFault | undefined {
    const told = this.#faults?.(call);
    if (told !== undefined || call.method !== "POST") return told;
    const amount = Number(call.parameters.get("amount"));
    if (call.path === "/v1/payment_intents") return faultOfAmount(amount);
    if (call.path === "/v1/transfers") return faultOfDisbursement(amount);
    return call.path === "/v1/refunds" ? faultOfRefund(amount) : undefined;
  }

  /** The stored answer to this key, with `kept`; or the error of a key that came with another request before. */
  #replyTo(key: string, fingerprint: string): Answer | undefined {
    const stored = this.engine.book.replyTo(key);
    if (stored === undefined) return undefined;
    if (stored.fingerprint === fingerprint) return { status: stored.status, body: stored.body, kept: true };
    const message = "Keys for idempotent requests can only be used with the same parameters they were first used with.";
    return answerError(400, { type: "idempotency_error", message });
  }

  #keep(key: string, fingerprint: string, { status, body }: Answer): void {
    this.engine.book.keepReply(key, { fingerprint, status, body }, this.engine.now());
  }

  /** The answer and its effect. A 500 is kept as well: the same key gets it again, whatever was done. */
  #answer(call: StandInCall, fault: StandInFault | undefined): Answer {
    if (fault === "declined" && call.path === "/v1/transfers") return answerError(400, insufficientFunds, true);
    if (fault === "declined") return answerError(402, cardDeclined, true);
    if (fault === "refund_declined") return answerError(400, refundDeclined, true);
    if (fault === "error_before") return answerError(500, serverError, true);
    const answer = this.#route(call, fault);
    return fault === "error_after" ? answerError(500, serverError, true) : answer;
  }

  #route({ method, path, parameters }: StandInCall, fault: StandInFault | undefined): Answer {
    const [, resource, id, verb, more] = path.split("/").slice(1);
    const route = `${resource}${id === undefined ? "" : "/id"}${verb === undefined ? "" : "/verb"}`;
    if (more !== undefined || !/^(GET|POST)$/.test(method)) return noSuch("route", path);
    if (method === "POST" && route === "payment_intents/id/verb" && /^(confirm|cancel|capture)$/.test(verb ?? "")) {
      return moveIntent(this.engine, id ?? "", verb ?? "", parameters);
    }
    const answer = method === "POST" ? this.#make(route, parameters, fault) : this.#show(route, id ?? "", parameters);
    return answer ?? noSuch("route", path);
  }

  #make(route: string, parameters: Parameters, fault: StandInFault | undefined): Answer | undefined {
    if (route === "payment_intents") return createIntent(this.engine, parameters, purchaseWith(fault));
    if (route === "refunds") return createRefund(this.engine, parameters);
    if (route === "transfers") return createTransfer(this.engine, parameters);
    return undefined;
  }

  #show(route: string, id: string, parameters: Parameters): Answer | undefined {
    if (route === "payment_intents") return listIntents(this.engine, parameters);
    if (route === "payment_intents/id") return retrieveIntent(this.engine, id);
    if (route === "refunds") return listRefunds(this.engine, parameters);
    if (route === "refunds/id") return retrieveRefund(this.engine, id);
    if (route === "transfers") return listTransfers(this.engine, parameters);
    if (route === "transfers/id") return retrieveTransfer(this.engine, id);
    if (route === "balance_transactions") return listTransactions(this.engine, parameters);
    return undefined;
  }
}

function purchaseWith(fault: StandInFault | undefined): Purchase {
  return { plan: planOfFault(fault), absent: fault === "never_paid", paidAtOnce: fault === "timeout_after_charge" };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  if (response.destroyed || response.writableEnded) return;
  response.writeHead(status, { "content-length": Buffer.byteLength(body) });
  response.end(body);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyAtMost) throw new RangeError("the body is larger than 1 MiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

/**
 * A local server that speaks enough of Stripe's HTTP API for the real SDK to drive payment intents, captures,
 * cancels, refunds, transfers, balance transactions and lists: it keeps the simulator's book, its magic amounts and
 * its webhooks, and replays idempotency keys as https://docs.stripe.com/api/idempotent_requests says. Rejects where
 * the book or the port cannot be opened.
 */
export async function startStripeStandIn(options: StandInOptions): Promise<StripeStandIn> {
  const standIn = new StandIn(options);
  const { engine } = standIn;
  const server = createServer((request, response) => {
    standIn.serve(request, response).catch(() => response.destroy());
  });
  let port: number;
  try {
    port = await listen(server, options.port);
  } catch (error) {
    await engine.close();
    throw error;
  }
  const journal = (paymentId: string, wanted: JournalEntry["kind"]) =>
    journalEntries(engine.book.database, paymentId).filter(({ kind }) => kind === wanted);
  return {
    url: `http://127.0.0.1:${port}`,
    chargesOf: (paymentId) => journal(paymentId, "charge"),
    refundsOf: (paymentId) => journal(paymentId, "refund"),
    payoutsOf: (payoutId) => journal(payoutId, "payout"),
    async close() {
      const stopped = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await stopped;
      await engine.close();
    },
  };
}
