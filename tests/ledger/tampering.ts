import type { Database } from "../../src/kernel/statement.ts";
import { type Random, run } from "./support.ts";

/** One column of one table of the ledger. */
export type Column = {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly nullable: boolean;
};

/** What was done, in words; undefined where it could not be done or changed nothing. */
export type Done = string | undefined;

/**
 * The rows that may be chosen: what no seal covers yet is not protected by the chain, which docs/ledger-proof.md says,
 * so that only lists and states, which the audit compares with what they are lists and states of, are chosen anywhere.
 */
const chosenRows: Readonly<Record<string, string>> = {
  batches: "id <= (select max(b) from ledger.seals, unnest(batches) b)",
  accounts: "id >> 16 <= (select max(b) from ledger.seals, unnest(batches) b)",
  transactions: "id >> 16 <= (select max(b) from ledger.seals, unnest(batches) b)",
  entries: "transaction_id >> 16 <= (select max(b) from ledger.seals, unnest(batches) b)",
  holds: "id >> 16 <= (select max(b) from ledger.seals, unnest(batches) b)",
  hold_resolutions: "batch_id <= (select max(b) from ledger.seals, unnest(batches) b)",
  floor_changes: "id >> 16 <= (select max(b) from ledger.seals, unnest(batches) b)",
  balances: "true",
  open_holds: "true",
  unsealed: "true",
  seals: "true",
  chart: "true",
  currencies: "true",
};

export const tables = Object.keys(chosenRows);

/** Every column that can be written, and every table of the schema, so that a new one is not forgotten. */
export async function readColumns(database: Database): Promise<Column[]> {
  const rows = await run<{ table: string; column: string; type: string; nullable: string }>(
    database,
    `select c.table_name as table, c.column_name as column, c.udt_name as type, c.is_nullable as nullable
     from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
     where c.table_schema = 'ledger' and c.is_generated = 'NEVER' and t.table_type = 'BASE TABLE'
     order by 1, c.ordinal_position`,
  );
  return rows.map(({ nullable, ...column }) => ({ ...column, nullable: nullable === "YES" }));
}

async function pickRow(database: Database, random: Random, table: string): Promise<string | undefined> {
  const [row] = await run<{ place: string; count: bigint }>(
    database,
    `select place::text, count from (
       select ctid as place, count(*) over () as count, row_number() over (order by t::text) as number
       from ledger.${table} t where ${chosenRows[table]}
     ) r where number = 1 + $1::bigint % count`,
    [random.below(1_000_000)],
  );
  return row?.place;
}

/** Another value for a column, as an expression. */
function otherValue(random: Random, { table, column, type, nullable }: Column): string {
  if (nullable && random.below(4) === 0) return `case when ${column} is null then ${filled(type)} end`;
  const present = nullable ? `coalesce(${column}, ${filled(type)})` : column;
  switch (type) {
    case "int8":
    case "int4":
    case "int2":
      return random.pick([
        `${present} + 1`,
        `${present} - 1`,
        `- ${present}`,
        `${present} + ${1 + random.below(10_000)}`,
        `(select ${column} from ledger.${table} order by md5(${column}::text || '${random.below(1_000)}') limit 1)`,
        "0",
      ]);
    case "text":
      return random.pick([
        `overlay(${present} placing chr(ascii(${present}) # 1) from 1)`,
        `${present} || 'x'`,
        `${present} || ' '`,
        `left(${present}, -1)`,
        `(select ${column} from ledger.${table} order by md5(${column} || '${random.below(1_000)}') limit 1)`,
      ]);
    case "timestamptz":
      return random.pick([
        `${present} + interval '1 microsecond'`,
        `${present} - interval '1 day'`,
        `timestamptz '${random.pick(["infinity", "-infinity", "2000-01-01Z"])}'`,
      ]);
    case "bool":
      return `not ${present}`;
    case "bytea":
      return random.pick([
        `set_byte(${present}, ${random.below(8)}, get_byte(${present}, 0) # ${1 + random.below(255)})`,
        `sha256(${present})`,
        `substr(${present}, 1, length(${present}) - 8)`,
        `${present} || ${present}`,
      ]);
    case "_int8":
      return random.pick([
        `${present} || ${random.below(100_000)}::bigint`,
        `trim_array(${present}, 1)`,
        `array_append(${present}, 9223372036854775807)`,
        `array_append(${present}, null)`,
        `array[${present}[1] + 1] || ${present}[2:]`,
        "'{}'::bigint[]",
      ]);
    default:
      throw new Error(`no other value for ${type}`);
  }
}

