import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createPool } from "../../src/infrastructure/postgres/connections.ts";
import { reportOutbox } from "../../src/modules/events/index.ts";
import { freePort } from "../support/free-port.ts";
import { type Child, type Environment, type Server, until } from "../support/processes.ts";
import { createNamespace, type PulsarAddress, sharedPulsar, withoutPulsar } from "../support/pulsar.ts";
import { withoutPythonClient } from "../support/pulsar-python.ts";
import { openSite, rowsOf, type Site } from "../support/site.ts";
import { type EventLoad, makeEvents, payAffiliate } from "./event-load.ts";
import {
  compareStatements,
  compareTopics,
  keepEverything,
  type StatisticsWatch,
  watchStatistics,
} from "./event-witness.ts";

// Two relays and three consumers, each a process, over one database and a real broker, under load. In the long form
// (`npm run test:events`) they die at random and the broker with them.

const faultlessServer = join(import.meta.dirname, "faulty-server.ts");
const skip = withoutPulsar || withoutPythonClient;
const takeoverLimitMs = 5_000;

describe("two relays and three consumers at once", { skip }, () => {
  let site: Site;
  let pulsar: PulsarAddress;
  let namespace: string;
  let server: Server;
  let settings: Environment;
  let relays: Child[];
  let consumers: { readonly child: Child; readonly port: number }[];
  let load: EventLoad;
  let watch: StatisticsWatch;

  before(async () => {
    pulsar = await sharedPulsar();
    namespace = await createNamespace(pulsar.webUrl);
    await keepEverything(pulsar.webUrl, namespace);
    site = await openSite({ LOG_LEVEL: "info", FAULTS: "0", SIMULATOR_PAY_AFTER_MS: "10" });
    await site.fund();
    const topic = `persistent://${namespace}/pagos-events`;
    settings = { PULSAR_URL: pulsar.url, PULSAR_WEB_URL: pulsar.webUrl, PULSAR_TOPIC: topic };
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    [server, relays, consumers] = await Promise.all([
      site.startApi({ script: faultlessServer }),
      Promise.all([site.startWorker("relay", settings), site.startWorker("relay", settings)]),
      Promise.all(
        ports.map(async (port) => {
          return { child: await site.startWorker("consume", { ...settings, OPERATIONS_PORT: `${port}` }), port };
        }),
      ),
    ]);
    watch = await watchStatistics(server.partner, site.ownerUrl);
    load = makeEvents(server, { paying: 3, selling: 2, pauseMs: 10 });
  });
  after(() => site?.close());

  /** How many lanes each relay has. */
  async function lanesOfRelays(): Promise<number[]> {
    const database = createPool({
      url: site.appUrl,
      applicationName: "test lanes",
      statementTimeoutMs: 5_000,
      connectTimeoutMs: 5_000,
      onIdleError: () => undefined,
      most: 1,
    });
    const { lanes } = await reportOutbox(database).finally(() => database.close());
    const owned = lanes.filter(({ ownerPid }) => ownerPid !== null);
    return [...Map.groupBy(owned, ({ ownerPid }) => ownerPid).values()].map((some) => some.length);
  }

  /** How many events a consumer has handled first. */
  async function handledBy(port: number): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    return Number(/^marketflow_consumer_messages_total\{[^}]*outcome="handled"[^}]*\} (\d+)$/m.exec(text)?.[1] ?? 0);
  }

  /** Pays so many that every lane and every partition has some, and returns once each is in its statement. */
  async function payAndSeeAll(since: number): Promise<number> {
    const answers = await Promise.all(Array.from({ length: 96 }, () => payAffiliate(server.partner)));
    const ids = answers.map((answer) => answer?.body["id_pago"]);
    assert.equal(ids.filter((id) => id !== undefined).length, 96);
    await until("all of them are in the statements", 20_000, async () => {
      const text = "select count(*)::integer as lines from payouts.statement_lines where pago_id = any ($1::uuid[])";
      return (await rowsOf(site.ownerUrl, text, [ids]))[0]?.["lines"] === 96;
    });
    return performance.now() - since;
  }

  /** Everything is published, and every pago is in a statement. */
  async function hasArrived(): Promise<boolean> {
    const [row] = await rowsOf(
      site.ownerUrl,
      `select count(*) = (select sum(events) from events.published)
          and count(*) filter (where category = 'pago') = (select count(*) from payouts.statement_lines) as arrived
       from events.log`,
    );
    return row?.["arrived"] === true;
  }

  test("the work is shared", async () => {
    await until("each relay has half of the lanes", 10_000, async () => {
      const owned = await lanesOfRelays();
      return owned.length === 2 && owned.every((lanes) => lanes === 4);
    });
    await until("each consumer has handled something", 10_000, async () => {
      const handled = await Promise.all(consumers.map(({ port }) => handledBy(port)));
      return handled.every((events) => events > 0);
    });
  });

  test("the lanes of a relay that is killed are taken over within 5 s", async (t) => {
    const began = performance.now();
    await relays[0]?.kill();
    const tookMs = await payAndSeeAll(began);
    assert.deepEqual(await lanesOfRelays(), [8]);
    t.diagnostic(`every lane flows ${Math.round(tookMs)} ms after the kill`);
    assert.ok(tookMs < takeoverLimitMs, `it took ${tookMs} ms`);
  });

  test("so are the partitions of a consumer that is killed", async (t) => {
    const began = performance.now();
    await consumers[0]?.child.kill();
    const tookMs = await payAndSeeAll(began);
    t.diagnostic(`every partition flows ${Math.round(tookMs)} ms after the kill`);
    assert.ok(tookMs < takeoverLimitMs, `it took ${tookMs} ms`);
  });

  test("every event arrived in the order of its stream, and the statistics were right all the while", async (t) => {
    await load.stop();
    await until("everything has arrived", 10_000, hasArrived);
    await watch.stop();
    assert.ok(watch.answers > 20 && watch.mostPending > 0, `${watch.answers} answers, ${watch.mostPending} pending`);
    const sums = await compareStatements(server.partner, site.ownerUrl);
    assert.ok(sums > 20);
    // The log stands still only without it: it seals the ledger.
    await server.stop();
    await until("the rest has arrived", 10_000, hasArrived);
    const topics = await compareTopics(site.ownerUrl, pulsar, namespace);
    t.diagnostic(`${JSON.stringify(topics)}, ${watch.answers} statistics, ${sums} sums`);
    assert.deepEqual(
      topics.map(({ topic }) => topic).filter((topic) => topic !== "ledger-events"),
      ["pagos-events", "payments-events"],
    );
    assert.deepEqual(await relays[1]?.stop(), { code: 0, signal: null });
    assert.deepEqual(await consumers[1]?.child.stop(), { code: 0, signal: null });
  });
});
