import type { Redis } from "ioredis";

export type RedisConnection = {
  /** Resolves when Redis answers, and rejects where it is away. */
  ping(): Promise<unknown>;
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
    ping: () => client.ping(),
    async close() {
      client.disconnect();
    },
  };
}
