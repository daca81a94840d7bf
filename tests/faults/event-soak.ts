import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createPool } from "../../src/infrastructure/postgres/connections.ts";
import { reportOutbox } from "../../src/modules/events/index.ts";
import { type Child, type Environment, type Server, until } from "../support/processes.ts";
import { createNamespace, startPulsar, type TestPulsar } from "../support/pulsar.ts";
import { openDurableSite, rowsOf, type Site } from "../support/site.ts";
import { makeEvents } from "./event-load.ts";
import { compareStatements, compareTopics, keepEverything, watchStatistics } from "./event-witness.ts";

// `node bin/marketflow.mjs --script tests/faults/event-soak.ts [--kills N | --short]`: `serve` under load, two relays
// and three consumers over a broker of its own. The five are killed at random, N times in all, and the broker once for
// every ten of these. The statistics are asked for all the while. In the end every event of the log must be in the
// broker's topics, in the order of its stream and none besides, and the affiliates' statements must say what the ledger
// says. Ends with 1 and says what is wrong where it is not so.

const drainLimitMs = 60_000;
const killsOfBroker = 10;

const { values } = parseArgs({ options: { kills: { type: "string" }, short: { type: "boolean" } } });
const kills = values.short ? 10 : Number(values.kills ?? "50");
if (!Number.isSafeInteger(kills) || kills < 1) throw new Error("--kills must be a whole number above 0");
const longestLifeMs = values.short ? 3_000 : 6_000;

/** Where one of the five runs; whoever runs there was begun after `deaths` kills. */
type Place = { readonly command: "relay" | "consume"; child: Child; deaths: number };

