import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { createStatementConsumer } from "../../src/modules/payouts/index.ts";
import { readStatement } from "../../src/modules/payouts/persistence/statement.queries.ts";
import { createObserver, deliver } from "../events/consumer-driver.ts";
import { type Answer, get, post } from "../support/app.ts";
import { lanePlans } from "../support/plans.ts";
import {
  messageOfPago,
  type PublishedPago,
  pagoEvent,
  publishedPagos,
  serveEstados,
} from "./estado-de-cuenta-served.ts";
import { type ServedPayouts, servePayouts } from "./served-payouts.ts";

let served: ServedPayouts;
let partner: Awaited<ReturnType<typeof serveEstados>>;
before(async () => {
  served = await servePayouts();
  partner = await serveEstados(served.context);
  await served.fund(1_000_000_00n);
  await served.fund(1_000_000_00n, "COP");
});
after(async () => {
  await partner.close();
  await served.close();
});

const consumer = () => createStatementConsumer(served.context.database, createObserver().observe);
const take = (events: readonly PublishedPago[]) => deliver(consumer(), events.map(messageOfPago));

function statementOf(affiliateId: string, query: Record<string, string> = {}): Promise<Answer> {
  const parameters = new URLSearchParams(query);
  return get(partner.url, `/pagos/afiliados/${encodeURIComponent(affiliateId)}/estado-de-cuenta?${parameters}`);
}

/** The pages of a statement, each as the ids of its pagos. */
async function pagesOf(affiliateId: string, query: Record<string, string>): Promise<string[][]> {
  const pages: string[][] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const { status, body }: Answer = await statementOf(affiliateId, cursor === "" ? query : { ...query, cursor });
    assert.equal(status, 200);
    pages.push(body.movimientos.map(({ id_pago }: { id_pago: string }) => id_pago));
    cursor = body.siguiente;
  }
  return pages;
}

