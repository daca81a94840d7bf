import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { Client } from "pg";
import { type ClosableDatabase, createPool } from "../../src/infrastructure/postgres/connections.ts";
import { accept, refuse } from "../../src/kernel/result.ts";
import type { Database } from "../../src/kernel/statement.ts";
import { forgetReceipts } from "../../src/modules/events/application/inbox.ts";
import { createConsumer, type Receive } from "../../src/modules/events/index.ts";
import type { ReceivedMessage } from "../../src/modules/events/ports.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { createObserver, deliver, messageOf, type SeenByObserver } from "./consumer-driver.ts";

let database: TestDatabase;
let pool: ClosableDatabase;
let absent: ClosableDatabase;
let admin: Client;
before(async () => {
  database = await createTestDatabase();
  const connection = { statementTimeoutMs: 20_000, connectTimeoutMs: 5_000, onIdleError: () => undefined, most: 8 };
  pool = createPool({ ...connection, url: database.appUrl, applicationName: "consumer tests" });
  absent = createPool({ ...connection, url: "postgres://nobody@127.0.0.1:1/none", applicationName: "nowhere" });
  admin = new Client({ connectionString: database.adminUrl });
  await admin.connect();
  await admin.query(
    "create table public.effects (event_id uuid, amount integer constraint payable check (amount < 100))",
  );
  await admin.query("grant insert on public.effects to marketflow_app");
});
after(async () => {
  await Promise.all([pool.close(), absent.close()]);
  await admin.end();
  await database.drop();
});

type Effect = { readonly id: string; readonly amount: number };

let name = "";
let seen: SeenByObserver;
beforeEach(async () => {
  name = `consumer ${randomUUID()}`;
  seen = createObserver();
  await admin.query("truncate public.effects");
});

/** Inbox and effect in one statement, as handlers are. */
async function apply(on: Database, events: readonly Effect[]): Promise<number> {
  const text = `
    with received as materialized (select r as event_id from events.receive($1, $2::uuid[]) r),
    applied as (
      insert into public.effects (event_id, amount)
      select distinct i.event_id, i.amount
      from received join unnest($2::uuid[], $3::integer[]) as i (event_id, amount) using (event_id)
    )
    select count(*) as fresh from received`;
  const values = [name, events.map(({ id }) => id), events.map(({ amount }) => amount)];
  const { rows } = await on.query({ name: "", text, values });
  return Number((rows as { fresh: bigint }[])[0]?.fresh);
}

function parse({ payload }: ReceivedMessage) {
  if (payload === "other") return refuse({ type: "not_for_us" as const });
  if (payload === "broken") return refuse({ type: "malformed" as const, reason: "this is no event" });
  return accept(JSON.parse(payload) as Effect);
}

function consumer(handle: (events: readonly Effect[]) => Promise<number> = (events) => apply(pool, events)): Receive {
  return createConsumer<Effect>({ name, parse, handle, observe: seen.observe });
}

let messages = 0;
const message = (payload: string, properties = {}) => messageOf(`message ${++messages}`, payload, properties);
const effect = (amount: number, properties = {}) => message(JSON.stringify({ id: randomUUID(), amount }), properties);
const effects = (count: number) => Array.from({ length: count }, (_each, place) => effect(place % 100));

async function applied(): Promise<number[]> {
  const { rows } = await admin.query<{ amount: number }>("select amount from public.effects order by amount");
  return rows.map(({ amount }) => amount);
}

const counts = () => Object.fromEntries(seen.counts);

