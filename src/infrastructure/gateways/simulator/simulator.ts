import type { Currency } from "../../../kernel/currency.ts";
import type {
  BillGateway,
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
import { type BillCall, type BillOptions, createBills } from "./bills.ts";
import { Engine, type EngineOptions } from "./engine.ts";
import { cancelIntent, captureIntent, createIntent, declined, findIntent } from "./intents.ts";
import { type JournalEntry, journalEntries } from "./journal.ts";
import { type Fault, faultOfAmount, faultOfRefund } from "./magic-amounts.ts";
import { createPayouts, type PayoutCall, type PayoutOptions } from "./payouts.ts";
import { createRefund, findRefund, refundDeclined } from "./refunds.ts";
import { openDispute } from "./reversals.ts";
import { settlementPage } from "./settlements.ts";
import { Wire } from "./wire.ts";

/** A call as the `faults` hook of a test sees it. */
export type SimulatedCall =
  | { readonly operation: "create"; readonly request: CreateIntentRequest }
  | { readonly operation: "cancel"; readonly request: CancelIntentRequest }
  | { readonly operation: "capture"; readonly request: CaptureIntentRequest }
  | { readonly operation: "refund"; readonly request: CreateRefundRequest }
  | { readonly operation: "find"; readonly request: FindIntentRequest }
  | { readonly operation: "find_refund"; readonly request: FindRefundRequest }
  | { readonly operation: "settlements"; readonly request: SettlementRequest }
  | BillCall
  | PayoutCall;

export type SimulatorOptions = EngineOptions &
  BillOptions &
  PayoutOptions & {
    /** How long each call takes; its effect is there from the start, so a process can be killed in between. */
    readonly latencyMs: number;
    /** The same of payouts, which have a latency of their own; 0 unless said otherwise. */
    readonly payoutLatencyMs?: number | undefined;
    /** What goes wrong with a call, whatever its amount; undefined leaves it to the magic amounts. */
    readonly faults?: ((call: SimulatedCall) => Fault | undefined) | undefined;
  };

export type Simulator = PaymentGateway & {
  /** The same gateway as a payer of bills, over the same book. */
  readonly bills: BillGateway;
  /** The same gateway as one that pays affiliates and sellers out, over the same book. */
  readonly payouts: PayoutGateway;
  /** What the journal says was charged for a payment, oldest first; more than one is a double charge. */
  chargesOf(paymentId: string): JournalEntry[];
  /** What the journal says was given back of a payment, oldest first. */
  refundsOf(paymentId: string): JournalEntry[];
  /** What the journal says was paid for the bill of a payment, oldest first; more than one is a bill paid twice. */
  billPaymentsOf(paymentId: string): JournalEntry[];
  /** What the journal says was paid out for a payout, oldest first; more than one is somebody paid twice. */
  payoutsOf(payoutId: string): JournalEntry[];
  /**
   * Lets the buyer dispute a payment now; it is closed as after the magic amounts, unless the buyer is absent. Rejects
   * where nothing of the payment is left to dispute.
   */
  dispute(paymentId: string, outcome: "won" | "lost"): Promise<void>;
  /** Of payments and bills. */
  setLatency(latencyMs: number): void;
  setPayoutLatency(latencyMs: number): void;
};

const cardDeclined = declined("card_declined", "The card was declined.");
const refundRefused = refundDeclined("refund_declined", "The refund was declined.");

class SimulatedGateway implements Simulator {
  readonly name = "simulator";
  readonly bills: BillGateway;
  readonly payouts: PayoutGateway;
  readonly #engine: Engine;
  readonly #faults: SimulatorOptions["faults"];
  readonly #wire: Wire;
  readonly #payoutWire: Wire;

  constructor(options: SimulatorOptions) {
    this.#engine = new Engine(options);
    this.#faults = options.faults;
    this.#wire = new Wire(this.#engine, options.latencyMs);
    this.#payoutWire = new Wire(this.#engine, options.payoutLatencyMs ?? 0);
    this.bills = createBills(this.#engine, this.#wire, options);
    this.payouts = createPayouts(this.#engine, this.#payoutWire, options);
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
    return this.#wire.perform(() => createIntent(this.#engine, request, fault), fault, cardDeclined, deadlineMs);
  }

  cancelIntent(request: CancelIntentRequest, deadlineMs: number): Promise<GatewayOutcome> {
    const fault = this.#faults?.({ operation: "cancel", request });
    return this.#wire.perform(() => cancelIntent(this.#engine, request), fault, cardDeclined, deadlineMs);
  }

  captureIntent(request: CaptureIntentRequest, deadlineMs: number): Promise<GatewayOutcome> {
    const fault = this.#faults?.({ operation: "capture", request });
    return this.#wire.perform(() => captureIntent(this.#engine, request), fault, cardDeclined, deadlineMs);
  }

  createRefund(request: CreateRefundRequest, deadlineMs: number): Promise<RefundOutcome> {
    const fault = this.#faults?.({ operation: "refund", request }) ?? faultOfRefund(Number(request.amount.amountMinor));
    return this.#wire.perform(() => createRefund(this.#engine, request), fault, refundRefused, deadlineMs);
  }

  findIntent(request: FindIntentRequest, deadlineMs: number): Promise<IntentFinding> {
    const fault = this.#faults?.({ operation: "find", request });
    return this.#wire.ask<IntentFinding>(() => findIntent(this.#engine, request), fault, deadlineMs);
  }

  findRefund(request: FindRefundRequest, deadlineMs: number): Promise<RefundFinding> {
    const fault = this.#faults?.({ operation: "find_refund", request });
    return this.#wire.ask<RefundFinding>(() => findRefund(this.#engine, request), fault, deadlineMs);
  }

  listSettlements(request: SettlementRequest, deadlineMs: number): Promise<SettlementPage> {
    const fault = this.#faults?.({ operation: "settlements", request });
    return this.#wire.ask<SettlementPage>(() => settlementPage(this.#engine.book, request), fault, deadlineMs);
  }

  chargesOf(paymentId: string): JournalEntry[] {
    return this.#journal(paymentId, "charge");
  }

  refundsOf(paymentId: string): JournalEntry[] {
    return this.#journal(paymentId, "refund");
  }

  billPaymentsOf(paymentId: string): JournalEntry[] {
    return this.#journal(paymentId, "bill_payment");
  }

  payoutsOf(payoutId: string): JournalEntry[] {
    return this.#journal(payoutId, "payout");
  }

  async dispute(paymentId: string, outcome: "won" | "lost"): Promise<void> {
    const [charge] = this.chargesOf(paymentId);
    const { book, now } = this.#engine;
    const opened = await this.#engine.submit(() => {
      const intent = book.intentByNumber(charge?.intent ?? 0);
      return intent !== undefined && openDispute(book, intent, outcome, now());
    });
    if (!opened) throw new Error(`nothing is left to dispute of the payment ${paymentId}`);
  }

  setLatency(latencyMs: number): void {
    this.#wire.latencyMs = latencyMs;
  }

  setPayoutLatency(latencyMs: number): void {
    this.#payoutWire.latencyMs = latencyMs;
  }

  async close(): Promise<void> {
    this.#wire.close();
    this.#payoutWire.close();
    await this.#engine.close();
  }

  #journal(paymentId: string, wanted: JournalEntry["kind"]): JournalEntry[] {
    return journalEntries(this.#engine.book.database, paymentId).filter(({ kind }) => kind === wanted);
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
