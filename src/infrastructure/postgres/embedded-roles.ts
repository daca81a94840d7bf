import { Client, escapeLiteral } from "pg";
import type { Credentials } from "./embedded-home.ts";

/**
 * Makes the roles and the database where they are not there yet; a start that was killed in the middle is completed
 * by the next one.
 * - `marketflow_owner` logs in, owns the database and may create roles: it runs migrations.
 * - `marketflow_app` is a group that owns nothing; migrations grant to it.
 * - `marketflow` logs in as a member of that group: the application.
 */
export async function provision(adminUrl: string, credentials: Credentials): Promise<void> {
  const client = new Client({ connectionString: adminUrl, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `select rolname as name from pg_roles where rolname like 'marketflow%'
       union all select 'database ' || datname from pg_database where datname = 'marketflow'`,
    );
    const present = new Set(rows.map((row) => row.name));
    const ensure = async (name: string, statement: string) => {
      if (!present.has(name)) await client.query(statement);
    };
    const login = (password: string) => `login password ${escapeLiteral(password)}`;
    await ensure("marketflow_owner", `create role marketflow_owner createrole ${login(credentials.owner)}`);
    await ensure("marketflow_app", "create role marketflow_app nologin");
    await ensure("marketflow", `create role marketflow ${login(credentials.app)}`);
    await ensure("database marketflow", "create database marketflow owner marketflow_owner");
    // Only after all of them: the last step of the first start.
    if (present.size < 4) {
      await client.query("grant marketflow_app to marketflow");
      // Lets migrations grant membership of the group without acting as a member of it.
      await client.query("grant marketflow_app to marketflow_owner with admin true, inherit false, set false");
    }
  } finally {
    await client.end();
  }
}
