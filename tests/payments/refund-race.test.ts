import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { type JournalEntry, readSimulatorJournal } from "../../src/infrastructure/gateways/simulator/journal.ts";
import { type Answer, ask, mustAsk, type Server, until } from "../support/processes.ts";
import { openSite, rowsOf, type Site } from "../support/site.ts";

suite("two processes over one database", () => {
  let site: Site;
  let servers: Server[];
  before(async () => {
    site = await openSite({ SIMULATOR_PAY_AFTER_MS: "0" });
    servers = await Promise.all([site.startApi("dev"), site.startApi("dev")]);
  });
  after(() => site.close());

  const address = (n: number) => `${servers[n % servers.length]?.address}`;

  function journalOf(paymentId: string, kind: JournalEntry["kind"]): bigint[] {
    const lines = readSimulatorJournal(join(site.home, "simulator.db"));
    return lines.filter((line) => line.paymentId === paymentId && line.kind === kind).map((line) => line.amountMinor);
  }

  /** Makes a payment and waits for its status, or, where it is captured later, for its buyer to have paid. */
  async function pay(key: string, more: object = {}): Promise<string> {
    const body = { amount: "1000.00", currency: "USD", seller_id: key, idempotency_key: key, ...more };
    const { body: payment } = await mustAsk(`${address(0)}/payments`, body);
    const told = "select 1 from payments.webhook_inbox where payload #>> '{data,object,id}' = $1";
    await until(`${key} is paid`, 10_000, async () => {
      return (await rowsOf(site.ownerUrl, told, [payment["stripe_payment_intent_id"]])).length > 0;
    });
    return String(payment["id"]);
  }

  /** The accounts that the transactions of a payment left with something, by what they left, on the debit side. */
  async function left(id: string): Promise<Record<string, unknown>[]> {
    const text = `
      select a.code, sum(e.amount)::text as amount
      from ledger.transactions t join ledger.entries e on e.transaction_id = t.id
      join ledger.accounts a on a.id = e.account_id
      where t.reference = 'payment:' || $1
         or t.reference in (select 'refund:' || r.id from payments.refunds r where r.payment_id = $1::uuid)
      group by a.code having sum(e.amount) <> 0`;
    return await rowsOf(site.adminUrl, text, [id]);
  }

  const codes = (answers: readonly Answer[]) =>
    Object.fromEntries(
      [...Map.groupBy(answers, ({ status, body }) => String(body["code"] ?? `${status} ${body["status"]}`))].map(
        ([code, same]) => [code, same.length],
      ),
    );

  test("100 refunds of 20.00 at once give 1000.00 back in 50 of them, and not a cent more", async () => {
    const id = await pay("refunded");
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        mustAsk(`${address(n)}/payments/${id}/refunds`, { amount: "20.00", idempotency_key: `part-${n}` }),
      ),
    );
    assert.deepEqual(codes(answers), { "201 succeeded": 50, refund_exceeds_payment: 50 });
    const { body: payment } = await mustAsk(`${address(0)}/payments/${id}`);
    assert.deepEqual([payment["amount_captured"], payment["amount_refunded"]], [1000, 1000]);
    assert.deepEqual(journalOf(id, "refund"), Array(50).fill(2_000n));
    assert.deepEqual(await left(id), []);
    const held = await rowsOf(site.adminUrl, "select 1 from ledger.open_holds");
    assert.deepEqual(held, []);
  });

  test("refunds of many sizes at once never give more back than was taken", async () => {
    const id = await pay("sizes");
    const sizes = Array.from({ length: 60 }, (_, n) => 1_001 + n * 137);
    const answers = await Promise.all(
      sizes.map((size, n) =>
        mustAsk(`${address(n)}/payments/${id}/refunds`, {
          amount: (size / 100).toFixed(2),
          idempotency_key: `size-${n}`,
        }),
      ),
    );
    const made = sizes.filter((_, n) => answers[n]?.status === 201);
    const refunded = made.reduce((sum, size) => sum + size, 0);
    assert.ok(refunded <= 100_000);
    const refused = sizes.filter((_, n) => answers[n]?.status !== 201);
    assert.ok(
      refused.every((size) => size > 100_000 - refunded),
      "what would have fitted in the end was not refused",
    );
    assert.equal(
      journalOf(id, "refund").reduce((sum, amount) => sum + amount, 0n),
      BigInt(refunded),
    );
    const { status, body } = await mustAsk(`${address(1)}/payments/${id}/refunds`, { idempotency_key: "rest" });
    assert.deepEqual([status, body["amount"]], [201, (100_000 - refunded) / 100]);
    assert.deepEqual(await left(id), []);
  });

  test("one refund asked for 40 times with one key is one refund", async () => {
    const id = await pay("keyed");
    const body = { idempotency_key: "all-of-it" };
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => mustAsk(`${address(n)}/payments/${id}/refunds`, body)),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [...Array(39).fill(200), 201]);
    assert.equal(new Set(answers.map(({ body: refund }) => refund["id"])).size, 1);
    assert.deepEqual(journalOf(id, "refund"), [100_000n]);
    assert.deepEqual(await left(id), []);
  });

  test("captures and cancellations at once end each payment in one of the two, as the gateway has it", async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, (_, n) => pay(`raced-${n}`, { capture: false })));
    await Promise.all(
      ids.flatMap((id, n) => [
        mustAsk(`${address(n)}/payments/${id}/capture`, { amount: "600.00" }),
        mustAsk(`${address(n + 1)}/payments/${id}/cancel`, {}),
        mustAsk(`${address(n + 1)}/payments/${id}/capture`, { amount: "700.00" }),
      ]),
    );
    for (const id of ids) {
      const { body: payment } = await mustAsk(`${address(0)}/payments/${id}`);
      const charged = journalOf(id, "charge");
      const taken = charged.map((amount) => Number(amount) / 100);
      assert.deepEqual(taken, payment["status"] === "succeeded" ? [payment["amount_captured"]] : []);
      assert.equal(payment["status"], charged.length === 1 ? "succeeded" : "cancelled");
      assert.equal((await left(id)).length, charged.length === 1 ? 3 : 0);
    }
  });
});

