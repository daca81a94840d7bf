import type { Redis } from "ioredis";

export type RedisConnection = {
  /** Whether Redis answers within the time. */
  answers(timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
};

/** Connects to Redis; a server that is away is tried again, at most every two seconds, and never stops the process. */
export async function connectRedis(url: string, onError: (error: Error) => void): Promise<RedisConnection> {
  const { Redis } = await import("ioredis");
  const client: Redis = new Redis(url, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    connectTimeout: 2_000,
    retryStrategy: (tries) => Math.min(tries * 100, 2_000),
  });
  client.on("error", onError);
  return {
    async answers(timeoutMs) {
      const ping = client.ping().then(
        () => true,
        // onError has been told why; here only the answer counts.
        () => false,
      );
      const timeout = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), timeoutMs).unref());
      return await Promise.race([ping, timeout]);
    },
    async close() {
      client.disconnect();
    },
  };
}
