import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { Client } from "pg";
import { createTestDatabase, type TestDatabase } from "../../../tests/support/database.ts";
import { type ClosableDatabase, createDedicatedConnection, createPool } from "./connections.ts";
import { createOwnership } from "./ownership.ts";

let database: TestDatabase;
let admin: Client;
let idleErrors: Error[];
const cleanups: (() => Promise<void>)[] = [];

before(async () => {
  database = await createTestDatabase();
  admin = new Client({ connectionString: database.adminUrl });
  await admin.connect();
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

after(async () => {
  await admin.end();
  await database.drop();
});

const applicationName = "connections test";

function settings(url = database.appUrl) {
  idleErrors = [];
  return {
    url,
    applicationName,
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 5_000,
    onIdleError: (error: Error) => void idleErrors.push(error),
  };
}

function opened<Kind extends ClosableDatabase>(made: Kind): Kind {
  // A test may have closed it itself.
  cleanups.push(() => made.close().catch(() => undefined));
  return made;
}

const kinds = {
  "a dedicated connection": (url?: string) => opened(createDedicatedConnection(settings(url))),
  "a pool": (url?: string) => opened(createPool({ ...settings(url), most: 2 })),
};

async function ask(from: ClosableDatabase, text: string, values: unknown[] = []): Promise<unknown> {
  const { rows } = await from.query({ name: text.slice(0, 60), text, values });
  return rows[0];
}

/** Resolves once a session of ours is (or is not) in the given state. */
async function sessions(state: "active" | "idle" | "gone", name = applicationName): Promise<number[]> {
  const untilMs = performance.now() + 5_000;
  for (;;) {
    const text = `select pid, state from pg_stat_activity where application_name = $1 and datname = current_database()`;
    const { rows } = await admin.query<{ pid: number; state: string }>(text, [name]);
    const found = state === "gone" ? rows : rows.filter((row) => row.state === state);
    if (found.length > 0 !== (state === "gone")) return found.map((row) => row.pid);
    assert.ok(performance.now() < untilMs, `no session became ${state} within 5 s`);
    await sleep(5);
  }
}

async function terminate(pids: number[]): Promise<void> {
  for (const pid of pids) await admin.query("select pg_terminate_backend($1, 5000)", [pid]);
}

/** A way to the database that can be cut or go silent, as a broken network does: without a word from the server. */
async function breakableWay() {
  const target = new URL(database.appUrl);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => sockets.delete(socket));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const way = new URL(database.appUrl);
  // Through TCP, not through the Unix socket that the embedded server offers.
  way.searchParams.delete("host");
  way.hostname = "127.0.0.1";
  way.port = String((server.address() as AddressInfo).port);
  const hang = () => {
    for (const socket of sockets) socket.pause().unpipe();
  };
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  cleanups.push(async () => {
    cut();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: way.href, cut, hang };
}

for (const [kind, open] of Object.entries(kinds)) {
  describe(kind, () => {
    test("gives counts as bigint, because a number would lose cents, and null as null", async () => {
      const row = await ask(
        open(),
        "select 9007199254740993::int8 as big, 1.10::numeric as exact, null::int8 as nothing",
      );
      assert.deepEqual(row, { big: 9007199254740993n, exact: "1.10", nothing: null });
    });

    test("takes a bigint as a parameter", async () => {
      assert.deepEqual(await ask(open(), "select $1::int8 as big", [9007199254740993n]), { big: 9007199254740993n });
    });

    test("goes on with a new session after its idle one was ended, and tells of it", async () => {
      const connection = open();
      const first = (await ask(connection, "select pg_backend_pid() as pid")) as { pid: number };
      await terminate([first.pid]);
      const untilMs = performance.now() + 5_000;
      while (idleErrors.length === 0 && performance.now() < untilMs) await sleep(1);
      assert.ok(idleErrors.length > 0, "nobody was told");
      const second = (await ask(connection, "select pg_backend_pid() as pid")) as { pid: number };
      assert.notEqual(second.pid, first.pid);
    });

    test("says that a statement may have committed whose session was ended under way, then works again", async () => {
      const connection = open();
      await ask(connection, "select 1");
      const inFlight = assert.rejects(ask(connection, "select pg_sleep(20)"), {
        name: "DatabaseFailure",
        kind: "unavailable",
        mayHaveCommitted: true,
      });
      await terminate(await sessions("active"));
      await inFlight;
      assert.deepEqual(await ask(connection, "select 2 as two"), { two: 2 });
    });

    test("says the same where the network breaks without a word, and the process lives on", async () => {
      const way = await breakableWay();
      const connection = open(way.url);
      await ask(connection, "select 1");
      const inFlight = assert.rejects(ask(connection, "select pg_sleep(2)"), {
        name: "DatabaseFailure",
        kind: "unavailable",
        mayHaveCommitted: true,
      });
      await sessions("active");
      way.cut();
      await inFlight;
      assert.deepEqual(await ask(connection, "select 2 as two"), { two: 2 });
      const left = "select pg_cancel_backend(pid) from pg_stat_activity where query = 'select pg_sleep(2)'";
      await admin.query(left);
    });

    test("gives up on a server that went silent: it may have committed, and the next one connects anew", async () => {
      const way = await breakableWay();
      const quick = { ...settings(way.url), statementTimeoutMs: 50, most: 1 };
      const connection = opened(kind === "a pool" ? createPool(quick) : createDedicatedConnection(quick));
      await ask(connection, "select 1");
      way.hang();
      await assert.rejects(ask(connection, "select 2 as two"), { kind: "unavailable", mayHaveCommitted: true });
      assert.deepEqual(await ask(connection, "select 2 as two"), { two: 2 });
    });

    test("says that nothing was committed where nobody listens, and tries anew with every statement", async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      await new Promise((resolve) => server.close(resolve));
      const connection = open(`postgres://app:x@127.0.0.1:${port}/x`);
      for (let time = 0; time < 2; time++) {
        await assert.rejects(ask(connection, "select 1"), { kind: "unavailable", mayHaveCommitted: false });
      }
    });

    test("keeps its session after a statement that was refused for its data, and says so", async () => {
      const connection = open();
      const before = await ask(connection, "select pg_backend_pid() as pid");
      await assert.rejects(ask(connection, "select $1::int4", ["x"]), { kind: "rejected", mayHaveCommitted: false });
      assert.deepEqual(await ask(connection, "select pg_backend_pid() as pid"), before);
    });

    test("lets a bug in a statement through as it is, and works on", async () => {
      const connection = open();
      await assert.rejects(ask(connection, "selec 1"), { code: "42601" });
      assert.deepEqual(await ask(connection, "select 1 as one"), { one: 1 });
    });

    test("ends a statement that takes too long, which then has done nothing", async () => {
      const quick = { ...settings(), statementTimeoutMs: 50, most: 1 };
      const connection = opened(kind === "a pool" ? createPool(quick) : createDedicatedConnection(quick));
      await assert.rejects(ask(connection, "select pg_sleep(20)"), { kind: "unavailable", mayHaveCommitted: false });
      assert.deepEqual(await ask(connection, "select 1 as one"), { one: 1 });
    });

    test("leaves no session behind when it is closed, and refuses statements from then on", async () => {
      const connection = open();
      await ask(connection, "select 1");
      await connection.close();
      await sessions("gone");
      await assert.rejects(ask(connection, "select 1"), { kind: "unavailable", mayHaveCommitted: false });
    });
  });
}

describe("a dedicated connection of a lane", () => {
  test("is one session that keeps its prepared statements", async () => {
    const connection = kinds["a dedicated connection"]();
    const pids = new Set<unknown>();
    for (let time = 0; time < 3; time++)
      pids.add(JSON.stringify(await ask(connection, "select pg_backend_pid() as pid")));
    assert.equal(pids.size, 1);
    assert.deepEqual(await ask(connection, "select count(*) as prepared from pg_prepared_statements"), {
      prepared: 2n,
    });
  });

  test("can be closed before it was ever used", async () => {
    await createDedicatedConnection(settings()).close();
  });
});

describe("a pool", () => {
  test("runs as many statements at once as it has sessions, and the others after them", async () => {
    const pool = kinds["a pool"]();
    const asked = Array.from({ length: 6 }, () => ask(pool, "select pg_backend_pid() as pid, pg_sleep(0.01)"));
    const pids = (await Promise.all(asked)).map((row) => (row as { pid: number }).pid);
    assert.equal(new Set(pids).size, 2);
  });
});

describe("a list as a parameter", () => {
  test("arrives as it was, whatever is in it", async () => {
    const database = await createTestDatabase();
    const connection = createDedicatedConnection({
      url: database.appUrl,
      applicationName: "test",
      statementTimeoutMs: 5_000,
      connectTimeoutMs: 5_000,
      onIdleError: () => undefined,
    });
    try {
      const element = fc.option(
        fc.string({ unit: "binary", maxLength: 20 }).filter((text) => !text.includes("\u0000")),
      );
      const awkward = ["", "null", "NULL", "{}", '"', "\\", "a,b", " ", "é", null, "pi_1"];
      const asks = async (list: (string | null)[]) => {
        const query = { name: "list", text: "select $1::text[] as list", values: [list] };
        const [row] = (await connection.query(query)).rows as { list: (string | null)[] }[];
        assert.deepEqual(row?.list, list);
      };
      await asks(awkward);
      await fc.assert(fc.asyncProperty(fc.array(element, { maxLength: 20 }), asks), { numRuns: 200 });
      const [numbers] = (
        await connection.query({ name: "n", text: "select $1::bigint[] as list", values: [[1, 2n, null]] })
      ).rows as { list: unknown[] }[];
      assert.deepEqual(numbers?.list.map(String), ["1", "2", "null"]);
      await assert.rejects(
        connection.query({ name: "d", text: "select $1::text[]", values: [[new Date()]] }),
        TypeError,
      );
    } finally {
      await connection.close();
      await database.drop();
    }
  });
});

describe("ownership", () => {
  const task = `test ${process.pid}`;
  const claim = () => {
    const ownership = createOwnership(database.appUrl, task, 5_000);
    cleanups.push(() => ownership.release());
    return ownership;
  };

  test("is held by one of two, again and again", async () => {
    const [first, second] = [claim(), claim()];
    assert.equal(await first.holds(), true);
    for (let time = 0; time < 3; time++) {
      assert.equal(await second.holds(), false);
      assert.equal(await first.holds(), true);
    }
  });

  test("goes to exactly one of several that ask at once", async () => {
    const answers = await Promise.all([claim(), claim(), claim()].map((ownership) => ownership.holds()));
    assert.deepEqual(answers.sort(), [false, false, true]);
  });

  test("passes on when it is released, and can be released by whoever does not have it", async () => {
    const [first, second] = [claim(), claim()];
    assert.equal(await first.holds(), true);
    await second.release();
    assert.equal(await second.holds(), false);
    await first.release();
    const untilMs = performance.now() + 5_000;
    while (!(await second.holds())) assert.ok(performance.now() < untilMs, "nobody took over within 5 s");
    assert.equal(await first.holds(), false);
  });

  test("passes on when the owner's session ends, and the former owner learns of it", async () => {
    const [first, second] = [claim(), claim()];
    assert.equal(await first.holds(), true);
    await terminate(await sessions("idle", `marketflow ${task}`));
    assert.equal(await second.holds(), true);
    // It either hears that its session is gone or, once it has asked anew, that another has the lock: never true.
    assert.notEqual(await first.holds().catch(() => "away"), true);
    assert.equal(await first.holds(), false);
    assert.equal(await second.holds(), true);
  });

  test("of another task is another's", async () => {
    const other = createOwnership(database.appUrl, `${task} other`, 5_000);
    cleanups.push(() => other.release());
    assert.equal(await claim().holds(), true);
    assert.equal(await other.holds(), true);
  });

  test("throws where the database is away, and leaves no session of one that only asked", async () => {
    await assert.rejects(createOwnership("postgres://x:x@127.0.0.1:1/x", task, 1_000).holds());
    const [first, second] = [claim(), claim()];
    assert.equal(await first.holds(), true);
    assert.equal(await second.holds(), false);
    assert.equal((await sessions("idle", `marketflow ${task}`)).length, 1);
  });
});
