import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { payAffiliate } from "../../src/modules/payouts/application/commands/pay-affiliate.ts";
import { paySellerOut } from "../../src/modules/payouts/application/commands/pay-seller-out.ts";
import { untraced } from "../../src/movements/index.ts";
import { type ServedPayouts, servePayouts, startPayoutProcess } from "./served-payouts.ts";

let served: ServedPayouts;
before(async () => {
  served = await servePayouts();
});
after(() => served.close());

const currencies = ["USD", "EUR", "COP"];

it("payouts of all kinds and outcomes in two processes deadlock nowhere and leave the books right", async () => {
  for (const currency of currencies) {
    await served.fund(1_000_00n, currency);
    for (const seller of [0, 1, 2]) await served.earn(`s${seller}`, 20_00n, currency);
  }
  served.gateway.plan = ({ payoutId }) => (/[0-5]$/.test(payoutId) ? { decline: "No." } : "pay");
  const processes = [0, 1].map(() => startPayoutProcess(served.database.appUrl, served.gateway));
  const outcomes = await Promise.all(
    Array.from({ length: 1_200 }, async (_none, place) => {
      const { context } = processes[place % 2] as (typeof processes)[number];
      // Spread over time, so that batches of all kinds meet.
      await new Promise((resolve) => setTimeout(resolve, place / 2));
      const currency = currencies[place % 3] ?? "";
      const isSeller = place % 4 === 0;
      const recipientId = isSeller ? `s${place % 5}` : `a${place % 7}`;
      const request = { recipientId, amount: "1.00", currency, idempotencyKey: null };
      return await (isSeller ? paySellerOut : payAffiliate)(context, "default", request, untraced);
    }),
  );
  for (const process of processes) await process.close();
  const ended = outcomes.map((outcome) => (outcome.ok ? outcome.value.payout.status : outcome.refusal.type));
  assert.deepEqual([...new Set(ended)].sort(), ["EXITOSO", "FALLIDO", "seller_balance_insufficient"]);
  const paid = ended.filter((status) => status === "EXITOSO").length;
  assert.equal(served.gateway.payments.length, paid);
  assert.deepEqual(await served.audit(), []);
  const held = await served.look("select from ledger.balances where held <> 0");
  assert.equal(held.length, 0);
  const [counted] = await served.look<{ deadlocks: string }>(
    "select deadlocks from pg_stat_database where datname = current_database()",
  );
  assert.equal(counted?.deadlocks, "0");
});