describe("a consumer", () => {
  test("takes a batch in one commit and acknowledges all of it", async () => {
    let calls = 0;
    const receive = consumer((events) => {
      calls += 1;
      return apply(pool, events);
    });
    assert.deepEqual(await receive(effects(50)), { handled: 50 });
    assert.deepEqual([calls, (await applied()).length, counts()], [1, 50, { handled: 50 }]);
    assert.deepEqual(await receive([]), { handled: 0 });
  });

  test("takes each event once, however often it is delivered: in a batch, in the next, and to others", async () => {
    const [one, two, three] = [effect(1), effect(2), effect(3)];
    const receive = consumer();
    assert.deepEqual(await receive([one, two, one]), { handled: 3 });
    assert.deepEqual(await receive([one, two, three]), { handled: 3 });
    assert.deepEqual(await consumer()([three, two, one]), { handled: 3 });
    assert.deepEqual(await applied(), [1, 2, 3]);
    assert.deepEqual(counts(), { handled: 3, duplicate: 6 });
  });

  test("passes over what is not for it", async () => {
    const delivered = [message("other"), effect(1), message("other"), effect(2), message("other")];
    assert.deepEqual(await consumer()(delivered), { handled: 5 });
    assert.deepEqual(await consumer()([message("other")]), { handled: 1 });
    assert.deepEqual(counts(), { passed_over: 4, handled: 2 });
  });

  test("puts aside at once what it cannot read, and nothing else", async () => {
    const broken = message("broken");
    const { deadLetters, pauses } = await deliver(consumer(), [effect(1), message("other"), broken, effect(2)]);
    assert.deepEqual(deadLetters, [{ messageId: broken.messageId, reason: "this is no event" }]);
    assert.deepEqual([pauses, await applied(), seen.aside], [[], [1, 2], [broken.messageId]]);
    assert.deepEqual(counts(), { handled: 2, passed_over: 1, dead_lettered: 1 });
  });
});

describe("a message that the database refuses", () => {
  test("is found in a batch: what is before it takes effect, and it is put aside after five tries", async () => {
    for (const place of [0, 1, 37, 99]) {
      await admin.query("truncate public.effects");
      const batch = effects(100);
      const poison = effect(100);
      batch.splice(place, 1, poison);
      const receive = consumer();
      const first = await receive(batch);
      assert.deepEqual(first, { handled: place, rest: { retryAfterMs: 100 } });
      assert.equal((await applied()).length, place);
      const { deadLetters, pauses } = await deliver(receive, batch.slice(place));
      assert.deepEqual(pauses, [200, 400, 800]);
      assert.equal(deadLetters.length, 1);
      assert.equal(deadLetters[0]?.messageId, poison.messageId);
      assert.match(deadLetters[0]?.reason ?? "", /^refused 5 times: .*payable/);
      assert.equal((await applied()).length, 99);
    }
  });

  test("does not have others put aside with it: each has its own tries", async () => {
    const batch = [effect(1), effect(100), effect(2), effect(100), effect(100), effect(3)];
    const { deadLetters, pauses } = await deliver(consumer(), batch);
    assert.deepEqual(
      deadLetters.map(({ messageId }) => messageId),
      [1, 3, 4].map((place) => batch[place]?.messageId),
    );
    assert.deepEqual(
      pauses,
      [1, 2, 3].flatMap(() => [100, 200, 400, 800]),
    );
    assert.deepEqual(await applied(), [1, 2, 3]);
  });

  test("takes effect as soon as it is accepted, and its tries are forgotten", async () => {
    const late = effect(100);
    const receive = consumer();
    for (const wanted of [100, 200])
      assert.deepEqual(await receive([late]), { handled: 0, rest: { retryAfterMs: wanted } });
    await admin.query("alter table public.effects drop constraint payable");
    try {
      assert.deepEqual(await receive([late]), { handled: 1 });
      await admin.query("truncate public.effects");
    } finally {
      await admin.query("alter table public.effects add constraint payable check (amount < 100)");
    }
    const again = { ...effect(100), messageId: late.messageId };
    assert.deepEqual(await receive([again]), { handled: 0, rest: { retryAfterMs: 100 } });
  });
});

