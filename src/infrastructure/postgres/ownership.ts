import pg from "pg";

export type Ownership = {
  /** True while this process owns it; tries to become the owner where nobody is. Throws where the database is away. */
  holds(): Promise<boolean>;
  release(): Promise<void>;
};

/**
 * Ownership of a task by a session advisory lock, on a connection of its own that runs nothing else: the lock ends
 * with the connection, so a process that dies hands over at once.
 */
export function createOwnership(url: string, task: string, timeoutMs: number): Ownership {
  let owner: pg.Client | undefined;

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: url,
      application_name: `marketflow ${task}`,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      keepAlive: true,
    });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }

  async function drop(client: pg.Client): Promise<void> {
    if (owner === client) owner = undefined;
    // The connection may be broken already; ending it is all that is left to do with it.
    await client.end().catch(() => undefined);
  }

  return {
    async holds() {
      const client = owner ?? (await connect());
      try {
        // The owner asks as well: an answer proves that the session, and with it the lock, is still there.
        const again = owner === client;
        const text = again ? "select true as held" : "select pg_try_advisory_lock(hashtextextended($1, 0)) as held";
        const { rows } = await client.query<{ held: boolean }>(text, again ? [] : [`marketflow ${task}`]);
        if (rows[0]?.held !== true) await drop(client);
        else owner = client;
        return owner === client;
      } catch (error) {
        await drop(client);
        throw error;
      }
    },
    async release() {
      if (owner !== undefined) await drop(owner);
    },
  };
}
