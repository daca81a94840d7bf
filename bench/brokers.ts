import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { createNamespace, startPulsar, withoutPulsar } from "../tests/support/pulsar.ts";

/** How many partitions every topic of a run has. */
export const partitions = 8;

/** A Pulsar of the run's own, on this machine. */
export type BenchBroker = {
  readonly url: string;
  readonly webUrl: string;
  /** 0 where there is no /proc to find it in. */
  readonly pid: number;
  /** A new namespace whose topics drop what they have. */
  createNamespace(): Promise<string>;
  /** How many messages its topics were sent, once that is as many as expected or has not changed for a while. */
  countMessages(namespace: string, expected: number): Promise<number>;
  stop(): Promise<void>;
};

/** Starts one, or says in capitals why there is none. */
export async function startBenchBroker(): Promise<BenchBroker | string> {
  if (withoutPulsar !== false) return `${withoutPulsar}. NOTHING WAS MEASURED WITH PULSAR.`;
  const { url, webUrl, stop } = await startPulsar();
  return {
    url,
    webUrl,
    pid: javaBelow(process.pid),
    createNamespace: () => createNamespace(webUrl),
    async countMessages(namespace, expected) {
      // Pulsar counts a producer's messages when it looks at them.
      for (let patience = 20; patience > 0; patience -= 1) {
        if ((await countOnce(webUrl, namespace)) >= expected) break;
        await sleep(250);
      }
      return await countOnce(webUrl, namespace);
    },
    stop,
  };
}

/** Where PULSAR_… of a process points for that namespace. */
export function pulsarEnvironment({ url, webUrl }: BenchBroker, namespace: string): Readonly<Record<string, string>> {
  return {
    PULSAR_URL: url,
    PULSAR_WEB_URL: webUrl,
    PULSAR_TOPIC: `persistent://${namespace}/pagos-events`,
    PULSAR_PARTITIONS: String(partitions),
  };
}

async function countOnce(webUrl: string, namespace: string): Promise<number> {
  const topics = await ask<string[]>(`${webUrl}/admin/v2/persistent/${namespace}/partitioned`);
  let messages = 0;
  for (const topic of topics) {
    const path = topic.replace("persistent://", "persistent/");
    const { msgInCounter } = await ask<{ msgInCounter: number }>(`${webUrl}/admin/v2/${path}/partitioned-stats`);
    messages += msgInCounter;
  }
  return messages;
}

async function ask<Answer>(url: string): Promise<Answer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}

/** The Java that a process has started. */
function javaBelow(pid: number): number {
  try {
    return (
      readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map((name) => readFileSync(`/proc/${name}/stat`, "utf8"))
        .map((stat) => /^(\d+) \((.*)\) \S (\d+) /s.exec(stat))
        .filter((found) => found?.[2] === "java" && Number(found[3]) === pid)
        .map((found) => Number(found?.[1]))[0] ?? 0
    );
  } catch {
    return 0; // Some process has ended meanwhile, or this is not Linux.
  }
}
