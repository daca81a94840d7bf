/**
 * What the simulated gateway can be told to do instead of taking a request as a gateway should.
 * `…_before` leaves nothing behind; `…_after` answers badly although the intent was made.
 */
export type Fault =
  | "declined"
  | "declined_later"
  | "error_before"
  | "error_after"
  | "timeout_before"
  | "timeout_after"
  | "timeout_after_charge"
  | "late_success"
  | "not_sent"
  | "never_paid"
  | "disputed_lost"
  | "disputed_won"
  | "refund_declined"
  | "refund_timeout_after";

/** An amount that makes the simulated gateway misbehave, and the sentence about it that the README prints. */
export type MagicAmount = { readonly amountMinor: bigint; readonly fault: Fault; readonly meaning: string };

/** How long after its failure a payment with the `late_success` amount succeeds, in milliseconds. */
export const lateSuccessAfterMs = 3000;
/** How long after it is charged a payment with a `disputed_…` amount is disputed, in milliseconds. */
export const disputedAfterMs = 300;
/** How long after it was opened a dispute is closed, won or lost, in milliseconds. */
export const disputeClosedAfterMs = 3000;

/**
 * The magic amounts, in minor units of any currency: 9990010 is 99900.10 USD, 9990010 JPY and 9990.010 BHD. They end
 * in 0 because Stripe takes three-decimal currencies only in tens, and they are odd so that nobody pays one by chance.
 */
export const magicAmounts: readonly MagicAmount[] = [
  { amountMinor: 9990010n, fault: "declined", meaning: "The gateway declines at once; nothing is made." },
  {
    amountMinor: 9990020n,
    fault: "declined_later",
    meaning: "The intent is made, then the buyer's card is declined (webhook payment_intent.payment_failed).",
  },
  { amountMinor: 9990030n, fault: "error_before", meaning: "The gateway answers 500 before anything happened." },
  {
    amountMinor: 9990040n,
    fault: "error_after",
    meaning: "The gateway answers 500 although the intent was made, and the buyer pays it.",
  },
  { amountMinor: 9990050n, fault: "timeout_before", meaning: "The gateway never answers, and nothing happened." },
  {
    amountMinor: 9990060n,
    fault: "timeout_after_charge",
    meaning: "The intent is made and charged at once, but the answer never comes; the webhook does.",
  },
  {
    amountMinor: 9990070n,
    fault: "late_success",
    meaning: "The payment fails first and succeeds three seconds later (payment_failed, then succeeded).",
  },
  { amountMinor: 9990080n, fault: "not_sent", meaning: "The connection to the gateway is refused: nothing was sent." },
  { amountMinor: 9990090n, fault: "never_paid", meaning: "The intent is made, and the buyer never pays it." },
  {
    amountMinor: 9990110n,
    fault: "disputed_lost",
    meaning: "The payment succeeds and is disputed; the dispute is lost three seconds later (charge.dispute.…).",
  },
  {
    amountMinor: 9990120n,
    fault: "disputed_won",
    meaning: "The payment succeeds and is disputed; the dispute is won three seconds later (charge.dispute.…).",
  },
  { amountMinor: 9990130n, fault: "refund_declined", meaning: "A refund of this amount is declined; nothing is made." },
  {
    amountMinor: 9990140n,
    fault: "refund_timeout_after",
    meaning: "A refund of this amount is made, but the answer never comes; the webhook does.",
  },
];

function faultsOf(concerned: (fault: Fault) => boolean): ReadonlyMap<number, Fault> {
  const those = magicAmounts.filter(({ fault }) => concerned(fault));
  return new Map(those.map(({ amountMinor, fault }) => [Number(amountMinor), fault]));
}

/** What can go wrong with a bill or a payout: nobody confirms it later, and nobody disputes it. */
const disbursed: ReadonlySet<Fault> = new Set([
  "declined",
  "error_before",
  "error_after",
  "timeout_before",
  "timeout_after",
  "timeout_after_charge",
  "not_sent",
]);

const faultsOfPayments = faultsOf((fault) => !fault.startsWith("refund_"));
const faultsOfRefunds = faultsOf((fault) => fault.startsWith("refund_"));
const faultsOfDisbursements = faultsOf((fault) => disbursed.has(fault));

/** The fault of a payment of a magic amount, in minor units; undefined for every other amount. */
export function faultOfAmount(amountMinor: number): Fault | undefined {
  return faultsOfPayments.get(amountMinor);
}

/** The fault of a refund of a magic amount, in minor units: a payment of the same amount is an ordinary one. */
export function faultOfRefund(amountMinor: number): Fault | undefined {
  return faultsOfRefunds.get(amountMinor);
}

/**
 * The fault of a bill or of a payout of a magic amount, in minor units. Where it says that the intent was made, the
 * bill or the payout is paid; the amounts that are about buyers and refunds are ordinary ones here.
 */
export function faultOfDisbursement(amountMinor: number): Fault | undefined {
  return faultsOfDisbursements.get(amountMinor);
}
