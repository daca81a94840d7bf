import type { Database } from "../../../kernel/statement.ts";
import { createLogReader } from "../../events/index.ts";
import type { WebhookClient } from "../ports.ts";
import { createBell } from "./bell.ts";
import { createFanOut, type FanOutSettings } from "./fan-out.ts";
import { createSending, type SendingLimits, type SendingObserver } from "./send-deliveries.ts";

export type WebhookWorkerSettings = Pick<FanOutSettings, "bodyOf" | "newId"> & {
  /** The connection that the log is read on, and nothing else. */
  readonly logDatabase: Database;
  /** The connection that deliveries are claimed and settled on. */
  readonly database: Database;
  /** Closed with the worker. */
  readonly client: WebhookClient;
  /** True while this process is the one that fans out; throws where the database is away. */
  readonly holdsOwnership: () => Promise<boolean>;
  readonly userAgent: string;
  readonly observe: SendingObserver & {
    /** An event that cannot leave, so that no endpoint is sent it. */
    notSent(position: bigint, eventType: string, reason: string): void;
    /** A step went wrong and is tried again. */
    failed(step: "fan_out" | "send", error: unknown): void;
  };
  readonly nowMs?: () => number;
  readonly random?: () => number;
  readonly limits?: Partial<SendingLimits>;
  /** How long a stop lets what is under way go on, in milliseconds. */
  readonly graceMs?: number;
};

/** Decides what integrators are sent, and sends it. */
export type WebhookWorker = {
  start(): void;
  /** How many deliveries are under way here. */
  inFlight(): number;
  /** Takes nothing more, lets what is under way go on for a while, and gives the rest back. Safe to call twice. */
  stop(): Promise<void>;
};

/**
 * To one endpoint 8 at once, so that it is not overrun; to one that fails 2, so that a hundred of them could hang until
 * their deadlines and there would be room for the others. A lease is four times as long as a try may take.
 */
const fallbackLimits: SendingLimits = { inAll: 256, ofEndpoint: 8, ofFailing: 2, leaseMs: 60_000 };
const sendPollMs = 250;
/** Between looks at the log, and while nothing comes. */
const shortestPauseMs = 20;
const longestPauseMs = 200;
/** Where nobody takes anything, who registers waits so long for the first event at most. */
const nobodyPauseMs = 500;
const ownershipEveryMs = 1_000;
const longestBackoffMs = 5_000;
const fallbackGraceMs = 3_000;

/** Every process may have one: one of them fans out, all of them send. */
export function createWebhookWorker(settings: WebhookWorkerSettings): WebhookWorker {
  const { logDatabase, database, client, observe, nowMs = Date.now, random = Math.random } = settings;
  const sending = createSending({
    database,
    client,
    nowMs,
    random,
    limits: { ...fallbackLimits, ...settings.limits },
    userAgent: settings.userAgent,
    observe,
    onFailure: (error) => observe.failed("send", error),
  });
  const fanOut = createFanOut({
    database: logDatabase,
    reader: createLogReader(logDatabase),
    bodyOf: settings.bodyOf,
    newId: settings.newId,
    nowMs,
    onUnknown: ({ position, type }, reason) => observe.notSent(position, type, reason),
  });
  const stopBell = createBell();
  let isStopping = false;
  let looping: Promise<unknown> | undefined;
  let stopped: Promise<void> | undefined;

  async function followWhileOwner(): Promise<void> {
    let idlePauseMs = shortestPauseMs;
    let askedMs = Number.NEGATIVE_INFINITY;
    let isOwner = false;
    await repeat("fan_out", async () => {
      if (performance.now() - askedMs >= ownershipEveryMs) {
        isOwner = await settings.holdsOwnership();
        askedMs = performance.now();
      }
      if (!isOwner) return await stopBell.wait(ownershipEveryMs);
      const { deliveries, next } = await fanOut.next();
      if (deliveries > 0) sending.ring();
      if (next === "more") return;
      idlePauseMs = next === "nothing_new" ? Math.min(2 * idlePauseMs, longestPauseMs) : shortestPauseMs;
      await stopBell.wait(next === "nobody" ? nobodyPauseMs : idlePauseMs);
    });
  }

  async function sendWhatIsDue(): Promise<void> {
    await repeat("send", async () => {
      if ((await sending.begin()) === 0) await sending.wait(sendPollMs);
    });
  }

  /** Goes on until it is stopped; waits longer and longer where it fails. */
  async function repeat(step: "fan_out" | "send", work: () => Promise<void>): Promise<void> {
    let failures = 0;
    while (!isStopping) {
      try {
        await work();
        failures = 0;
      } catch (error) {
        observe.failed(step, error);
        failures += 1;
        const backoffMs = Math.min(100 * 2 ** failures, longestBackoffMs) * (0.5 + random() / 2);
        await (step === "send" ? sending : stopBell).wait(backoffMs);
      }
    }
  }

  async function stop(): Promise<void> {
    isStopping = true;
    stopBell.ring();
    sending.ring();
    await looping;
    await sending.stop(settings.graceMs ?? fallbackGraceMs);
    client.close();
  }

  return {
    start() {
      looping ??= Promise.all([followWhileOwner(), sendWhatIsDue()]);
    },
    inFlight: sending.inFlight,
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}
