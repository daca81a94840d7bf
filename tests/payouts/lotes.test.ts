import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { type Answer, eventually, get, post } from "../support/app.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { rowsOf } from "../support/site.ts";
import { createFakePayouts, fund, type ServedLotes, serveLotes } from "./served-lotes.ts";

const csv = { "content-type": "text/csv; charset=utf-8" };
const header = "id_afiliado,monto,moneda";

let database: TestDatabase;
let served: ServedLotes;
const gateway = createFakePayouts();
before(async () => {
  database = await createTestDatabase();
  await fund(database.appUrl, 100_000_000_000n);
  served = await serveLotes({ databaseUrl: database.appUrl, gateway, concurrency: 512 });
});
after(async () => {
  await served.close();
  await database.drop();
});
beforeEach(() => {
  gateway.outcomeFor = () => undefined;
});

type Pago = { id_afiliado: unknown; monto: unknown; moneda: unknown };

function pagos(count: number, who = "afiliado"): Pago[] {
  return Array.from({ length: count }, (_, n) => ({
    id_afiliado: `${who}_${n}`,
    monto: Number((10 + n / 100).toFixed(2)),
    moneda: "USD",
  }));
}

function send(lines: readonly Pago[], key?: string): Promise<Answer> {
  const headers: Record<string, string> = key === undefined ? {} : { "idempotency-key": key };
  return post(served.address, "/pagos/lotes", { pagos: lines }, headers);
}

function upload(text: string, key?: string): Promise<Answer> {
  return post(served.address, "/pagos/lotes", text, {
    ...csv,
    ...(key === undefined ? {} : { "idempotency-key": key }),
  });
}

async function ended(id: string): Promise<Answer["body"]> {
  const { body } = await eventually(
    () => get(served.address, `/pagos/lotes/${id}`),
    ({ body: lote }) => lote.estado === "TERMINADO",
    30_000,
  );
  return body;
}

function faults({ status, body }: Answer): unknown[] {
  assert.equal(status, 422, JSON.stringify(body));
  return body.detail.map(({ type, loc }: { type: string; loc: unknown[] }) => [type, loc.join(".")]);
}

const countPayouts = async () =>
  (await rowsOf(database.ownerUrl, "select count(*) from payouts.payouts"))[0]?.["count"];