function filled(type: string): string {
  return type === "timestamptz" ? "timestamptz '2020-02-02Z'" : type === "text" ? "'something'" : "1";
}

/** Changes one column of one row, of any table. */
export function edit(database: Database, random: Random, columns: readonly Column[]): Promise<Done> {
  const table = random.pick(tables);
  return editColumn(database, random, random.pick(columns.filter((candidate) => candidate.table === table)));
}

/** Changes a column of one row. */
export async function editColumn(database: Database, random: Random, column: Column): Promise<Done> {
  const { table } = column;
  const place = await pickRow(database, random, table);
  if (place === undefined) return undefined;
  const value = otherValue(random, column);
  const changed = await run(
    database,
    `update ledger.${table} set ${column.column} = ${value}
     where ctid = '${place}' and ${column.column} is distinct from (${value}) returning 1`,
  );
  return changed.length > 0 ? `${table}.${column.column} := ${value} at ${place}` : undefined;
}

/** Removes one row. */
export async function remove(database: Database, random: Random): Promise<Done> {
  const table = random.pick(tables);
  const place = await pickRow(database, random, table);
  if (place === undefined) return undefined;
  await run(database, `delete from ledger.${table} where ctid = '${place}'`);
  return `deleted ${place} of ${table}`;
}

/** What can be exchanged between two rows that have the same value in `among`, and what stands in meanwhile. */
const exchanges: readonly (readonly [table: string, column: string, among: string, aside: string])[] = [
  ["entries", "version", "account_id", "999999"],
  ["entries", "leg", "transaction_id", "9999"],
  ["entries", "amount", "currency", "1"],
  ["entries", "transaction_id", "leg", "-1"],
  ["transactions", "id", "tenant", "-1"],
  ["transactions", "reference", "tenant", "aside"],
  ["batches", "id", "true", "-1"],
  ["holds", "id", "tenant", "-1"],
  ["hold_resolutions", "hold_id", "true", "-1"],
  ["accounts", "code", "currency", "aside"],
  ["balances", "account_id", "true", "-1"],
  ["seals", "number", "true", "999999"],
  ["seals", "hash", "true", `\\x${"00".repeat(32)}`],
  ["seals", "batches", "true", "{1}"],
  ["chart", "normal_side", "true", "debit"],
];

/** Exchanges a column between two rows. */
export async function reorder(database: Database, random: Random, columns: readonly Column[]): Promise<Done> {
  const [table, column, among, aside] = random.pick(exchanges);
  const type = columns.find((candidate) => candidate.table === table && candidate.column === column)?.type;
  const first = await pickRow(database, random, table);
  if (first === undefined) return undefined;
  const [one] = await run<{ value: string }>(
    database,
    `select ${column}::text as value from ledger.${table} where ctid = '${first}'`,
  );
  const [other] = await run<{ place: string; value: string }>(
    database,
    `select ctid::text as place, ${column}::text as value from ledger.${table}
     where ${chosenRows[table]} and ${column}::text <> $1
       and ${among} = (select ${among} from ledger.${table} where ctid = '${first}')
     order by md5(ctid::text || $2) limit 1`,
    [one?.value, String(random.below(1_000))],
  );
  if (one === undefined || other === undefined) return undefined;
  const put = async (place: string, value: string) => {
    const text = `update ledger.${table} set ${column} = $1::text::${type} where ctid = '${place}'
                  returning ctid::text as place`;
    const [moved] = await run<{ place: string }>(database, text, [value]);
    return moved?.place ?? "";
  };
  const before = await contentOf(database, table);
  // Unique indexes are asked row by row, so that one of the two stands aside meanwhile.
  const waiting = await put(first, aside);
  await put(other.place, one.value);
  await put(waiting, other.value);
  // Two rows that differ in nothing else are the same two rows afterwards.
  if ((await contentOf(database, table)) === before) return undefined;
  return `exchanged ${table}.${column} of ${first} (${one.value}) and ${other.place} (${other.value})`;
}

