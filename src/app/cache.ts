import type { Logger } from "pino";
import { createMemoryCache } from "../infrastructure/caches/memory.ts";
import { connectRedis } from "../infrastructure/caches/redis.ts";
import type { Metrics } from "../infrastructure/telemetry/metrics.ts";
import type { Cache } from "../movements/index.ts";
import type { AppSettings } from "./settings.ts";

/** How much each process remembers for itself where no Redis is configured. */
const mostRemembered = 20_000;

/** What processes remember together where Redis is configured, and each for itself otherwise; measured. */
export async function openCache({ redisUrl }: AppSettings, logger: Logger, metrics: Metrics): Promise<Cache> {
  const cache =
    redisUrl === undefined
      ? createMemoryCache({ maxEntries: mostRemembered })
      : await connectRedis(redisUrl, (error) => logger.warn({ error }, "Redis does not answer"));
  return measured(cache, metrics.cache);
}

function measured(cache: Cache, count: Metrics["cache"]): Cache {
  return {
    kind: cache.kind,
    async get(key) {
      const value = await cache.get(key);
      count("get", value === undefined ? "miss" : "hit");
      return value;
    },
    set: (key, value, ttlMs) => cache.set(key, value, ttlMs),
    async lock(name, ttlMs) {
      const outcome = await cache.lock(name, ttlMs);
      count("lock", outcome.type);
      return outcome;
    },
    ping: () => cache.ping(),
    close: () => cache.close(),
  };
}
