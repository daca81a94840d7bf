import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { Cache, Lease, LockOutcome } from "../../movements/ports.ts";
import { isKeepable, isKey, lockMs, wholeMs } from "./limits.ts";
import { type ScriptedRedis, withScripts } from "./redis-scripts.ts";

/** Whoever asks does so to be faster: after this long it does without. */
const deadlineMs = 50;
/** Health may wait longer, because a process that is busy for a moment has not lost its Redis. */
const pingDeadlineMs = 1_000;
/** A connection that owes an answer for this long is dropped, and from then on everybody is told so at once. */
const silenceMs = 1_000;
const connectTimeoutMs = 2_000;
const mostRetryDelayMs = 2_000;
/** How many commands may be without an answer: with a Redis that hangs no more than this piles up. */
const mostUnderWay = 4_096;
/** A fence outlives its lock by a week, so that it rises even where Redis's clock is set back. */
const fenceKeptMs = 7 * 24 * 3_600_000;
/** The same fault is told again after this long. */
const repeatFaultMs = 60_000;

/**
 * Connects to Redis, and resolves once it is connected or has turned out not to be there, which never stops the
 * process: it is tried again, forever, after two seconds at the latest. `onError` is told why Redis is away or what it
 * refuses, each fault at most once a minute, without the values that were sent.
 */
export async function connectRedis(url: string, onError: (error: Error) => void): Promise<Cache> {
  const { Redis } = await import("ioredis");
  const client = withScripts(
    new Redis(url, {
      connectionName: "marketflow",
      // Nothing waits for a connection, and nothing is sent a second time: it would come too late for whoever asked.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: connectTimeoutMs,
      socketTimeout: silenceMs,
      disconnectTimeout: deadlineMs,
      retryStrategy: (tries) => Math.min(tries * 100, mostRetryDelayMs),
    }),
  );
  const report = reportOnce(onError);
  client.on("error", report);
  await firstTry(client);
  return cacheOver(client, report);
}

/** A Redis that is there is used from the first request on; one that is not is not waited for. */
function firstTry(client: Redis): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(resolve, connectTimeoutMs);
    for (const event of ["ready", "close", "end"] as const) {
      client.once(event, () => {
        clearTimeout(patience);
        resolve();
      });
    }
  });
}

/** Tells of a fault when it is new or a minute has passed. The library's errors carry keys, values and passwords. */
function reportOnce(onError: (error: Error) => void): (error: Error & { code?: unknown }) => void {
  let last = "";
  let toldAtMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    // Where a name has several addresses, and none answers, only the code says why.
    const message = error.message || String(error.code ?? error.name);
    if (message === last && performance.now() - toldAtMs < repeatFaultMs) return;
    last = message;
    toldAtMs = performance.now();
    onError(new Error(message));
  };
}

/** That no answer came. */
const away = Symbol("away");

function cacheOver(client: ScriptedRedis, report: (error: Error) => void): Cache {
  const send = sendTogether(client);

  /** What Redis answers to the command, or that it is away. An answer that comes too late goes to `onLate`. */
  async function ask<Answer>(
    command: () => Promise<Answer>,
    onLate?: (answer: Answer) => void,
  ): Promise<Answer | typeof away> {
    if (client.status !== "ready" || client.commandQueue.length >= mostUnderWay) return away;
    return await inTime(send(command), deadlineMs, onLate).catch((error: Error): typeof away => {
      // That a connection broke is told by the connection; here it is what Redis itself refuses (read-only, full).
      if (error.name === "ReplyError") report(error);
      return away;
    });
  }

  async function lock(name: string, ttlMs: number): Promise<LockOutcome> {
    if (!isKey(name)) return { type: "unreachable" };
    const ttl = lockMs(ttlMs);
    const keys = [`marketflow:lock:${name}`, `marketflow:fence:${name}`, randomUUID()] as const;
    const release = async () => void (await ask(() => client.releaseLock(...keys)));
    const onLate = (fence: number | null) => void (fence !== null && release());
    const fence = await ask(() => client.takeLock(...keys, ttl, fenceKeptMs + ttl), onLate);
    if (fence === away) return { type: "unreachable" };
    if (fence === null) return { type: "held_elsewhere" };
    const lease: Lease = {
      fence: BigInt(fence),
      async renew(longerMs) {
        const longer = lockMs(longerMs);
        return (await ask(() => client.renewLock(...keys, longer, fenceKeptMs + longer))) === 1;
      },
      release,
    };
    return { type: "locked", lease };
  }

  return {
    kind: "redis",
    async get(key) {
      if (!isKey(key)) return undefined;
      const value = await ask(() => client.get(cacheKey(key)));
      return value === away || value === null ? undefined : value;
    },
    async set(key, value, ttlMs) {
      if (!isKey(key)) return;
      const ttl = wholeMs(ttlMs);
      // An old value must not answer for one that is not kept.
      if (ttl === 0 || !isKeepable(value)) await ask(() => client.del(cacheKey(key)));
      else await ask(() => client.set(cacheKey(key), value, "PX", ttl));
    },
    lock,
    async ping() {
      const answer = await inTime(
        send(() => client.ping()),
        pingDeadlineMs,
      );
      if (answer === away) throw new Error(`Redis did not answer within ${pingDeadlineMs} ms`);
      return answer;
    },
    async close() {
      client.disconnect();
    },
  };
}

function cacheKey(key: string): string {
  return `marketflow:cache:${key}`;
}

/**
 * Everything that is asked in one turn of the event loop leaves in one write. At 256 connections a command costs 2 µs
 * of our processor instead of 7; the library's own pipelining costs as much as none.
 */
function sendTogether(client: Redis): <Answer>(command: () => Promise<Answer>) => Promise<Answer> {
  let isGathering = false;
  return (command) => {
    if (!isGathering && client.status === "ready") {
      const { stream } = client;
      isGathering = true;
      stream.cork();
      setImmediate(() => {
        isGathering = false;
        stream.uncork();
      });
    }
    return command();
  };
}

/** The value, or `away` where it does not come in time; rejects as the promise does where that is in time. */
function inTime<Value>(
  promised: Promise<Value>,
  withinMs: number,
  onLate?: (value: Value) => void,
): Promise<Value | typeof away> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    // Timers come before sockets in the event loop: after a long turn the answer may be there and not read yet.
    const giveUp = () =>
      setImmediate(() => {
        isOver = true;
        resolve(away);
      });
    const timer = setTimeout(giveUp, withinMs);
    promised.then(
      (value) => {
        clearTimeout(timer);
        if (isOver) onLate?.(value);
        else resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
