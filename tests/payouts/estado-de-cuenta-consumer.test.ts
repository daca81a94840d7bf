import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { Client } from "pg";
import {
  type ClosableDatabase,
  createDedicatedConnection,
  createPool,
} from "../../src/infrastructure/postgres/connections.ts";
import type { Receive } from "../../src/modules/events/index.ts";
import { readPagoEvent } from "../../src/modules/payouts/domain/estado-de-cuenta.ts";
import { createStatementConsumer } from "../../src/modules/payouts/index.ts";
import { createObserver, deliver, messageOf, type SeenByObserver } from "../events/consumer-driver.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { propertySeed } from "../support/property-seed.ts";
import { messageOfPago, type PublishedPago, pagoEvent } from "./estado-de-cuenta-served.ts";

let database: TestDatabase;
let admin: Client;
let absent: ClosableDatabase;
/** The consumers of three processes, each with a connection of its own. */
let processes: { readonly receive: Receive; readonly seen: SeenByObserver; readonly connection: ClosableDatabase }[];
before(async () => {
  database = await createTestDatabase();
  const settings = { statementTimeoutMs: 20_000, connectTimeoutMs: 5_000, onIdleError: () => undefined };
  admin = new Client({ connectionString: database.adminUrl });
  await admin.connect();
  absent = createPool({ ...settings, url: "postgres://nobody@127.0.0.1:1/none", applicationName: "nowhere", most: 1 });
  processes = ["one", "two", "three"].map((applicationName) => {
    const connection = createDedicatedConnection({ ...settings, url: database.appUrl, applicationName });
    const seen = createObserver();
    return { connection, seen, receive: createStatementConsumer(connection, seen.observe) };
  });
});
after(async () => {
  await Promise.all([...processes.map(({ connection }) => connection.close()), absent.close()]);
  await admin.end();
  await database.drop();
});

function receiveOf(place: number): Receive {
  const process = processes[place % processes.length];
  assert.ok(process);
  return process.receive;
}

type Sums = Record<string, [paid: bigint, succeeded: number, failed: number, newest: string]>;

/** The sums of affiliates whose ids begin so, by affiliate and currency. */
async function sumsIn(table: "statement_totals" | "statement_lines", prefix: string): Promise<Sums> {
  const columns =
    table === "statement_totals"
      ? "paid_minor as paid, succeeded, failed, last_event_at as newest from payouts.statement_totals"
      : `sum(amount_minor) filter (where status = 'EXITOSO') as paid,
         count(*) filter (where status = 'EXITOSO') as succeeded, count(*) filter (where status = 'FALLIDO') as failed,
         max(processed_at) as newest from payouts.statement_lines`;
  const { rows } = await admin.query<{ key: string; paid: string; succeeded: string; failed: string; newest: Date }>(
    `select affiliate_id || ' ' || currency as key, ${columns} where starts_with(affiliate_id, $1)
     ${table === "statement_lines" ? "group by affiliate_id, currency" : ""}`,
    [prefix],
  );
  return Object.fromEntries(
    rows.map(({ key, paid, succeeded, failed, newest }) => [
      key,
      [BigInt(paid ?? 0), Number(succeeded), Number(failed), newest.toISOString()],
    ]),
  );
}

/** What the statement must say of events, thought out without any of the code under test. */
function expectedSums(events: readonly PublishedPago[]): Sums {
  const sums: Sums = {};
  for (const { affiliateId, moneda, monto, type, timestamp } of events) {
    const key = `${affiliateId} ${moneda}`;
    const [paid, succeeded, failed, newest] = sums[key] ?? [0n, 0, 0, ""];
    const isPaid = type === "PagoExitoso";
    const minor = BigInt(Math.round(Number(monto) * 100));
    sums[key] = [
      paid + (isPaid ? minor : 0n),
      succeeded + (isPaid ? 1 : 0),
      failed + (isPaid ? 0 : 1),
      timestamp > newest ? timestamp : newest,
    ];
  }
  return sums;
}

async function assertStatement(events: readonly PublishedPago[], prefix: string): Promise<void> {
  const expected = expectedSums(events);
  assert.deepEqual(await sumsIn("statement_totals", prefix), expected);
  assert.deepEqual(await sumsIn("statement_lines", prefix), expected);
}

/** Events of affiliates of whom one is hot. */
function eventsOf(prefix: string, count: number): PublishedPago[] {
  return Array.from({ length: count }, (_each, place) =>
    pagoEvent({
      affiliateId: `${prefix}${place % 3 === 0 ? "hot" : place % 17}`,
      moneda: ["USD", "EUR", "COP"][place % 3] ?? "USD",
      monto: `${place}.${String(place % 100).padStart(2, "0")}`.replace(/^0\.00$/, "1"),
      type: place % 5 === 0 ? "PagoFallido" : "PagoExitoso",
      timestamp: `2026-05-01T10:00:00.${String(place % 1_000).padStart(3, "0")}Z`,
    }),
  );
}

