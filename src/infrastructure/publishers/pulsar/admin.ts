import type { Topic } from "./topics.ts";

export type AdminOptions = {
  /** Pulsar's admin API, `http://host:8080`. */
  readonly webUrl: string;
  readonly token?: string | undefined;
  readonly answerMs: number;
};

/** What became of asking: it is so now, it was so, or we may not. */
type Outcome = "done" | "was_there" | "not_allowed";

/**
 * Makes a topic with partitions; one that is there stays as it is, with as many as it has.
 * Rejects where the admin API is away or says that it cannot.
 */
export function makePartitionedTopic(options: AdminOptions, topic: Topic, partitions: number): Promise<Outcome> {
  return ask(options, "PUT", `/admin/v2/persistent/${topic.namespace}/${topic.name}/partitions`, partitions);
}

/**
 * Has the broker drop what it has already, for this topic alone: its namespace may hold topics of others, whose
 * producers may count otherwise.
 */
export function deduplicateTopic(options: AdminOptions, topic: Topic): Promise<Outcome> {
  return ask(options, "POST", `/admin/v2/persistent/${topic.namespace}/${topic.name}/deduplicationEnabled`, true);
}

async function ask(options: AdminOptions, method: string, path: string, body: unknown): Promise<Outcome> {
  const { webUrl, token, answerMs } = options;
  const response = await fetch(new URL(path, webUrl), {
    method,
    headers: {
      "content-type": "application/json",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(answerMs),
  });
  const text = (await response.text()).slice(0, 500);
  if (response.ok) return "done";
  if (response.status === 409) return "was_there";
  if (response.status === 401 || response.status === 403) return "not_allowed";
  throw new Error(`Pulsar's admin API answers ${response.status} to ${method} ${path}: ${text}`);
}
