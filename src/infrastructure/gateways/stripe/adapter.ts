import { randomUUID } from "node:crypto";
import type Stripe from "stripe";
import type { Currency } from "../../../kernel/currency.ts";
import type {
  CancelIntentRequest,
  CaptureIntentRequest,
  CreateIntentRequest,
  CreateRefundRequest,
  FindIntentRequest,
  FindRefundRequest,
  GatewayOutcome,
  IntentFinding,
  PaymentGateway,
  PayoutGateway,
  RefundFinding,
  RefundOutcome,
  SettlementPage,
  SettlementRequest,
} from "../../../movements/ports.ts";
import { fromStripeUnits, toStripeUnits } from "./amounts.ts";
import { askStripe, changeStripe, findInList, listPageSize, type MsLeft, notSupported, onceWithin } from "./calls.ts";
import { createStripeClient, type StripeClientOptions } from "./client.ts";
import { intentInError, readIntent, readRefund } from "./objects.ts";
import { createStripePayouts } from "./payouts.ts";
import { rangeOf, readSettlementPage } from "./settlements.ts";

/** Clocks differ: an intent may carry a time that is a little before we accepted the payment. */
const clockSkewSeconds = 300;

/** Both of what Stripe does for us, over the connections of one client; closing the one closes both. */
export type StripeGateways = PaymentGateway & { readonly payouts: PayoutGateway };

class StripeGateway implements StripeGateways {
  readonly name = "stripe";
  readonly payouts: PayoutGateway;
  readonly #stripe: Stripe;
  readonly #agent: { destroy(): void };

  constructor(options: StripeClientOptions) {
    const { stripe, agent } = createStripeClient(options);
    this.#stripe = stripe;
    this.#agent = agent;
    this.payouts = createStripePayouts(stripe);
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
    const called = await changeStripe(deadlineMs, async (timeout) => {
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
    const finding = await askStripe<IntentFinding>(deadlineMs, (msLeft) =>
      intentId === null ? this.#findByList(request, msLeft) : this.#findById(intentId, msLeft),
    );
    return finding.type === "unreachable" && finding.code === "resource_missing" ? { type: "absent" } : finding;
  }

  async findRefund(request: FindRefundRequest, deadlineMs: number): Promise<RefundFinding> {
    const { intentId, gatewayRefundId } = request;
    const finding = await askStripe<RefundFinding>(deadlineMs, async (msLeft) => {
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
    return askStripe<SettlementPage>(deadlineMs, async (msLeft) =>
      readSettlementPage(await this.#stripe.balanceTransactions.list(parameters, onceWithin(msLeft))),
    );
  }

  async close(): Promise<void> {
    this.#agent.destroy();
  }

  async #changeIntent(
    deadlineMs: number,
    call: (timeout: number) => Promise<Stripe.PaymentIntent>,
  ): Promise<GatewayOutcome> {
    const called = await changeStripe(deadlineMs, async (timeout) => readIntent(await call(timeout)));
    if (called.type === "answered") return { type: "succeeded", intent: called.answer };
    const { type, code, message, error } = called;
    return type === "declined" ? { type, code, message, intent: intentInError(error) } : { type, code, message };
  }

  async #findById(intentId: string, msLeft: MsLeft): Promise<IntentFinding> {
    const intent = await this.#stripe.paymentIntents.retrieve(intentId, {}, onceWithin(msLeft));
    return { type: "found", intent: readIntent(intent) };
  }

  /**
   * Looks through the intents made since the attempt was accepted. A list is read after write, which Stripe's Search
   * is not ("don't use search for read-after-write flows", https://docs.stripe.com/search#data-freshness).
   */
  async #findByList(request: FindIntentRequest, msLeft: MsLeft): Promise<IntentFinding> {
    const gte = Math.floor(request.acceptedAt.getTime() / 1000) - clockSkewSeconds;
    const found = await findInList<Stripe.PaymentIntent>("intent", request.attemptId, (page) =>
      this.#stripe.paymentIntents.list({ created: { gte }, ...page }, onceWithin(msLeft)),
    );
    return found.type === "found" ? { type: "found", intent: readIntent(found.item) } : found;
  }

  /** Looks through the refunds of the intent. An intent that is not there has none: Stripe answers resource_missing. */
  async #findRefundByList({ attemptId, intentId }: FindRefundRequest, msLeft: MsLeft): Promise<RefundFinding> {
    const found = await findInList<Stripe.Refund>("refund", attemptId, (page) =>
      this.#stripe.refunds.list({ payment_intent: intentId, ...page }, onceWithin(msLeft)),
    );
    return found.type === "found" ? { type: "found", refund: readRefund(found.item, intentId) } : found;
  }
}

/**
 * The gateway that moves real money: Stripe's PaymentIntents and, as `payouts`, Connect's transfers, through the
 * official SDK. Throws where the key or the address is not usable; every call of the gateway itself resolves within
 * its deadline.
 */
export function createStripeGateway(options: StripeClientOptions): StripeGateways {
  return new StripeGateway(options);
}
