import { randomUUID } from "node:crypto";
import type Stripe from "stripe";
import { type Currency, parseCurrency } from "../../../kernel/currency.ts";
import type {
  CancelIntentRequest,
  CreateIntentRequest,
  FindIntentRequest,
  GatewayIntent,
  GatewayOutcome,
  IntentFinding,
  IntentStatus,
  PaymentGateway,
} from "../../../movements/ports.ts";
import { fromStripeUnits, toStripeUnits } from "./amounts.ts";
import { classifyStripeError, connectionLost } from "./classify.ts";
import { createStripeClient, type StripeClientOptions } from "./client.ts";

type PaymentIntent = Stripe.PaymentIntent;

/** A repetition with less time than this left would only turn one unknown into another. */
const leastRepetitionMs = 50;
/** Clocks differ: an intent may carry a time that is a little before we accepted the payment. */
const clockSkewSeconds = 300;
const listPageSize = 100;
const listPagesAtMost = 20;

/** How many milliseconds are left of a deadline that starts now. */
function startDeadline(deadlineMs: number): () => number {
  const until = performance.now() + deadlineMs;
  return () => Math.ceil(until - performance.now());
}

/**
 * Our word for the state of an intent. Stripe has no failed state: an intent whose payment was declined waits for
 * another payment method and says why (https://docs.stripe.com/payments/paymentintents/lifecycle).
 */
function statusOf(intent: PaymentIntent): IntentStatus {
  if (intent.status === "succeeded") return "succeeded";
  if (intent.status === "canceled") return "cancelled";
  return intent.status === "requires_payment_method" && intent.last_payment_error ? "failed" : "pending";
}

/** Throws where the intent is in a currency that we do not know, or in units that its currency does not have. */
function readIntent(intent: PaymentIntent): GatewayIntent {
  const currency = parseCurrency(intent.currency.toUpperCase());
  if (currency === undefined) throw new RangeError(`Stripe answered in an unknown currency: ${intent.currency}`);
  return {
    id: intent.id,
    status: statusOf(intent),
    amount: fromStripeUnits(BigInt(intent.amount), currency),
    clientSecret: intent.client_secret,
    paymentId: intent.metadata.marketflow_payment_id ?? null,
  };
}

/** The intent that Stripe attaches to an error where its state forbids what was asked; null where it cannot be read. */
function intentInError(error: unknown): GatewayIntent | null {
  const { payment_intent } = error as { payment_intent?: PaymentIntent };
  try {
    return payment_intent === undefined ? null : readIntent(payment_intent);
  } catch {
    return null;
  }
}

class StripeGateway implements PaymentGateway {
  readonly name = "stripe";
  readonly #stripe: Stripe;
  readonly #agent: { destroy(): void };

  constructor(options: StripeClientOptions) {
    const { stripe, agent } = createStripeClient(options);
    this.#stripe = stripe;
    this.#agent = agent;
  }

  readAmount(units: bigint, currency: Currency) {
    return fromStripeUnits(units, currency);
  }

