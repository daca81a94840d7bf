import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { post } from "../support/app.ts";
import { type ServedPayouts, servePayouts } from "./served-payouts.ts";

let served: ServedPayouts;
const ids: Record<"paid" | "failed" | "open" | "seller", string> = { paid: "", failed: "", open: "", seller: "" };
before(async () => {
  served = await servePayouts();
  await served.fund(1_000_00n);
  await served.earn("s", 10_00n);
  ids.paid = await pay();
  served.gateway.plan = () => ({ decline: "No." });
  ids.failed = await pay();
  served.gateway.plan = () => "is not reached";
  ids.open = await pay();
  served.gateway.plan = () => "pay";
  const wanted = { seller_id: "s", amount: 1, currency: "USD", idempotency_key: "k" };
  ids.seller = (await post(served.marketplace, "/payouts", wanted)).body.id;
  await post(served.partner, "/pagos", { id_afiliado: "a", monto: 1_000_000, moneda: "USD" });
});
after(() => served.close());

async function pay(): Promise<string> {
  return (await post(served.partner, "/pagos", { id_afiliado: "a", monto: 10, moneda: "USD" })).body.id_pago;
}

/** Tampers as the superuser, audits, and puts back what was. */
async function foundAfter(tamper: string, mend: string, id?: string): Promise<string[]> {
  const values = id === undefined ? [] : [id];
  await served.look("set session_replication_role = replica");
  await served.look(tamper, values);
  const found = await served.audit();
  await served.look(mend, values);
  return found;
}

describe("the audit of payouts", () => {
  it("finds nothing where everything is right", async () => assert.deepEqual(await served.audit(), []));

  it("finds a payout that says it was made and was not", async () => {
    const found = await foundAfter(
      `update payouts.payouts set status = 'EXITOSO', gateway_reference = 'x', failure_message = null where id = $1`,
      `update payouts.payouts set status = 'FALLIDO', gateway_reference = null, failure_message = 'No.' where id = $1`,
      ids.failed,
    );
    assert.deepEqual(found, [
      `payout ${ids.failed} was made and its hold is voided`,
      `payout ${ids.failed} has no posting payout:${ids.failed}`,
    ]);
  });

  it("finds one that says it failed and was paid", async () => {
    const found = await foundAfter(
      `update payouts.payouts set status = 'FALLIDO', gateway_reference = null, failure_message = 'No.' where id = $1`,
      `update payouts.payouts set status = 'EXITOSO', gateway_reference = 'po_' || id, failure_message = null
       where id = $1`,
      ids.paid,
    );
    assert.deepEqual(found, [
      `payout ${ids.paid} has failed and its hold is posted`,
      `transaction payout:${ids.paid} is in the ledger, and nothing explains it`,
    ]);
  });

  it("finds another amount and another recipient than were posted", async () => {
    for (const [column, other, right] of [
      ["amount_minor", "999", "100"],
      ["recipient_id", "'t'", "'s'"],
    ]) {
      const set = (value = "") => `update payouts.payouts set ${column} = ${value} where id = $1`;
      const found = await foundAfter(set(other), set(right), ids.seller);
      assert.equal(found.length, 1);
      assert.match(found[0] ?? "", /has another posting than it should/);
    }
  });

  it("finds one under way that nobody works on, and one that is worked on and is not under way", async () => {
    const lost = await foundAfter(
      "update payouts.under_way set payout_id = gen_random_uuid()",
      `update payouts.under_way set payout_id = '${ids.open}'`,
    );
    assert.equal(lost.length, 2);
    assert.equal(lost[0], `payout ${ids.open} is PROCESANDO and not on the working list`);
    assert.match(lost[1] ?? "", /is on the working list, and there is no such payout$/);
  });

  it("finds a hold that is not the payout's, or not open", async () => {
    assert.deepEqual(
      await foundAfter(
        "update payouts.under_way set hold_id = hold_id - 1 where payout_id = $1",
        "update payouts.under_way set hold_id = hold_id + 1 where payout_id = $1",
        ids.open,
      ),
      [`payout ${ids.open} is under way with another hold`],
    );
    assert.deepEqual(
      await foundAfter(
        "update payouts.under_way set hold_id = null where payout_id = $1",
        `update payouts.under_way set hold_id =
           (select id from ledger.holds where reference = 'payout:' || payout_id) where payout_id = $1`,
        ids.open,
      ),
      [`payout ${ids.open} is under way and its hold is open`],
    );
  });
});
