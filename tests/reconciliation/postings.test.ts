import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TransactionDraft } from "../../src/modules/ledger/index.ts";
import type { ReconciliationContext } from "../../src/modules/reconciliation/application/context.ts";
import { finishResolutions, resolveException } from "../../src/modules/reconciliation/application/resolve-exception.ts";
import type { SettlementLine } from "../../src/movements/index.ts";
import { get, post } from "../support/app.ts";
import { realLedger, type Served, serve } from "./served.ts";
import { type Books, contextOf, eur, fakeGateway, openBooks, settled, usd } from "./support.ts";

const clearing = "gateway:simulator:clearing";
const hour = 3_600_000;
const now = Date.now();
const around = { from: new Date(now - hour).toISOString(), to: new Date(now + hour).toISOString() };
const at = { occurredAt: new Date(now) };

let books: Books;
let served: Served;
let ledger: ReturnType<typeof realLedger>;
/** What the gateway says by now: each test adds to it. */
const theirs: SettlementLine[] = [];
before(async () => {
  books = await openBooks();
  ledger = realLedger(books);
  served = await serve(books, { gateway: fakeGateway(theirs, 100), ledger });
});
after(async () => {
  await served.close();
  await ledger.close();
  await books.close();
});

/** A movement of the clearing account against a seller's, as payments post it. */
async function bookedInLedger(kind: string, externalId: string, debit: bigint, currency = usd): Promise<void> {
  const posted = await ledger.post({
    kind,
    reference: `${kind}:${externalId}:${debit}`,
    externalId,
    effectiveAt: null,
    holdId: null,
    legs: [
      { account: clearing, amount: { amountMinor: debit, currency } },
      { account: "platform:commission", amount: { amountMinor: -debit, currency } },
    ],
    shortfall: null,
  });
  assert.ok(posted.ok, JSON.stringify(posted));
}

async function run(): Promise<{ path: string; counts: Record<string, number> }> {
  const { body } = await post(served.address, "/reconciliation/runs", { source: "gateway", ...around });
  assert.equal(body.status, "completed", JSON.stringify(body));
  return { path: `/reconciliation/runs/${body.id}`, counts: body.counts };
}

async function balanceOf(code: string, currency: string = usd): Promise<bigint> {
  const [row] = await books.look<{ balance: string }>(
    "select (b.debits - b.credits)::text as balance from ledger.accounts a " +
      "join ledger.balances b on b.account_id = a.id where a.code = $1 and a.currency = $2",
    [code, currency],
  );
  return BigInt(row?.balance ?? 0);
}

/** Resolves everything in a run as it is suggested. */
async function resolveAll(path: string): Promise<string[]> {
  const { data } = (await get(served.address, `${path}/exceptions`)).body;
  const transactions: string[] = [];
  for (const { number } of data) {
    const answer = await post(served.address, `${path}/exceptions/${number}/resolve`, {
      note: "x",
      posting: "suggested",
    });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    transactions.push(answer.body.resolution.transaction_id);
  }
  return transactions;
}

describe("a suggested posting", () => {
  it("makes the clearing account what the gateway says, and the next run finds it even", async () => {
    await bookedInLedger("sale", "pi_less", 1000n);
    await bookedInLedger("sale", "pi_more", 1000n);
    await bookedInLedger("sale", "pi_ours", 500n);
    await bookedInLedger("refund", "re_ours", -200n);
    await bookedInLedger("refund", "re_amount", -70n);
    await bookedInLedger("sale", "pi_currency", 300n, eur);
    theirs.push(
      settled("pi_less", 900n, at),
      settled("pi_more", 1100n, at),
      settled("re_amount", 80n, { ...at, kind: "refund" }),
      settled("pi_currency", 310n, at),
      settled("pi_theirs", 4000n, at),
      settled("dp_theirs", 600n, { ...at, kind: "dispute" }),
      settled("dp_theirs", 600n, { ...at, kind: "dispute_reversal" }),
    );
    const { path, counts } = await run();
    assert.deepEqual([counts["exceptions"], counts["matched"]], [9, 0]);
    const transactions = await resolveAll(path);
    assert.equal(new Set(transactions).size, 9);
    assert.equal(await balanceOf(clearing), 900n + 1100n - 80n + 310n + 4000n - 600n + 600n);
    assert.equal(await balanceOf(clearing, eur), 0n);
    const again = await run();
    assert.deepEqual([again.counts["exceptions"], again.counts["matched"]], [0, 9]);
  });

  it("has the exception as its reference, and the gateway's id and time", async () => {
    theirs.push(settled("pi_named", 10n, at));
    const { path } = await run();
    const [transaction] = await resolveAll(path);
    const [posted] = await books.look(
      "select kind, reference, external_id, effective_at from ledger.transactions where id = $1",
      [transaction],
    );
    assert.deepEqual(posted, {
      kind: "adjustment",
      reference: `reconciliation:${path.split("/").at(-1)}:1`,
      external_id: "pi_named",
      effective_at: at.occurredAt,
    });
  });
});

