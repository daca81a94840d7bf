import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import { firstAttempt, payingOut } from "../../src/modules/payouts/application/movements.ts";
import { untraced } from "../../src/movements/index.ts";
import { type Answer, get, post } from "../support/app.ts";
import { createFakeGateway } from "./fake-gateway.ts";
import { type ServedPayouts, servePayouts, startPayoutProcess } from "./served-payouts.ts";

let served: ServedPayouts;
before(async () => {
  served = await servePayouts();
  await served.fund(10_000_00n);
});
after(() => served.close());
beforeEach(() => {
  served.gateway.plan = () => "pay";
  served.gateway.reachable = true;
});

function pay(more: object = {}): Promise<Answer> {
  return post(served.partner, "/pagos", { id_afiliado: "afiliado", monto: 10, moneda: "USD", ...more });
}

async function estadoOf(id: string): Promise<string> {
  return (await get(served.partner, `/pagos/${id}`)).body.estado;
}

function paymentsOf(id: string) {
  return served.gateway.payments.filter(({ payoutId }) => payoutId === id);
}

async function eventsOf(id: string): Promise<string[]> {
  const rows = await served.look<{ type: string }>("select type from events.log where stream = $1", [id]);
  return rows.map(({ type }) => type);
}

describe("a pago whose outcome was not known", () => {
  it("that the gateway had paid is found paid, once, and was never failed in between", async () => {
    served.gateway.plan = () => "times out after paying";
    const { status, body } = await pay();
    assert.deepEqual([status, body.estado], [202, "PROCESANDO"]);
    assert.equal(await estadoOf(body.id_pago), "PROCESANDO");
    await served.letLeasesPass();
    await served.recover();
    assert.equal(await estadoOf(body.id_pago), "EXITOSO");
    assert.equal(paymentsOf(body.id_pago).length, 1);
    assert.deepEqual(await eventsOf(body.id_pago), ["PagoExitoso"]);
  });

  it("that the gateway never heard of is called again under the same id, and paid once", async () => {
    served.gateway.plan = () => "times out before paying";
    const { body } = await pay();
    served.gateway.plan = () => "pay";
    await served.letLeasesPass();
    await served.recover();
    assert.equal(await estadoOf(body.id_pago), "EXITOSO");
    assert.equal(paymentsOf(body.id_pago).length, 1);
  });

  it("that the gateway had declined is found failed, and its money is free again", async () => {
    const before = await served.balanceOf("gateway:fake:funding");
    served.gateway.plan = () => "is not reached";
    const { body } = await pay();
    served.gateway.plan = () => ({ decline: "Cuenta cerrada" });
    await served.letLeasesPass();
    await served.recover();
    assert.equal(await estadoOf(body.id_pago), "FALLIDO");
    assert.deepEqual(await served.balanceOf("gateway:fake:funding"), before);
  });

  it("stays open however often the gateway neither knows it nor answers, and a person looks after a day", async () => {
    served.gateway.plan = () => "times out before paying";
    const { body } = await pay();
    for (let round = 0; round < 6; round++) {
      await served.letLeasesPass();
      await served.recover();
    }
    assert.equal(await estadoOf(body.id_pago), "PROCESANDO");
    await served.look("update payouts.under_way set tries = 300 where payout_id = $1", [body.id_pago]);
    await served.letLeasesPass();
    await served.recover();
    const [row] = await served.look("select parked, last_error from payouts.under_way where payout_id = $1", [
      body.id_pago,
    ]);
    assert.deepEqual(row, { parked: true, last_error: "gateway_timeout" });
    await served.letLeasesPass();
    const asked = served.gateway.asked.find;
    await served.recover();
    assert.equal(served.gateway.asked.find, asked, "a parked payout is left to the person");
    assert.deepEqual(await served.audit(), []);
  });

  it("waits while the gateway is away, and is asked again later each time", async () => {
    served.gateway.reachable = false;
    const { body } = await pay();
    await served.letLeasesPass();
    await served.recover();
    const [row] = await served.look<{ later: boolean; tries: number }>(
      "select due_at > now() + interval '1 second' as later, tries from payouts.under_way where payout_id = $1",
      [body.id_pago],
    );
    assert.deepEqual(row, { later: true, tries: 2 });
  });
});

