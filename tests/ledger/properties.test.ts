import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { propertySeed, runsOf } from "../support/property-seed.ts";
import { LedgerModel, type ModelItem } from "./model.ts";
import { available, clearing, commission, type Item, type Leg, openVault, receivable, type Vault } from "./vault.ts";

let vault: Vault;
before(async () => {
  vault = await openVault();
});
after(() => vault.close());

/** Amounts are whole minor units, so that the currency's decimals matter to nobody here; all three kinds take part. */
const currencies = ["JPY", "USD", "BHD"] as const;
const sellers = ["a", "b", "c"] as const;

const seller = fc.constantFrom(...sellers);
const currency = fc.constantFrom(...currencies);
const amount = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt(1n, 120n) },
  { weight: 1, arbitrary: fc.bigInt(1n, 10n ** 14n) },
);
/** Points at something that an earlier step made; 0 points at nothing. */
const earlier = fc.nat(12);
const pick = <Thing>(things: readonly Thing[], place: number): Thing | undefined =>
  place === 0 ? undefined : things.at(-(place % things.length));

type Posting =
  | { type: "sale"; seller: string; currency: string; amount: bigint; basisPoints: number }
  | { type: "refund"; seller: string; currency: string; amount: bigint; fee: bigint }
  | { type: "transfer"; from: string; to: string; currency: string; amount: bigint }
  | { type: "exchange"; seller: string; amount: bigint; other: bigint; isBorne: boolean }
  | { type: "chargeback"; seller: string; currency: string; amount: bigint; back: bigint }
  | { type: "payout"; seller: string; currency: string; amount: bigint; hold: number; isExact: boolean }
  | { type: "repeat"; earlier: number; change: "nothing" | "amount" | "kind" | "externalId" };

const posting: fc.Arbitrary<Posting> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("sale"),
      seller,
      currency,
      amount,
      basisPoints: fc.constantFrom(0, 250, 333),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant("refund"), seller, currency, amount, fee: fc.bigInt(0n, 3n) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("transfer"), from: seller, to: seller, currency, amount }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("exchange"), seller, amount, other: amount, isBorne: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("chargeback"),
      seller,
      currency,
      amount,
      back: fc.constantFrom(0n, 0n, 1n, 50n),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("payout"),
      seller,
      currency,
      amount,
      hold: earlier,
      isExact: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("repeat"),
      earlier,
      change: fc.constantFrom("nothing", "amount", "kind", "externalId"),
    }),
  },
);

type NewHold = {
  type: "new";
  seller: string;
  currency: string;
  amount: bigint;
  expires: "never" | "soon" | "late";
};

/** What is asked of a hold: a new one, or one that was made, of as much or more. */
type Wish = NewHold | { type: "again"; hold: number; more: bigint };

type Step =
  | { type: "post"; batch: Posting[] }
  | { type: "hold"; batch: Wish[] }
  | { type: "void"; holds: number[] }
  | { type: "expire"; most: number };

