import type { Money } from "../../../kernel/money.ts";
import { accountCodes, type TransactionDraft } from "../../ledger/index.ts";

/** The kind of this module's transactions in the ledger. */
export const billKind = "bill";

/** A paid bill as `bills.post_paid` posts it in the settle commit: what the audit compares with. */
export function paidBillDraft(
  paymentId: string,
  gateway: string,
  { amountMinor, currency }: Money,
  gatewayReference: string | null,
): TransactionDraft {
  return {
    kind: billKind,
    reference: `bill:${paymentId}`,
    externalId: gatewayReference,
    effectiveAt: null,
    holdId: null,
    legs: [
      { account: accountCodes.bills(gateway), amount: { amountMinor, currency } },
      { account: accountCodes.billsPayable, amount: { amountMinor: -amountMinor, currency } },
    ],
    shortfall: null,
  };
}
