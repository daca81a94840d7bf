/**
 * The ledger as it should be, in plain TypeScript: maps and rules, one operation at a time. It is the witness of the
 * property tests, so it shares no code with the vault's SQL and none with the module that calls it.
 */

type ModelLeg = readonly [account: string, amount: bigint, currency: string];

export type ModelItem = {
  readonly reference: string;
  readonly kind: string;
  readonly legs: readonly ModelLeg[];
  readonly externalId?: string | undefined;
  /** The reference of the hold that it takes its money from. */
  readonly hold?: string | undefined;
  readonly shortfall?: string | undefined;
};

type ModelHold = {
  readonly reference: string;
  readonly account: string;
  readonly currency: string;
  readonly amount: bigint;
  /** Rises with time; undefined never expires. */
  readonly expiresAt: number | undefined;
};

type Account = {
  readonly normal: "debit" | "credit";
  readonly floor: bigint | undefined;
  debits: bigint;
  credits: bigint;
  held: bigint;
  /** What was booked, one after the other, with the balance that it left. */
  readonly entries: { readonly amount: bigint; readonly balance: bigint }[];
};

/** What kinds of accounts there are; the first that fits. */
const kinds: readonly (readonly [RegExp, Account["normal"], bigint | undefined])[] = [
  [/^gateway:.*:clearing$/, "debit", undefined],
  [/^seller:.*:(available|pending)$/, "credit", 0n],
  [/^seller:.*:receivable$/, "debit", undefined],
  [/^platform:losses$/, "debit", undefined],
  [/^platform:(commission|suspense|funding)$/, "credit", undefined],
  [/^gateway:.*:funding$/, "debit", 0n],
  [/^affiliate:.*:paid$/, "debit", undefined],
  [/^bills:/, "credit", undefined],
];

const balanceOf = ({ normal, debits, credits }: Account) => (normal === "debit" ? debits - credits : credits - debits);

/** What a leg does to what an account has: negative takes from it. */
const effect = ({ normal }: Account, amount: bigint) => (normal === "debit" ? amount : -amount);

export class LedgerModel {
  readonly accounts = new Map<string, Account>();
  readonly #posted = new Map<string, ModelItem>();
  readonly #holds = new Map<string, ModelHold & { state: "open" | "posted" | "voided" | "expired" }>();

