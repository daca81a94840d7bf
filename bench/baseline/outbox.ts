import { Pool, type PoolClient } from "pg";
import type { Message, Publisher } from "../../src/modules/events/ports.ts";

/** How many rows one transaction takes. */
const rowsAtOnce = 100;

/** The outbox that a good developer makes: what is not published yet is found by an index of its own. */
const outboxTable = `
  create table public.outbox (
    id           bigint      generated always as identity primary key,
    stream       uuid        not null,
    type         text        not null,
    data         jsonb       not null,
    created_at   timestamptz not null default now(),
    published_at timestamptz
  );
  create index outbox_unpublished on public.outbox (id) where published_at is null`;

type Row = { readonly id: string; readonly stream: string; readonly type: string; readonly data: string };

/** Makes the outbox anew, with so many rows that wait. */
export async function fillOutbox(ownerUrl: string, rows: number): Promise<void> {
  const pool = new Pool({ connectionString: ownerUrl, max: 1 });
  try {
    await pool.query(`drop table if exists public.outbox; ${outboxTable}`);
    await pool.query(
      `insert into public.outbox (stream, type, data)
       select uuidv7(), 'payment.created', jsonb_build_object(
         'amount', '1000', 'currency', 'USD', 'seller_id', 'seller_' || n % 1000, 'reference', null
       )
       from generate_series(1, $1) n`,
      [rows],
    );
    await pool.query("vacuum (analyze) public.outbox");
  } finally {
    await pool.end();
  }
}

/**
 * The relay that a good developer writes in an afternoon: take some rows that nobody else has, publish each and wait
 * for it, say so in its row, commit. Ends once the outbox is empty or the time is over; returns how many it published.
 */
export async function drainOutbox(ownerUrl: string, publisher: Publisher, withinMs: number): Promise<number> {
  const pool = new Pool({ connectionString: ownerUrl, max: 1 });
  const client = await pool.connect();
  const untilMs = performance.now() + withinMs;
  let published = 0;
  try {
    for (let taken = -1; taken !== 0 && performance.now() < untilMs; published += taken) {
      taken = await publishSome(client, publisher);
    }
    return published;
  } finally {
    client.release();
    await pool.end();
  }
}

async function publishSome(client: PoolClient, publisher: Publisher): Promise<number> {
  await client.query("begin");
  const { rows } = await client.query<Row>(
    `select id, stream, type, data::text as data from public.outbox
     where published_at is null order by id limit $1 for update skip locked`,
    [rowsAtOnce],
  );
  for (const row of rows) {
    await publisher.publish("outbox", [messageOf(row)]);
    await client.query("update public.outbox set published_at = now() where id = $1", [row.id]);
  }
  await client.query("commit");
  return rows.length;
}

function messageOf({ id, stream, type, data }: Row): Message {
  const head = `{"event_type":"${type}","event_id":"${stream}","timestamp":"${new Date().toISOString()}"`;
  return {
    topic: "outbox-events",
    key: stream,
    stream,
    eventId: stream,
    payload: `${head},"data":${data}}`,
    properties: { event_id: stream, event_type: type },
    position: BigInt(id),
  };
}
