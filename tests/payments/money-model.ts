/**
 * What payments should do to the books, in plain TypeScript: maps and rules, one operation at a time. It is the witness
 * of the property tests, so it shares no code with the application and none with its SQL. Amounts are minor units.
 * What has gone back of a payment is no sum that is kept here: it is added up from its refunds and disputes each time.
 */

type Refund = { amount: bigint; fee: bigint; status: "pending" | "succeeded" | "failed"; held: bigint };

type Dispute = { amount: bigint; borne: bigint; fee: bigint; status: "open" | "won" | "lost"; held: bigint };

type Payment = {
  readonly seller: string;
  readonly currency: string;
  readonly amount: bigint;
  /** In hundredths of a percent. */
  readonly rate: bigint;
  captured: bigint;
  fee: bigint;
  readonly refunds: Map<string, Refund>;
  readonly disputes: Map<string, Dispute>;
};

export type Bank = "succeeded" | "pending" | "failed";

function halfUp(numerator: bigint, denominator: bigint): bigint {
  const whole = numerator / denominator;
  return (numerator % denominator) * 2n >= denominator ? whole + 1n : whole;
}

const least = (...amounts: bigint[]) => amounts.reduce((a: bigint, b: bigint) => (a < b ? a : b));
const most = (...amounts: bigint[]) => amounts.reduce((a: bigint, b: bigint) => (a > b ? a : b));
const sum = (amounts: Iterable<bigint>) => [...amounts].reduce((a, b) => a + b, 0n);

export class MoneyModel {
  /** Debits less credits, by account and currency. */
  readonly books = new Map<string, bigint>();
  /** What is held, likewise. */
  readonly held = new Map<string, bigint>();
  readonly payments = new Map<string, Payment>();
  /** The least that a seller may have; nobody else may have less than nothing. */
  readonly floors = new Map<string, bigint>();
  readonly #gateway: string;

  constructor(gateway: string) {
    this.#gateway = gateway;
  }

  make(id: string, facts: Pick<Payment, "seller" | "currency" | "amount" | "rate">): void {
    this.payments.set(id, { ...facts, captured: 0n, fee: 0n, refunds: new Map(), disputes: new Map() });
  }

  /** The gateway has taken the money; what it tells again changes nothing. */
  succeed(id: string, captured: bigint): "applied" | "superseded" {
    const payment = this.#payment(id);
    if (payment.captured > 0n) return "superseded";
    payment.captured = captured;
    payment.fee = halfUp(captured * payment.rate, 10_000n);
    this.#move(payment.currency, [
      [this.#clearing, captured],
      [this.#available(payment), payment.fee - captured],
      ["platform:commission", -payment.fee],
    ]);
    return "applied";
  }

  capture(id: string, asked: bigint): string {
    const { amount, captured } = this.#payment(id);
    if (asked > amount) return "capture_exceeds_payment";
    if (captured > 0n) return captured === asked ? "captured" : "payment_not_capturable";
    this.succeed(id, asked);
    return "captured";
  }

  /** `asked` is null for all that is left. */
  refund(id: string, refundId: string, asked: bigint | null, bank: Bank): string {
    const payment = this.#payment(id);
    if (payment.captured === 0n) return "payment_not_refundable";
    const left = this.left(id);
    const amount = asked ?? left;
    if (amount === 0n || amount > left) return "refund_exceeds_payment";
    const fee = this.#feePart(payment, amount);
    const share = amount - fee;
    if (share > 0n && this.#spendable(payment) < share) return "seller_balance_insufficient";
    payment.refunds.set(refundId, { amount, fee, status: "pending", held: share });
    this.#hold(payment, share);
    if (bank !== "pending") this.settleRefund(id, refundId, bank);
    return bank;
  }

  /** What the bank says of one refund; a refund that was made may come back later. */
  settleRefund(id: string, refundId: string, status: "succeeded" | "failed"): "applied" | "superseded" {
    const payment = this.#payment(id);
    const refund = payment.refunds.get(refundId);
    if (refund === undefined) throw new Error(`the model knows no refund ${refundId}`);
    const before = refund.status;
    if (before === "failed" || before === status) return "superseded";
    this.#hold(payment, -refund.held);
    refund.held = 0n;
    refund.status = status;
    const back = status === "succeeded" ? 1n : before === "succeeded" ? -1n : 0n;
    this.#move(payment.currency, [
      [this.#available(payment), back * (refund.amount - refund.fee)],
      ["platform:commission", back * refund.fee],
      [this.#clearing, back * -refund.amount],
    ]);
    return "applied";
  }

  /** The gateway says how much of a payment went back in all. */
  refundedInAll(id: string, refundId: string, inAll: bigint): string {
    const payment = this.#payment(id);
    const refunds = [...payment.refunds.values()];
    if (payment.captured === 0n) return "waiting";
    const explained = sum(refunds.filter(({ status }) => status === "succeeded").map(({ amount }) => amount));
    if (inAll <= explained) return "superseded";
    if (refunds.some(({ status }) => status === "pending")) return "waiting";
    const amount = inAll - explained;
    if (amount > this.left(id)) return "mismatched";
    const fee = this.#feePart(payment, amount);
    payment.refunds.set(refundId, { amount, fee, status: "succeeded", held: 0n });
    const owed = this.#takeFromSeller(payment, amount - fee);
    this.#move(payment.currency, [...owed, ["platform:commission", fee], [this.#clearing, -amount]]);
    return "applied";
  }

  dispute(id: string, disputeId: string, amount: bigint, status: Dispute["status"]): string {
    const payment = this.#payment(id);
    if (payment.captured === 0n) return "waiting";
    const standing = payment.disputes.get(disputeId);
    if (standing !== undefined && (standing.status !== "open" || status === "open")) return "superseded";
    const dispute = standing ?? this.#openDispute(id, disputeId, amount, status === "open");
    this.#hold(payment, status === "open" ? 0n : -dispute.held);
    if (status === "won") {
      this.#move(payment.currency, [
        [this.#clearing, dispute.amount],
        [this.#disputed, -dispute.amount],
      ]);
    }
    if (status === "lost") this.#charge(payment, id, dispute);
    dispute.status = status;
    return "applied";
  }

  /** What the seller of a payment could be paid out now. */
  spendableOf(id: string): bigint {
    return this.#spendable(this.#payment(id));
  }

  /** The seller of a payment is paid out. */
  payOut(id: string, amount: bigint): string {
    const payment = this.#payment(id);
    if (amount > this.#spendable(payment)) return "insufficient_funds";
    this.#move(payment.currency, [
      [this.#available(payment), amount],
      ["bills:payouts", -amount],
    ]);
    return "posted";
  }

  /** Sellers pay what they owe with what they have. */
  net(): void {
    for (const payment of this.payments.values()) {
      const { seller, currency } = payment;
      const debt = `seller:${seller}:receivable`;
      const has = this.#spendable(payment) + this.#floor(payment);
      const amount = least(this.books.get(`${debt} ${currency}`) ?? 0n, has);
      if (amount <= 0n) continue;
      this.#move(currency, [
        [this.#available(payment), amount],
        [debt, -amount],
      ]);
    }
  }