async function contentOf(database: Database, table: string): Promise<string | undefined> {
  const text = `select md5(string_agg(t::text, ' ' order by t::text)) as content from ledger.${table} t`;
  const [row] = await run<{ content: string }>(database, text);
  return row?.content;
}

/** The newest seals and nothing else. */
export async function dropSeals(database: Database, random: Random): Promise<Done> {
  await run(database, "delete from ledger.seals where number > (select max(number) - $1 from ledger.seals)", [
    1 + random.below(3),
  ]);
  return "dropped the newest seals";
}

/** Adds a row that looks like one that belongs there. */
export function insert(database: Database, random: Random): Promise<Done> {
  return insertAs(database, random, random.pick(insertions));
}

/** Adds a row in one of the ways of {@link insertions}. */
export async function insertAs(database: Database, random: Random, text: string): Promise<Done> {
  const added = await run(database, `${text} returning 1`, text.includes("$1") ? [random.below(1_000_000)] : []);
  return added.length > 0 ? text : undefined;
}

const sealedTransaction = `(select t.* from ledger.transactions t where ${chosenRows["transactions"]}
  order by md5(id::text || $1::bigint) limit 1) t`;

export const insertions: readonly string[] = [
  // A pair of entries in a transaction that was sealed, with balances that follow from them.
  `with legs as (
     select t.id, 900 + row_number() over (order by b.account_id) as leg, b.*, a.currency, t.posted_at as at,
            case row_number() over (order by b.account_id) when 1 then 7 else -7 end as amount
     from ${sealedTransaction} cross join lateral (
       select b.* from ledger.balances b join ledger.accounts a on a.id = b.account_id
       where a.currency = 'USD' order by b.account_id limit 2
     ) b join ledger.accounts a on a.id = b.account_id
   ), added as (
     insert into ledger.entries (transaction_id, leg, account_id, version, amount, balance, currency, posted_at)
     select id, leg, account_id, version + 1, amount, sign * (debits - credits + amount), currency, posted_at from legs
   )
   update ledger.balances b set debits = b.debits + greatest(l.amount, 0), credits = b.credits - least(l.amount, 0),
     version = b.version + 1
   from legs l where l.account_id = b.account_id`,
  `insert into ledger.transactions (id, tenant, kind, reference, posted_at)
   select (t.id | 65535) - 1, t.tenant, t.kind, t.reference || ' again', t.posted_at from ${sealedTransaction}`,
  `insert into ledger.transactions (id, tenant, kind, reference, posted_at)
   select ($1::bigint + 900000) << 16, t.tenant, t.kind, t.reference || ' again', t.posted_at
   from ${sealedTransaction}`,
  `insert into ledger.accounts (id, tenant, code, currency, normal_side, floored)
   select $1::bigint + (900000::bigint << 16), 'test', 'seller:new:available', 'USD', 'credit', true`,
  `with account as (
     insert into ledger.accounts (id, tenant, code, currency, normal_side, floored)
     select (b << 16) + 60000, 'test', 'seller:new:available', 'USD', 'credit', true
     from ledger.seals, unnest(batches) b order by md5(b::text || $1::bigint) limit 1 returning id
   )
   insert into ledger.balances (account_id, sign, debits, credits, held, floor, version)
   select id, -1, 0, 0, 0, 0, 0 from account`,
  `with hold as (
     insert into ledger.holds (id, tenant, reference, account_id, amount, held_at)
     select (b << 16) + 60000, 'test', 'new', account_id, 1, n.posted_at
     from ledger.seals, unnest(batches) b join ledger.batches n on n.id = b, ledger.balances
     order by md5(b::text || account_id || $1::bigint) limit 1 returning id, account_id
   ), open as (insert into ledger.open_holds (hold_id) select id from hold)
   update ledger.balances set held = held + 1, floor = floor from hold where balances.account_id = hold.account_id`,
  `insert into ledger.hold_resolutions (hold_id, resolution, batch_id)
   select hold_id, 'voided', batch_id
   from ledger.open_holds, (select min(batch_id) as batch_id from ledger.hold_resolutions) b
   order by md5(hold_id::text || $1::bigint) limit 1`,
  `insert into ledger.floor_changes (id, account_id, floor, reason, changed_by, changed_at)
   select (id | 65535) - 3, account_id, floor, 'because', 'me', changed_at - interval '1 day' from ledger.floor_changes
   order by md5(id::text || $1::bigint) limit 1`,
  "insert into ledger.batches (id, posted_at) select max(id) + 1, max(posted_at) from ledger.batches",
  "insert into ledger.batches (id, posted_at) select min(id) - 1, min(posted_at) from ledger.batches",
  "insert into ledger.unsealed select batches[1] from ledger.seals order by md5(number::text || $1::bigint) limit 1",
  "insert into ledger.unsealed select max(id) + 1 + $1::bigint from ledger.batches",
  `insert into ledger.seals (number, batches, rows, sealed_at, previous, hash, marks)
   select number + 1, batches, rows, sealed_at, hash, sha256(hash), marks
   from ledger.seals order by number desc limit 1`,
  `insert into ledger.seals (number, batches, rows, sealed_at, previous, hash, marks)
   select number + 1, array(select batch_id from ledger.unsealed), 1, now(), hash, sha256(hash), marks
   from ledger.seals order by number desc limit 1`,
  "insert into ledger.open_holds (hold_id) select hold_id from ledger.hold_resolutions order by random() limit 1",
  "insert into ledger.chart (pattern, normal_side) values ('hidden:%', 'debit')",
  "insert into ledger.currencies (code, exponent) values ('XXX', 2)",
];