const wish: fc.Arbitrary<Wish> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("new"),
      seller,
      currency,
      amount: fc.oneof({ weight: 2, arbitrary: fc.bigInt(1n, 20n) }, { weight: 1, arbitrary: amount }),
      expires: fc.constantFrom("never", "soon", "soon", "late"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("again"), hold: earlier, more: fc.constantFrom(0n, 1n) }),
  },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant("post"), batch: fc.array(posting, { minLength: 1, maxLength: 8 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant("hold"), batch: fc.array(wish, { minLength: 1, maxLength: 6 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("void"), holds: fc.array(earlier, { minLength: 1, maxLength: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("expire"), most: fc.integer({ min: 1, max: 3 }) }) },
);

type Wished = {
  readonly reference: string;
  readonly seller: string;
  readonly account: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly expiresAt: number | undefined;
};

/** What stands behind one run: the books of a tenant of its own in the vault, and the model of them. */
class Run {
  readonly tenant: string;
  readonly model = new LedgerModel();
  /** How often each result came. */
  readonly results: Map<string, number>;
  readonly #items: ModelItem[] = [];
  readonly #holds: { reference: string; seller: string; currency: string; amount: bigint; id: string }[] = [];
  #number = 0;

  constructor(tenant: string, results: Map<string, number>) {
    this.tenant = tenant;
    this.results = results;
  }

  #count(...results: string[]): void {
    for (const result of results) this.results.set(result, (this.results.get(result) ?? 0) + 1);
  }

  /** A step on both: every item's result must be the same. Returns whether anything may have changed. */
  async take(next: Step): Promise<boolean> {
    if (next.type === "post") return await this.#post(next.batch);
    if (next.type === "hold") return await this.#hold(next.batch);
    if (next.type === "void") return await this.#void(next.holds);
    const [row] = await vault.look<{ expired: number }>("select ledger.expire_holds($1, $2) as expired", [
      this.tenant,
      next.most,
    ]);
    assert.equal(row?.expired, this.model.expire(1, next.most));
    this.#count(`expired: ${row?.expired}`);
    return row?.expired !== 0;
  }

  async #post(batch: readonly Posting[]): Promise<boolean> {
    // As lanes do: the second of two items with one reference waits for the next batch.
    const items = new Map<string, ModelItem>();
    const later: Posting[] = [];
    for (const next of batch) {
      const item = this.#itemOf(next);
      if (items.has(item.reference)) later.push(next);
      else items.set(item.reference, item);
    }
    const asked = [...items.values()];
    const answers = await vault.post(
      asked.map((item) => this.#forVault(item)),
      this.tenant,
    );
    const expected = asked.map((item) => this.model.post(item));
    assert.deepEqual(
      answers.map(({ result }) => result),
      expected,
    );
    this.#count(...expected);
    this.#items.push(...asked.filter((_item, place) => expected[place] === "posted"));
    const changed = expected.includes("posted");
    return later.length > 0 ? (await this.#post(later)) || changed : changed;
  }

  #forVault({ hold, externalId, shortfall, ...item }: ModelItem): Item {
    const named = externalId === undefined ? {} : { externalId };
    const holdId =
      hold === undefined ? undefined : (this.#holds.find(({ reference }) => reference === hold)?.id ?? "1");
    return { ...item, ...named, shortfall, holdId };
  }

  #itemOf(next: Posting): ModelItem {
    this.#number += 1;
    const reference = `${next.type}-${this.#number}`;
    const item = (kind: string, legs: Leg[], more: Partial<ModelItem> = {}) => ({
      reference,
      kind,
      legs: legs.map(([code, minor, of = "USD"]) => [code, minor, of] as const),
      ...more,
    });
    switch (next.type) {
      case "sale": {
        const fee = (next.amount * BigInt(next.basisPoints) + 5_000n) / 10_000n;
        const parts: Leg[] = [
          [clearing, next.amount, next.currency],
          [available(next.seller), fee - next.amount, next.currency],
          [commission, -fee, next.currency],
        ];
        return item(
          "sale",
          parts.filter(([, minor]) => minor !== 0n),
          { externalId: `pi_${this.#number}` },
        );
      }
      case "refund": {
        const fee = next.fee < next.amount ? next.fee : 0n;
        const parts: Leg[] = [
          [available(next.seller), next.amount - fee, next.currency],
          [commission, fee, next.currency],
          [clearing, -next.amount, next.currency],
        ];
        return item(
          "refund",
          parts.filter(([, minor]) => minor !== 0n),
        );
      }
      case "transfer":
        return item("transfer", [
          [available(next.from), next.amount, next.currency],
          [available(next.to), -next.amount, next.currency],
        ]);
      case "exchange": {
        const legs: Leg[] = [
          [available(next.seller), next.amount, "USD"],
          [clearing, -next.amount, "USD"],
          [available(next.seller), next.other, "JPY"],
          [clearing, -next.other, "JPY"],
        ];
        return item("exchange", legs, next.isBorne ? { shortfall: receivable(next.seller) } : {});
      }
      case "chargeback": {
        // Something comes back to the same account in the same transaction: what counts is what is left.
        const back: Leg[] = next.back === 0n ? [] : [[available(next.seller), -next.back, next.currency]];
        const legs: Leg[] = [
          [clearing, next.back - next.amount, next.currency],
          [available(next.seller), next.amount, next.currency],
          ...back,
        ];
        const parts = legs.filter(([, minor]) => minor !== 0n);
        return item("chargeback", parts, { shortfall: receivable(next.seller) });
      }
      case "payout": {
        const hold = pick(this.#holds, next.hold);
        const [from, of] = hold === undefined ? [next.seller, next.currency] : [hold.seller, hold.currency];
        const half = hold === undefined || next.amount % 4n === 0n ? next.amount : (hold.amount + 1n) / 2n;
        const minor = hold !== undefined && next.isExact ? hold.amount : half;
        const legs: Leg[] = [
          [available(from), minor, of],
          [clearing, -minor, of],
        ];
        return item("payout", legs, { hold: hold?.reference ?? "never made" });
      }
      case "repeat":
        return this.#repeated(next) ?? item("adjustment", [["bills:x", 1n] as const, ["bills:y", -1n] as const]);
    }
  }

  #repeated({ earlier: place, change }: Extract<Posting, { type: "repeat" }>): ModelItem | undefined {
    const original = pick(this.#items, place);
    if (original === undefined || change === "nothing") return original;
    if (change === "kind") return { ...original, kind: "other" };
    if (change === "externalId") return { ...original, externalId: "pi_other" };
    const doubled = original.legs.map(([code, minor, of]) => [code, minor * 2n, of] as const);
    return { ...original, legs: doubled };
  }

  async #hold(batch: readonly Wish[]): Promise<boolean> {
    const wishes = new Map(batch.flatMap((next) => this.#wished(next)).map((asked) => [asked.reference, asked]));
    if (wishes.size === 0) return false;
    const asked = [...wishes.values()];
    const rows = await vault.look<{ id: bigint; exceptions: Record<string, { result: string; id?: string }> | null }>(
      `select first_id as id, exceptions from ledger.hold(
         $1, $2, $3, $4, $5::bigint[], array(select to_timestamp(m) from unnest($6::float8[]) m), false
       )`,
      [
        this.tenant,
        asked.map(({ reference }) => reference),
        asked.map(({ account }) => account),
        asked.map(({ currency: of }) => of),
        asked.map(({ amount: minor }) => minor),
        asked.map(({ expiresAt }) => (expiresAt === undefined ? null : expiresAt < 1 ? expiresAt * 1_000_000 : 4e9)),
      ],
    );
    const [{ id, exceptions } = { id: 0n, exceptions: null }] = rows;
    const expected = asked.map((hold) => this.model.hold(hold));
    assert.deepEqual(
      asked.map((_hold, place) => exceptions?.[place + 1]?.result ?? "held"),
      expected,
    );
    this.#count(...expected.map((result) => `hold: ${result}`));
    for (const [place, hold] of asked.entries()) {
      const original = this.#holds.find(({ reference }) => reference === hold.reference);
      if (original !== undefined) assert.equal(exceptions?.[place + 1]?.id, original.id);
      else if (expected[place] === "held") this.#holds.push({ ...hold, id: (id + BigInt(place)).toString() });
    }
    return expected.includes("held");
  }

  #wished(next: Wish): Wished[] {
    if (next.type === "again") {
      const original = pick(this.#holds, next.hold);
      if (original === undefined) return [];
      const account = available(original.seller);
      return [{ ...original, account, amount: original.amount + next.more, expiresAt: undefined }];
    }
    this.#number += 1;
    // What is over was over long ago, in the order in which it was made.
    const expiresAt = { never: undefined, soon: this.#number / 1_000_000, late: 2 }[next.expires];
    return [{ ...next, reference: `hold-${this.#number}`, account: available(next.seller), expiresAt }];
  }

  async #void(places: readonly number[]): Promise<boolean> {
    const holds = new Map(
      places
        .map((place) => pick(this.#holds, place) ?? { reference: "never made", id: "1" })
        .map((hold) => [hold.reference, hold.id]),
    );
    const [row] = await vault.look<{ exceptions: Record<string, { result: string; resolution?: string }> | null }>(
      "select ledger.void_holds($1, $2::bigint[]) as exceptions",
      [this.tenant, [...holds.values()]],
    );
    const results = [...holds].map(([reference], place) => {
      const exception = row?.exceptions?.[place + 1];
      const words = exception === undefined ? ["voided"] : [exception.result, exception.resolution];
      const result = words.filter((word) => word !== undefined).join(" ");
      assert.equal(result, this.model.void(reference));
      return result;
    });
    this.#count(...results.map((result) => `void: ${result}`));
    return results.includes("voided");
  }

  /** Every account of the vault is as the model's, and each currency adds up to zero. */
  async compare(): Promise<void> {
    const sums = new Map<string, bigint>();
    const expected = [...this.model.accounts].map(([name, { debits, credits, held, entries }]) => {
      return [name, { debits, credits, held, version: BigInt(entries.length) }] as const;
    });
    const actual = await vault.balances(this.tenant);
    assert.deepEqual(actual, Object.fromEntries(expected));
    for (const [name, { debits, credits }] of Object.entries(actual)) {
      const of = name.slice(-3);
      sums.set(of, (sums.get(of) ?? 0n) + debits - credits);
    }
    for (const [of, sum] of sums) assert.equal(sum, 0n, `${of} adds up to zero`);
  }

  /** Every entry, in the order of its account, is what the model booked, with the balance that it left. */
  async compareEntries(): Promise<void> {
    const rows = await vault.look<{ name: string; version: bigint; amount: bigint; balance: bigint }>(
      `select a.code || ' ' || a.currency as name, e.version, e.amount, e.balance
       from ledger.entries e join ledger.accounts a on a.id = e.account_id
       where a.tenant = $1 order by (a.code || ' ' || a.currency) collate "C", e.version`,
      [this.tenant],
    );
    const expected = [...this.model.accounts]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .flatMap(([name, { entries }]) =>
        entries.map((entry, place) => ({ name, version: BigInt(place + 1), ...entry })),
      );
    assert.deepEqual(rows, expected);
  }

  /** The rows of the balances, byte for byte; an account that nothing was booked to yet is left out. */
  async dump(): Promise<string> {
    const [row] = await vault.look<{ text: string | null }>(
      `select string_agg(b::text, E'\\n' order by account_id) as text
       from ledger.balances b join ledger.accounts a on a.id = b.account_id
       where a.tenant = $1 and (b.version > 0 or b.held > 0)`,
      [this.tenant],
    );
    return row?.text ?? "";
  }
}

/** Each must come again and again: a generator that never gets money to where it could be refused proves nothing. */
const resultsToBeSeen = [
  "posted",
  "already_posted",
  "reference_conflict",
  "insufficient_funds",
  "hold_unknown",
  "hold_resolved",
  "hold_exceeded",
  "hold: held",
  "hold: already_held",
  "hold: reference_conflict",
  "hold: insufficient_funds",
  "void: voided",
  "void: hold_unknown",
  "void: hold_resolved voided",
  "void: hold_resolved posted",
  "void: hold_resolved expired",
  "expired: 0",
  "expired: 1",
];

test("any postings and holds, in any batches, have the results, balances and entries of the model", async () => {
  const seen = new Map<string, number>();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60, size: "max" }), async (steps) => {
      runs += 1;
      const run = new Run(`run ${runs}`, seen);
      for (const next of steps) {
        const before = await run.dump();
        const changed = await run.take(next);
        await run.compare();
        // What is refused leaves the balances as they were, byte for byte.
        if (!changed) assert.equal(await run.dump(), before);
      }
      await run.compareEntries();
    }),
    { seed: propertySeed, numRuns: runsOf(100, 50), interruptAfterTimeLimit: 120_000, markInterruptAsFailure: true },
  );
  for (const result of resultsToBeSeen) assert.ok((seen.get(result) ?? 0) >= 3, `${result}: ${seen.get(result)} times`);
  const [borne] = await vault.look<{ times: bigint }>(
    `select count(*) as times from ledger.entries e join ledger.accounts a on a.id = e.account_id
     where a.code like 'seller:%:receivable'`,
  );
  assert.ok((borne?.times ?? 0n) >= 20n, `a shortfall was borne ${borne?.times} times`);
});
