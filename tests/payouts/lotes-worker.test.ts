import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createDedicatedConnection } from "../../src/infrastructure/postgres/connections.ts";
import { beginLines } from "../../src/modules/payouts/application/batches/start-lines.ts";
import { startLines } from "../../src/modules/payouts/persistence/batches.queries.ts";
import type { Cache, Lease } from "../../src/movements/index.ts";
import { eventually, get, post } from "../support/app.ts";
import { createTestDatabase } from "../support/database.ts";
import { rowsOf } from "../support/site.ts";
import { createFakePayouts, type FakePayouts, fund, type ServedLotes, serveLotes } from "./served-lotes.ts";

const insufficient = "coalesce(sum(amount_minor) filter (where status = 'FALLIDO'), 0)::text as \"unpaid\"";

async function openBooks(t: TestContext, fundedMinor = 1_000_000_000n) {
  const database = await createTestDatabase();
  const services: ServedLotes[] = [];
  t.after(async () => {
    await Promise.all(services.map((service) => service.close()));
    await database.drop();
  });
  await fund(database.appUrl, fundedMinor);
  return {
    database,
    look: (text: string) => rowsOf(database.ownerUrl, text),
    async serve(gateway: FakePayouts, more: Partial<Parameters<typeof serveLotes>[0]> = {}): Promise<ServedLotes> {
      const service = await serveLotes({ databaseUrl: database.appUrl, gateway, ...more });
      services.push(service);
      return service;
    },
  };
}

function pagos(count: number, who: string) {
  return Array.from({ length: count }, (_, n) => ({ id_afiliado: `${who}_${n}`, monto: 1, moneda: "USD" }));
}

async function send(service: ServedLotes, count: number, who = "a"): Promise<string> {
  const { status, body } = await post(service.address, "/pagos/lotes", { pagos: pagos(count, who) });
  assert.equal(status, 202, JSON.stringify(body));
  return body.id_lote;
}

async function ended(service: ServedLotes, id: string) {
  const { body } = await eventually(
    () => get(service.address, `/pagos/lotes/${id}`),
    ({ body: lote }) => lote.estado === "TERMINADO",
    20_000,
  );
  return body;
}

/** Each affiliate's payments by the gateway; a 2 is somebody paid twice. */
function timesPaid({ paid }: FakePayouts): Set<number> {
  const times = new Map<string, number>();
  for (const { recipient } of paid.values()) times.set(recipient, (times.get(recipient) ?? 0) + 1);
  return new Set(times.values());
}

test("the gateway is asked for so many at the same time and no more, and never for two of one line", async (t) => {
  const books = await openBooks(t);
  const gateway = createFakePayouts(5);
  const service = await books.serve(gateway, { concurrency: 40 });
  await ended(service, await send(service, 1_000));
  assert.equal(gateway.mostAtOnce, 40);
  assert.equal(gateway.calls, 1_000);
  assert.deepEqual(timesPaid(gateway), new Set([1]));
  assert.deepEqual(service.failures, []);
});

test("two processes without a shared cache pay every line of several lotes once", async (t) => {
  const books = await openBooks(t);
  const gateway = createFakePayouts(2);
  const [one, other] = [await books.serve(gateway), await books.serve(gateway)];
  const lotes = await Promise.all([send(one, 1_500, "a"), send(other, 1_500, "b"), send(one, 300, "c")]);
  for (const lote of lotes)
    assert.equal((await ended(other, lote)).por_estado.EXITOSO, lote === lotes[2] ? 300 : 1_500);
  assert.equal(gateway.calls, 3_300);
  assert.deepEqual(timesPaid(gateway), new Set([1]));
  const [ledger] = await books.look(
    "select count(*)::integer as postings, count(distinct reference)::integer as payouts from ledger.transactions " +
      "where kind = 'payout'",
  );
  assert.deepEqual(ledger, { postings: 3_300, payouts: 3_300 });
  assert.deepEqual([...one.failures, ...other.failures], []);
});

test("lotes are paid in the order in which they came", async (t) => {
  const books = await openBooks(t);
  const gateway = createFakePayouts(1);
  const service = await books.serve(gateway, { concurrency: 1 });
  const first = await send(service, 60, "first");
  const second = await send(service, 5, "second");
  const later = await ended(service, second);
  const earlier = await ended(service, first);
  assert.ok(earlier.fecha_fin <= later.fecha_fin);
  assert.deepEqual(
    [...gateway.paid.values()].map(({ recipient }) => recipient),
    [...pagos(60, "first"), ...pagos(5, "second")].map(({ id_afiliado }) => id_afiliado),
  );
});

