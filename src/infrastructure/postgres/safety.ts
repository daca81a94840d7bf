import pg from "pg";

/** Settings of PostgreSQL without which a commit that was answered can be lost. */
const durableSettings = ["fsync", "full_page_writes", "synchronous_commit"] as const;

/**
 * What speaks against trusting this database with money, as sentences: durability switched off, a schema that is not
 * there, or a login that may change what it must not. Empty where all is well.
 */
export async function faultsOfDatabase(url: string, timeoutMs: number): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return [...(await faultsOfSettings(client)), ...(await faultsOfLogin(client))];
  } finally {
    await client.end();
  }
}

async function faultsOfSettings(client: pg.Client): Promise<string[]> {
  const names = durableSettings.map((name) => `'${name}'`).join(", ");
  const { rows } = await client.query<{ name: string; setting: string }>(
    `select name, setting from pg_settings where name in (${names}) and setting in ('off', 'local')`,
  );
  return rows.map(({ name, setting }) => `PostgreSQL has ${name}=${setting}: commits could be lost. Switch it on.`);
}

async function faultsOfLogin(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ superuser: boolean; owned: string[]; migrated: boolean }>(`
    select (select rolsuper from pg_roles where rolname = session_user) as superuser,
           to_regclass('payments.payments') is not null as migrated,
           array(
             select n.nspname || '.' || c.relname
             from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where n.nspname in ('events', 'payments', 'ledger', 'reconciliation') and c.relkind in ('r', 'p')
               and pg_has_role(session_user, c.relowner, 'usage')
             order by 1
           ) as owned`);
  const [state] = rows;
  const faults: string[] = [];
  if (state?.migrated !== true) faults.push("The schema is not there: run `marketflow migrate` first.");
  if (state?.superuser)
    faults.push("DATABASE_URL logs in as a superuser. Use a login that is only a member of marketflow_app.");
  else if (state !== undefined && state.owned.length > 0) {
    const owned = state.owned.join(", ");
    faults.push(`DATABASE_URL logs in as a role that owns ${owned}. Use a login that is only in marketflow_app.`);
  }
  return faults;
}