describe("POST /pagos/lotes", () => {
  test("takes JSON, answers 202 with where to look, and pays every line", async () => {
    const { status, headers, body } = await send(pagos(3, "json"));
    assert.equal(status, 202);
    const { id_lote, fecha_creacion, ...rest } = body;
    assert.deepEqual(rest, { estado: "PROCESANDO", total: 3 });
    assert.equal(headers.get("location"), `/pagos/lotes/${id_lote}`);
    assert.ok(new Date(fecha_creacion).getTime() <= Date.now() + 1_000);

    const { fecha_fin, ...lote } = await ended(id_lote);
    assert.deepEqual(lote, {
      id_lote,
      estado: "TERMINADO",
      total: 3,
      por_estado: { PENDIENTE: 0, PROCESANDO: 0, EXITOSO: 3, FALLIDO: 0 },
      porcentaje: 100,
      fecha_creacion,
      errores: `/pagos/lotes/${id_lote}/errores`,
    });
    assert.ok(fecha_fin >= fecha_creacion);
    const paid = [...gateway.paid.values()].filter(({ recipient }) => recipient.startsWith("json_"));
    assert.deepEqual(
      paid.toSorted((left, right) => (left.recipient < right.recipient ? -1 : 1)),
      [
        { recipient: "json_0", amountMinor: 1000n },
        { recipient: "json_1", amountMinor: 1001n },
        { recipient: "json_2", amountMinor: 1002n },
      ],
    );
  });

  test("takes a CSV: columns in any order, quoted fields, empty lines, CRLF, a byte order mark", async () => {
    const first = `USD,"Pérez, Ana",100.5,"csv ""uno"", dos"`;
    const { status, body } = await upload(`\ufeffmoneda,nombre,monto,id_afiliado\r\n${first}\r\n\r\nCOP,x,7,csv_2`);
    assert.equal(status, 202, JSON.stringify(body));
    assert.equal(body.total, 2);
    await ended(body.id_lote);
    const { body: listed } = await get(served.address, `/pagos/lotes/${body.id_lote}/pagos`);
    assert.deepEqual(
      listed.pagos.map(({ id: _, ...pago }: { id: string }) => pago),
      [
        {
          linea: 1,
          id_afiliado: 'csv "uno", dos',
          monto: 100.5,
          moneda: "USD",
          estado: "EXITOSO",
          mensaje_error: null,
        },
        { linea: 2, id_afiliado: "csv_2", monto: 7, moneda: "COP", estado: "EXITOSO", mensaje_error: null },
      ],
    );
  });

  test("gives the same lote to the same key and lines, whether as JSON or as CSV, and pays it once", async () => {
    const key = randomUUID();
    const lines = [{ id_afiliado: "again", monto: 12.5, moneda: "EUR" }];
    const [first, ...others] = await Promise.all([send(lines, key), send(lines, key), send(lines, key)]);
    const later = await upload(`${header}\nagain,12.50,EUR\n`, `"${key}"`);
    assert.deepEqual(
      new Set([first, ...others, later].map((answer) => `${answer?.status} ${answer?.body.id_lote}`)).size,
      1,
    );
    const replays = [first, ...others, later].filter(
      (answer) => answer?.headers.get("idempotency-replayed") === "true",
    );
    assert.equal(replays.length, 3);
    await ended(first?.body.id_lote);
    const { body } = await send(lines, key);
    assert.equal(body.estado, "TERMINADO");
    assert.equal([...gateway.paid.values()].filter(({ recipient }) => recipient === "again").length, 1);
  });

  test("refuses other lines under a key, and keeps nothing of them", async () => {
    const key = randomUUID();
    await send(pagos(1), key);
    const before = await countPayouts();
    assert.deepEqual(faults(await send(pagos(2), key)), [["idempotency_key_reused", "header.idempotency-key"]]);
    assert.deepEqual(faults(await send(pagos(1), "two words")), [
      ["string_pattern_mismatch", "header.idempotency-key"],
    ]);
    assert.equal(await countPayouts(), before);
  });

  test("without a key makes a lote of its own of each request", async () => {
    const [one, other] = await Promise.all([send(pagos(1)), send(pagos(1))]);
    assert.notEqual(one?.body.id_lote, other?.body.id_lote);
  });

  test("refuses a lote with a bad line as a whole, naming each of its faults by its place", async () => {
    const before = await countPayouts();
    const answer = await send([
      ...pagos(1),
      { id_afiliado: "", monto: 0, moneda: "MXN" },
      { id_afiliado: 7, monto: "10", moneda: "USD" },
      { id_afiliado: "x", monto: 1.001, moneda: "COP" },
      { monto: 10_000_000_000, moneda: "USD" } as Pago,
      "no pago" as unknown as Pago,
    ]);
    assert.deepEqual(faults(answer), [
      ["string_too_short", "body.pagos.1.id_afiliado"],
      ["greater_than", "body.pagos.1.monto"],
      ["enum", "body.pagos.1.moneda"],
      ["string_type", "body.pagos.2.id_afiliado"],
      ["float_type", "body.pagos.2.monto"],
      ["decimal_max_places", "body.pagos.3.monto"],
      ["missing", "body.pagos.4.id_afiliado"],
      ["less_than_equal", "body.pagos.4.monto"],
      ["dict_type", "body.pagos.5"],
    ]);
    assert.equal(await countPayouts(), before);
  });

  test("names the line of a CSV, the header being the first", async () => {
    const answer = await upload(`${header}\nok,1,USD\n,-1,usd\na,1\n"b\nc",1.5,EUR\nd,"1,5",USD\n`);
    assert.deepEqual(faults(answer), [
      ["string_too_short", "body.linea.3.id_afiliado"],
      ["greater_than", "body.linea.3.monto"],
      ["enum", "body.linea.3.moneda"],
      ["value_error", "body.linea.4"],
      ["decimal_parsing", "body.linea.7.monto"],
    ]);
  });

  test("refuses files that cannot be read: no header, a quote left open, not UTF-8, nothing in it", async () => {
    assert.deepEqual(faults(await upload("a,1,USD\n")), [["value_error", "body.linea.1"]]);
    assert.deepEqual(faults(await upload("id_afiliado,monto,moneda,monto\na,1,USD,2")), [
      ["value_error", "body.linea.1"],
    ]);
    assert.deepEqual(faults(await upload(`${header}\n"a,1,USD\n`)), [["csv_invalid", "body.linea.2"]]);
    assert.deepEqual(faults(await upload(header)), [["too_short", "body"]]);
    const response = await fetch(`${served.address}/pagos/lotes`, {
      method: "POST",
      headers: csv,
      body: Buffer.from(`${header}\n\xe9,1,USD`, "latin1"),
    });
    assert.equal(response.status, 422);
  });

  test("names the first 20 faulty lines", async () => {
    const bad = Array.from({ length: 50 }, () => ({ id_afiliado: "x", monto: -1, moneda: "USD" }));
    assert.equal(faults(await send(bad)).length, 20);
    assert.equal(faults(await upload(`${header}\n${"x,-1,USD\n".repeat(50)}`)).length, 20);
  });

  test("takes 1 to 10,000 pagos", async () => {
    assert.deepEqual(faults(await send([])), [["too_short", "body.pagos"]]);
    assert.deepEqual(faults(await send(pagos(10_001))), [["too_long", "body.pagos"]]);
    assert.deepEqual(faults(await upload(`${header}\n${"x,1,USD\n".repeat(10_001)}`)), [["too_long", "body"]]);
    const full = await send(pagos(10_000, "many"));
    assert.equal(full.status, 202);
    assert.equal(full.body.total, 10_000);
    assert.equal((await ended(full.body.id_lote)).por_estado.EXITOSO, 10_000);
  });

  test("refuses what is no lote: another shape, another type, too many bytes", async () => {
    const send = (body: unknown) => post(served.address, "/pagos/lotes", body);
    assert.deepEqual(faults(await send({})), [["missing", "body.pagos"]]);
    assert.deepEqual(faults(await send({ pagos: {} })), [["list_type", "body.pagos"]]);
    assert.deepEqual(faults(await send([])), [["dict_type", "body"]]);
    assert.deepEqual(faults(await send("{nope")), [["json_invalid", "body"]]);
    const xml = await post(served.address, "/pagos/lotes", "<pagos/>", { "content-type": "application/xml" });
    assert.equal(xml.status, 415);
    const large = await upload(`${header}\n${"x".repeat(4 * 1024 * 1024)}`);
    assert.equal(large.status, 413);
    assert.equal(typeof large.body.detail, "string");
  });
});