const newPrefix = () => `${randomUUID()} `;

describe("the affiliates' statement", () => {
  test("is the same whatever the batches, and whatever is delivered again, late and to others", async () => {
    const event = fc.record({
      affiliate: fc.integer({ min: 0, max: 2 }),
      moneda: fc.constantFrom("USD", "EUR", "COP"),
      cents: fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.constant(999_999_999_900)),
      type: fc.constantFrom("PagoExitoso" as const, "PagoFallido" as const),
      second: fc.integer({ min: 0, max: 59 }),
    });
    const place = fc.nat({ max: 1_000 });
    const batch = fc.record({ process: place, places: fc.array(place, { minLength: 1, maxLength: 12 }) });
    let duplicates = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { minLength: 1, maxLength: 20 }),
        fc.array(batch, { maxLength: 8 }),
        async (drafts, batches) => {
          const prefix = newPrefix();
          const events = drafts.map(({ affiliate, cents, second, moneda, type }) =>
            pagoEvent({
              affiliateId: `${prefix}${affiliate}`,
              monto: `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`,
              timestamp: `2026-05-01T10:00:${String(second).padStart(2, "0")}.000Z`,
              moneda,
              type,
            }),
          );
          // Whatever the broker did before, in the end it has delivered everything once.
          const everything = { process: 0, places: [...events.keys()] };
          const all = [...batches, everything].map(({ process, places }) => ({
            receive: receiveOf(process),
            messages: places.map((which) => messageOfPago(events[which % events.length] as PublishedPago)),
          }));
          // The first half by several processes at once, the rest one after the other.
          const half = all.splice(0, Math.floor(all.length / 2));
          await Promise.all(half.map(({ receive, messages }) => deliver(receive, messages)));
          for (const { receive, messages } of all) assert.deepEqual((await deliver(receive, messages)).pauses, []);
          await assertStatement(events, prefix);
          duplicates += batches.reduce((sum, { places }) => sum + places.length, 0);
        },
      ),
      { numRuns: 40, seed: propertySeed },
    );
    assert.ok(duplicates > 200, `${duplicates} events were delivered again`);
  });

  test("of a hot affiliate is kept by three consumers at once without a deadlock or a lost sum", async () => {
    const prefix = newPrefix();
    const events = eventsOf(prefix, 1_200);
    const messages = events.map(messageOfPago);
    const deliverAll = async (orders: (typeof messages)[]) => {
      const delivered = await Promise.all(
        orders.map((order, place) => deliver(receiveOf(place), order, { batch: 40 })),
      );
      for (const { pauses, deadLetters } of delivered) assert.deepEqual([pauses, deadLetters], [[], []]);
    };
    // Each has pagos of its own, of the same affiliates; and then all have the same pagos.
    await deliverAll([messages.slice(0, 400), messages.slice(400, 800).reverse(), messages.slice(800)]);
    await assertStatement(events, prefix);
    events.push(...eventsOf(prefix, 300));
    const more = events.map(messageOfPago).slice(900);
    await deliverAll([more, more.toReversed(), [...more.slice(300), ...more.slice(0, 300)]]);
    await assertStatement(events, prefix);
  });

  test("is not changed by a consumer that died before its acknowledgement", async () => {
    const prefix = newPrefix();
    const events = eventsOf(prefix, 50);
    await receiveOf(0)(events.map(messageOfPago));
    // The next one has the partition now, and is given the same batch with what came since.
    events.push(...eventsOf(prefix, 10));
    assert.deepEqual(await receiveOf(1)(events.map(messageOfPago)), { handled: 60 });
    await assertStatement(events, prefix);
  });

  test("waits for a database that is away and has lost nothing then", async () => {
    const prefix = newPrefix();
    const events = eventsOf(prefix, 30);
    let isAway = true;
    let pausesSoFar = 0;
    const [{ connection } = { connection: absent }] = processes;
    const database = {
      query: (query: Parameters<ClosableDatabase["query"]>[0]) => (isAway ? absent : connection).query(query),
    };
    const receive = createStatementConsumer(database, createObserver().observe);
    const { pauses, deadLetters } = await deliver(receive, events.map(messageOfPago), {
      async onPause() {
        isAway = pausesSoFar++ < 3;
      },
    });
    assert.deepEqual([pauses, deadLetters], [[100, 200, 400, 800], []]);
    await assertStatement(events, prefix);
  });

  test("is whole behind a message that the database refuses", async () => {
    const prefix = newPrefix();
    const events = eventsOf(prefix, 41);
    const messages = events.map(messageOfPago);
    // The event is well-formed; what refuses it is the database.
    await admin.query(`create function payouts.refuse_one() returns trigger language plpgsql as
      $$ begin raise exception 'refused for the test' using errcode = 'check_violation'; end $$`);
    await admin.query(`create trigger refuse_one before insert on payouts.statement_lines for each row
      when (new.pago_id = '${events[20]?.pagoId}') execute function payouts.refuse_one()`);
    try {
      const { deadLetters } = await deliver(receiveOf(0), messages);
      assert.deepEqual(
        deadLetters.map(({ messageId }) => messageId),
        [events[20]?.eventId],
      );
      await assertStatement(events.toSpliced(20, 1), prefix);
    } finally {
      await admin.query("drop trigger refuse_one on payouts.statement_lines");
    }
    // It was not received, so that it can be brought again from where it was put aside.
    await deliver(receiveOf(1), messages);
    await assertStatement(events, prefix);
  });

  test("has a pago once, also where its event comes after its receipt was forgotten", async () => {
    const prefix = newPrefix();
    const events = eventsOf(prefix, 5);
    await deliver(receiveOf(0), events.map(messageOfPago));
    await admin.query("delete from events.inbox where consumer = 'affiliate-statement'");
    await deliver(receiveOf(1), events.map(messageOfPago));
    await assertStatement(events, prefix);
  });

  test("passes over events that are not of a pago's end", async () => {
    const payload = JSON.stringify({ event_type: "payment.created", event_id: randomUUID(), data: {} });
    assert.deepEqual(await receiveOf(0)([messageOf("other", payload)]), { handled: 1 });
  });
});

