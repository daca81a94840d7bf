import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Client } from "pg";
import { available, clearing, connectAs, openVault, refund, sale, tenant, type Vault } from "./vault.ts";

let vault: Vault;
let written: Record<string, string>;
before(async () => {
  vault = await openVault();
  await vault.post([sale("kept-1", "kept", 1_000n, 25n), sale("kept-2", "kept", 500n)]);
  const [posted, voided] = [
    await vault.hold("kept-a", available("kept"), 100n),
    await vault.hold("kept-b", available("kept"), 50n),
  ];
  await vault.hold("kept-c", available("kept"), 10n);
  await vault.post([refund("kept-3", "kept", 80n, { holdId: posted })]);
  await vault.look("select ledger.void_holds($1, array[$2::bigint])", [tenant, voided]);
  await vault.look("select ledger.seal(3)");
  await vault.look("select ledger.set_floor($1, $2, 'USD', -5, 'agreed')", [tenant, available("kept")]);
  written = await vault.dump();
});
after(() => vault.close());
beforeEach(async () => assert.deepEqual(await vault.dump(), written));

const kept = [
  "currencies",
  "chart",
  "batches",
  "accounts",
  "transactions",
  "entries",
  "holds",
  "hold_resolutions",
  "floor_changes",
  "seals",
];
/** What the functions change, and nobody else: no triggers, only rights. */
const working = ["balances", "open_holds", "unsealed"];
/** A column of each table that something could be set in. */
const columnOf: Readonly<Record<string, string>> = {
  currencies: "exponent",
  chart: "floor",
  batches: "posted_at",
  accounts: "tenant",
  transactions: "reference",
  entries: "amount",
  holds: "amount",
  hold_resolutions: "resolution",
  floor_changes: "reason",
  seals: "hash",
  balances: "debits",
  open_holds: "expires_at",
  unsealed: "batch_id",
};

/** Every way to change or remove rows of a table, also those where a condition finds none or compares with NULL. */
function changesOf(table: string): string[] {
  const name = `ledger.${table}`;
  const column = columnOf[table];
  return [
    `update ${name} set ${column} = ${column}`,
    `update ${name} set ${column} = null`,
    `update ${name} set ${column} = default where false`,
    `update ${name} set ${column} = ${column} where null`,
    `update ${name} t set ${column} = o.${column} from ${name} o where o.${column} is not distinct from t.${column}`,
    `with changed as (update ${name} set ${column} = ${column} returning *) select count(*) from changed`,
    `delete from ${name}`,
    `delete from ${name} where false`,
    `with gone as (delete from ${name} returning *) select count(*) from gone`,
    `truncate ${name} cascade`,
    `truncate ${name}, ledger.accounts, ledger.holds, ledger.currencies cascade`,
    `merge into ${name} t using (values (1)) v (one) on true when matched then delete`,
    `merge into ${name} t using (values (1)) v (one) on false
       when matched then update set ${column} = t.${column} when not matched then do nothing`,
    `${againInto(table)} on conflict ${targetOf(table)} do update set ${column} = excluded.${column}`,
  ];
}

/** Inserts a table's rows once more; one of the columns of accounts is generated. */
function againInto(table: string): string {
  const columns = table === "accounts" ? "id, tenant, code, currency, normal_side, floored" : undefined;
  const into = columns === undefined ? "" : `(${columns})`;
  return `insert into ledger.${table} ${into} select ${columns ?? "*"} from ledger.${table}`;
}

/** The unique columns, which ON CONFLICT DO UPDATE must name. */
function targetOf(table: string): string {
  const named: Readonly<Record<string, string>> = {
    currencies: "code",
    chart: "pattern",
    entries: "account_id, version",
    hold_resolutions: "hold_id",
    open_holds: "hold_id",
    balances: "account_id",
    unsealed: "batch_id",
    seals: "number",
  };
  return `(${named[table] ?? "id"})`;
}

/** Runs each statement by itself and expects each to be refused for want of a right. Returns how many there were. */
async function allRefused(client: Client, statements: readonly string[], code = "42501"): Promise<number> {
  for (const statement of statements) {
    await client.query("begin");
    await assert.rejects(client.query(statement), { code }, statement);
    await client.query("rollback");
  }
  return statements.length;
}

async function withClient(url: string, body: (client: Client) => Promise<void>): Promise<void> {
  const client = await connectAs(url);
  try {
    await body(client);
  } finally {
    await client.end();
  }
}

test("every table of the ledger is in these tests", async () => {
  assert.deepEqual([...kept, ...working].sort(), Object.keys(written).sort());
  for (const [table, rows] of Object.entries(written)) assert.notEqual(rows, "", `${table} has rows to be changed`);
});

