import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { parseCurrency } from "../../src/kernel/currency.ts";
import { expireHolds, holdFunds, voidHold } from "../../src/modules/ledger/index.ts";
import { available, clearing, commission, connectAs, openVault, refund, sale, tenant, type Vault } from "./vault.ts";

let vault: Vault;
let context: { database: Vault["pool"]; tenant: string };
before(async () => {
  vault = await openVault();
  context = { database: vault.pool, tenant };
});
after(() => vault.close());

const usd = parseCurrency("USD");
assert.ok(usd);
const dollars = { currency: usd };

/** A hold as the application asks for it. */
const request = (reference: string, seller: string, amountMinor: bigint, expiresAt: Date | null = null) => ({
  reference,
  account: available(seller),
  amount: { amountMinor, ...dollars },
  expiresAt,
});

async function held(reference: string, seller: string, amount: bigint, expiresAt: Date | null = null): Promise<string> {
  const made = await holdFunds(context, request(reference, seller, amount, expiresAt));
  assert.ok(made.ok, JSON.stringify(made));
  assert.equal(made.value.already, false);
  return made.value.holdId;
}

async function postOne(item: Parameters<Vault["post"]>[0][number], books?: string) {
  const [answer] = await vault.post([item], books);
  assert.ok(answer);
  return answer;
}

const balanceOf = async (seller: string) => (await vault.balances())[`${available(seller)} USD`];
const resolutionOf = (holdId: string) =>
  vault.look<{ resolution: string; transaction: bigint | null }>(
    "select resolution, transaction_id as transaction from ledger.hold_resolutions where hold_id = $1",
    [holdId],
  );

describe("a hold", () => {
  test("is money that is there and cannot be spent", async () => {
    await postOne(sale("is-1", "is", 100n));
    await held("is", "is", 70n);
    assert.deepEqual(await balanceOf("is"), { debits: 0n, credits: 100n, held: 70n, version: 1n });
    assert.equal((await postOne(refund("is-2", "is", 31n))).result, "insufficient_funds");
    assert.equal((await postOne(refund("is-3", "is", 30n))).result, "posted");
    assert.equal((await postOne(refund("is-4", "is", 1n))).result, "insufficient_funds");
  });

  test("takes no more than is available, to the minor unit", async () => {
    await postOne(sale("most-1", "most", 100n));
    await held("most-a", "most", 60n);
    const before = await vault.dump();
    assert.deepEqual(await holdFunds(context, request("most-b", "most", 41n)), {
      ok: false,
      refusal: { type: "insufficient_funds" },
    });
    assert.deepEqual(await vault.dump(), before);
    await held("most-c", "most", 40n);
  });

  test("of the same reference is made once, and is a conflict where it says something else", async () => {
    await postOne(sale("same-1", "same", 100n));
    const holdId = await held("same", "same", 10n);
    const before = await vault.dump();
    assert.deepEqual(await holdFunds(context, request("same", "same", 10n)), {
      ok: true,
      value: { holdId, already: true },
    });
    const conflict = { ok: false, refusal: { type: "reference_conflict", holdId } };
    assert.deepEqual(await holdFunds(context, request("same", "same", 11n)), conflict);
    assert.deepEqual(await holdFunds(context, request("same", "is", 10n)), conflict);
    assert.deepEqual(await vault.dump(), before);
    assert.deepEqual((await balanceOf("same"))?.held, 10n);
  });

  test("must be of something", async () => {
    await assert.rejects(holdFunds(context, request("negative", "is", -1n)), { kind: "rejected" });
    assert.equal((await holdFunds(context, request("zero", "is", 0n))).ok, false);
  });

  test("can be made on an account without a floor, where it keeps nobody from anything", async () => {
    const made = await holdFunds(context, { ...request("open", "x", 1_000n), account: "bills:power" });
    assert.ok(made.ok);
    assert.equal(
      (await postOne({ reference: "open-1", legs: [["bills:power", 5n] as const, [clearing, -5n] as const] })).result,
      "posted",
    );
  });

  test("that takes what there is takes it all, and nothing where there is nothing", async () => {
    await postOne(sale("partial-1", "partial", 30n));
    const take = `select exceptions from ledger.hold($1, array[$2], array[$3], '{USD}', '{100}', '{null}', true)`;
    assert.deepEqual(await vault.look(take, [tenant, "partial-a", available("partial")]), [{ exceptions: null }]);
    assert.equal((await balanceOf("partial"))?.held, 30n);
    assert.deepEqual(await vault.look(take, [tenant, "partial-b", available("partial")]), [
      { exceptions: { 1: { result: "nothing_held" } } },
    ]);
  });

  test("that stands twice in a batch fails it, and nothing is held", async () => {
    await postOne(sale("double-1", "double", 100n));
    const twice = `select ledger.hold(
      $1, '{double,double}', array[$2, $2], '{USD,USD}', '{1,1}', '{null,null}', false
    )`;
    await assert.rejects(vault.look(twice, [tenant, available("double")]), { code: "23505" });
    assert.equal((await balanceOf("double"))?.held, 0n);
  });
});

