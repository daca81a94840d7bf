import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { eventIdOf } from "../../src/modules/events/application/outgoing.ts";
import { routes } from "../../src/modules/events/catalogue/topics.ts";
import { ask } from "../support/processes.ts";
import type { PulsarAddress } from "../support/pulsar.ts";
import { type PythonMessage, readWithPython } from "../support/pulsar-python.ts";
import { rowsOf } from "../support/site.ts";

// What the fault tests of events compare: the statistics with the log, the broker's topics with the log, and the
// affiliates' statements with the ledger.

/** Somebody who asks for the statistics all the time. */
export type StatisticsWatch = {
  /** How many answers were right so far. */
  readonly answers: number;
  /** The most that was pending in any of them. */
  readonly mostPending: number;
  /** Throws what was wrong with the first answer that was not right. */
  stop(): Promise<void>;
};

/**
 * Asks for the statistics of pagos, and checks each answer: the total is what is handled and what is pending, it is
 * between what the log had right before and right after, and neither it nor what is handled ever shrinks.
 */
export async function watchStatistics(partner: string, databaseUrl: string, pauseMs = 5): Promise<StatisticsWatch> {
  const client = new Client({ connectionString: databaseUrl });
  client.on("error", () => undefined);
  await client.connect();
  const watch = { answers: 0, mostPending: 0 };
  let last = { total: 0, handled: 0 };
  let stopped = false;
  const countLog = async (): Promise<number> => {
    const text = "select count(*)::integer as events from events.log where category = 'pago'";
    return (await client.query<{ events: number }>(text)).rows[0]?.events ?? 0;
  };
  const look = async (): Promise<void> => {
    const before = await countLog();
    const answer = await ask(`${partner}/pagos/outbox/estadisticas`);
    const after = await countLog();
    const text = JSON.stringify({ before, answer: answer?.body, after, last });
    assert.equal(answer?.status, 200, text);
    const { total_eventos: total, eventos_procesados: handled, eventos_pendientes: pending } = answer.body;
    assert.ok(typeof total === "number" && typeof handled === "number" && typeof pending === "number", text);
    assert.ok(pending >= 0 && handled >= 0 && total === handled + pending, text);
    assert.ok(before <= total && total <= after, text);
    assert.ok(total >= last.total && handled >= last.handled, text);
    last = { total, handled };
    watch.answers += 1;
    watch.mostPending = Math.max(watch.mostPending, pending);
  };
  const watching = (async () => {
    while (!stopped) {
      await look();
      await sleep(pauseMs);
    }
  })();
  // It is thrown to whoever stops it.
  watching.catch(() => undefined);
  return {
    get answers() {
      return watch.answers;
    },
    get mostPending() {
      return watch.mostPending;
    },
    async stop() {
      stopped = true;
      await watching.finally(() => client.end());
    },
  };
}

/** Has the broker keep what the namespace's consumers have acknowledged, so that everything can be read afterwards. */
export async function keepEverything(webUrl: string, namespace: string): Promise<void> {
  const response = await fetch(`${webUrl}/admin/v2/namespaces/${namespace}/retention`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ retentionTimeInMinutes: -1, retentionSizeInMB: -1 }),
  });
  assert.ok(response.ok, `${response.status} ${await response.text()}`);
}

