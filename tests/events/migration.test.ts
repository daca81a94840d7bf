import assert from "node:assert/strict";
import { randomUUID, randomUUIDv7 } from "node:crypto";
import { after, test } from "node:test";
import type { Client } from "pg";
import { migrate } from "../../src/infrastructure/postgres/migrate.ts";
import { migrationsDirectory, readMigrations } from "../../src/infrastructure/postgres/migrations.ts";
import { connectAs } from "../ledger/vault.ts";
import { createEmptyDatabase, type TestDatabase } from "../support/database.ts";

const undo: (() => Promise<void>)[] = [];
after(async () => {
  for (const step of undo.reverse()) await step();
});

type Opened = { readonly database: TestDatabase; readonly owner: Client; readonly number: number };

/** A database as it was before a migration, and that migration's number. */
async function databaseBefore(name: string): Promise<Opened> {
  const migrations = await readMigrations(migrationsDirectory());
  const number = migrations.findIndex((migration) => migration.name.endsWith(name)) + 1;
  assert.ok(number > 0);
  const database = await createEmptyDatabase();
  undo.push(database.drop);
  await migrate({ url: database.ownerUrl, target: number - 1 });
  const owner = await connectAs(database.ownerUrl);
  undo.push(() => owner.end());
  return { database, owner, number };
}

/** A stream that began so many days ago. */
function streamFrom(daysAgo: number): string {
  const ms = (Date.now() - daysAgo * 86_400_000).toString(16).padStart(12, "0");
  return `${ms.slice(0, 8)}-${ms.slice(8)}${randomUUIDv7().slice(13)}`;
}

test("the log is divided by months with all that is in it, and put together again", async () => {
  const { database, owner, number } = await databaseBefore("event_partitions");
  const url = database.ownerUrl;
  const look = async (text: string, values: unknown[] = []) => (await owner.query(text, values)).rows;
  const application = await connectAs(database.appUrl);
  undo.push(() => application.end());
  const append = (streams: readonly string[], version = 1) =>
    application.query(
      `select events.append('test', $1, array_fill($2::integer, array[$3::integer]), array_fill('x'::text, array[$3]),
                            array_fill('{"n": 1}'::jsonb, array[$3]), array_fill(null::text, array[$3]))`,
      [streams, version, streams.length],
    );
  const daysAgo = [...Array.from({ length: 20 }, (_, n) => n * 11).reverse(), 0, 30];
  const streams = [...daysAgo.map(streamFrom), randomUUID(), "00000000-0000-8000-8000-000000000001"];
  for (const version of [1, 2]) await append(streams, version);
  // Positions that were drawn and never appended stay so.
  await owner.query("begin");
  await append([randomUUIDv7()]);
  await assert.rejects(append([streams[0] ?? ""], 2));
  await owner.query("rollback");
  await owner.query("select events.tally(10)");
  await owner.query("select events.tally(10)");
  const state = async () => ({
    rows: await look("select * from events.log order by position"),
    drawn: await look("select last_value, is_called from events.log_position_seq"),
    tallies: await look("select * from events.tallies, events.tally_progress"),
    total: await look("select events.count_of('test') as n"),
  });
  const before = await state();
  const rights = () =>
    look(
      "select grantee, privilege_type from information_schema.role_table_grants where table_name = 'log' order by 1, 2",
    );
  const [rightsBefore] = [await rights()];

  await migrate({ url, target: number });
  assert.deepEqual(await state(), before);
  assert.deepEqual(await rights(), rightsBefore);
  const [strays] = await look(
    "select count(*)::integer as n from events.log_others where substr(stream::text, 15, 1) = '7'",
  );
  assert.equal(strays?.n, 0);
  const months = await look("select distinct tableoid from events.log");
  assert.ok(months.length >= 8, `${months.length} partitions have events`);
  await assert.rejects(append([streams[3] ?? ""], 2), { code: "23505" });
  await append([streams[3] ?? ""], 3);
  const [newest] = await look(
    "select max(position) as position, (select last_value from events.log_position_seq) from events.log",
  );
  assert.equal(newest?.position, newest?.last_value);
  const divided = await state();

  await migrate({ url, direction: "back", target: number - 1 });
  assert.deepEqual(await state(), divided);
  assert.deepEqual(await rights(), rightsBefore);
  await assert.rejects(append([streams[3] ?? ""], 3), { code: "23505" });
  await append([streams[3] ?? ""], 4);
  const together = await state();
  await migrate({ url, target: number });
  assert.deepEqual(await state(), together);
});

test("an empty log keeps its first position when it is divided and put together", async () => {
  const { database, owner, number } = await databaseBefore("event_partitions");
  const url = database.ownerUrl;
  await migrate({ url, target: number });
  await migrate({ url, direction: "back", target: number - 1 });
  await migrate({ url, target: number });
  await owner.query("select events.append('test', array[$1::uuid], '{1}', '{x}', array['{}'::jsonb], '{null}')", [
    randomUUIDv7(),
  ]);
  const { rows } = await owner.query("select position from events.log");
  assert.deepEqual(rows, [{ position: 1n }]);
});

test("seals from before have their events as well, in their order and once", async () => {
  const { database, owner, number } = await databaseBefore("ledger_events");
  const url = database.ownerUrl;
  const seal = async (reference: string) => {
    await owner.query(
      `select ledger.post('test', '{sale}', array[$1], '{null}', '{null}', null, '{1,1}',
                          '{gateway:stripe:clearing,seller:ana:available}', '{USD,USD}', '{5,-5}')`,
      [reference],
    );
    await owner.query("select number from ledger.seal(64)");
  };
  const told = async () =>
    (
      await owner.query(
        "select stream_version as version, data from events.log where category = 'ledger' order by position",
      )
    ).rows;
  await seal("one");
  await seal("two");
  assert.deepEqual(await told(), []);
  await migrate({ url, target: number });
  await seal("three");
  await migrate({ url, direction: "back", target: number - 1 });
  await seal("four");
  await migrate({ url, target: number });
  await seal("five");
  const { rows: seals } = await owner.query(
    "select number, encode(hash, 'hex') as hash from ledger.seals order by number",
  );
  const events = await told();
  assert.deepEqual(
    events.map(({ version, data }) => [version, data.seal, data.hash]),
    seals.map(({ number: of, hash }) => [Number(of), Number(of), hash]),
  );
  assert.equal(events.length, 5);
});