/**
 * Cuts the end of the ledger off, so well that what is left is right by itself: the newest seals, everything that was
 * posted since, and the balances as they were. Only an exported head shows it.
 */
export async function cutTail(database: Database, seals: number): Promise<string> {
  await run(
    database,
    `create temporary table cut on commit drop as
     select b.id from ledger.batches b where not exists (
       select from ledger.seals s
       where b.id = any(s.batches) and s.number <= (select max(number) - ${seals} from ledger.seals)
     )`,
  );
  const of = (id: string) => `${id} in (select id from cut)`;
  for (const statement of [
    `delete from ledger.entries where ${of("transaction_id >> 16")}`,
    `delete from ledger.transactions where ${of("id >> 16")}`,
    `insert into ledger.open_holds select h.id, h.expires_at from ledger.holds h
       join ledger.hold_resolutions r on r.hold_id = h.id where ${of("r.batch_id")}`,
    `delete from ledger.hold_resolutions where ${of("batch_id")}`,
    `delete from ledger.open_holds where ${of("hold_id >> 16")}`,
    `delete from ledger.holds where ${of("id >> 16")}`,
    `delete from ledger.floor_changes where ${of("id >> 16")}`,
    `delete from ledger.balances where ${of("account_id >> 16")}`,
    `delete from ledger.accounts where ${of("id >> 16")}`,
    `delete from ledger.unsealed where ${of("batch_id")}`,
    `delete from ledger.seals where ${of("batches[1]")}`,
    `delete from ledger.batches where ${of("id")}`,
    `update ledger.balances b set
       (debits, credits, version, posted_at) = (
         select coalesce(sum(e.amount) filter (where e.amount > 0), 0),
                coalesce(-sum(e.amount) filter (where e.amount < 0), 0), count(*), max(e.posted_at)
         from ledger.entries e where e.account_id = b.account_id
       ),
       held = (
         select coalesce(sum(h.amount), 0) from ledger.open_holds o join ledger.holds h on h.id = o.hold_id
         where h.account_id = b.account_id
       ),
       floor = coalesce(
         (select f.floor from ledger.floor_changes f where f.account_id = b.account_id
          order by f.changed_at desc limit 1),
         (select c.floor from ledger.chart c, ledger.accounts a where a.id = b.account_id and a.code like c.pattern)
       )`,
  ]) {
    await run(database, statement);
  }
  return `cut the newest ${seals} seals off`;
}

/** Changes one row and writes the chain anew from there on, as whoever owns the database can. */
export async function rewriteChain(database: Database, random: Random): Promise<void> {
  const place = await pickRow(database, random, "transactions");
  await run(database, `update ledger.transactions set reference = reference || '!' where ctid = '${place}'`);
  await run(database, "insert into ledger.unsealed select b from ledger.seals, unnest(batches) b");
  // A seal's event has the seal's number as its version: those of the old chain would be in the way of the new one's.
  await run(database, "delete from events.log where category = 'ledger'");
  await run(database, "delete from ledger.seals");
  while ((await run(database, "select from ledger.seal(10)")).length > 0);
}
