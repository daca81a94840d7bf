import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type LoadResult, putUnderLoad } from "../support/load.ts";
import { mustAsk, type Server, until } from "../support/processes.ts";
import { openDurableSite, type Site } from "../support/site.ts";

// `node bin/marketflow.mjs --script tests/faults/soak.ts [--minutes N | --short]`: two API processes under load while
// they are killed and their gateway fails, at random. In the end every acknowledged payment must be there and settled,
// and the simulator's journal must agree with the database. Ends with 1 and says what is wrong where it is not so.

const faultyServer = join(import.meta.dirname, "faulty-server.ts");
const connections = 8;
const settleLimitMs = 60_000;

const { values } = parseArgs({ options: { minutes: { type: "string" }, short: { type: "boolean" } } });
const durationMs = values.short ? 10_000 : Number(values.minutes ?? "5") * 60_000;
if (!(durationMs > 0)) throw new Error("--minutes must be a number above 0");

const site = await openDurableSite({
  GATEWAY_TIMEOUT_MS: "500",
  ACCEPT_LEASE_MS: "1500",
  SIMULATOR_PAY_AFTER_MS: "100",
  LOG_LEVEL: "info",
});
try {
  const untilMs = performance.now() + durationMs;
  const lives = await Promise.all([liveAndDie(site, untilMs), liveAndDie(site, untilMs)]);
  await check(site, lives.flat());
} finally {
  await site.close();
}

/** One place for an API process: starts it, loads it, kills it, and again, until the time is over. */
async function liveAndDie(on: Site, untilMs: number): Promise<LoadResult[]> {
  const results: LoadResult[] = [];
  let deaths = 0;
  while (performance.now() < untilMs) {
    const faults = String(Math.floor(Math.random() * 10));
    const server = await on.startApi({ script: faultyServer }, { FAULTS: faults });
    const load = putUnderLoad(server.address, connections, amount);
    await sleep(Math.min(500 + Math.random() * 4_000, Math.max(100, untilMs - performance.now())));
    const killed = performance.now() < untilMs;
    if (killed) deaths += 1;
    const exit = await (killed ? server.kill() : server.stop());
    results.push(...(await load.stop()));
    if (!killed) assert.deepEqual(exit, { code: 0, signal: null }, server.output().slice(-2_000));
  }
  process.stdout.write(`killed ${deaths} times, ${results.length} requests\n`);
  return results;
}

/** Different amounts, so that a charge of another payment's amount would be seen. */
function amount(): string {
  return `${1 + Math.floor(Math.random() * 500)}.${10 + Math.floor(Math.random() * 90)}`;
}

async function check(on: Site, results: readonly LoadResult[]): Promise<void> {
  const server = await on.startApi("serve");
  const tookMs = await until("every payment has succeeded", settleLimitMs, () => isSettled(on)).catch(
    async (error: unknown) => {
      const open = (await on.payments()).filter((payment) => payment.status !== "succeeded");
      throw new Error(`${JSON.stringify(open.slice(0, 5))} of ${open.length}\n${server.output().slice(-3_000)}`, {
        cause: error,
      });
    },
  );
  await checkAnswers(on, server, results);
  await checkJournal(on);
  await server.stop();
  process.stdout.write(`all settled ${Math.round(tookMs)} ms after the last start, and the journal agrees\n`);
}

async function isSettled(on: Site): Promise<boolean> {
  return (await on.payments()).every(({ status, openAttempts }) => status === "succeeded" && openAttempts === 0);
}

/** What was acknowledged is there; what was not, is there once after it has been asked for again. */
async function checkAnswers(on: Site, server: Server, results: readonly LoadResult[]): Promise<void> {
  const stored = new Map((await on.payments()).map((payment) => [payment.key, payment]));
  for (const { id, body } of results) {
    if (id !== null) assert.equal(stored.get(body.idempotency_key)?.id, id, `acknowledged ${id}`);
  }
  const lost = results.filter(({ id }) => id === null);
  const counts = new Map<string, number>();
  for (const { body, status, code } of lost) {
    const name = status === 0 ? "no answer" : `${status} ${code}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const again = await mustAsk(`${server.address}/payments`, body);
    assert.ok(again.status < 300, `${again.status} ${JSON.stringify(again.body)}`);
    const before = stored.get(body.idempotency_key);
    if (before !== undefined) assert.equal(again.body["id"], before.id);
  }
  process.stdout.write(`${results.length - lost.length} acknowledged; otherwise ${JSON.stringify([...counts])}\n`);
  await until("what was repeated has succeeded", settleLimitMs, () => isSettled(on));
  assert.equal((await on.payments()).length, results.length, "one payment for each request");
}

async function checkJournal(on: Site): Promise<void> {
  const charges = Map.groupBy(on.charges(), ({ paymentId }) => paymentId);
  const payments = await on.payments();
  for (const { id, key, amount: stored, eventVersions, version } of payments) {
    const [charge, ...more] = charges.get(id) ?? [];
    assert.equal(more.length, 0, `${key} was charged ${more.length + 1} times`);
    assert.equal(charge?.amountMinor, BigInt(stored.replace(/^(\d+)\.(\d\d)00$/, "$1$2")), `the amount of ${key}`);
    assert.equal(eventVersions.length, version, `the events of ${key}`);
  }
  assert.equal(charges.size, payments.length, "no charge without a payment");
}
