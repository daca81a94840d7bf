import type { Currency } from "../../../kernel/currency.ts";
import type {
  CancelIntentRequest,
  CaptureIntentRequest,
  CreateIntentRequest,
  CreateRefundRequest,
  FindIntentRequest,
  FindRefundRequest,
  GatewayFailure,
  GatewayOutcome,
  IntentFinding,
  PaymentGateway,
  RefundFinding,
  RefundOutcome,
  SettlementPage,
  SettlementRequest,
} from "../../../movements/ports.ts";
import { Engine, type EngineOptions } from "./engine.ts";
import { cancelIntent, captureIntent, createIntent, declined, findIntent } from "./intents.ts";
import { type JournalEntry, journalEntries } from "./journal.ts";
import { type Fault, faultOfAmount, faultOfRefund } from "./magic-amounts.ts";
import { createRefund, findRefund, refundDeclined } from "./refunds.ts";
import { openDispute } from "./reversals.ts";
import { settlementPage } from "./settlements.ts";

/** A call as the `faults` hook of a test sees it. */
export type SimulatedCall =
  | { readonly operation: "create"; readonly request: CreateIntentRequest }
  | { readonly operation: "cancel"; readonly request: CancelIntentRequest }
  | { readonly operation: "capture"; readonly request: CaptureIntentRequest }
  | { readonly operation: "refund"; readonly request: CreateRefundRequest }
  | { readonly operation: "find"; readonly request: FindIntentRequest }
  | { readonly operation: "find_refund"; readonly request: FindRefundRequest }
  | { readonly operation: "settlements"; readonly request: SettlementRequest };

export type SimulatorOptions = EngineOptions & {
  /** How long each call takes; its effect is there from the start, so a process can be killed in between. */
  readonly latencyMs: number;
  /** What goes wrong with a call, whatever its amount; undefined leaves it to the magic amounts. */
  readonly faults?: ((call: SimulatedCall) => Fault | undefined) | undefined;
};

export type Simulator = PaymentGateway & {
  /** What the journal says was charged for a payment, oldest first; more than one is a double charge. */
  chargesOf(paymentId: string): JournalEntry[];
  /** What the journal says was given back of a payment, oldest first. */
  refundsOf(paymentId: string): JournalEntry[];
  /**
   * Lets the buyer dispute a payment now; it is closed as after the magic amounts, unless the buyer is absent. Rejects
   * where nothing of the payment is left to dispute.
   */
  dispute(paymentId: string, outcome: "won" | "lost"): Promise<void>;
  setLatency(latencyMs: number): void;
};

const gatewayError = {
  type: "unknown",
  code: "gateway_error",
  message: "The gateway answered 500: whether it did what was asked is not known.",
} as const;
const connectionRefused = {
  type: "not_sent",
  code: "gateway_unreachable",
  message: "The gateway refused the connection.",
} as const;
const timedOut = {
  type: "unknown",
  code: "gateway_timeout",
  message: "The gateway did not answer within the deadline.",
} as const;
const cardDeclined = declined("card_declined", "The card was declined.");
const refundRefused = refundDeclined("refund_declined", "The refund was declined.");
const closed = { type: "not_sent", code: "gateway_closed", message: "The gateway is being shut down." } as const;

const timesOutAfter: ReadonlySet<Fault> = new Set(["timeout_after", "timeout_after_charge", "refund_timeout_after"]);

/** What may come of a call that changes something. */
type Outcome = { readonly type: "succeeded" | "declined" | "not_sent" | "unknown" };
type Failed = { readonly type: "not_sent" | "unknown" } & GatewayFailure;
/** What may come of a call that only asks. */
type Unreachable = { readonly type: "unreachable" } & GatewayFailure;

function bookFailed(error: unknown): GatewayFailure {
  const reason = error instanceof Error ? error.message : String(error);
  return { code: "gateway_error", message: `The simulated gateway's book failed: ${reason}` };
}

class SimulatedGateway implements Simulator {
  readonly name = "simulator";
  readonly #engine: Engine;
  readonly #faults: SimulatorOptions["faults"];
  readonly #pauses = new Set<() => void>();
  #latencyMs: number;
  #closed = false;

  constructor(options: SimulatorOptions) {
    this.#engine = new Engine(options);
    this.#faults = options.faults;
    this.#latencyMs = options.latencyMs;
  }

  readAmount(units: bigint, currency: Currency) {
    return { amountMinor: units, currency };
  }

  createIntent(request: CreateIntentRequest, deadlineMs: number): Promise<GatewayOutcome> {
    const { amountMinor } = request.amount;
    if (amountMinor <= 0n || amountMinor > BigInt(Number.MAX_SAFE_INTEGER)) {
      const message = "The gateway does not take amounts this large or small.";
      return Promise.resolve(declined("amount_not_supported_by_gateway", message));
    }
    const fault = this.#faults?.({ operation: "create", request }) ?? faultOfAmount(Number(amountMinor));
    return this.#perform(() => createIntent(this.#engine, request, fault), fault, cardDeclined, deadlineMs);
  }

  cancelIntent(request: CancelIntentRequest, deadlineMs: number): Promise<GatewayOutcome> {
    const fault = this.#faults?.({ operation: "cancel", request });
    return this.#perform(() => cancelIntent(this.#engine, request), fault, cardDeclined, deadlineMs);
  }

  captureIntent(request: CaptureIntentRequest, deadlineMs: number): Promise<GatewayOutcome> {
    const fault = this.#faults?.({ operation: "capture", request });
    return this.#perform(() => captureIntent(this.#engine, request), fault, cardDeclined, deadlineMs);
  }

