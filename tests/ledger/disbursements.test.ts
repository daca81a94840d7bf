import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { parseCurrency } from "../../src/kernel/currency.ts";
import {
  accountCodes,
  comparePostings,
  createPostingLane,
  explainPostings,
  findHoldsByReferences,
  fundGateway,
  holdFunds,
  type PostingContext,
  postTransaction,
  runAudit,
  voidHold,
} from "../../src/modules/ledger/index.ts";
import { audit, openAuditConnection } from "./support.ts";
import { openVault, tenant, type Vault } from "./vault.ts";

let vault: Vault;
let context: PostingContext;
before(async () => {
  vault = await openVault();
  const lane = createPostingLane(vault.pool, tenant, { maxBatch: 64, maxQueued: 256, maxWaitMs: 5_000 });
  context = { database: vault.pool, tenant, lane };
});
after(() => vault.close());

const usd = parseCurrency("USD");
assert.ok(usd);
const dollars = (amountMinor: bigint) => ({ amountMinor, currency: usd });
const gateway = "sim";
const balanceOf = async (code: string) => (await vault.balances())[`${code} USD`];

/** A payout to an affiliate, out of a hold on what was set apart for them. */
const payout = (reference: string, affiliate: string, amountMinor: bigint, holdId: string | null) => ({
  ...{ kind: "payout", reference, externalId: `tr_${reference}`, effectiveAt: null, holdId, shortfall: null },
  legs: [
    { account: accountCodes.affiliatePaid(affiliate), amount: dollars(amountMinor) },
    { account: accountCodes.funding(gateway), amount: dollars(-amountMinor) },
  ],
});

const reserve = (reference: string, amountMinor: bigint) =>
  holdFunds(context, {
    reference,
    account: accountCodes.funding(gateway),
    amount: dollars(amountMinor),
    expiresAt: null,
  });

async function reserved(reference: string, amountMinor: bigint): Promise<string> {
  const made = await reserve(reference, amountMinor);
  assert.ok(made.ok, JSON.stringify(made));
  return made.value.holdId;
}

describe("money that is set apart at a gateway", () => {
  test("is there once, however often it is asked for", async () => {
    const first = await fundGateway(context, gateway, dollars(1_000n), "start");
    assert.ok(first.ok);
    assert.equal(first.value.already, false);
    const [again, other] = await Promise.all([
      fundGateway(context, gateway, dollars(1_000n), "start"),
      fundGateway(context, gateway, dollars(1_001n), "start"),
    ]);
    const { transactionId } = first.value;
    assert.deepEqual(again, { ok: true, value: { transactionId, already: true } });
    assert.deepEqual(other, { ok: false, refusal: { type: "reference_conflict", transactionId } });
    assert.equal((await balanceOf("gateway:sim:funding"))?.debits, 1_000n);
    assert.equal((await balanceOf("platform:funding"))?.credits, 1_000n);
  });

  test("is something", async () => {
    for (const minor of [0n, -1n]) {
      const refused = await fundGateway(context, gateway, dollars(minor), "nothing");
      assert.deepEqual(refused, { ok: false, refusal: { type: "amount_must_be_positive" } });
    }
  });

  test("pays affiliates, and never more than it is", async () => {
    const holdId = await reserved("payout:1", 700n);
    assert.deepEqual(await reserve("payout:2", 301n), { ok: false, refusal: { type: "insufficient_funds" } });
    const paid = await postTransaction(context, payout("payout:1", "a:b c/ñ", 700n, holdId));
    assert.ok(paid.ok, JSON.stringify(paid));
    assert.deepEqual(await balanceOf("affiliate:a:b c/ñ:paid"), { debits: 700n, credits: 0n, held: 0n, version: 1n });
    assert.deepEqual(await balanceOf("gateway:sim:funding"), { debits: 1_000n, credits: 700n, held: 0n, version: 2n });
    const broke = await postTransaction(context, payout("payout:3", "x", 301n, null));
    assert.deepEqual(broke, { ok: false, refusal: { type: "insufficient_funds" } });
  });
});

describe("holds by their references", () => {
  test("are found with what became of them, and only those of the tenant", async () => {
    const [open, posted, voided] = [
      await reserved("payout:open", 1n),
      await reserved("payout:posted", 2n),
      await reserved("payout:voided", 3n),
    ];
    assert.ok((await postTransaction(context, payout("payout:posted", "y", 2n, posted))).ok);
    assert.ok((await voidHold(context, voided)).ok);
    const references = ["payout:open", "payout:posted", "payout:voided", "payout:never"];
    const found = await findHoldsByReferences(context, references);
    assert.deepEqual(
      found.sort((left, right) => (left.reference < right.reference ? -1 : 1)),
      [
        { reference: "payout:open", holdId: open, state: "open" },
        { reference: "payout:posted", holdId: posted, state: "posted" },
        { reference: "payout:voided", holdId: voided, state: "voided" },
      ],
    );
    assert.deepEqual(await findHoldsByReferences({ ...context, tenant: "another" }, references), []);
    const tooMany = Array.from({ length: 1_001 }, (_, n) => `${n}`);
    await assert.rejects(findHoldsByReferences(context, tooMany), RangeError);
  });
});

describe("comparing rows with postings", () => {
  async function* pages() {
    yield [
      { where: "payout 1", drafts: [payout("payout:1", "a:b c/ñ", 700n, null)], faults: [] },
      { where: "payout more", drafts: [payout("payout:posted", "y", 3n, null)], faults: [] },
      { where: "payout other", drafts: [payout("payout:posted", "z", 2n, null)], faults: [] },
    ];
    yield [
      { where: "payout missing", drafts: [payout("payout:never", "y", 2n, null)], faults: ["is odd"] },
      { where: "payout or none", drafts: [payout("payout:never", "y", 2n, null)], orNone: true as const, faults: [] },
    ];
  }

  test("finds what is missing, what is another one, and what nothing explains", async () => {
    const explained = async (references: string[]) => {
      assert.deepEqual(references, ["payout:1", "payout:posted"]);
      return [{ reference: "payout:1" }];
    };
    const outcome = await runAudit([
      { name: "payouts", run: (report) => comparePostings(report, context, "payouts", pages()) },
      { name: "explained", run: (report) => explainPostings(report, context, ["payout"], explained) },
    ]);
    const found = outcome.findings.map(({ where, what }) => `${where} ${what.replace(/\d{6,}/, "…")}`);
    assert.deepEqual(found, [
      "payout more has another posting than it should: transaction …",
      "payout other has another posting than it should: transaction …",
      "payout missing is odd",
      "payout missing has no posting payout:never",
      "transaction payout:1 is in the ledger, and nothing explains it",
    ]);
    assert.deepEqual(
      outcome.checks.map(({ checked }) => checked),
      [{ payouts: 5 }, { postings: 2 }],
    );
  });
});

test("the books with payouts in them have nothing wrong", async () => {
  const database = openAuditConnection(vault.database.appUrl);
  try {
    assert.deepEqual((await audit(database)).findings, []);
  } finally {
    await database.close();
  }
});