describe("posting a hold", () => {
  test("takes its money", async () => {
    await postOne(sale("take-1", "take", 100n));
    const holdId = await held("take", "take", 100n);
    const { result, id } = await postOne(refund("take-2", "take", 100n, { holdId }));
    assert.equal(result, "posted");
    assert.deepEqual(await balanceOf("take"), { debits: 100n, credits: 100n, held: 0n, version: 2n });
    assert.deepEqual(await resolutionOf(holdId), [{ resolution: "posted", transaction: BigInt(id ?? 0) }]);
    assert.deepEqual(await vault.look("select from ledger.open_holds where hold_id = $1", [holdId]), []);
  });

  test("in part frees the rest", async () => {
    await postOne(sale("part-1", "part", 100n));
    const holdId = await held("part", "part", 100n);
    assert.equal((await postOne(refund("part-2", "part", 40n, { holdId }))).result, "posted");
    assert.equal((await balanceOf("part"))?.held, 0n);
    assert.equal((await postOne(refund("part-3", "part", 60n))).result, "posted");
  });

  test("takes no more than it holds, however much there is besides", async () => {
    await postOne(sale("exceed-1", "exceed", 100n));
    const holdId = await held("exceed", "exceed", 40n);
    const before = await vault.dump();
    assert.deepEqual(await postOne(refund("exceed-2", "exceed", 41n, { holdId })), { result: "hold_exceeded" });
    const split = {
      reference: "exceed-3",
      holdId,
      legs: [[available("exceed"), 21n] as const, [available("exceed"), 20n] as const, [clearing, -41n] as const],
    };
    assert.deepEqual(await postOne(split), { result: "hold_exceeded" });
    assert.deepEqual(await vault.dump(), before);
    assert.equal((await postOne(refund("exceed-4", "exceed", 40n, { holdId }))).result, "posted");
  });

  test("happens once: again with its reference it stands, with another it is resolved", async () => {
    await postOne(sale("once-1", "once", 100n));
    const holdId = await held("once", "once", 10n);
    const item = refund("once-2", "once", 10n, { holdId });
    const { id } = await postOne(item);
    const before = await vault.dump();
    assert.deepEqual(await postOne(item), { result: "already_posted", id });
    assert.deepEqual(await postOne(refund("once-3", "once", 10n, { holdId })), { result: "hold_resolved" });
    assert.deepEqual(await vault.dump(), before);
  });

  test("happens once also within one batch", async () => {
    await postOne(sale("batch-1", "batch", 100n));
    const holdId = await held("batch", "batch", 10n);
    const answers = await vault.post([
      refund("batch-2", "batch", 10n, { holdId }),
      refund("batch-3", "batch", 10n, { holdId }),
      sale("batch-4", "batch", 1n),
    ]);
    assert.deepEqual(
      answers.map(({ result }) => result),
      ["posted", "hold_resolved", "posted"],
    );
    assert.deepEqual(await balanceOf("batch"), { debits: 10n, credits: 101n, held: 0n, version: 3n });
  });

  test("of another tenant, or of nobody, is refused", async () => {
    await postOne(sale("theirs-1", "theirs", 100n));
    await postOne(sale("theirs-1", "theirs", 100n), "another tenant");
    const holdId = await held("theirs", "theirs", 10n);
    const unknown = { result: "hold_unknown" };
    assert.deepEqual(await postOne(refund("theirs-2", "theirs", 10n, { holdId }), "another tenant"), unknown);
    assert.deepEqual(await postOne(refund("theirs-2", "theirs", 10n, { holdId: "1" })), unknown);
    assert.equal((await balanceOf("theirs"))?.held, 10n);
  });

  test("whose account no leg touches frees it", async () => {
    await postOne(sale("beside-1", "beside", 100n));
    const holdId = await held("beside", "beside", 10n);
    const legs = [[clearing, 1n] as const, [commission, -1n] as const];
    assert.equal((await postOne({ reference: "beside-2", holdId, legs })).result, "posted");
    assert.deepEqual(await balanceOf("beside"), { debits: 0n, credits: 100n, held: 0n, version: 1n });
  });

  test("waits for the hold's account before it takes anything that others could wait for", async () => {
    const legs = [["bills:lock-1", 1n] as const, ["bills:lock-2", -1n] as const];
    await postOne(sale("lock-1", "lock", 100n));
    const holdId = await held("lock", "lock", 10n);
    // Opened after the hold's account, so they come after it in the order of locking.
    await postOne({ reference: "lock-2", legs });
    const other = await connectAs(vault.database.adminUrl);
    const lock = `select from ledger.balances b join ledger.accounts a on a.id = b.account_id
      where a.code = $1 for update of b nowait`;
    try {
      await other.query("begin");
      await other.query(lock, [available("lock")]);
      const posting = vault.post([{ reference: "lock-3", holdId, legs }]);
      await vault.look("select pg_sleep(0.3)");
      await other.query(lock, ["bills:lock-1"]);
      await other.query("commit");
      assert.equal((await posting)[0]?.result, "posted");
    } finally {
      await other.end();
    }
  });
});