test("lines without enough money behind them fail, and the gateway never hears of them", async (t) => {
  const books = await openBooks(t, 25_00n);
  const gateway = createFakePayouts();
  const service = await books.serve(gateway);
  const { por_estado } = await ended(service, await send(service, 40));
  assert.deepEqual(por_estado, { PENDIENTE: 0, PROCESANDO: 0, EXITOSO: 25, FALLIDO: 15 });
  assert.equal(gateway.calls, 25);
  const [row] = await books.look(
    `select min(failure_message) as message, min(failure_code) as code, ${insufficient} from payouts.payouts`,
  );
  assert.deepEqual(row, { message: "Fondos insuficientes", code: "insufficient_funds", unpaid: "1500" });
  const [{ held } = {}] = await books.look("select sum(held)::text as held from ledger.balances");
  assert.equal(held, "0");
});

test("what was declined leaves the funding as it was, and what the gateway does not say stays open", async (t) => {
  const books = await openBooks(t, 100_00n);
  const gateway = createFakePayouts();
  gateway.outcomeFor = (who) =>
    ({
      a_0: { type: "declined", code: "no_account", message: "Cuenta cerrada" } as const,
      a_1: { type: "unknown", code: "gateway_timeout", message: "No answer." } as const,
    })[who];
  const service = await books.serve(gateway);
  const lote = await send(service, 3);
  const answer = await eventually(
    () => get(service.address, `/pagos/lotes/${lote}`),
    ({ body }) => body.por_estado.EXITOSO === 1 && body.por_estado.FALLIDO === 1,
  );
  assert.deepEqual([answer.body.estado, answer.body.porcentaje], ["PROCESANDO", 66.66]);
  const balance = () =>
    books.look(
      "select b.debits - b.credits as money, b.held from ledger.balances b " +
        "join ledger.accounts a on a.id = b.account_id " +
        "where a.code = 'gateway:simulator:funding' and a.currency = 'USD'",
    );
  assert.deepEqual(await balance(), [{ money: "9900", held: "100" }]);
  gateway.outcomeFor = () => undefined;
  assert.equal((await ended(service, lote)).por_estado.EXITOSO, 2);
  assert.deepEqual(await balance(), [{ money: "9800", held: "0" }]);
});

test("a gateway that is away is tried with single lines, and the rest of the lote waits", async (t) => {
  const books = await openBooks(t);
  const gateway = createFakePayouts();
  gateway.outcomeFor = () => ({ type: "not_sent", code: "gateway_unreachable", message: "Nobody there." });
  const service = await books.serve(gateway, { concurrency: 8 });
  const lote = await send(service, 2_000);
  await sleep(1_500);
  const { body } = await get(service.address, `/pagos/lotes/${lote}`);
  assert.ok(body.por_estado.PENDIENTE > 1_900, JSON.stringify(body.por_estado));
  gateway.outcomeFor = () => undefined;
  assert.equal((await ended(service, lote)).por_estado.EXITOSO, 2_000);
  assert.deepEqual(timesPaid(gateway), new Set([1]));
});

test("stopping finishes what has begun and begins nothing more; another process goes on", async (t) => {
  const books = await openBooks(t);
  const gateway = createFakePayouts(30);
  const service = await books.serve(gateway, { concurrency: 16 });
  const lote = await send(service, 500);
  await eventually(
    async () => gateway.calls,
    (calls) => calls > 40,
  );
  await service.worker.stop();
  const count = "select status, count(*)::integer from payouts.payouts group by status order by status";
  const states = Object.fromEntries((await books.look(count)).map(({ status, count }) => [status, count]));
  assert.deepEqual(Object.keys(states), ["EXITOSO", "PENDIENTE"]);
  assert.equal(states["EXITOSO"], gateway.paid.size);
  const other = await books.serve(gateway, { concurrency: 100 });
  assert.equal((await ended(other, lote)).por_estado.EXITOSO, 500);
  assert.equal(gateway.calls, 500);
});

/** A cache whose one lock goes to whom the test says. */
function createLock() {
  let fence = 0n;
  const lock = { holder: null as string | null, renewals: true, given: [] as string[] };
  const cacheOf = (name: string): Cache => ({
    kind: "redis",
    get: async () => undefined,
    set: async () => undefined,
    async lock() {
      if (lock.holder !== null) return { type: "held_elsewhere" };
      fence += 1n;
      lock.holder = name;
      lock.given.push(name);
      const lease: Lease = {
        fence,
        renew: async () => lock.holder === name && lock.renewals,
        async release() {
          if (lock.holder === name) lock.holder = null;
        },
      };
      return { type: "locked", lease };
    },
    ping: async () => undefined,
    close: async () => undefined,
  });
  return { lock, cacheOf };
}

