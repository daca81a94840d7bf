import type { Currency } from "../../../kernel/currency.ts";
import type {
  CancelIntentRequest,
  CreateIntentRequest,
  FindIntentRequest,
  GatewayFailure,
  GatewayIntent,
  GatewayOutcome,
  IntentFinding,
  PaymentGateway,
} from "../../../movements/ports.ts";
import type { BookIntent, BuyerPlan } from "./book.ts";
import { Engine, type EngineOptions } from "./engine.ts";
import { type JournalEntry, journalEntries } from "./journal.ts";
import { type Fault, faultOfAmount } from "./magic-amounts.ts";
import { intentId, numberOfId } from "./stripe-json.ts";

/** A call as the `faults` hook of a test sees it. */
export type SimulatedCall =
  | { readonly operation: "create"; readonly request: CreateIntentRequest }
  | { readonly operation: "cancel"; readonly request: CancelIntentRequest }
  | { readonly operation: "find"; readonly request: FindIntentRequest };

export type SimulatorOptions = EngineOptions & {
  /** How long each call takes; its effect is there from the start, so a process can be killed in between. */
  readonly latencyMs: number;
  /** What goes wrong with a call, whatever its amount; undefined leaves it to the magic amounts. */
  readonly faults?: ((call: SimulatedCall) => Fault | undefined) | undefined;
};

export type Simulator = PaymentGateway & {
  /** What the journal says was charged for a payment, oldest first; more than one is a double charge. */
  chargesOf(paymentId: string): JournalEntry[];
  setLatency(latencyMs: number): void;
};

const planOf: Partial<Record<Fault, BuyerPlan>> = { declined_later: "decline", late_success: "fail_then_pay" };

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
const closed = { type: "not_sent", code: "gateway_closed", message: "The gateway is being shut down." } as const;

function declined(code: string, message: string, intent: GatewayIntent | null = null): GatewayOutcome {
  return { type: "declined", code, message, intent };
}

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
    return this.#perform(() => this.#create(request, fault), fault, deadlineMs);
  }

  cancelIntent(request: CancelIntentRequest, deadlineMs: number): Promise<GatewayOutcome> {
    return this.#perform(() => this.#cancel(request), this.#faults?.({ operation: "cancel", request }), deadlineMs);
  }

  async findIntent(request: FindIntentRequest, deadlineMs: number): Promise<IntentFinding> {
    if (this.#closed) return { ...closed, type: "unreachable" };
    const fault = this.#faults?.({ operation: "find", request });
    if (fault === "not_sent") return { ...connectionRefused, type: "unreachable" };
    const late = { ...timedOut, type: "unreachable" } as const;
    if (fault?.startsWith("timeout")) return this.#pause(deadlineMs, late);
    const error = fault?.startsWith("error") ? ({ ...gatewayError, type: "unreachable" } as const) : undefined;
    const finding = error ?? this.#find(request);
    return this.#latencyMs === 0 ? finding : this.#answerLate(finding, late, deadlineMs);
  }

  chargesOf(paymentId: string): JournalEntry[] {
    return journalEntries(this.#engine.book.database, paymentId).filter(({ kind }) => kind === "charge");
  }

  setLatency(latencyMs: number): void {
    this.#latencyMs = latencyMs;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const end of this.#pauses) end();
    await this.#engine.close();
  }

  #create(request: CreateIntentRequest, fault: Fault | undefined): GatewayOutcome {
    const now = this.#engine.now();
    const { book } = this.#engine;
    const n = book.insertIntent({
      attempt: request.attemptId,
      paymentId: request.paymentId,
      reference: request.reference,
      metadata: null,
      amount: Number(request.amount.amountMinor),
      currency: request.amount.currency,
      capture: request.capture,
      plan: (fault && planOf[fault]) ?? "pay",
      dueAt: fault === "never_paid" ? null : this.#engine.dueAt(now),
      createdAt: now,
    });
    if (n === undefined) return this.#createdBefore(request);
    if (fault === "timeout_after_charge") {
      const booked = book.intentByNumber(n);
      if (booked !== undefined) book.pay(booked, now);
    }
    const { amount, paymentId } = request;
    const id = intentId(book.tag, n);
    return { type: "succeeded", intent: { id, status: "pending", amount, clientSecret: null, paymentId } };
  }

  #createdBefore(request: CreateIntentRequest): GatewayOutcome {
    const booked = this.#engine.book.intentByAttempt(request.attemptId);
    const same =
      booked !== undefined &&
      booked.paymentId === request.paymentId &&
      booked.amount === Number(request.amount.amountMinor) &&
      booked.currency === request.amount.currency &&
      booked.capture === request.capture &&
      booked.reference === request.reference;
    if (same) return { type: "succeeded", intent: this.#intent(booked) };
    return declined("idempotency_error", "This attempt was made before with another request.");
  }

  #cancel(request: CancelIntentRequest): GatewayOutcome {
    const { book, now } = this.#engine;
    const n = numberOfId(book.tag, "pi", request.intentId);
    const booked = n === undefined ? undefined : book.intentByNumber(n);
    if (booked === undefined || booked.paymentId !== request.paymentId) {
      return declined("resource_missing", "There is no such intent.");
    }
    if (booked.status === "succeeded") {
      const message = "The intent has succeeded and cannot be cancelled any more.";
      return declined("payment_intent_unexpected_state", message, this.#intent(booked));
    }
    const cancelled = booked.status === "cancelled" ? booked : book.cancel(booked, now());
    return { type: "succeeded", intent: this.#intent(cancelled) };
  }

  #find(request: FindIntentRequest): IntentFinding {
    try {
      const booked = this.#engine.book.intentByAttempt(request.attemptId);
      return booked === undefined ? { type: "absent" } : { type: "found", intent: this.#intent(booked) };
    } catch (error) {
      return { type: "unreachable", ...bookFailed(error) };
    }
  }

  #intent(booked: BookIntent): GatewayIntent {
    return {
      id: intentId(this.#engine.book.tag, booked.n),
      status: booked.status === "requires_capture" ? "pending" : booked.status,
      amount: { amountMinor: BigInt(booked.amount), currency: booked.currency as Currency },
      clientSecret: null,
      paymentId: booked.paymentId,
    };
  }

  /** Runs what changes the book, with what goes wrong before and after it. */
  async #perform(work: () => GatewayOutcome, fault: Fault | undefined, deadlineMs: number): Promise<GatewayOutcome> {
    if (this.#closed) return closed;
    const early = fault === undefined ? undefined : await this.#outcomeBefore(fault, deadlineMs);
    if (early !== undefined) return early;
    let outcome: GatewayOutcome;
    try {
      outcome = await this.#engine.submit(work);
    } catch (error) {
      return { type: "unknown", ...bookFailed(error) };
    }
    if (fault === "timeout_after" || fault === "timeout_after_charge") return this.#pause(deadlineMs, timedOut);
    if (fault === "error_after") outcome = gatewayError;
    return this.#latencyMs === 0 ? outcome : this.#answerLate(outcome, timedOut, deadlineMs);
  }

  async #outcomeBefore(fault: Fault, deadlineMs: number): Promise<GatewayOutcome | undefined> {
    if (fault === "not_sent") return connectionRefused;
    if (fault === "timeout_before") return this.#pause(deadlineMs, timedOut);
    if (fault === "error_before") return this.#answerLate<GatewayOutcome>(gatewayError, timedOut, deadlineMs);
    if (fault !== "declined") return undefined;
    return this.#answerLate(declined("card_declined", "The card was declined."), timedOut, deadlineMs);
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