suite("a process that is killed while it refunds", { concurrency: 3 }, () => {
  for (const step of ["accepted", "called", "settled"]) {
    test(`after the refund was ${step} leaves it to be made once, and whoever asks again gets it`, async (t) => {
      const site = await openSite({ SIMULATOR_PAY_AFTER_MS: "0", ACCEPT_LEASE_MS: "1500", GATEWAY_TIMEOUT_MS: "500" });
      t.after(() => site.close());
      const script = join(import.meta.dirname, "dying-server.ts");
      const first = await site.startApi({ script }, { REFUND_DIES: step });
      const body = { amount: "1000.00", currency: "USD", seller_id: "seller", idempotency_key: "paid" };
      const { body: payment } = await mustAsk(`${first.address}/payments`, body);
      const shown = async ({ address }: Server) => (await mustAsk(`${address}/payments/${payment["id"]}`)).body;
      await until("the payment is paid", 10_000, async () => (await shown(first))["status"] === "succeeded");
      const asked = { amount: "400.00", idempotency_key: "refunded" };
      assert.equal(await ask(`${first.address}/payments/${payment["id"]}/refunds`, asked), null);
      assert.equal((await first.exited).signal, "SIGKILL");

      const second = await site.startApi("dev");
      await until("the refund is settled", 20_000, async () => (await shown(second))["amount_refunded"] === 400);
      const again = await mustAsk(`${second.address}/payments/${payment["id"]}/refunds`, asked);
      assert.deepEqual([again.status, again.body["status"], again.body["amount"]], [200, "succeeded", 400]);
      const refunds = readSimulatorJournal(join(site.home, "simulator.db")).filter(({ kind }) => kind === "refund");
      assert.deepEqual(
        refunds.map(({ amountMinor }) => amountMinor),
        [40_000n],
      );
      const postings = "select reference from ledger.transactions where kind = 'refund'";
      assert.deepEqual(await rowsOf(site.adminUrl, postings), [{ reference: `refund:${again.body["id"]}` }]);
      assert.deepEqual(await rowsOf(site.adminUrl, "select 1 from ledger.open_holds"), []);
    });
  }
});