describe("GET /pagos/afiliados/{id}/estado-de-cuenta", () => {
  it("shows what an affiliate was paid and what was not, and its totals are the ledger's", async () => {
    const affiliate = "el mismo";
    const paid: Answer["body"][] = [];
    for (const [monto, moneda, plan] of [
      [100.5, "USD", "pay"],
      [0.01, "USD", "pay"],
      [250_000, "COP", "pay"],
      [7.77, "USD", { decline: "Cuenta cerrada" }],
    ] as const) {
      served.gateway.plan = () => plan;
      const { body } = await post(served.partner, "/pagos", { id_afiliado: affiliate, monto, moneda });
      paid.push((await get(served.partner, `/pagos/${body.id_pago}`)).body);
    }
    served.gateway.plan = () => "pay";
    const messages = await publishedPagos(served);
    assert.equal(messages.length, 4);
    await deliver(consumer(), [...messages, ...messages]);

    const { status, body } = await statementOf(affiliate);
    assert.equal(status, 200);
    const [usd, small, cop, failed] = paid;
    assert.deepEqual(body, {
      id_afiliado: affiliate,
      totales: [
        {
          moneda: "COP",
          total_pagado: 250_000,
          pagos_exitosos: 1,
          pagos_fallidos: 0,
          ultimo_pago: cop.fecha_procesamiento,
        },
        {
          moneda: "USD",
          total_pagado: 100.51,
          pagos_exitosos: 2,
          pagos_fallidos: 1,
          ultimo_pago: small.fecha_procesamiento,
        },
      ],
      movimientos: [failed, cop, small, usd].map((pago) => ({
        id_pago: pago.id,
        fecha: pago.fecha_procesamiento,
        estado: pago.estado,
        monto: pago.monto,
        moneda: pago.moneda,
        referencia_pago: pago.referencia_pago,
        mensaje_error: pago.mensaje_error,
      })),
      siguiente: null,
      actualizado_hasta: failed.fecha_procesamiento,
    });
    for (const [currency, minor] of [
      ["USD", 100_51n],
      ["COP", 250_000_00n],
    ] as const) {
      assert.equal((await served.balanceOf(`affiliate:${affiliate}:paid`, currency)).balance, minor);
    }
  });

  it("has the ledger's totals of everybody once everything is consumed, by three consumers at once", async () => {
    const plans = ["pay", "pay", { decline: "Cuenta cerrada" }] as const;
    let asked = 0;
    served.gateway.plan = () => plans[asked++ % plans.length] ?? "pay";
    const pagos = Array.from({ length: 150 }, (_each, place) => ({
      id_afiliado: `afiliado ${place % 4}`,
      monto: Number(`${place + 1}.${String(place % 100).padStart(2, "0")}`),
      moneda: place % 3 === 0 ? "USD" : "COP",
    }));
    await Promise.all(pagos.map((pago) => post(served.partner, "/pagos", pago)));
    served.gateway.plan = () => "pay";
    const messages = await publishedPagos(served);
    await Promise.all([1, 2, 3].map((size) => deliver(consumer(), messages, { batch: 13 * size })));

    const balances = await served.look<{ code: string; currency: string; balance: string }>(
      `select a.code, a.currency, b.sign * (b.debits - b.credits) as balance
       from ledger.accounts a join ledger.balances b on b.account_id = a.id
       where a.code like 'affiliate:%:paid' and b.debits > 0 order by a.code, a.currency`,
    );
    const totals = await served.look(
      `select 'affiliate:' || affiliate_id || ':paid' as code, currency, paid_minor as balance
       from payouts.statement_totals where paid_minor > 0 and affiliate_id in ('el mismo', 'afiliado 0', 'afiliado 1',
         'afiliado 2', 'afiliado 3')
       order by 1, 2`,
    );
    assert.ok(balances.length >= 8, `${balances.length} accounts`);
    assert.deepEqual(totals, balances);
  });

  it("is empty for whom was never paid, because an affiliate exists by being paid", async () => {
    const { status, body } = await statementOf("nadie");
    assert.equal(status, 200);
    const empty = { totales: [], movimientos: [], siguiente: null, actualizado_hasta: null };
    assert.deepEqual(body, { id_afiliado: "nadie", ...empty });
  });

  it("finds affiliates whatever is in their identifiers, and hides no other route", async () => {
    const names = [
      "a/b",
      "a%2Fb",
      "lotes",
      "outbox/estadisticas",
      "¿quién? #1",
      "a b+c",
      "ñ".repeat(255),
      "😀",
      "'\"\\{}",
    ];
    await take(names.map((affiliateId, place) => pagoEvent({ affiliateId, monto: `${place + 1}` })));
    for (const [place, affiliateId] of names.entries()) {
      const { status, body } = await statementOf(affiliateId);
      const told = [status, body.id_afiliado, body.totales[0]?.total_pagado];
      assert.deepEqual(told, [200, affiliateId, place + 1]);
    }
    assert.deepEqual((await get(partner.url, "/pagos/afiliados")).body, { detail: "Pago no encontrado" });
    assert.equal((await get(partner.url, "/pagos/outbox/estadisticas")).status, 200);
    assert.deepEqual((await get(partner.url, `/pagos/lotes/${randomUUID()}`)).body, { detail: "Lote no encontrado" });
    assert.equal((await get(partner.url, "/pagos/afiliados/x/estado-de-cuenta/")).status, 200);
  });

  it("is read in pages, newest first, where many pagos have the same time", async () => {
    const affiliateId = "de muchas páginas";
    const events = Array.from({ length: 47 }, (_each, place) =>
      pagoEvent({
        affiliateId,
        moneda: place % 3 === 0 ? "EUR" : "USD",
        timestamp: `2026-05-01T10:00:00.00${Math.floor(place / 10)}Z`,
      }),
    );
    await take(events);
    const newestFirst = (some: readonly PublishedPago[]) =>
      some
        .toSorted((left, right) => (`${left.timestamp} ${left.pagoId}` > `${right.timestamp} ${right.pagoId}` ? -1 : 1))
        .map(({ pagoId }) => pagoId);
    const pages = await pagesOf(affiliateId, { limit: "7" });
    assert.deepEqual(
      pages.map(({ length }) => length),
      [7, 7, 7, 7, 7, 7, 5],
    );
    assert.deepEqual(pages.flat(), newestFirst(events));
    assert.deepEqual(
      (await pagesOf(affiliateId, {})).map(({ length }) => length),
      [20, 20, 7],
    );
    const euros = events.filter(({ moneda }) => moneda === "EUR");
    assert.deepEqual((await pagesOf(affiliateId, { limit: "5", moneda: "EUR" })).flat(), newestFirst(euros));
    const some = events.filter(({ timestamp }) => /00[12]Z$/.test(timestamp));
    const between = { desde: "2026-05-01T10:00:00.001Z", hasta: "2026-05-01T12:00:00.003+02:00", limit: "6" };
    assert.deepEqual((await pagesOf(affiliateId, between)).flat(), newestFirst(some));
    assert.deepEqual(
      (await pagesOf(affiliateId, { desde: "2026-05-01", hasta: "2026-05-02", limit: "100" }))[0]?.length,
      47,
    );
    assert.deepEqual(await pagesOf(affiliateId, { desde: "2026-05-02" }), [[]]);
  });

  it("keeps the totals of all time, in the currency that was asked for, whatever the page shows", async () => {
    const affiliateId = "de dos monedas";
    await take([
      pagoEvent({ affiliateId, monto: "1.25" }),
      pagoEvent({ affiliateId, moneda: "EUR", monto: "2", timestamp: "2026-05-03T00:00:00.000Z" }),
    ]);
    const { body } = await statementOf(affiliateId, { moneda: "USD", desde: "2026-06-01" });
    const [{ total_pagado, moneda }, ...others] = body.totales;
    assert.deepEqual([total_pagado, moneda, others, body.movimientos], [1.25, "USD", [], []]);
    assert.equal(body.actualizado_hasta, "2026-05-03T00:00:00.000Z");
  });

  it("says a total as a text where a number would not be exact", async () => {
    const affiliateId = "muy grande";
    const events = Array.from({ length: 1_001 }, () => pagoEvent({ affiliateId, monto: "9999999999" }));
    await take([...events, pagoEvent({ affiliateId, monto: "0.01" })]);
    const { body } = await statementOf(affiliateId, { limit: "1" });
    assert.equal(body.totales[0].total_pagado, "10009999998999.01");
  });

  it("refuses bad input in the contract's form", async () => {
    const valid = Buffer.from(`2026-05-01T10:00:00.000Z ${randomUUID()}`).toString("base64url");
    const bad: [Record<string, string>, string][] = [
      [{ moneda: "MXN" }, "moneda"],
      [{ limit: "0" }, "limit"],
      [{ limit: "101" }, "limit"],
      [{ limit: "ten" }, "limit"],
      [{ desde: "2026-02-30" }, "desde"],
      [{ desde: "yesterday" }, "desde"],
      [{ hasta: "2026-05-01T10:00:00" }, "hasta"],
      [{ hasta: "2026-05-01T25:00:00Z" }, "hasta"],
      [{ cursor: "x" }, "cursor"],
      [{ cursor: valid.slice(0, -4) }, "cursor"],
      [{ cursor: Buffer.from(`0000-01-01T10:00:00.000Z ${randomUUID()}`).toString("base64url") }, "cursor"],
      [{ cursor: Buffer.from(`2026-13-01T10:00:00.000Z ${randomUUID()}`).toString("base64url") }, "cursor"],
      [{ estado: "EXITOSO" }, "estado"],
    ];
    for (const [query, field] of bad) {
      const { status, body } = await statementOf("afiliado_123", query);
      assert.deepEqual([status, Object.keys(body)], [422, ["detail"]], JSON.stringify(query));
      const [fault] = body.detail;
      assert.deepEqual(
        [Object.keys(fault), fault.loc],
        [
          ["type", "loc", "msg"],
          ["query", field],
        ],
      );
    }
    assert.equal((await statementOf("afiliado_123", { cursor: valid })).status, 200);
    const { status, body } = await get(partner.url, "/pagos/afiliados/a%00b/estado-de-cuenta");
    assert.deepEqual([status, body.detail[0].loc], [422, ["path", "id_afiliado"]]);
  });
});

describe("a page of a statement", () => {
  const plans = lanePlans();
  it("is read from the index of its lines, in their order, in each currency", async () => {
    const plan = await plans.textOf(readStatement.text);
    assert.match(plan, /Index Scan Backward using statement_lines_of_affiliate/);
    assert.equal(plan.match(/Sort\n/g)?.length ?? 0, 1, plan);
    assert.doesNotMatch(plan, /Seq Scan/);
  });
});