const began = performance.now();
const broker = await startPulsar();
const site = await openDurableSite({ LOG_LEVEL: "warn", SIMULATOR_PAY_AFTER_MS: "20" });
try {
  const namespace = await createNamespace(broker.webUrl);
  await keepEverything(broker.webUrl, namespace);
  const { url, webUrl } = broker;
  const topic = `persistent://${namespace}/pagos-events`;
  const settings = { PULSAR_URL: url, PULSAR_WEB_URL: webUrl, PULSAR_TOPIC: topic, LOG_LEVEL: "info" };
  await site.fund();
  const server = await site.startApi("serve", { LOG_LEVEL: "info" });
  const places = await Promise.all(
    (["relay", "relay", "consume", "consume", "consume"] as const).map(async (command): Promise<Place> => {
      return { command, child: await site.startWorker(command, settings), deaths: 0 };
    }),
  );
  await killAtRandom(server, places, settings);
  await check(server, places, namespace);
} finally {
  await site.close();
  await broker.stop();
}
say(`${((performance.now() - began) / 1_000).toFixed(0)} s in all`);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Resolves once everybody is up again, and nothing waits any more. */
async function killAtRandom(server: Server, places: readonly Place[], settings: Environment): Promise<void> {
  const watch = await watchStatistics(server.partner, site.ownerUrl);
  const load = makeEvents(server, { paying: 4, selling: 3, pauseMs: 15 });
  const loadBegan = performance.now();
  let down: Promise<number> | undefined;
  const downs: number[] = [];
  for (let kill = 1; kill <= kills; kill++) {
    await sleep(500 + Math.random() * (longestLifeMs - 500));
    if (kill % killsOfBroker === Math.floor(killsOfBroker / 2)) {
      if (down !== undefined) downs.push(await down);
      down = restart(broker);
      // A failure is for whoever waits for it.
      down.catch(() => undefined);
    }
    const place = places[Math.floor(Math.random() * places.length)];
    if (place !== undefined) await replace(place, settings);
  }
  if (down !== undefined) downs.push(await down);
  await sleep(2_000);
  await load.stop();
  const loadedS = (performance.now() - loadBegan) / 1_000;
  const tookMs = await until("everything is published and in the statements", drainLimitMs, isDrained).catch(
    async (error: unknown) => {
      const outputs = places.map(({ command, child }) => `--- ${command}\n${child.output().slice(-3_000)}`);
      throw new Error(`${JSON.stringify(await report(), numbersOf)}\n${outputs.join("\n")}`, { cause: error });
    },
  );
  await watch.stop();
  const deaths = places.map(({ command, deaths }) => `${command} ${deaths}`).join(", ");
  say(`killed ${kills} times (${deaths}), the broker ${downs.length} times: away for ${downs.map(seconds).join(", ")}`);
  say(`${JSON.stringify(load.made)} were acknowledged in ${loadedS.toFixed(0)} s`);
  say(`statistics: ${watch.answers} answers, all of them right, with up to ${watch.mostPending} events pending`);
  say(`all published and in the statements ${seconds(tookMs)} after the load`);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** SIGKILL, and another one in its place at once. */
async function replace(place: Place, settings: Environment): Promise<void> {
  const { command, child } = place;
  assert.deepEqual(await child.kill(), { code: null, signal: "SIGKILL" }, `${command} had ended by itself`);
  place.child = site.run([command], { ...site.environment, ...settings });
  place.deaths += 1;
}

/** Kills the broker and starts it again after a while. Returns how long it was away, in milliseconds. */
async function restart(killed: TestPulsar): Promise<number> {
  const downMs = performance.now();
  await killed.kill();
  await sleep(Math.random() * 3_000);
  await killed.start();
  return performance.now() - downMs;
}

async function report() {
  const database = createPool({
    url: site.appUrl,
    applicationName: "event soak",
    statementTimeoutMs: 10_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
    most: 1,
  });
  return await reportOutbox(database).finally(() => database.close());
}

function numbersOf(_key: string, item: unknown): unknown {
  return typeof item === "bigint" ? Number(item) : item;
}

/** Nothing is pending, every pago has its line, and nothing more happens by itself. */
async function isDrained(): Promise<boolean> {
  const { categories } = await report();
  if (categories.some(({ pending, parked }) => pending > 0 || parked > 0)) return false;
  const [row] = await rowsOf(
    site.ownerUrl,
    `select (select count(*) from events.log where category = 'pago')
          = (select count(*) from payouts.statement_lines)
        and not exists (select from payouts.under_way)
        and not exists (select from payments.payments where status = 'pending')
        and not exists (select from ledger.unsealed) as drained`,
  );
  return row?.["drained"] === true;
}

async function check(server: Server, places: readonly Place[], namespace: string): Promise<void> {
  const sums = await compareStatements(server.partner, site.ownerUrl);
  assert.deepEqual(await server.stop(), { code: 0, signal: null }, server.output().slice(-3_000));
  await until("nothing is left", drainLimitMs, isDrained);
  for (const { command, child } of places) {
    assert.deepEqual(await child.stop(), { code: 0, signal: null }, `${command}\n${child.output().slice(-3_000)}`);
  }
  say(`${sums} sums of the affiliates' statements are those of the ledger`);
  for (const { topic, events, streams, duplicates } of await compareTopics(site.ownerUrl, broker, namespace)) {
    say(
      `${topic}: ${events} events of ${streams} streams, in order, none missing or invented, ${duplicates} duplicates`,
    );
  }
  await checkDeadLetters(namespace);
  await checkBooks(site);
}

/** Nothing was put aside. */
async function checkDeadLetters(namespace: string): Promise<void> {
  const response = await fetch(`${broker.webUrl}/admin/v2/persistent/${namespace}`);
  const topics = (await response.json()) as string[];
  assert.ok(topics.length > 0);
  assert.deepEqual(
    topics.filter((name) => name.includes("DLQ")),
    [],
  );
}

async function checkBooks(on: Site): Promise<void> {
  const audit = on.run(["audit"], { DATABASE_URL: on.appUrl, MARKETFLOW_HOME: on.home });
  assert.deepEqual(await audit.exited, { code: 0, signal: null }, audit.output());
  say("`marketflow audit` finds nothing");
}