  /** How much of a payment can still go back. */
  left(id: string): bigint {
    const payment = this.#payment(id);
    return payment.captured - this.#returned(payment).amount;
  }

  #openDispute(id: string, disputeId: string, amount: bigint, holds: boolean): Dispute {
    const payment = this.#payment(id);
    const borne = least(amount, this.left(id));
    const fee = this.#feePart(payment, borne);
    const held = holds ? most(0n, least(borne - fee, this.#spendable(payment))) : 0n;
    this.#hold(payment, held);
    this.#move(payment.currency, [
      [this.#disputed, amount],
      [this.#clearing, -amount],
    ]);
    const dispute: Dispute = { amount, borne, fee, status: "open", held };
    payment.disputes.set(disputeId, dispute);
    return dispute;
  }

  /** The dispute is lost: what of it the payment still has is borne by its two sides, the rest by the marketplace. */
  #charge(payment: Payment, id: string, dispute: Dispute): void {
    const more = least(dispute.amount - dispute.borne, this.left(id));
    dispute.fee += this.#feePart(payment, more);
    dispute.borne += more;
    this.#move(payment.currency, [
      ...this.#takeFromSeller(payment, dispute.borne - dispute.fee),
      ["platform:commission", dispute.fee],
      ["platform:losses", dispute.amount - dispute.borne],
      [this.#disputed, -dispute.amount],
    ]);
  }

  /** What a seller has not is their debt. */
  #takeFromSeller(payment: Payment, share: bigint): [string, bigint][] {
    const taken = least(share, most(0n, this.#spendable(payment)));
    return [
      [this.#available(payment), taken],
      [`seller:${payment.seller}:receivable`, share - taken],
    ];
  }

  /** In proportion to all that has gone back, half up, and never more than a side has left. */
  #feePart(payment: Payment, amount: bigint): bigint {
    const { captured, fee } = payment;
    const before = this.#returned(payment);
    const due = halfUp((before.amount + amount) * fee, captured) - before.fee;
    const sellerHas = captured - fee - (before.amount - before.fee);
    return least(amount, fee - before.fee, most(0n, amount - sellerHas, due));
  }

  #returned({ refunds, disputes }: Payment): { amount: bigint; fee: bigint } {
    const made = [...refunds.values()].filter(({ status }) => status !== "failed");
    const taken = [...disputes.values()].filter(({ status }) => status !== "won");
    return {
      amount: sum(made.map(({ amount }) => amount)) + sum(taken.map(({ borne }) => borne)),
      fee: sum([...made, ...taken].map(({ fee }) => fee)),
    };
  }

  #spendable(payment: Payment): bigint {
    const account = `${this.#available(payment)} ${payment.currency}`;
    return -(this.books.get(account) ?? 0n) - (this.held.get(account) ?? 0n) - this.#floor(payment);
  }

  #floor({ seller }: Payment): bigint {
    return this.floors.get(seller) ?? 0n;
  }

  #hold(payment: Payment, amount: bigint): void {
    const account = `${this.#available(payment)} ${payment.currency}`;
    this.held.set(account, (this.held.get(account) ?? 0n) + amount);
  }

  #move(currency: string, legs: readonly (readonly [string, bigint])[]): void {
    for (const [code, amount] of legs) {
      const account = `${code} ${currency}`;
      this.books.set(account, (this.books.get(account) ?? 0n) + amount);
    }
  }

  #available({ seller }: Payment): string {
    return `seller:${seller}:available`;
  }

  get #clearing(): string {
    return `gateway:${this.#gateway}:clearing`;
  }

  get #disputed(): string {
    return `gateway:${this.#gateway}:disputed`;
  }

  #payment(id: string): Payment {
    const payment = this.payments.get(id);
    if (payment === undefined) throw new Error(`the model knows no payment ${id}`);
    return payment;
  }
}