test("where processes share a cache one of them works on lotes at a time", async (t) => {
  const books = await openBooks(t);
  const { cacheOf } = createLock();
  const [left, right] = [createFakePayouts(2), createFakePayouts(2)];
  const one = await books.serve(left, { cache: cacheOf("one"), concurrency: 20 });
  const other = await books.serve(right, { cache: cacheOf("other"), concurrency: 20 });
  const lote = await send(one, 1_000);
  await ended(other, lote);
  assert.equal(left.calls + right.calls, 1_000);
  assert.ok(left.calls === 0 || right.calls === 0, `${left.calls} and ${right.calls}`);
});

test("a holder that has lost the lock begins nothing more", async (t) => {
  const books = await openBooks(t);
  const gateway = createFakePayouts();
  const service = await books.serve(gateway);
  await service.worker.stop();
  await send(service, 10);
  const { context } = service;
  assert.equal((await beginLines(context, context.database, 2, 7n)).type, "begun");
  assert.equal((await beginLines(context, context.database, 2, 6n)).type, "fenced");
  assert.equal((await beginLines(context, context.database, 2, 7n)).type, "begun");
  assert.equal((await beginLines(context, context.database, 2, null)).type, "begun");
  assert.equal((await beginLines(context, context.database, 2, 6n)).type, "fenced");
  const [row] = await books.look("select next_line, fence from payouts.batches");
  assert.deepEqual(row, { next_line: 7, fence: "7" });
  const rest = await beginLines(context, context.database, 100, 8n);
  assert.equal(rest.type === "begun" ? rest.attempts.length : 0, 4);
  assert.equal((await beginLines(context, context.database, 100, 8n)).type, "nothing_left");
});

test("a cache that has forgotten its fences stops nobody for good", async (t) => {
  const books = await openBooks(t);
  const gateway = createFakePayouts();
  const service = await books.serve(gateway);
  await service.worker.stop();
  const lote = await send(service, 300);
  await beginLines(service.context, service.context.database, 1, 1_000_000n);
  const { cacheOf } = createLock();
  const other = await books.serve(gateway, { cache: cacheOf("other"), leaseMs: 100, callDeadlineMs: 50 });
  assert.equal((await ended(other, lote)).por_estado.EXITOSO, 300);
});

test("begun lines that nobody settled are recovered once, and no affiliate is paid twice", async (t) => {
  const books = await openBooks(t);
  const gateway = createFakePayouts();
  const first = await books.serve(gateway, { leaseMs: 300, callDeadlineMs: 200 });
  await first.worker.stop();
  const lote = await send(first, 600);
  const { context } = first;
  // A process that died after it had begun these: the gateway paid half of them.
  const begun = await beginLines({ ...context, leaseMs: 300 }, context.database, 256, null);
  assert.ok(begun.type === "begun" && begun.attempts.length === 256);
  for (const { id, payoutId, recipient, amount, reference } of begun.attempts.slice(0, 128)) {
    await gateway.createPayout({ attemptId: id, payoutId, recipient: recipient.id, amount, reference }, 100);
  }
  const second = await books.serve(gateway);
  assert.equal((await ended(second, lote)).por_estado.EXITOSO, 600);
  assert.equal(gateway.paid.size, 600);
  assert.equal(gateway.calls, 600, "what the gateway knew was not asked for again");
});

test("beginning lines reaches tables by key, also while their statistics know nothing", async (t) => {
  const books = await openBooks(t);
  const connection = createDedicatedConnection({
    url: books.database.appUrl,
    applicationName: "plans",
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
  });
  t.after(() => connection.close());
  const text = `explain (generic_plan, costs off) ${startLines.text}`;
  const { rows } = await connection.query({ name: "", text, values: [] });
  const plan = (rows as { "QUERY PLAN": string }[]).map((row) => row["QUERY PLAN"]);
  const scans = plan
    .filter((line) => /(?:Index|Seq|Bitmap).* on (?:batches|payouts)/.test(line))
    .map((line) => line.trim());
  assert.deepEqual(scans, [
    "->  Index Scan using batches_unfinished on batches",
    "->  Index Scan using batches_pkey on batches b",
    "->  Index Scan using payouts_of_batch on payouts p",
  ]);
});