  async createIntent(request: CreateIntentRequest, deadlineMs: number): Promise<GatewayOutcome> {
    const amount = toStripeUnits(request.amount);
    if (amount === undefined) {
      const message = `Stripe does not take this amount of ${request.amount.currency}.`;
      return { type: "declined", code: "amount_not_supported_by_gateway", message, intent: null };
    }
    const parameters = {
      amount,
      currency: request.amount.currency.toLowerCase(),
      automatic_payment_methods: { enabled: true },
      capture_method: request.capture,
      metadata: {
        marketflow_payment_id: request.paymentId,
        marketflow_attempt_id: request.attemptId,
        ...(request.reference === null ? {} : { reference: request.reference }),
      },
    } as const;
    // Derived from the attempt, so that no number of calls for it can make a second intent.
    const idempotencyKey = `marketflow:${request.attemptId}`;
    return this.#change(deadlineMs, (timeout) =>
      this.#stripe.paymentIntents.create(parameters, { idempotencyKey, timeout, maxNetworkRetries: 0 }),
    );
  }

  async cancelIntent(request: CancelIntentRequest, deadlineMs: number): Promise<GatewayOutcome> {
    // A key of its own for each call: cancelling twice is harmless, and a stored 500 must not be replayed for ever.
    const idempotencyKey = `marketflow:${request.attemptId}:cancel:${randomUUID()}`;
    const outcome = await this.#change(deadlineMs, (timeout) =>
      this.#stripe.paymentIntents.cancel(request.intentId, {}, { idempotencyKey, timeout, maxNetworkRetries: 0 }),
    );
    if (outcome.type !== "declined" || outcome.intent?.status !== "cancelled") return outcome;
    return { type: "succeeded", intent: outcome.intent };
  }

  async findIntent(request: FindIntentRequest, deadlineMs: number): Promise<IntentFinding> {
    const msLeft = startDeadline(deadlineMs);
    try {
      const { intentId } = request;
      const finding = intentId === null ? this.#findByList(request, msLeft) : this.#findById(intentId, msLeft);
      return await this.#within(msLeft(), finding, {
        type: "unreachable",
        code: "gateway_timeout",
        message: "Stripe did not answer within the deadline.",
      });
    } catch (error) {
      const { code, message } = classifyStripeError(error);
      if (code === "resource_missing") return { type: "absent" };
      return { type: "unreachable", code, message };
    }
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }

  /** Runs a request that changes something, and once more where its connection broke: the key makes that harmless. */
  async #change(deadlineMs: number, call: (timeout: number) => Promise<PaymentIntent>): Promise<GatewayOutcome> {
    const msLeft = startDeadline(deadlineMs);
    const first = await this.#attempt(msLeft(), call);
    if (first.type !== "unknown" || first.code !== connectionLost || msLeft() < leastRepetitionMs) return first;
    const second = await this.#attempt(msLeft(), call);
    // That the repetition was not taken says nothing about the first, which may have been.
    return second.type === "not_sent" ? first : second;
  }

  async #attempt(deadlineMs: number, call: (timeout: number) => Promise<PaymentIntent>): Promise<GatewayOutcome> {
    const timeout = Math.max(1, deadlineMs);
    const late = {
      type: "unknown",
      code: "gateway_timeout",
      message: "Stripe did not answer within the deadline.",
    } as const;
    try {
      // The SDK's timeout is about a silent socket; an answer that trickles in would outlast it.
      return await this.#within<GatewayOutcome>(
        timeout,
        call(timeout).then((intent) => ({ type: "succeeded", intent: readIntent(intent) })),
        late,
      );
    } catch (error) {
      const classified = classifyStripeError(error);
      const { type, ...failure } = classified;
      return type === "declined" ? { type, ...failure, intent: intentInError(error) } : { type, ...failure };
    }
  }

  async #within<Answer>(deadlineMs: number, answer: Promise<Answer>, late: Answer): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined;
    const lateAnswer = new Promise<Answer>((resolve) => {
      timer = setTimeout(() => resolve(late), Math.max(1, deadlineMs));
    });
    try {
      return await Promise.race([answer, lateAnswer]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #findById(intentId: string, msLeft: () => number): Promise<IntentFinding> {
    const timeout = Math.max(1, msLeft());
    const intent = await this.#stripe.paymentIntents.retrieve(intentId, {}, { timeout, maxNetworkRetries: 0 });
    return { type: "found", intent: readIntent(intent) };
  }

  /**
   * Looks through the intents made since the attempt was accepted. A list is read after write, which Stripe's Search
   * is not ("don't use search for read-after-write flows", https://docs.stripe.com/search#data-freshness).
   */
  async #findByList(request: FindIntentRequest, msLeft: () => number): Promise<IntentFinding> {
    const gte = Math.floor(request.acceptedAt.getTime() / 1000) - clockSkewSeconds;
    let after: string | undefined;
    for (let page = 0; page < listPagesAtMost; page++) {
      const { data, has_more } = await this.#stripe.paymentIntents.list(
        { created: { gte }, limit: listPageSize, ...(after === undefined ? {} : { starting_after: after }) },
        { timeout: Math.max(1, msLeft()), maxNetworkRetries: 0 },
      );
      const intent = data.find(({ metadata }) => metadata.marketflow_attempt_id === request.attemptId);
      if (intent !== undefined) return { type: "found", intent: readIntent(intent) };
      after = data.at(-1)?.id;
      if (!has_more || after === undefined) return { type: "absent" };
    }
    const looked = listPagesAtMost * listPageSize;
    const message = `The intent is not among the ${looked} newest; older ones were not looked at.`;
    return { type: "unreachable", code: "gateway_list_too_long", message };
  }
}

/**
 * The gateway that moves real money: Stripe's PaymentIntents through the official SDK. Throws where the key or the
 * address is not usable; every call of the gateway itself resolves within its deadline.
 */
export function createStripeGateway(options: StripeClientOptions): PaymentGateway {
  return new StripeGateway(options);
}