describe("voiding a hold", () => {
  test("frees its money, and it cannot be posted or voided any more", async () => {
    await postOne(sale("void-1", "void", 100n));
    const holdId = await held("void", "void", 100n);
    assert.deepEqual(await voidHold(context, holdId), { ok: true, value: null });
    assert.equal((await balanceOf("void"))?.held, 0n);
    const before = await vault.dump();
    assert.deepEqual(await voidHold(context, holdId), {
      ok: false,
      refusal: { type: "hold_resolved", resolution: "voided" },
    });
    assert.deepEqual(await postOne(refund("void-2", "void", 1n, { holdId })), { result: "hold_resolved" });
    assert.deepEqual(await vault.dump(), before);
    assert.equal((await postOne(refund("void-3", "void", 100n))).result, "posted");
  });

  test("that was posted is refused, and so is one of another tenant or of nobody", async () => {
    await postOne(sale("void-4", "void-posted", 100n));
    const posted = await held("void-posted", "void-posted", 10n);
    await postOne(refund("void-5", "void-posted", 5n, { holdId: posted }));
    const open = await held("void-open", "void-posted", 10n);
    const before = await vault.dump();
    assert.deepEqual(await voidHold(context, posted), {
      ok: false,
      refusal: { type: "hold_resolved", resolution: "posted" },
    });
    const unknown = { ok: false, refusal: { type: "hold_unknown" } };
    assert.deepEqual(await voidHold({ ...context, tenant: "another tenant" }, open), unknown);
    assert.deepEqual(await voidHold(context, "1"), unknown);
    assert.deepEqual(await vault.dump(), before);
  });

  test("together with one of another tenant leaves that one alone", async () => {
    await postOne(sale("mixed-1", "mixed", 100n));
    await postOne(sale("mixed-1", "mixed", 100n), "another tenant");
    const mine = await held("mixed", "mixed", 10n);
    const other = await holdFunds({ ...context, tenant: "another tenant" }, request("mixed", "mixed", 10n));
    assert.ok(other.ok);
    const theirs = other.value.holdId;
    const [row] = await vault.look<{ exceptions: unknown }>(
      "select ledger.void_holds($1, array[$2, $3]::bigint[]) as exceptions",
      [tenant, mine, theirs],
    );
    assert.deepEqual(row?.exceptions, { 2: { result: "hold_unknown" } });
    assert.equal((await vault.balances("another tenant"))[`${available("mixed")} USD`]?.held, 10n);
    assert.equal((await vault.look("select from ledger.open_holds where hold_id = $1", [theirs])).length, 1);
  });
});