  /** Opens the account where this is the first that anybody hears of it. */
  #account(code: string, currency: string): Account {
    const name = `${code} ${currency}`;
    const there = this.accounts.get(name);
    if (there !== undefined) return there;
    const kind = kinds.find(([pattern]) => pattern.test(code));
    if (kind === undefined) throw new Error(`the model knows no account ${code}`);
    const opened = { normal: kind[1], floor: kind[2], debits: 0n, credits: 0n, held: 0n, entries: [] };
    this.accounts.set(name, opened);
    return opened;
  }

  /** Posts an item or says why not; nothing is changed then. */
  post(item: ModelItem): string {
    for (const [code, , currency] of item.legs) this.#account(code, currency);
    if (item.shortfall !== undefined) this.#account(item.shortfall, item.legs[0]?.[2] ?? "");
    const original = this.#posted.get(item.reference);
    if (original !== undefined) return isSame(original, item) ? "already_posted" : "reference_conflict";
    const hold = item.hold === undefined ? undefined : this.#holds.get(item.hold);
    if (item.hold !== undefined && hold === undefined) return "hold_unknown";
    if (hold !== undefined && hold.state !== "open") return "hold_resolved";
    const nets = this.#nets(item.legs);
    const fromHold = hold === undefined ? 0n : -(nets.get(this.#account(hold.account, hold.currency)) ?? 0n);
    if (hold !== undefined && fromHold > hold.amount) return "hold_exceeded";
    const legs = this.#bearShortages(item, this.#lacking(nets, hold));
    if (legs === undefined) return "insufficient_funds";
    if (hold !== undefined) this.#end(hold, "posted");
    for (const [code, amount, currency] of legs) this.#book(this.#account(code, currency), amount);
    this.#posted.set(item.reference, item);
    return "posted";
  }

  /** What an item as a whole gives to each account, or takes from it. */
  #nets(legs: readonly ModelLeg[]): Map<Account, bigint> {
    const nets = new Map<Account, bigint>();
    for (const [code, amount, currency] of legs) {
      const account = this.#account(code, currency);
      nets.set(account, (nets.get(account) ?? 0n) + effect(account, amount));
    }
    return nets;
  }

  /** What each account with a floor lacks to go through with an item. */
  #lacking(nets: Map<Account, bigint>, hold: ModelHold | undefined): Map<Account, bigint> {
    const lacking = new Map<Account, bigint>();
    for (const [account, net] of nets) {
      if (account.floor === undefined || net >= 0n) continue;
      const isHeldFor = hold !== undefined && this.#account(hold.account, hold.currency) === account;
      const free = balanceOf(account) - account.held + (isHeldFor ? hold.amount : 0n) - account.floor;
      if (free + net < 0n) lacking.set(account, -(free + net));
    }
    return lacking;
  }

  /** The legs to book: what accounts lack is moved to the shortfall account; undefined where nobody bears it. */
  #bearShortages({ legs, shortfall }: ModelItem, lacking: Map<Account, bigint>): ModelLeg[] | undefined {
    if (lacking.size === 0) return [...legs];
    const borneIn = legs[0]?.[2] ?? "";
    let borne = 0n;
    const booked: ModelLeg[] = [];
    for (const [code, amount, currency] of legs) {
      const account = this.#account(code, currency);
      const lack = lacking.get(account) ?? 0n;
      const taken = -effect(account, amount);
      if (lack > 0n && taken > 0n && (shortfall === undefined || currency !== borneIn)) return undefined;
      const moved = taken <= 0n ? 0n : lack < taken ? lack : taken;
      lacking.set(account, lack - moved);
      // The same direction in both accounts: what is a debit stays a debit.
      const signed = amount > 0n ? moved : -moved;
      borne += signed;
      booked.push([code, amount - signed, currency]);
    }
    return [...booked, [shortfall ?? "", borne, borneIn] as const].filter(([, amount]) => amount !== 0n);
  }

  #book(account: Account, amount: bigint): void {
    if (amount > 0n) account.debits += amount;
    else account.credits -= amount;
    account.entries.push({ amount, balance: balanceOf(account) });
  }

  hold(hold: ModelHold): string {
    const account = this.#account(hold.account, hold.currency);
    const original = this.#holds.get(hold.reference);
    if (original !== undefined) {
      const { account: code, currency, amount } = original;
      const isTheSame = code === hold.account && currency === hold.currency && amount === hold.amount;
      return isTheSame ? "already_held" : "reference_conflict";
    }
    if (account.floor !== undefined && balanceOf(account) - account.held - account.floor < hold.amount) {
      return "insufficient_funds";
    }
    account.held += hold.amount;
    this.#holds.set(hold.reference, { ...hold, state: "open" });
    return "held";
  }

  void(reference: string): string {
    const hold = this.#holds.get(reference);
    if (hold === undefined) return "hold_unknown";
    if (hold.state !== "open") return `hold_resolved ${hold.state}`;
    this.#end(hold, "voided");
    return "voided";
  }

  /** Frees the oldest of those whose time was over before `now`, at most so many. Returns how many. */
  expire(now: number, most: number): number {
    const due = [...this.#holds.values()]
      .filter(({ state, expiresAt }) => state === "open" && expiresAt !== undefined && expiresAt <= now)
      .sort((left, right) => (left.expiresAt ?? 0) - (right.expiresAt ?? 0))
      .slice(0, most);
    for (const hold of due) this.#end(hold, "expired");
    return due.length;
  }

  #end(hold: ModelHold, state: "posted" | "voided" | "expired"): void {
    this.#account(hold.account, hold.currency).held -= hold.amount;
    this.#holds.set(hold.reference, { ...hold, state });
  }
}

/** Whether two items say the same: what, from which gateway's id, and so much to each account. */
function isSame(one: ModelItem, other: ModelItem): boolean {
  const sums = new Map<string, bigint>();
  for (const [code, amount, currency] of one.legs) {
    sums.set(`${code} ${currency}`, (sums.get(`${code} ${currency}`) ?? 0n) + amount);
  }
  for (const [code, amount, currency] of other.legs) {
    sums.set(`${code} ${currency}`, (sums.get(`${code} ${currency}`) ?? 0n) - amount);
  }
  const isEqual = [...sums.values()].every((difference) => difference === 0n);
  return isEqual && one.kind === other.kind && one.externalId === other.externalId;
}
