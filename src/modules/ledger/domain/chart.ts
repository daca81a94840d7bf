/**
 * The chart of accounts. An account is opened when it is first posted to, and only where its code is like one of these
 * patterns (`%` stands for an id), which decides its normal side and its floor. `ledger.chart` in the database is the
 * same list: the vault does not take the application's word for it.
 */
export type AccountKind = {
  readonly pattern: string;
  readonly normalSide: "debit" | "credit";
  /** The least that may be available in minor units; null where an account has no floor. */
  readonly floorMinor: bigint | null;
  readonly meaning: string;
};

const kind = (
  pattern: string,
  normalSide: AccountKind["normalSide"],
  floorMinor: bigint | null,
  meaning: string,
): AccountKind => ({ pattern, normalSide, floorMinor, meaning });

export const chart: readonly AccountKind[] = [
  kind("gateway:%:clearing", "debit", null, "what a gateway has taken in and not paid out to us yet"),
  kind("gateway:%:disputed", "debit", null, "what a gateway took back until a dispute is decided"),
  kind("gateway:%:bills", "debit", null, "what a gateway took in for bills"),
  kind("gateway:%:funding", "debit", 0n, "what was set apart at a gateway for payouts to affiliates"),
  kind("gateway:%:payouts", "debit", null, "what went out to sellers through a gateway"),
  kind("seller:%:available", "credit", 0n, "what a seller can be paid out"),
  kind("seller:%:pending", "credit", 0n, "what a seller has earned and cannot be paid out yet"),
  kind("seller:%:receivable", "debit", null, "what a seller owes, because money went back that they did not have"),
  kind("platform:commission", "credit", null, "what the marketplace earns"),
  kind("platform:losses", "debit", null, "what the marketplace lost and nobody owes"),
  kind("platform:suspense", "credit", null, "what reconciliation found and nobody has explained yet"),
  kind("platform:funding", "credit", null, "what the marketplace set apart for payouts to affiliates"),
  kind("affiliate:%:paid", "debit", null, "what an affiliate was paid"),
  kind("bills:%", "credit", null, "what was taken in for a biller"),
];

/** The kind of an account; undefined where the code is not in the chart. */
export function kindOf(code: string): AccountKind | undefined {
  return chart.find(({ pattern }) => {
    const [before = "", after = ""] = pattern.split("%");
    if (!pattern.includes("%")) return code === pattern;
    return code.length >= before.length + after.length && code.startsWith(before) && code.endsWith(after);
  });
}

/** The codes that the modules post to. */
export const accountCodes = {
  clearing: (gateway: string) => `gateway:${gateway}:clearing`,
  disputed: (gateway: string) => `gateway:${gateway}:disputed`,
  bills: (gateway: string) => `gateway:${gateway}:bills`,
  funding: (gateway: string) => `gateway:${gateway}:funding`,
  payouts: (gateway: string) => `gateway:${gateway}:payouts`,
  sellerAvailable: (sellerId: string) => `seller:${sellerId}:available`,
  sellerReceivable: (sellerId: string) => `seller:${sellerId}:receivable`,
  commission: "platform:commission",
  losses: "platform:losses",
  suspense: "platform:suspense",
  platformFunding: "platform:funding",
  affiliatePaid: (affiliateId: string) => `affiliate:${affiliateId}:paid`,
  billsPayable: "bills:payable",
} as const;
