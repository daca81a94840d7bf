import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import Stripe from "stripe";
import type { Currency } from "../../../kernel/currency.ts";
import type { CreatePayoutRequest } from "../../../movements/ports.ts";
import { createStripeGateway, type StripeGateways } from "./adapter.ts";
import { type StandInCall, type StandInFault, type StripeStandIn, startStripeStandIn } from "./stand-in.ts";

let home: string;
let standIn: StripeStandIn;
let gateway: StripeGateways;
let stripe: Stripe;
let fault: StandInFault | undefined;
let calls: StandInCall[];

function aPayout(change: Partial<CreatePayoutRequest> = {}): CreatePayoutRequest {
  const amount = { amountMinor: 10_050n, currency: "USD" as Currency };
  return { attemptId: "p-1", payoutId: "p", recipient: "acct_1abc", amount, reference: "ref_p", ...change };
}

describe("payouts by Stripe's transfers", () => {
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), "marketflow-transfers-"));
    fault = undefined;
    calls = [];
    standIn = await startStripeStandIn({
      port: 0,
      path: join(home, "stand-in.db"),
      payAfterMs: 0,
      buyer: "absent",
      webhook: null,
      faults(call) {
        calls.push(call);
        return fault;
      },
    });
    gateway = createStripeGateway({ secretKey: "sk_test_1", apiBase: standIn.url });
    const { hostname, port } = new URL(standIn.url);
    stripe = new Stripe("sk_test_1", {
      host: hostname,
      port,
      protocol: "http",
      maxNetworkRetries: 0,
      telemetry: false,
    });
  });
  afterEach(async () => {
    await gateway.close();
    await standIn.close();
    rmSync(home, { recursive: true });
  });

  it("are transfers to the recipient's connected account, in the payout's group", async () => {
    const outcome = await gateway.payouts.createPayout(aPayout(), 2000);
    assert(outcome.type === "succeeded");
    const transfer = await stripe.transfers.retrieve(outcome.gatewayReference);
    assert.deepEqual(
      [transfer.object, transfer.amount, transfer.currency, transfer.destination, transfer.transfer_group],
      ["transfer", 10_050, "usd", "acct_1abc", "p"],
    );
    assert.equal(transfer.description, "ref_p");
    assert.deepEqual(transfer.metadata, {
      marketflow_payout_id: "p",
      marketflow_attempt_id: "p-1",
      reference: "ref_p",
    });
    assert.deepEqual((await stripe.transfers.list({ transfer_group: "p" })).data, [transfer]);
    assert.deepEqual((await stripe.transfers.list({ transfer_group: "q" })).data, []);
    assert.deepEqual(
      standIn.payoutsOf("p").map(({ recipient, amountMinor }) => [recipient, amountMinor]),
      [["acct_1abc", 10_050n]],
    );
  });

  it("are declined in Stripe's words where the recipient has no account, or the funds are not there", async () => {
    const nobody = await gateway.payouts.createPayout(aPayout({ recipient: "afiliado_123" }), 2000);
    assert(nobody.type === "declined");
    assert.equal(nobody.code, "resource_missing");
    assert.match(nobody.message, /No such destination: 'afiliado_123'/);
    fault = "declined";
    const poor = await gateway.payouts.createPayout(aPayout({ attemptId: "p-2" }), 2000);
    assert(poor.type === "declined");
    assert.equal(poor.code, "balance_insufficient");
    assert.match(poor.message, /insufficient funds in your Stripe account/);
    assert.equal(standIn.payoutsOf("p").length, 0);
  });

  it("count ISK in hundredths and MGA in whole units, and decline what Stripe cannot carry", async () => {
    const amounts = [];
    for (const [n, amount] of [
      { amountMinor: 5n, currency: "ISK" as Currency },
      { amountMinor: 700n, currency: "MGA" as Currency },
    ].entries()) {
      const outcome = await gateway.payouts.createPayout(aPayout({ attemptId: `p-${n}`, amount }), 2000);
      assert(outcome.type === "succeeded");
      amounts.push((await stripe.transfers.retrieve(outcome.gatewayReference)).amount);
    }
    assert.deepEqual(amounts, [500, 7]);
    calls = [];
    const amount = { amountMinor: 1001n, currency: "BHD" as Currency };
    const refused = await gateway.payouts.createPayout(aPayout({ attemptId: "p-9", amount }), 2000);
    assert.equal(refused.type === "declined" && refused.code, "amount_not_supported_by_gateway");
    assert.deepEqual(calls, []);
  });

  it("are repeated once where the connection closes, and pay once", async () => {
    fault = "closed_after";
    assert.equal((await gateway.payouts.createPayout(aPayout(), 2000)).type, "succeeded");
    fault = "closed_before";
    const lost = await gateway.payouts.createPayout(aPayout({ attemptId: "p-2" }), 2000);
    assert.equal(lost.type === "unknown" && lost.code, "gateway_connection_lost");
    assert.equal(standIn.payoutsOf("p").length, 1);
  });

  it("are found among more of their group than one page of the list has", async () => {
    const first = await gateway.payouts.createPayout(aPayout(), 2000);
    assert(first.type === "succeeded");
    for (let n = 2; n <= 110; n++) await gateway.payouts.createPayout(aPayout({ attemptId: `p-${n}` }), 2000);
    calls = [];
    assert.deepEqual(await gateway.payouts.findPayout({ attemptId: "p-1", payoutId: "p" }, 2000), first);
    assert.equal(calls.length, 2);
  });
});
