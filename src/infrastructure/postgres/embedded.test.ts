import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Client } from "pg";
import { pgCtl } from "../../../tests/support/pg-ctl.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded.ts";
import { locateBinaries } from "./embedded-binaries.ts";
import { type EmbeddedPostgresFailure, failureFromError, failureFromOutput } from "./embedded-failure.ts";

// A process is killed here, never the machine, so nothing needs to reach the disk: all servers are fast ones.
const durable = false;
const homes: string[] = [];
/** For the tests that care only about what happens after the first start, which takes most of a second. */
const sharedHome = await newHome();

after(async () => {
  for (const home of homes) await rm(home, { recursive: true, force: true });
});

/** As root this folder is closed to PostgreSQL's account, so these tests also show that it gets by. */
async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "marketflow-embedded-"));
  homes.push(home);
  return home;
}

async function withServer(home: string, body: (postgres: EmbeddedPostgres) => Promise<void>): Promise<void> {
  const postgres = await startEmbeddedPostgres({ home, durable });
  try {
    await body(postgres);
  } finally {
    await postgres.stop();
  }
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** Another process that holds a server in the home, as the leader of a process group of its own. */
async function holdInProcess(home: string): Promise<{ owner: ChildProcess; ownerUrl: string; adminUrl: string }> {
  const script = join(import.meta.dirname, "../../../tests/support/hold-postgres.ts");
  const owner = spawn(process.execPath, [script, home], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(owner.stdout, "data");
  return { owner, ...(JSON.parse(String(line)) as { ownerUrl: string; adminUrl: string }) };
}

async function killGroup(owner: ChildProcess): Promise<void> {
  const ended = once(owner, "exit");
  process.kill(-(owner.pid ?? 0), "SIGKILL");
  await ended;
}

async function postmasterPid(home: string): Promise<number> {
  return Number((await readFile(join(home, "postgres", "postmaster.pid"), "utf8")).split("\n")[0]);
}

async function ps(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("ps", args).catch(() => ({ stdout: "" }));
  return stdout.trim();
}

/** A zombie has ended; whoever adopted it has only not asked yet how. */
async function isAlive(pid: number): Promise<boolean> {
  const state = await ps("-o", "stat=", "-p", String(pid));
  return state !== "" && !state.startsWith("Z");
}

async function ids(home: string): Promise<{ uid: number; gid: number } | object> {
  const { uid, gid } = await stat(join(home, "postgres"));
  return process.getuid?.() === 0 ? { uid, gid } : {};
}

async function answersWithin(url: string, limitMs: number): Promise<number> {
  const start = performance.now();
  while (true) {
    try {
      await query(url, "select 1");
      return performance.now() - start;
    } catch (error) {
      if (performance.now() - start > limitMs) throw error;
      await sleep(50);
    }
  }
}

test("a first start makes the roles and the database, a second start finds them as they were", async () => {
  const home = await newHome();
  await withServer(home, async ({ ownerUrl, appUrl }) => {
    await query(ownerUrl, "create table kept (n integer)");
    const [row] = await query(appUrl, "select current_user as name, pg_has_role('marketflow_app', 'member') as member");
    assert.deepEqual(row, { name: "marketflow", member: true });
    await assert.rejects(query(appUrl, "create table public.mine ()"), /permission denied/);
    await query(
      ownerUrl,
      "create role another_app nologin; grant marketflow_app to another_app; drop role another_app",
    );
  });
  assert.equal((await stat(join(home, "credentials.json"))).mode & 0o777, 0o600);
  await withServer(home, async ({ ownerUrl }) => {
    assert.deepEqual(await query(ownerUrl, "select count(*)::integer as rows from kept"), [{ rows: 0 }]);
  });
});

test("a durable server has fsync, full_page_writes and synchronous_commit on", async () => {
  const postgres = await startEmbeddedPostgres({ home: await newHome() });
  try {
    const rows = await query(
      postgres.appUrl,
      "select setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit')",
    );
    assert.deepEqual(
      rows.map((row) => row["setting"]),
      ["on", "on", "on"],
    );
  } finally {
    await postgres.stop();
  }
});

test("a second start on a home in use says so and names the process, and two homes run side by side", async () => {
  const home = await newHome();
  const other = await newHome();
  await withServer(home, async ({ port }) => {
    await assert.rejects(startEmbeddedPostgres({ home, durable }), (error: EmbeddedPostgresFailure) => {
      assert.equal(error.type, "home_in_use");
      assert.match(error.message, new RegExp(`${home} is in use by process ${process.pid}\\.`));
      return true;
    });
    await withServer(other, async (second) => assert.notEqual(second.port, port));
  });
});

test("two starts at once on a new home: one gets it and the other hears that it is in use", async () => {
  const home = await newHome();
  const starts = await Promise.allSettled([1, 2].map(() => startEmbeddedPostgres({ home, durable })));
  const started = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  const refused = starts.flatMap((start) => (start.status === "rejected" ? [start.reason.type] : []));
  for (const postgres of started) await postgres.stop();
  assert.deepEqual([started.length, refused], [1, ["home_in_use"]]);
});

test("after kill -9 of the owner's group nothing is left running, and a restart has what was committed", async () => {
  const home = sharedHome;
  const { owner, ownerUrl } = await holdInProcess(home);
  await query(ownerUrl, "drop table if exists kept; create table kept as select 1 as n");
  const postmaster = await postmasterPid(home);
  await killGroup(owner);
  // The server is still shutting down when the next start meets it.
  await withServer(home, async (postgres) => {
    assert.equal(await isAlive(postmaster), false);
    assert.deepEqual(await query(postgres.ownerUrl, "select n from kept"), [{ n: 1 }]);
  });
  const { owner: second } = await holdInProcess(home);
  const pid = await postmasterPid(home);
  await killGroup(second);
  for (let tries = 0; tries < 100 && (await isAlive(pid)); tries += 1) await sleep(50);
  assert.equal(await isAlive(pid), false);
});

test("an orphaned server whose watchdog was killed too is replaced by the next start", async () => {
  const home = sharedHome;
  const { owner, ownerUrl } = await holdInProcess(home);
  await query(ownerUrl, "drop table if exists kept; create table kept as select 1 as n");
  const orphan = await postmasterPid(home);
  const watchdog = Number(await ps("-o", "ppid=", "-p", String(orphan)));
  process.kill(-watchdog, "SIGSTOP");
  await killGroup(owner);
  for (const pid of await processesOfGroup(watchdog, "sh")) process.kill(pid, "SIGKILL");
  process.kill(-watchdog, "SIGCONT");
  await query(ownerUrl, "select 1");
  await withServer(home, async (postgres) => {
    assert.equal(await isAlive(orphan), false);
    assert.deepEqual(await query(postgres.ownerUrl, "select n from kept"), [{ n: 1 }]);
  });
});

async function processesOfGroup(group: number, command: string): Promise<number[]> {
  const rows = (await ps("-eo", "pid=,pgid=,comm=")).split("\n").map((line) => line.trim().split(/\s+/));
  return rows.filter(([, pgid, comm]) => Number(pgid) === group && comm === command).map(([pid]) => Number(pid));
}

test("a postmaster.pid whose process id now belongs to another program does not stop a start", async () => {
  const home = sharedHome;
  await withServer(home, async () => {});
  const stranger = spawn("sleep", ["60"], await ids(home));
  await once(stranger, "spawn");
  try {
    const content = `${stranger.pid}\n${home}/postgres\n1700000000\n5432\n\n127.0.0.1\n  1234567  7654321\nready   \n`;
    await writeFile(join(home, "postgres", "postmaster.pid"), content);
    await withServer(home, async ({ appUrl }) => assert.equal((await query(appUrl, "select 1")).length, 1));
    assert.equal(stranger.exitCode, null);
  } finally {
    stranger.kill("SIGKILL");
  }
});

test("a backend that outlived its killed server is ended, and the server comes back by itself", async () => {
  const home = sharedHome;
  await withServer(home, async ({ adminUrl }) => {
    const client = new Client({ connectionString: adminUrl });
    client.on("error", () => {});
    await client.connect();
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    // A loop without a wait in it does not notice that the server has gone.
    const looping = client.query("do $$ begin loop end loop; end $$").catch(() => {});
    process.kill(await postmasterPid(home), "SIGKILL");
    await answersWithin(adminUrl, 10_000);
    assert.equal(await isAlive(rows[0]?.pid ?? 0), false);
    await looping;
  });
});

test("an operator's immediate stop is healed and an operator's restart is taken over, on the same port", async () => {
  const home = sharedHome;
  await withServer(home, async ({ adminUrl, onUnexpectedExit }) => {
    let exits = 0;
    onUnexpectedExit(() => {
      exits += 1;
    });
    await query(adminUrl, "drop table if exists kept; create table kept as select 1 as n");
    await pgCtl(join(home, "postgres"), "stop", "-m", "immediate");
    await answersWithin(adminUrl, 10_000);
    assert.equal(exits, 1);
    await pgCtl(join(home, "postgres"), "restart", "-m", "immediate");
    const restarted = await postmasterPid(home);
    await answersWithin(adminUrl, 10_000);
    // Long enough for the watchdog of the first server to have ended and the new server to be taken over.
    await sleep(1_500);
    assert.deepEqual([exits, await postmasterPid(home)], [2, restarted]);
    assert.deepEqual(await query(adminUrl, "select n from kept"), [{ n: 1 }]);
  });
  await assert.rejects(readFile(join(home, "postgres", "postmaster.pid")), { code: "ENOENT" });
});

test("a stop while the server is being brought back leaves nothing running", async () => {
  const home = sharedHome;
  const postgres = await startEmbeddedPostgres({ home, durable });
  // The settings are written right before each start: from then on there is a server that is not there yet.
  const settingsWritten = async () => (await stat(join(home, "postgres", "marketflow.conf"))).mtimeMs;
  const before = await settingsWritten();
  process.kill(await postmasterPid(home), "SIGKILL");
  while ((await settingsWritten()) === before) await sleep(2);
  await postgres.stop();
  const left = await ps("-eo", "args=");
  assert.equal(left.includes(home), false);
});

test("what cannot work is refused with a type and a sentence", async () => {
  const home = await newHome();
  await writeFile(join(home, "file"), "");
  await assert.rejects(startEmbeddedPostgres({ home: join(home, "file", "home") }), { type: "home_not_writable" });
  await assert.rejects(locateBinaries("linux", "mips"), { type: "unsupported_platform", message: /DATABASE_URL/ });
  const noSpace = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  assert.equal(failureFromError(noSpace, home).type, "disk_full");
  const outputs = {
    disk_full: 'FATAL:  could not write lock file "postmaster.pid": No space left on device',
    port_taken: 'LOG:  could not bind IPv4 address "127.0.0.1": Address already in use',
    start_failed: "FATAL:  configuration file contains errors",
  };
  for (const [type, output] of Object.entries(outputs)) {
    assert.equal(failureFromOutput(output, home, "postgres.log").type, type);
  }
});