describe("an outage", () => {
  test("of the database is waited out with longer and longer pauses, up to 5 s, and burns no tries", async () => {
    let isAway = true;
    const receive = consumer((events) => apply(isAway ? absent : pool, events));
    const batch = effects(10);
    let pauses = 0;
    const delivered = await deliver(receive, batch, {
      async onPause() {
        pauses += 1;
        isAway = pauses < 12;
      },
    });
    assert.deepEqual(delivered.deadLetters, []);
    assert.deepEqual(delivered.pauses.slice(0, 8), [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    assert.equal((await applied()).length, 10);
    isAway = true;
    assert.deepEqual(await receive(effects(1)), { handled: 0, rest: { retryAfterMs: 100 } });
    assert.ok(seen.failures.every(({ messageId }) => messageId === null));
  });

  test("in the middle of looking for a refused message keeps what took effect", async () => {
    let calls = 0;
    // The batch is refused, its first half goes through, and then the database is gone.
    const receive = consumer((events) => apply(++calls > 2 ? absent : pool, events));
    const batch = [effect(1), effect(2), effect(3), effect(100)];
    assert.deepEqual(await receive(batch), { handled: 2, rest: { retryAfterMs: 100 } });
    assert.deepEqual(await applied(), [1, 2]);
  });

  test("of our own, a bug, is nobody's fault and puts nothing aside", async () => {
    const receive = consumer(() => Promise.reject(new TypeError("a bug")));
    for (let round = 0; round < 10; round++) {
      const { handled, rest } = await receive(effects(3));
      assert.ok(handled === 0 && rest !== undefined && "retryAfterMs" in rest);
    }
    assert.equal(seen.failures.length, 10);
    assert.deepEqual(counts(), { retried: 30 });
  });
});

test("a consumer that dies before its acknowledgement has taken the batch, and the next one does not", async () => {
  const batch = effects(20);
  await consumer()(batch);
  const { deadLetters, pauses } = await deliver(consumer(), batch, { batch: 7 });
  assert.deepEqual([deadLetters, pauses], [[], []]);
  assert.deepEqual([(await applied()).length, counts()], [20, { handled: 20, duplicate: 20 }]);
});

test("consumers at once with the same messages in other orders take each once, without a deadlock", async () => {
  const batch = effects(200);
  const orders = [batch, batch.toReversed(), batch.toSorted((left, right) => (left.payload < right.payload ? -1 : 1))];
  for (const order of orders) order.push(...order.slice(0, 20));
  const delivered = await Promise.all(orders.map((order) => deliver(consumer(), order, { batch: 40 })));
  assert.deepEqual(
    delivered.flatMap(({ pauses }) => pauses),
    [],
  );
  assert.deepEqual([(await applied()).length, seen.counts.get("handled")], [200, 200]);
});

test("a message that is traced gets a span of its own, which says how it went, and no other does", async () => {
  const traced = (amount: number, place: number) => effect(amount, { traceparent: `trace ${place}` });
  const batch = [traced(1, 0), effect(2), traced(100, 2), traced(3, 3)];
  await consumer()(batch);
  const [first, poison, behind, ...others] = seen.spans;
  assert.deepEqual(others, []);
  assert.deepEqual(first, { name: `consume ${name}`, traceparent: "trace 0", end: "well" });
  assert.equal(poison?.traceparent, "trace 2");
  assert.match(poison?.end ?? "", /payable/);
  assert.notEqual(behind?.end, "open");
});

describe("the inbox", () => {
  test("knows consumers apart", async () => {
    const id = randomUUID();
    const receive = async (who: string) =>
      (await admin.query("select events.receive($1, array[$2::uuid, $2::uuid])", [who, id])).rowCount;
    assert.deepEqual([await receive("one"), await receive("one"), await receive("two")], [1, 0, 1]);
  });

  test("forgets what is older than 14 days, oldest first and in pages", async () => {
    await admin.query("truncate events.inbox");
    await admin.query(
      `insert into events.inbox (consumer, event_id, received_at)
       select 'old', gen_random_uuid(), now() - interval '15 days' - n * interval '1 second'
       from generate_series(1, 7000) n
       union all select 'young', gen_random_uuid(), now() - interval '13 days' from generate_series(1, 5)`,
    );
    assert.deepEqual(
      [await forgetReceipts(pool), await forgetReceipts(pool), await forgetReceipts(pool)],
      [5_000, 2_000, 0],
    );
    const { rows } = await admin.query("select consumer, count(*)::integer as n from events.inbox group by 1");
    assert.deepEqual(rows, [{ consumer: "young", n: 5 }]);
  });
});