describe("a hold that expires", () => {
  const past = new Date(Date.now() - 1_000);
  const future = new Date(Date.now() + 3_600_000);

  test("is freed when its time is over, and not before", async () => {
    await postOne(sale("expire-1", "expire", 100n));
    const over = await held("expire-a", "expire", 10n, past);
    const open = await held("expire-b", "expire", 20n, future);
    await held("expire-c", "expire", 30n);
    assert.equal(await expireHolds(context), 1);
    assert.equal((await balanceOf("expire"))?.held, 50n);
    assert.deepEqual(await resolutionOf(over), [{ resolution: "expired", transaction: null }]);
    assert.deepEqual(await resolutionOf(open), []);
    const before = await vault.dump();
    assert.equal(await expireHolds(context), 0);
    assert.deepEqual(await postOne(refund("expire-2", "expire", 1n, { holdId: over })), { result: "hold_resolved" });
    assert.deepEqual(await voidHold(context, over), {
      ok: false,
      refusal: { type: "hold_resolved", resolution: "expired" },
    });
    assert.deepEqual(await vault.dump(), before);
  });

  test("is still good while nobody has freed it", async () => {
    await postOne(sale("late-1", "late", 100n));
    const holdId = await held("late", "late", 10n, past);
    assert.equal((await postOne(refund("late-2", "late", 10n, { holdId }))).result, "posted");
    assert.equal(await expireHolds(context), 0);
  });

  test("of another tenant is left to that tenant", async () => {
    await postOne(sale("far-1", "far", 100n));
    await postOne(sale("far-1", "far", 100n), "another tenant");
    await held("far", "far", 10n, past);
    const other = { ...context, tenant: "another tenant" };
    assert.ok((await holdFunds(other, request("far", "far", 10n, past))).ok);
    assert.equal(await expireHolds(context), 1);
    assert.equal(await expireHolds(context), 0);
    assert.equal((await vault.balances("another tenant"))[`${available("far")} USD`]?.held, 10n);
    assert.equal(await expireHolds(other), 1);
    assert.equal((await vault.balances("another tenant"))[`${available("far")} USD`]?.held, 0n);
  });

  test("the oldest first, no more than asked for at once", async () => {
    await postOne(sale("many-1", "many", 100n));
    for (let n = 0; n < 5; n++) await held(`many-${n}`, "many", 10n, new Date(past.getTime() - n * 1_000));
    const [row] = await vault.look<{ expired: number }>("select ledger.expire_holds($1, 3) as expired", [tenant]);
    assert.equal(row?.expired, 3);
    const left = await vault.look<{ reference: string }>(
      `select h.reference from ledger.open_holds o join ledger.holds h on h.id = o.hold_id
       where h.reference like 'many%' order by 1`,
    );
    assert.deepEqual(
      left.map(({ reference }) => reference),
      ["many-0", "many-1"],
    );
  });
});

test("what is held in every account is the sum of its open holds", async () => {
  const wrong = await vault.look(
    `select * from ledger.balances b
     left join (
       select h.account_id, sum(h.amount) as amount from ledger.open_holds o join ledger.holds h on h.id = o.hold_id
       group by h.account_id
     ) s on s.account_id = b.account_id
     where b.held <> coalesce(s.amount, 0)`,
  );
  assert.deepEqual(wrong, []);
  const [row] = await vault.look<{ unlisted: bigint }>(
    `select count(*) as unlisted from ledger.holds h
     where (exists (select from ledger.open_holds o where o.hold_id = h.id))
         = (exists (select from ledger.hold_resolutions r where r.hold_id = h.id))`,
  );
  assert.equal(row?.unlisted, 0n);
});
