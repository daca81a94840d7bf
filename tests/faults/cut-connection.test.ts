import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type ConnectionSettings,
  createDedicatedConnection,
  createPool,
} from "../../src/infrastructure/postgres/connections.ts";
import { DatabaseFailure } from "../../src/kernel/statement.ts";
import { createTestDatabase } from "../support/database.ts";

for (const [name, open] of [
  ["pool", (settings: ConnectionSettings) => createPool({ ...settings, most: 4 })],
  ["dedicated connection", createDedicatedConnection],
] as const) {
  test(`a ${name} that is cut off in the middle of a statement fails that statement, and nothing else`, async (t) => {
    const database = await createTestDatabase();
    t.after(() => database.drop());
    const target = new URL(database.appUrl);
    const sockets: Socket[] = [];
    const proxy = createServer((near) => {
      const far = connect(Number(target.port), target.hostname);
      for (const socket of [near, far]) sockets.push(socket.on("error", () => undefined));
      near.pipe(far).pipe(near);
    }).listen(0, "127.0.0.1");
    await once(proxy, "listening");
    t.after(() => proxy.close());
    const address = proxy.address();
    assert.ok(typeof address === "object" && address !== null);
    const through = new URL(target);
    // Through TCP, not through the Unix socket that the embedded server offers.
    through.searchParams.delete("host");
    through.port = String(address.port);
    const connection = open({
      url: through.href,
      applicationName: "cut",
      statementTimeoutMs: 5_000,
      connectTimeoutMs: 2_000,
      onIdleError: () => undefined,
    });
    t.after(() => connection.close());

    await connection.query({ name: "warm", text: "select 1", values: [] });
    const slow = connection.query({ name: "slow", text: "select pg_sleep(2)", values: [] });
    const failed = assert.rejects(slow, (error) => error instanceof DatabaseFailure && error.mayHaveCommitted);
    await sleep(200);
    for (const socket of sockets) socket.destroy();
    await failed;
    assert.equal((await connection.query({ name: "again", text: "select 1", values: [] })).rows.length, 1);
  });
}