describe("GET /pagos/lotes/{id}", () => {
  test("counts the states, and is 100 percent only where all have ended", async () => {
    const latency = gateway.latencyMs;
    gateway.latencyMs = 400;
    gateway.outcomeFor = (who) =>
      who === "slow_0" ? { type: "declined", code: "x", message: "Fondos insuficientes" } : undefined;
    try {
      const { body } = await send(pagos(3, "slow"));
      const seen = await eventually(
        () => get(served.address, `/pagos/lotes/${body.id_lote}`),
        (answer) => answer.body.por_estado.PROCESANDO === 3,
      );
      assert.deepEqual([seen.body.estado, seen.body.porcentaje, seen.body.fecha_fin], ["PROCESANDO", 0, null]);
      const { por_estado, porcentaje } = await ended(body.id_lote);
      assert.deepEqual(por_estado, { PENDIENTE: 0, PROCESANDO: 0, EXITOSO: 2, FALLIDO: 1 });
      assert.equal(porcentaje, 100);
    } finally {
      gateway.latencyMs = latency;
    }
  });

  test("says that there is no such lote", async () => {
    for (const id of [randomUUID(), "nope"]) {
      for (const path of [`/pagos/lotes/${id}`, `/pagos/lotes/${id}/errores`, `/pagos/lotes/${id}/pagos`]) {
        const { status, body } = await get(served.address, path);
        assert.deepEqual([status, body], [404, { detail: "Lote no encontrado" }]);
      }
    }
  });
});

describe("GET /pagos/lotes/{id}/errores", () => {
  test("is a CSV of the failed pagos, which no spreadsheet takes for formulas", async () => {
    gateway.outcomeFor = (who) =>
      who.startsWith("ok") ? undefined : { type: "declined", code: "no", message: '-1+1, dijo "no"' };
    const { body } = await send([
      { id_afiliado: "ok", monto: 1, moneda: "USD" },
      { id_afiliado: "=SUM(A1)", monto: 2, moneda: "USD" },
      { id_afiliado: "ok too", monto: 3, moneda: "USD" },
      { id_afiliado: "malo", monto: 4.5, moneda: "COP" },
    ]);
    await ended(body.id_lote);
    const answer = await get(served.address, `/pagos/lotes/${body.id_lote}/errores`);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type") ?? "", /^text\/csv/);
    const id = "[0-9a-f-]{36}";
    assert.match(
      answer.body,
      new RegExp(
        "^linea,id_pago,id_afiliado,monto,moneda,mensaje_error\r\n" +
          `2,${id},'=SUM\\(A1\\),2.00,USD,"'-1\\+1, dijo ""no"""\r\n` +
          `4,${id},malo,4.50,COP,"'-1\\+1, dijo ""no"""\r\n$`,
      ),
    );
  });

  test("comes in pages, and lists in pages as well", async () => {
    gateway.outcomeFor = () => ({ type: "declined", code: "no", message: "no" });
    const { body } = await send(pagos(2_345, "bad"));
    await ended(body.id_lote);
    const { body: text } = await get(served.address, `/pagos/lotes/${body.id_lote}/errores`);
    const lines = text.trimEnd().split("\r\n").slice(1);
    assert.deepEqual(
      lines.map((line: string) => Number(line.split(",")[0])),
      Array.from({ length: 2_345 }, (_, n) => n + 1),
    );
    const path = `/pagos/lotes/${body.id_lote}/pagos?estado=FALLIDO&limit=1000`;
    const first = await get(served.address, path);
    const second = await get(served.address, `${path}&cursor=${first.body.next_cursor}`);
    const third = await get(served.address, `${path}&cursor=${second.body.next_cursor}`);
    assert.deepEqual([second.body.pagos[0].linea, third.body.pagos.length, third.body.next_cursor], [1_001, 345, null]);
    assert.equal((await get(served.address, `${path}&cursor=xx`)).status, 422);
  });
});