describe("a process that dies", () => {
  /** Runs one request in a process of its own that goes no further than the step. */
  async function dieAt(step: "accepted" | "called", monto = 10): Promise<string> {
    let died: (id: string) => void = () => undefined;
    const death = new Promise<string>((resolve) => {
      died = resolve;
    });
    const process = startPayoutProcess(served.database.appUrl, served.gateway, {
      onStep(reached, _operation, id) {
        if (reached !== step) return;
        died(id);
        throw new Error("the process died here");
      },
    });
    const { payAffiliate } = await import("../../src/modules/payouts/application/commands/pay-affiliate.ts");
    const request = { recipientId: "afiliado", amount: String(monto), currency: "USD", idempotencyKey: null };
    await assert.rejects(payAffiliate(process.context, "default", request, untraced), /died here/);
    await process.close();
    return await death;
  }

  it("before the call leaves a pago that recovery pays", async () => {
    const id = await dieAt("accepted");
    assert.equal(paymentsOf(id).length, 0);
    assert.equal(await estadoOf(id), "PROCESANDO");
    await served.letLeasesPass();
    await served.recover();
    assert.deepEqual([await estadoOf(id), paymentsOf(id).length], ["EXITOSO", 1]);
  });

  it("after the call leaves a pago that recovery settles and does not pay again", async () => {
    const id = await dieAt("called");
    assert.deepEqual([await estadoOf(id), paymentsOf(id).length], ["PROCESANDO", 1]);
    await served.letLeasesPass();
    await served.recover();
    assert.deepEqual([await estadoOf(id), paymentsOf(id).length], ["EXITOSO", 1]);
  });

  it("before it declined what no money was there for leaves it to recovery, which asks nobody", async () => {
    const id = await dieAt("accepted", 9_000_000);
    const asked = served.gateway.asked.find + served.gateway.asked.pay;
    await served.letLeasesPass();
    await served.recover();
    assert.equal(await estadoOf(id), "FALLIDO");
    assert.equal(served.gateway.asked.find + served.gateway.asked.pay, asked);
  });

  it("a pago within its lease is nobody else's", async () => {
    const id = await dieAt("called");
    await served.recover();
    assert.equal(await estadoOf(id), "PROCESANDO");
  });
});

describe("one payout settled by two", () => {
  it("at once, by two processes, is posted and told of once", async () => {
    served.gateway.plan = () => "times out after paying";
    const made = await Promise.all(Array.from({ length: 20 }, () => pay({ monto: 1 })));
    const other = startPayoutProcess(served.database.appUrl, served.gateway);
    const attempts = await served.look<{ id: string; hold: string }>(
      "select payout_id as id, hold_id as hold from payouts.under_way where payout_id = any($1)",
      [made.map(({ body }) => body.id_pago)],
    );
    const recipient = { kind: "affiliate", id: "afiliado" } as const;
    const amount = { amountMinor: 100n, currency: "USD" as never };
    const settled = await Promise.all(
      [served, other].flatMap(({ context }, place) =>
        (place === 0 ? attempts : attempts.toReversed()).map(({ id, hold }) => {
          const attempt = firstAttempt({ id, recipient, amount }, BigInt(hold), null);
          return payingOut(context).settle(attempt, { type: "succeeded", gatewayReference: `po_${id}` });
        }),
      ),
    );
    await other.close();
    assert.equal(settled.filter((outcome) => outcome !== null).length, 20);
    for (const { id } of attempts) assert.deepEqual(await eventsOf(id), ["PagoExitoso"]);
    assert.deepEqual(await served.audit(), []);
  });

  it("with another outcome keeps the first", async () => {
    served.gateway.plan = () => "times out after paying";
    const { body } = await pay();
    await served.letLeasesPass();
    await served.recover();
    const recipient = { kind: "affiliate", id: "afiliado" } as const;
    const attempt = firstAttempt(
      { id: body.id_pago, recipient, amount: { amountMinor: 1000n, currency: "USD" as never } },
      1n,
      null,
    );
    const late = await payingOut(served.context).settle(attempt, { type: "declined", code: "late", message: "Late." });
    assert.equal(late, null);
    assert.deepEqual([await estadoOf(body.id_pago), await eventsOf(body.id_pago)], ["EXITOSO", ["PagoExitoso"]]);
  });
});

describe("another gateway's payouts", () => {
  it("wait for a process that has it: this one would call what it never heard of absent, and pay again", async () => {
    served.gateway.plan = () => "times out after paying";
    const { body } = await pay();
    await served.letLeasesPass();
    const elsewhere = createFakeGateway("elsewhere");
    const process = startPayoutProcess(served.database.appUrl, elsewhere);
    await process.recover();
    await process.close();
    assert.deepEqual([elsewhere.asked, elsewhere.payments], [{ pay: 0, find: 0 }, []]);
    assert.equal(await estadoOf(body.id_pago), "PROCESANDO");
    await served.recover();
    assert.equal(await estadoOf(body.id_pago), "EXITOSO");
  });
});

describe("many that a killed process had in flight", () => {
  it("are over in a few rounds, without asking for each other's turn", async () => {
    served.gateway.plan = () => "times out after paying";
    await Promise.all(Array.from({ length: 512 }, () => pay({ monto: 0.01 })));
    await served.letLeasesPass();
    const other = startPayoutProcess(served.database.appUrl, served.gateway);
    const beganMs = performance.now();
    await Promise.all([served.recover(), other.recover()]);
    const tookMs = performance.now() - beganMs;
    await other.close();
    const [left] = await served.look<{ left: number }>(
      "select count(*)::integer as left from payouts.under_way where not parked and due_at <= now()",
    );
    assert.equal(left?.left, 0);
    assert.ok(tookMs < 5_000, `it took ${tookMs} ms`);
    assert.deepEqual(await served.audit(), []);
  });
});