describe("a posting of one's own", () => {
  it("that the ledger refuses resolves nothing, and can be sent right", async () => {
    theirs.push(settled("pi_refused", 10n, at));
    const { path } = await run();
    const send = (account: string, credit: number) =>
      post(served.address, `${path}/exceptions/1/resolve`, {
        note: "x",
        posting: {
          legs: [
            { account: clearing, currency: "USD", debit: 0.1 },
            { account, currency: "USD", credit },
          ],
        },
      });
    const strange = await send("cash", 0.1);
    assert.deepEqual(
      [strange.status, strange.body.code, strange.body.reason],
      [422, "posting_refused", "account_not_in_chart"],
    );
    const unbalanced = await send("platform:losses", 0.2);
    assert.deepEqual([unbalanced.status, unbalanced.body.reason], [422, "unbalanced"]);
    assert.equal((await send("platform:losses", 0.1)).status, 200);
    assert.equal((await run()).counts["exceptions"], 0);
  });

  it("mends a duplicate of ours", async () => {
    await bookedInLedger("sale", "pi_twice", 100n);
    await ledger.post({ ...draftOf("sale:pi_twice:second"), externalId: "pi_twice" });
    theirs.push(settled("pi_twice", 100n, at));
    const { path, counts } = await run();
    assert.equal(counts["duplicate_here"], 1);
    const legs = [
      { account: clearing, currency: "USD", credit: 1 },
      { account: "platform:commission", currency: "USD", debit: 1 },
    ];
    assert.equal(
      (await post(served.address, `${path}/exceptions/1/resolve`, { note: "x", posting: { legs } })).status,
      200,
    );
    assert.equal((await run()).counts["exceptions"], 0);
  });
});

function draftOf(reference: string): TransactionDraft {
  return {
    kind: "sale",
    reference,
    externalId: null,
    effectiveAt: null,
    holdId: null,
    legs: [
      { account: clearing, amount: { amountMinor: 100n, currency: usd } },
      { account: "platform:commission", amount: { amountMinor: -100n, currency: usd } },
    ],
    shortfall: null,
  };
}

describe("a process that dies between the posting and the resolution", () => {
  for (const when of ["before the posting", "after the posting"]) {
    it(`${when} leaves one posting and one resolution, once another has taken it up`, async () => {
      theirs.push(settled(`pi_died_${when}`, 50n, at));
      const { path } = await run();
      const runId = path.split("/").at(-1) ?? "";
      const balance = await balanceOf(clearing);
      const dying: ReconciliationContext = contextOf(books.pool, {
        ledger: {
          ...ledger,
          async post(draft) {
            if (when === "after the posting") await ledger.post(draft);
            throw new Error("the process died");
          },
        },
      });
      const request = { runId, number: 1, note: "found it", posting: "suggested", actor: "operator" } as const;
      await assert.rejects(resolveException(dying, request), /the process died/);
      const other = await post(served.address, `${path}/exceptions/1/resolve`, { note: "other", posting: "none" });
      assert.deepEqual([other.status, other.body.code], [409, "exception_being_resolved"]);
      assert.equal(await finishResolutions(served.context), 0);
      await books.look("update reconciliation.open_resolutions set due_at = now()");
      assert.equal(await finishResolutions(served.context), 1);
      assert.equal(await balanceOf(clearing), balance + 50n);
      const [exception] = (await get(served.address, `${path}/exceptions`)).body.data;
      assert.equal(exception.resolution.note, "found it");
      assert.deepEqual(await books.look("select from reconciliation.open_resolutions"), []);
      assert.equal((await run()).counts["exceptions"], 0);
    });
  }
});
