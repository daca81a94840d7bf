import { randomUUID } from "node:crypto";
import type Stripe from "stripe";
import type { Currency } from "../../../kernel/currency.ts";
import type { Money } from "../../../kernel/money.ts";
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
import { fromStripeUnits, toStripeUnits } from "./amounts.ts";
import { type Classified, classifyStripeError, connectionLost } from "./classify.ts";
import { createStripeClient, type StripeClientOptions } from "./client.ts";
import { intentInError, readIntent, readRefund } from "./objects.ts";
import { rangeOf, readSettlementPage } from "./settlements.ts";

/** What came of a call that changes something: what Stripe answered with, or how it failed. */
type Called<Answer> =
  | { readonly type: "answered"; readonly answer: Answer }
  | (Classified & { readonly error?: unknown });

/** A repetition with less time than this left would only turn one unknown into another. */
const leastRepetitionMs = 50;
/** Clocks differ: an intent may carry a time that is a little before we accepted the payment. */
const clockSkewSeconds = 300;
const listPageSize = 100;
const listPagesAtMost = 20;

const tooLate = {
  type: "unknown",
  code: "gateway_timeout",
  message: "Stripe did not answer within the deadline.",
} as const;

/** How many milliseconds are left of a deadline that starts now. */
function startDeadline(deadlineMs: number): () => number {
  const until = performance.now() + deadlineMs;
  return () => Math.ceil(until - performance.now());
}

/** The options of a request that only asks: it is sent once, in what is left of the deadline. */
function onceWithin(msLeft: () => number) {
  return { timeout: Math.max(1, msLeft()), maxNetworkRetries: 0 };
}

function notSupported({ currency }: Money): GatewayFailure {
  return { code: "amount_not_supported_by_gateway", message: `Stripe does not take this amount of ${currency}.` };
}

