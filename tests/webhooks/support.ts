import { randomUUIDv7 } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { Client } from "pg";
import { createHttpServer } from "../../src/infrastructure/http/server.ts";
import {
  type ClosableDatabase,
  type ConnectionSettings,
  createDedicatedConnection,
  createPool,
} from "../../src/infrastructure/postgres/connections.ts";
import { createLogger } from "../../src/infrastructure/telemetry/logger.ts";
import { createWebhookClient } from "../../src/infrastructure/webhooks/client.ts";
import type { Database } from "../../src/kernel/statement.ts";
import { createLogReader, eventTypes, type LogPage, messageOf, topicsOf } from "../../src/modules/events/index.ts";
import { createFanOut, type FanOut } from "../../src/modules/webhooks/application/fan-out.ts";
import {
  createSending,
  type Sending,
  type SendingLimits,
} from "../../src/modules/webhooks/application/send-deliveries.ts";
import { registerWebhookRoutes, type WebhooksContext } from "../../src/modules/webhooks/index.ts";
import type { WebhookClient } from "../../src/modules/webhooks/ports.ts";
import { createTestDatabase } from "../support/database.ts";

export type Received = { readonly headers: IncomingHttpHeaders; readonly body: string };

/** An integrator's server: keeps what it gets and answers as it is told. */
export type Receiver = {
  readonly url: string;
  readonly received: Received[];
  /** What it answers; a promise makes it slow. */
  answer: (request: Received) => ReceiverAnswer | Promise<ReceiverAnswer>;
  ids(): (string | undefined)[];
  close(): Promise<void>;
};
export type ReceiverAnswer = { status: number; headers?: Record<string, string>; body?: string };

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const got = { headers: request.headers, body };
    received.push(got);
    const { status, headers = {}, body: answer = "" } = await receiver.answer(got);
    response.writeHead(status, headers).end(answer);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks?from=marketflow`,
    received,
    answer: () => ({ status: 204 }),
    ids: () => received.map(({ headers }) => headers["webhook-id"] as string | undefined),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

/** Webhooks over a database of the test's own, with a clock that moves when it is told to. */
export type Site = {
  readonly context: WebhooksContext;
  readonly server: FastifyInstance;
  readonly look: <Row>(text: string, values?: unknown[]) => Promise<Row[]>;
  /** A connection of its own, closed with the site. */
  connect(): ClosableDatabase;
  fanOut(): FanOut;
  sending(more?: {
    client?: Pick<WebhookClient, "send">;
    database?: Database;
    limits?: Partial<SendingLimits>;
  }): Sending;
  /** Appends events of these types, each of a stream of its own; returns the streams. */
  append(...types: string[]): Promise<string[]>;
  /** Fans out all there is; returns how many deliveries were decided on. */
  settle(fanOut?: FanOut): Promise<number>;
  /** Sends all that is due now, and waits for it; returns how many tries that were. */
  send(sending?: Sending): Promise<number>;
  advance(ms: number): void;
  nowMs(): number;
  /** What went wrong, and what the parts said. */
  readonly told: string[];
  register(url: string, eventTypes?: string[]): Promise<{ id: string; secret: string }>;
  close(): Promise<void>;
};

const topics = topicsOf("pagos-events");

export async function openSite(): Promise<Site> {
  const database = await createTestDatabase();
  const connection: ConnectionSettings = {
    url: database.appUrl,
    applicationName: "test",
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
    onIdleError: () => undefined,
  };
  const pool = createPool({ ...connection, most: 4 });
  const opened: ClosableDatabase[] = [pool];
  const admin = new Client({ connectionString: database.adminUrl });
  await admin.connect();
  const look = async <Row>(text: string, values: unknown[] = []) => (await admin.query(text, values)).rows as Row[];
  let nowMs = Date.now();
  const told: string[] = [];
  const client = createWebhookClient({ allowHttp: true, allowPrivate: true });
  const newId = () => idAt(nowMs);
  const context: WebhooksContext = { database: pool, client, knownTypes: eventTypes, newId, nowMs: () => nowMs };
  const server = createHttpServer({
    logger: createLogger({ logLevel: "silent", serviceVersion: "0", process: "test", secrets: [] }),
    routeMetric: () => () => undefined,
    traceIdOf: () => undefined,
  });
  registerWebhookRoutes(server, context);

  function connect(): ClosableDatabase {
    const dedicated = createDedicatedConnection(connection);
    opened.push(dedicated);
    return dedicated;
  }

  const site: Site = {
    context,
    server,
    look,
    connect,
    told,
    advance(ms) {
      nowMs += ms;
    },
    nowMs: () => nowMs,
    fanOut() {
      const own = connect();
      const onUnknown = (event: LogPage["events"][number], reason: string) => told.push(`${event.type}: ${reason}`);
      return createFanOut({
        database: own,
        reader: createLogReader(own),
        bodyOf: (event) => messageOf(event, topics),
        newId,
        nowMs: () => nowMs,
        onUnknown,
      });
    },
    sending: (more = {}) =>
      createSending({
        database: more.database ?? connect(),
        client: more.client ?? client,
        nowMs: () => nowMs,
        random: () => 0,
        limits: { inAll: 64, ofEndpoint: 8, ofFailing: 2, leaseMs: 60_000, ...more.limits },
        userAgent: "MarketFlow-Webhooks/1",
        observe: {
          sent: (result) => told.push(result),
          endpointDisabled: (_id, reason) => told.push(`disabled: ${reason}`),
        },
        onFailure: (error) => told.push(`failed: ${error}`),
      }),
    async append(...types) {
      const streams = types.map(() => randomUUIDv7());
      for (const [place, type] of types.entries()) {
        const data = JSON.stringify({ amount: "1000.00", currency: "USD" });
        await look("select events.append($1, array[$2::uuid], array[1], array[$3], array[$4::jsonb], array[null])", [
          type.split(".")[0],
          streams[place],
          type,
          data,
        ]);
      }
      return streams;
    },
    async settle(fanOut = own.fanOut()) {
      const [log] = await look<{ end: string }>("select coalesce(max(position), 0) as end from events.log");
      const text = "select from events.cursors where consumer = 'webhooks' and position >= $1";
      const untilMs = performance.now() + 10_000;
      let deliveries = 0;
      // Transactions of other tests' databases hold the horizon back too.
      while ((await look(text, [log?.end])).length === 0) {
        deliveries += (await fanOut.next()).deliveries;
        if (performance.now() > untilMs) throw new Error("the log does not settle");
      }
      return deliveries;
    },
    async send(sending = own.sending()) {
      let tries = 0;
      for (;;) {
        const isIdle = sending.inFlight() === 0;
        const begun = await sending.begin();
        tries += begun;
        if (begun === 0 && isIdle) return tries;
        await sending.wait(1_000);
      }
    },
    async register(url, wanted = ["*"]) {
      const body = { url, event_types: wanted };
      const answer = await server.inject({ method: "POST", url: "/webhook-endpoints", payload: body });
      if (answer.statusCode !== 201) throw new Error(answer.body);
      return answer.json();
    },
    async close() {
      await server.close();
      client.close();
      await Promise.all(opened.map((database) => database.close()));
      await admin.end();
      await database.drop();
    },
  };
  const own = { fanOut: once(() => site.fanOut()), sending: once(() => site.sending()) };
  return site;
}

function once<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** A uuid of version 7 of a time. */
function idAt(ms: number): string {
  const digits = ms.toString(16).padStart(12, "0");
  return `${digits.slice(0, 8)}-${digits.slice(8)}${randomUUIDv7().slice(13)}`;
}
