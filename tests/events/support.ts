import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { type ClosableDatabase, createDedicatedConnection } from "../../src/infrastructure/postgres/connections.ts";
import { createLaneLocks } from "../../src/infrastructure/postgres/lane-locks.ts";
import { accept, type Result, refuse } from "../../src/kernel/result.ts";
import { createRelay, type Relay } from "../../src/modules/events/application/relay/relay.ts";
import type { RelayLimits, RelayObserver } from "../../src/modules/events/application/relay/settings.ts";
import type { LogEvent } from "../../src/modules/events/domain/log-event.ts";
import type { Message, Publisher, Refusal } from "../../src/modules/events/ports.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

/** A database of a test file's own, with the log in it. */
export type EventLog = {
  readonly database: TestDatabase;
  readonly admin: Client;
  /** A session for writers, of the application's role. */
  session(): Promise<Client>;
  connection(name: string): ClosableDatabase;
  close(): Promise<void>;
};

export async function openEventLog(): Promise<EventLog> {
  const database = await createTestDatabase();
  const clients: Client[] = [];
  const connections: ClosableDatabase[] = [];
  async function connect(url: string): Promise<Client> {
    const client = new Client({ connectionString: url });
    client.on("error", () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  }
  return {
    database,
    admin: await connect(database.adminUrl),
    session: () => connect(database.appUrl),
    connection(name) {
      const opened = createDedicatedConnection({
        url: database.appUrl,
        applicationName: `test ${name}`,
        statementTimeoutMs: 10_000,
        connectTimeoutMs: 5_000,
        onIdleError: () => undefined,
      });
      connections.push(opened);
      return opened;
    },
    async close() {
      for (const opened of connections) await opened.close();
      for (const client of clients) await client.end();
      await database.drop();
    },
  };
}

/** Appends an event of each stream, as the settle statements do. */
export async function append(
  session: Client,
  streams: readonly string[],
  { version = 1, category = "payment" }: { version?: number; category?: string } = {},
): Promise<void> {
  await session.query(
    `select events.append($1, $2::uuid[], array_fill($3::integer, array[cardinality($2::uuid[])]),
                          array_fill($1 || '.happened', array[cardinality($2::uuid[])]),
                          array_fill('{"amount": "10.00"}'::jsonb, array[cardinality($2::uuid[])]),
                          array_fill(null::text, array[cardinality($2::uuid[])]))`,
    [category, streams, version],
  );
}

/** A new stream, in a lane where that matters. */
export function newStream(lane?: number): string {
  const stream = randomUUID();
  return lane === undefined ? stream : stream.slice(0, -1) + lane.toString(16);
}

/** A broker in memory: keeps what is published and refuses, is away or loses its answer as told. */
export type FakeBroker = {
  readonly publisher: Publisher;
  /** In the order in which it was kept, with the lane's name; a second publication is there twice. */
  readonly kept: { readonly lane: string; readonly message: Message }[];
  refuses: (message: Message) => boolean;
  isAway: boolean;
  /** For how long each call takes. */
  delayMs: number;
  calls: number;
};

export function createFakeBroker(): FakeBroker {
  const inUse = new Set<string>();
  const broker: FakeBroker = {
    kept: [],
    refuses: () => false,
    isAway: false,
    delayMs: 0,
    calls: 0,
    publisher: {
      name: "fake",
      async publish(lane, messages) {
        broker.calls += 1;
        if (inUse.has(lane)) throw new Error(`two calls at once for lane ${lane}`);
        inUse.add(lane);
        try {
          if (broker.delayMs > 0) await new Promise((done) => setTimeout(done, broker.delayMs));
          return keep(broker, lane, messages);
        } finally {
          inUse.delete(lane);
        }
      },
      async ping() {},
      async close() {},
    },
  };
  return broker;
}

function keep(broker: FakeBroker, lane: string, messages: readonly Message[]): Refusal[] {
  const refusals = new Map<string, Refusal>();
  for (const message of messages) {
    // It goes away in the middle of what it was given.
    if (broker.isAway) throw new Error("the broker is away");
    if (refusals.has(message.stream)) continue;
    if (broker.refuses(message)) refusals.set(message.stream, { position: message.position, reason: "too_large" });
    else broker.kept.push({ lane, message });
  }
  return [...refusals.values()];
}

/** The least that a message needs. */
export function messageOf(event: LogEvent): Result<Message, { type: string }> {
  if (event.category === "unknown") return refuse({ type: "event_unknown" });
  const { stream, version, position, data: payload } = event;
  const eventId = `${stream}:${version}`;
  return accept({ topic: `${event.category}-events`, key: stream, stream, eventId, payload, properties: {}, position });
}

/** What was told, by name. */
export type Told = { [Name in keyof RelayObserver]: Parameters<RelayObserver[Name]>[] };

export type TestRelay = Relay & { readonly told: Told };

export type TestRelayOptions = {
  readonly messageOf?: typeof messageOf;
  readonly limits?: Partial<RelayLimits>;
  readonly connection?: EventLog["connection"];
};

/** A relay that is quick to look again. */
export function openRelay(log: EventLog, broker: FakeBroker, options: TestRelayOptions = {}): TestRelay {
  const told: Told = {
    published: [],
    lag: [],
    refused: [],
    parked: [],
    halted: [],
    unreachable: [],
    reachable: [],
    horizon: [],
    lanes: [],
    failed: [],
  };
  const names = Object.keys(told) as (keyof Told)[];
  const observe = Object.fromEntries(
    names.map((name) => [name, (...args: never[]) => (told[name] as never[][]).push(args)]),
  ) as unknown as RelayObserver;
  const relay = createRelay({
    connection: options.connection ?? log.connection,
    locks: createLaneLocks({ url: log.database.appUrl, task: "relay", timeoutMs: 2_000 }),
    publisher: broker.publisher,
    messageOf: options.messageOf ?? messageOf,
    observe,
    limits: { lookMs: 100, idleMs: 10, gatherMs: 0, mostBackoffMs: 300, ...options.limits },
  });
  return { ...relay, told };
}

/** The first publication of each event, by stream: what a consumer that drops duplicates sees. */
export function arrived(broker: FakeBroker): Map<string, number[]> {
  const streams = new Map<string, number[]>();
  const seen = new Set<string>();
  for (const { message } of broker.kept) {
    if (seen.has(message.eventId)) continue;
    seen.add(message.eventId);
    const versions = streams.get(message.stream) ?? [];
    streams.set(message.stream, [...versions, Number(message.eventId.split(":")[1])]);
  }
  return streams;
}