function listTooLong(what: string): GatewayFailure {
  const looked = listPagesAtMost * listPageSize;
  const message = `The ${what} is not among the ${looked} newest; older ones were not looked at.`;
  return { code: "gateway_list_too_long", message };
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
    if (amount === undefined) return { type: "declined", ...notSupported(request.amount), intent: null };
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
    return this.#changeIntent(deadlineMs, (timeout) =>
      this.#stripe.paymentIntents.create(parameters, { idempotencyKey, timeout, maxNetworkRetries: 0 }),
    );
  }

  async cancelIntent(request: CancelIntentRequest, deadlineMs: number): Promise<GatewayOutcome> {
    // A key of its own for each call: cancelling twice is harmless, and a stored 500 must not be replayed for ever.
    const idempotencyKey = `marketflow:${request.attemptId}:cancel:${randomUUID()}`;
    const outcome = await this.#changeIntent(deadlineMs, (timeout) =>
      this.#stripe.paymentIntents.cancel(request.intentId, {}, { idempotencyKey, timeout, maxNetworkRetries: 0 }),
    );
    if (outcome.type !== "declined" || outcome.intent?.status !== "cancelled") return outcome;
    return { type: "succeeded", intent: outcome.intent };
  }

  async captureIntent(request: CaptureIntentRequest, deadlineMs: number): Promise<GatewayOutcome> {
    const amount_to_capture = toStripeUnits(request.amount);
    if (amount_to_capture === undefined) return { type: "declined", ...notSupported(request.amount), intent: null };
    // A key of its own for each call: what is captured refuses by its state to be captured again, and shows itself;
    // the attempt's key would only replay a stored 500, or how the intent stood before the buyer had paid.
    const idempotencyKey = `marketflow:${request.attemptId}:capture:${randomUUID()}`;
    const parameters = { amount_to_capture };
    return this.#changeIntent(deadlineMs, (timeout) =>
      this.#stripe.paymentIntents.capture(request.intentId, parameters, {
        idempotencyKey,
        timeout,
        maxNetworkRetries: 0,
      }),
    );
  }

  async createRefund(request: CreateRefundRequest, deadlineMs: number): Promise<RefundOutcome> {
    const amount = toStripeUnits(request.amount);
    if (amount === undefined) return { type: "declined", ...notSupported(request.amount), refund: null };
    const parameters = {
      payment_intent: request.intentId,
      amount,
      metadata: {
        marketflow_payment_id: request.paymentId,
        marketflow_refund_id: request.refundId,
        marketflow_attempt_id: request.attemptId,
      },
    };
    // Derived from the attempt, so that no number of calls for it can give the money back twice.
    const idempotencyKey = `marketflow:${request.attemptId}`;
    const called = await this.#change(deadlineMs, async (timeout) => {
      const refund = await this.#stripe.refunds.create(parameters, { idempotencyKey, timeout, maxNetworkRetries: 0 });
      return { refund: readRefund(refund, request.intentId), reason: refund.failure_reason };
    });
    if (called.type !== "answered") {
      const { type, code, message } = called;
      return type === "declined" ? { type, code, message, refund: null } : { type, code, message };
    }
    const { refund, reason } = called.answer;
    if (refund.status !== "failed") return { type: "succeeded", refund };
    return { type: "declined", code: reason ?? "refund_failed", message: "Stripe made the refund fail.", refund };
  }

  async findIntent(request: FindIntentRequest, deadlineMs: number): Promise<IntentFinding> {
    const { intentId } = request;
    const finding = await this.#ask<IntentFinding>(deadlineMs, (msLeft) =>
      intentId === null ? this.#findByList(request, msLeft) : this.#findById(intentId, msLeft),
    );
    return finding.type === "unreachable" && finding.code === "resource_missing" ? { type: "absent" } : finding;
  }

  async findRefund(request: FindRefundRequest, deadlineMs: number): Promise<RefundFinding> {
    const { intentId, gatewayRefundId } = request;
    const finding = await this.#ask<RefundFinding>(deadlineMs, async (msLeft) => {
      if (gatewayRefundId === null) return this.#findRefundByList(request, msLeft);
      const refund = await this.#stripe.refunds.retrieve(gatewayRefundId, {}, onceWithin(msLeft));
      return { type: "found", refund: readRefund(refund, intentId) };
    });
    return finding.type === "unreachable" && finding.code === "resource_missing" ? { type: "absent" } : finding;
  }

  /** Newest first, as Stripe lists: lines that are new while it is paged come before what was read already. */
  listSettlements(request: SettlementRequest, deadlineMs: number): Promise<SettlementPage> {
    const { cursor } = request;
    const parameters = {
      created: rangeOf(request),
      limit: listPageSize,
      expand: ["data.source"],
      ...(cursor === null ? {} : { starting_after: cursor }),
    };
    return this.#ask<SettlementPage>(deadlineMs, async (msLeft) =>
      readSettlementPage(await this.#stripe.balanceTransactions.list(parameters, onceWithin(msLeft))),
    );
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }

  /** Asks for something, and changes nothing. */
  async #ask<Finding>(
    deadlineMs: number,
    ask: (msLeft: () => number) => Promise<Finding>,
  ): Promise<Finding | ({ readonly type: "unreachable" } & GatewayFailure)> {
    const msLeft = startDeadline(deadlineMs);
    try {
      return await this.#within(msLeft(), ask(msLeft), { ...tooLate, type: "unreachable" } as const);
    } catch (error) {
      const { code, message } = classifyStripeError(error);
      return { type: "unreachable", code, message };
    }
  }

  async #changeIntent(
    deadlineMs: number,
    call: (timeout: number) => Promise<Stripe.PaymentIntent>,
  ): Promise<GatewayOutcome> {
    const called = await this.#change(deadlineMs, async (timeout) => readIntent(await call(timeout)));
    if (called.type === "answered") return { type: "succeeded", intent: called.answer };
    const { type, code, message, error } = called;
    return type === "declined" ? { type, code, message, intent: intentInError(error) } : { type, code, message };
  }

  /** Runs a request that changes something, and once more where its connection broke: the key makes that harmless. */
  async #change<Answer>(deadlineMs: number, call: (timeout: number) => Promise<Answer>): Promise<Called<Answer>> {
    const msLeft = startDeadline(deadlineMs);
    const first = await this.#attempt(msLeft(), call);
    if (first.type !== "unknown" || first.code !== connectionLost || msLeft() < leastRepetitionMs) return first;
    const second = await this.#attempt(msLeft(), call);
    // That the repetition was not taken says nothing about the first, which may have been.
    return second.type === "not_sent" ? first : second;
  }

  async #attempt<Answer>(deadlineMs: number, call: (timeout: number) => Promise<Answer>): Promise<Called<Answer>> {
    const timeout = Math.max(1, deadlineMs);
    try {
      // The SDK's timeout is about a silent socket; an answer that trickles in would outlast it.
      return await this.#within<Called<Answer>>(
        timeout,
        call(timeout).then((answer) => ({ type: "answered", answer })),
        tooLate,
      );
    } catch (error) {
      return { ...classifyStripeError(error), error };
    }
  }

  async #within<Answer, Late = Answer>(
    deadlineMs: number,
    answer: Promise<Answer>,
    late: Late,
  ): Promise<Answer | Late> {
    let timer: NodeJS.Timeout | undefined;
    const lateAnswer = new Promise<Late>((resolve) => {
      timer = setTimeout(() => resolve(late), Math.max(1, deadlineMs));
    });
    try {
      return await Promise.race([answer, lateAnswer]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #findById(intentId: string, msLeft: () => number): Promise<IntentFinding> {
    const intent = await this.#stripe.paymentIntents.retrieve(intentId, {}, onceWithin(msLeft));
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
        onceWithin(msLeft),
      );
      const intent = data.find(({ metadata }) => metadata.marketflow_attempt_id === request.attemptId);
      if (intent !== undefined) return { type: "found", intent: readIntent(intent) };
      after = data.at(-1)?.id;
      if (!has_more || after === undefined) return { type: "absent" };
    }
    return { type: "unreachable", ...listTooLong("intent") };
  }

  /** Looks through the refunds of the intent. An intent that is not there has none: Stripe answers resource_missing. */
  async #findRefundByList({ attemptId, intentId }: FindRefundRequest, msLeft: () => number): Promise<RefundFinding> {
    let after: string | undefined;
    for (let page = 0; page < listPagesAtMost; page++) {
      const { data, has_more } = await this.#stripe.refunds.list(
        { payment_intent: intentId, limit: listPageSize, ...(after === undefined ? {} : { starting_after: after }) },
        onceWithin(msLeft),
      );
      const refund = data.find(({ metadata }) => metadata?.marketflow_attempt_id === attemptId);
      if (refund !== undefined) return { type: "found", refund: readRefund(refund, intentId) };
      after = data.at(-1)?.id;
      if (!has_more || after === undefined) return { type: "absent" };
    }
    return { type: "unreachable", ...listTooLong("refund") };
  }
}

/**
 * The gateway that moves real money: Stripe's PaymentIntents through the official SDK. Throws where the key or the
 * address is not usable; every call of the gateway itself resolves within its deadline.
 */
export function createStripeGateway(options: StripeClientOptions): PaymentGateway {
  return new StripeGateway(options);
}
