import type { Redis } from "ioredis";

/**
 * Takes the lock where nobody has it, and gives its fence: the microseconds since 1970 by Redis's clock, and more than
 * the fence before. In microseconds, because no more than one lock can be taken in each: so the last fence is never
 * ahead of the clock, and a Redis that has lost everything still gives a higher one. What may fail comes first: a lock
 * that was set without an answer would be nobody's until it ends.
 */
const lock = `
if redis.call('exists', KEYS[1]) == 1 then return nil end
local time = redis.call('time')
local fence = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('get', KEYS[2])) or 0
if fence <= last then fence = last + 1 end
redis.call('set', KEYS[2], string.format('%.0f', fence), 'px', ARGV[3])
redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
return fence`;

/** Lets the lock, and with it the fence, last longer where it is still ours. */
const renew = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('pexpire', KEYS[2], ARGV[3])
return redis.call('pexpire', KEYS[1], ARGV[2])`;

const release = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('del', KEYS[1])`;

type LockKeys = readonly [lockKey: string, fenceKey: string, token: string];

/** A client that knows our scripts; each is sent once for a connection, and by its hash from then on. */
export type ScriptedRedis = Redis & {
  /** The fence, or null where somebody has the lock. */
  takeLock(...keys: [...LockKeys, ttlMs: number, fenceTtlMs: number]): Promise<number | null>;
  /** 1 where the lock was ours. */
  renewLock(...keys: [...LockKeys, ttlMs: number, fenceTtlMs: number]): Promise<number>;
  releaseLock(...keys: LockKeys): Promise<number>;
};

/** Teaches a client our scripts. */
export function withScripts(client: Redis): ScriptedRedis {
  client.defineCommand("takeLock", { numberOfKeys: 2, lua: lock });
  client.defineCommand("renewLock", { numberOfKeys: 2, lua: renew });
  client.defineCommand("releaseLock", { numberOfKeys: 2, lua: release });
  return client as ScriptedRedis;
}