describe("the application's role", () => {
  for (const table of [...kept, ...working]) {
    test(`changes nothing in ${table}`, () =>
      withClient(vault.database.appUrl, async (app) => {
        const name = `ledger.${table}`;
        const refused = await allRefused(app, [
          ...changesOf(table),
          againInto(table),
          `insert into ${name} default values`,
          `${againInto(table)} on conflict do nothing`,
          `copy ${name} from stdin`,
          `select * from ${name} for update`,
          `lock table ${name} in share mode`,
          `alter table ${name} disable trigger all`,
          `alter table ${name} disable trigger user`,
          `alter table ${name} add column extra text`,
          `alter table ${name} rename to other`,
          `alter table ${name} owner to marketflow_app`,
          `create trigger mine before insert on ${name} execute function ledger.keep()`,
          `create rule mine as on insert to ${name} do instead nothing`,
          `create index on ${name} ((1))`,
          `drop table ${name} cascade`,
          `comment on table ${name} is 'mine'`,
        ]);
        assert.equal(refused, 30);
        assert.ok((await app.query(`select * from ${name}`)).rowCount, "reading is allowed");
      }));
  }

  test("cannot switch triggers off, become the owner, or change what guards the ledger", () =>
    withClient(vault.database.appUrl, async (app) => {
      await allRefused(
        app,
        [
          "set session_replication_role = replica",
          "set local session_replication_role = 'replica'",
          "select set_config('session_replication_role', 'replica', false)",
          "set role marketflow_ledger",
          "set role marketflow_owner",
          "set session authorization postgres",
          "grant marketflow_ledger to current_user",
          "alter role marketflow superuser",
          "create table ledger.mine (a integer)",
          "create function ledger.mine() returns integer language sql return 1",
          "create or replace function ledger.keep() returns trigger language plpgsql as 'begin return new; end'",
          "alter function ledger.keep() owner to marketflow_app",
          "drop trigger entries_are_kept on ledger.entries",
          "drop trigger entries_zero_sum on ledger.entries",
          "drop function ledger.post",
          "drop schema ledger cascade",
          "alter schema ledger rename to other",
          "alter table ledger.balances drop constraint balances_above_floor",
          "update pg_catalog.pg_trigger set tgenabled = 'D'",
          "delete from pg_catalog.pg_class where relname = 'entries'",
          "select nextval('ledger.batch_numbers')",
          "select setval('ledger.batch_numbers', 1)",
        ].map((statement) => statement),
      );
    }));

  test("cannot give itself rights", () =>
    withClient(vault.database.appUrl, async (app) => {
      await allRefused(app, ["grant execute on function ledger.set_floor to marketflow_app"]);
      // Who may read a table may pass on nothing of it: this is a warning, and grants nothing.
      await app.query("grant insert, update, delete, truncate, trigger on all tables in schema ledger to marketflow");
      await app.query("grant create on schema ledger to marketflow");
      await allRefused(app, [againInto("entries"), "delete from ledger.unsealed", "create table ledger.mine ()"]);
    }));

  test("calls only the functions that are meant for it", async () => {
    const rows = await vault.look<{ signature: string; name: string; granted: boolean; arguments: string[] }>(
      `select p.oid::regprocedure::text as signature, p.proname as name,
              has_function_privilege('marketflow', p.oid, 'execute') as granted,
              array(select format_type(t, null) from unnest(p.proargtypes) t) as arguments
       from pg_proc p where p.pronamespace = 'ledger'::regnamespace order by 1`,
    );
    const internal = rows.filter(({ granted }) => !granted);
    for (const name of ["judge", "end_holds", "set_floor", "open_accounts", "write_entries", "move_balances"]) {
      assert.ok(
        internal.some((row) => row.name === name),
        name,
      );
    }
    await withClient(vault.database.appUrl, async (app) => {
      const calls = internal.map(({ name, arguments: types }) => {
        const nulls = types.map((type) => `null::${type}`).join(", ");
        return `select ledger.${name}(${nulls})`;
      });
      assert.ok((await allRefused(app, calls)) >= 10);
    });
    for (const { name, granted } of rows) {
      if (["post", "post_all", "hold", "void_holds", "expire_holds", "seal"].includes(name)) assert.ok(granted, name);
    }
  });

  test("finds no way through objects of its own that its calls could meet", () =>
    withClient(vault.database.appUrl, async (app) => {
      await app.query(`
        create temporary table entries (like ledger.entries);
        create temporary table accounts (like ledger.accounts);
        create function pg_temp.unnest(anyarray) returns setof integer language sql as 'select 0';
        set search_path = pg_temp, public, pg_catalog`);
      const post = `select * from ledger.post($1, '{sale}', '{kept-1}', '{null}', '{null}', null, '{1,1,1}',
        array[$2, $3, 'platform:commission'], '{USD,USD,USD}', '{1000,-975,-25}')`;
      const { rows } = await app.query(post, [tenant, clearing, available("kept")]);
      assert.equal(rows[0]?.exceptions?.["1"]?.result, "already_posted");
    }));
});

const masters: [string, (database: Vault["database"]) => string, string][] = [
  ["the owner of the ledger", ({ ownerUrl }) => ownerUrl, "set role marketflow_ledger"],
  ["a superuser", ({ adminUrl }) => adminUrl, "reset role"],
];
for (const [who, urlOf, role] of masters) {
  describe(`${who}, while the triggers are on`, () => {
    for (const table of kept) {
      test(`changes and removes nothing in ${table}`, () =>
        withClient(urlOf(vault.database), async (client) => {
          await client.query(role);
          assert.equal(await allRefused(client, changesOf(table)), 14);
        }));
    }

    test("removes no balance", () =>
      withClient(urlOf(vault.database), async (client) => {
        await client.query(role);
        await allRefused(client, ["delete from ledger.balances", "truncate ledger.balances cascade"]);
      }));
  });
}

test("the refusal says what to do instead", async () => {
  await assert.rejects(vault.look("update ledger.entries set amount = 1 where account_id is null"), {
    message: "ledger.entries is append-only: UPDATE is refused. Post a correction instead.",
  });
});