describe("a pago's event", () => {
  const read = (event: PublishedPago) => readPagoEvent(messageOfPago(event).payload);

  test("is read exactly, whatever the decimals", () => {
    for (const [monto, minor] of [
      ["100.50", 100_50n],
      ["0.01", 1n],
      ["9999999999", 9_999_999_999_00n],
      ["9999999998.99", 9_999_999_998_99n],
      ["5.000", 5_00n],
    ] as const) {
      const event = read(pagoEvent({ monto }));
      assert.ok(event.ok);
      assert.equal(event.value.amount.amountMinor, minor);
    }
  });

  test("is malformed where it is not one to the letter, and says why", () => {
    const good = pagoEvent();
    const bad: [payload: string, field: RegExp][] = [
      ...["1e2", "0", "-1", "0.001", '"5"', "null", "10000000000.01", "0.1000000000000000055", '{"source":"5"}'].map(
        (monto): [string, RegExp] => [messageOfPago({ ...good, monto }).payload, /^monto/],
      ),
      [messageOfPago({ ...good, moneda: "MXN" }).payload, /^monto/],
      [messageOfPago({ ...good, pagoId: "7" }).payload, /^id_pago/],
      [messageOfPago({ ...good, eventId: "" }).payload, /^event_id/],
      [messageOfPago({ ...good, affiliateId: "" }).payload, /^id_afiliado/],
      [messageOfPago({ ...good, affiliateId: "a\u0000b" }).payload, /^id_afiliado/],
      [messageOfPago({ ...good, affiliateId: "x".repeat(256) }).payload, /^id_afiliado/],
      [messageOfPago({ ...good, timestamp: "2026-13-01T00:00:00Z" }).payload, /^timestamp/],
      [messageOfPago({ ...good, timestamp: "1777629600" }).payload, /^timestamp/],
      [messageOfPago({ ...good, type: "PagoFallido" }).payload.replace("mensaje_error", "mensaje"), /^mensaje_error/],
      [messageOfPago({ ...good, type: "PagoFallido" }).payload.replace(/"Fondos \w+"/, "null"), /^mensaje_error/],
      ...["", "no json", "null", "[]", '"PagoExitoso"', '{"event_type":7}', "{}"].map((payload): [string, RegExp] => [
        payload,
        /^event_type/,
      ]),
      ['{"event_type":"PagoExitoso"}', /^event_id/],
    ];
    for (const [payload, field] of bad) {
      const event = readPagoEvent(payload);
      assert.ok(!event.ok && event.refusal.type === "malformed", payload);
      assert.match(event.refusal.reason, field, payload);
    }
  });

  test("of another type is not for the statement", () => {
    assert.deepEqual(readPagoEvent('{"event_type":"PagoCreado"}'), { ok: false, refusal: { type: "not_for_us" } });
  });
});