  createRefund(request: CreateRefundRequest, deadlineMs: number): Promise<RefundOutcome> {
    const fault = this.#faults?.({ operation: "refund", request }) ?? faultOfRefund(Number(request.amount.amountMinor));
    return this.#perform(() => createRefund(this.#engine, request), fault, refundRefused, deadlineMs);
  }

  findIntent(request: FindIntentRequest, deadlineMs: number): Promise<IntentFinding> {
    const fault = this.#faults?.({ operation: "find", request });
    return this.#ask<IntentFinding>(() => findIntent(this.#engine, request), fault, deadlineMs);
  }

  findRefund(request: FindRefundRequest, deadlineMs: number): Promise<RefundFinding> {
    const fault = this.#faults?.({ operation: "find_refund", request });
    return this.#ask<RefundFinding>(() => findRefund(this.#engine, request), fault, deadlineMs);
  }

  listSettlements(request: SettlementRequest, deadlineMs: number): Promise<SettlementPage> {
    const fault = this.#faults?.({ operation: "settlements", request });
    return this.#ask<SettlementPage>(() => settlementPage(this.#engine.book, request), fault, deadlineMs);
  }

  chargesOf(paymentId: string): JournalEntry[] {
    return this.#journal(paymentId, "charge");
  }

  refundsOf(paymentId: string): JournalEntry[] {
    return this.#journal(paymentId, "refund");
  }

  async dispute(paymentId: string, outcome: "won" | "lost"): Promise<void> {
    const [charge] = this.chargesOf(paymentId);
    const { book, now } = this.#engine;
    const opened = await this.#engine.submit(() => {
      const intent = charge === undefined ? undefined : book.intentByNumber(charge.intent);
      return intent !== undefined && openDispute(book, intent, outcome, now());
    });
    if (!opened) throw new Error(`nothing is left to dispute of the payment ${paymentId}`);
  }

  setLatency(latencyMs: number): void {
    this.#latencyMs = latencyMs;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const end of this.#pauses) end();
    await this.#engine.close();
  }

  #journal(paymentId: string, wanted: JournalEntry["kind"]): JournalEntry[] {
    return journalEntries(this.#engine.book.database, paymentId).filter(({ kind }) => kind === wanted);
  }

  /** Runs what changes the book, with what goes wrong before and after it; `refusal` is how it is declined. */
  async #perform<Answer extends Outcome>(
    work: () => Answer,
    fault: Fault | undefined,
    refusal: Answer,
    deadlineMs: number,
  ): Promise<Answer | Failed> {
    if (this.#closed) return closed;
    const early = fault === undefined ? undefined : await this.#outcomeBefore(fault, refusal, deadlineMs);
    if (early !== undefined) return early;
    let outcome: Answer | Failed;
    try {
      outcome = await this.#engine.submit(work);
    } catch (error) {
      return { ...gatewayError, ...bookFailed(error) };
    }
    if (fault !== undefined && timesOutAfter.has(fault)) return this.#pause(deadlineMs, timedOut);
    if (fault === "error_after") outcome = gatewayError;
    return this.#latencyMs === 0 ? outcome : this.#answerLate<Answer | Failed>(outcome, timedOut, deadlineMs);
  }

  async #outcomeBefore<Answer>(
    fault: Fault,
    refusal: Answer,
    deadlineMs: number,
  ): Promise<Answer | Failed | undefined> {
    if (fault === "not_sent") return connectionRefused;
    if (fault === "timeout_before") return this.#pause(deadlineMs, timedOut);
    if (fault === "error_before") return this.#answerLate<Failed>(gatewayError, timedOut, deadlineMs);
    if (fault !== "declined" && fault !== "refund_declined") return undefined;
    return this.#answerLate<Answer | Failed>(refusal, timedOut, deadlineMs);
  }

  /** Reads the book, with what goes wrong. */
  async #ask<Finding>(
    read: () => Finding,
    fault: Fault | undefined,
    deadlineMs: number,
  ): Promise<Finding | Unreachable> {
    if (this.#closed) return { ...closed, type: "unreachable" };
    if (fault === "not_sent") return { ...connectionRefused, type: "unreachable" };
    const late: Unreachable = { ...timedOut, type: "unreachable" };
    if (fault?.startsWith("timeout")) return this.#pause(deadlineMs, late);
    let finding: Finding | Unreachable;
    try {
      finding = fault?.startsWith("error") ? { ...gatewayError, type: "unreachable" } : read();
    } catch (error) {
      finding = { type: "unreachable", ...bookFailed(error) };
    }
    return this.#latencyMs === 0 ? finding : this.#answerLate(finding, late, deadlineMs);
  }

  /** Lets the latency pass. What takes longer than the deadline is not known to the caller, though it happened. */
  #answerLate<Answer>(answer: Answer, late: Answer, deadlineMs: number): Promise<Answer> {
    return this.#latencyMs < deadlineMs ? this.#pause(this.#latencyMs, answer) : this.#pause(deadlineMs, late);
  }

  /** Resolves after a while, or as soon as the gateway is closed. */
  #pause<Answer>(pauseMs: number, answer: Answer): Promise<Answer> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#pauses.delete(end);
        resolve(answer);
      };
      const timer = setTimeout(end, pauseMs);
      if (this.#closed) end();
      else this.#pauses.add(end);
    });
  }
}

/**
 * The simulated gateway: the engine of the sandbox and the independent witness of fault tests. It keeps its own durable
 * book, so that it knows what it charged whatever became of the process that asked. Throws where the book cannot be
 * opened; every call of the gateway itself resolves.
 */
export function createSimulator(options: SimulatorOptions): Simulator {
  return new SimulatedGateway(options);
}