type LoggedEvent = {
  readonly id: string;
  readonly stream: string;
  readonly version: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** What came of a topic: so many events in so many streams, and so many deliveries of an event that had come before. */
type TopicCount = {
  readonly topic: string;
  readonly events: number;
  readonly streams: number;
  readonly duplicates: number;
};

/**
 * Reads the topics of all categories that are in the log from their beginning, with a client that is not ours, and
 * throws unless each event of the log is there, none that is not in the log, and each stream in order once what came
 * again is left out. The log must stand still.
 */
export async function compareTopics(
  ownerUrl: string,
  pulsar: PulsarAddress,
  namespace: string,
): Promise<readonly TopicCount[]> {
  const compared = Object.entries(routes).map(async ([category, { topic }]): Promise<TopicCount | undefined> => {
    const logged = await readLogged(ownerUrl, category);
    if (logged.size === 0) return undefined;
    const messages = await readWithPython({
      url: pulsar.url,
      topic: `persistent://${namespace}/${topic}`,
      count: logged.size,
      timeoutMs: 60_000,
      restMs: 2_000,
    });
    return { topic, ...compareTopic(topic, logged, messages) };
  });
  return (await Promise.all(compared)).filter((count) => count !== undefined);
}

async function readLogged(ownerUrl: string, category: string): Promise<Map<string, LoggedEvent>> {
  const rows = await rowsOf(
    ownerUrl,
    "select stream, stream_version as version, type, data from events.log where category = $1",
    [category],
  );
  return new Map(
    (rows as Omit<LoggedEvent, "id">[]).map((row) => {
      const id = category === "pago" ? String(row.data["event_id"]) : eventIdOf(row.stream, row.version);
      return [id, { ...row, id }];
    }),
  );
}

function compareTopic(
  topic: string,
  logged: ReadonlyMap<string, LoggedEvent>,
  messages: readonly PythonMessage[],
): Omit<TopicCount, "topic"> {
  const seen = new Set<string>();
  const streams = new Map<string, { version: number; partition: number }>();
  for (const { payload, properties, partition } of messages) {
    const event = JSON.parse(payload) as Record<string, unknown>;
    const id = String(event["event_id"]);
    const expected = logged.get(id);
    assert.ok(expected !== undefined, `${topic} has an event that the log has not: ${payload}`);
    assert.equal(event["event_type"], expected.type, id);
    assert.equal(properties["event_id"], id);
    assert.equal(properties["stream"], expected.stream, id);
    assert.equal(properties["stream_version"], String(expected.version), id);
    if (seen.has(id)) continue;
    seen.add(id);
    const last = streams.get(expected.stream);
    assert.ok(last === undefined || last.version < expected.version, `${expected.stream} is out of order in ${topic}`);
    assert.ok(last === undefined || last.partition === partition, `${expected.stream} is in two partitions`);
    streams.set(expected.stream, { version: expected.version, partition });
  }
  const lost = [...logged.values()].filter(({ id }) => !seen.has(id));
  const again = messages.length - seen.size;
  assert.deepEqual(
    lost.slice(0, 10),
    [],
    `${topic} lacks ${lost.length} events of ${logged.size}; ${again} came again`,
  );
  return { events: seen.size, streams: streams.size, duplicates: again };
}

/**
 * Compares what each affiliate's statement says at the partner API with what the ledger says that they were paid, by
 * currency. Returns how many sums were compared.
 */
export async function compareStatements(partner: string, ownerUrl: string): Promise<number> {
  const rows = await rowsOf(
    ownerUrl,
    `select substr(a.code, 11, length(a.code) - 15) as affiliate, a.currency, (b.debits - b.credits)::text as minor
     from ledger.accounts a join ledger.balances b on b.account_id = a.id
     where a.code like 'affiliate:%:paid'
     order by a.code, a.currency`,
  );
  const byAffiliate = Map.groupBy(rows, ({ affiliate }) => String(affiliate));
  for (const [affiliate, accounts] of byAffiliate) {
    const answer = await ask(`${partner}/pagos/afiliados/${encodeURIComponent(affiliate)}/estado-de-cuenta`);
    const totals = (answer?.body["totales"] ?? []) as { moneda: string; total_pagado: number | string }[];
    const stated = totals
      .map(({ moneda, total_pagado: paid }) => [moneda, minorOf(paid)])
      .filter(([, minor]) => minor !== "0");
    const booked = accounts.map(({ currency, minor }) => [currency, minor]);
    assert.deepEqual(stated.toSorted(), booked.toSorted(), `the statement of ${affiliate}`);
  }
  return rows.length;
}

/** Of the three monedas, which all have two decimals here. */
function minorOf(paid: number | string): string {
  const [whole = "0", decimals = ""] = String(paid).split(".");
  return String(BigInt(whole) * 100n + BigInt(decimals.padEnd(2, "0")));
}
