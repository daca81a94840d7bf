/** A topic's place: tenant and namespace, and its own name. */
export type Topic = { readonly namespace: string; readonly name: string };

/** Reads "name" or "persistent://tenant/namespace/name"; a short one is in public/default, as Pulsar has it. */
export function parseTopic(text: string): Topic {
  const match = /^persistent:\/\/([^/]+\/[^/]+)\/([^/]+)$/.exec(text);
  if (match?.[1] !== undefined && match[2] !== undefined) return { namespace: match[1], name: match[2] };
  if (text === "" || text.includes("/")) throw new Error(`not a persistent topic: ${text}`);
  return { namespace: "public/default", name: text };
}

export function fullName({ namespace, name }: Topic): string {
  return `persistent://${namespace}/${name}`;
}

/** The topics that hold a topic's messages: its partitions, or itself where it has none. */
export function partNames(topic: string, partitions: number): string[] {
  if (partitions === 0) return [topic];
  return Array.from({ length: partitions }, (_, nth) => `${topic}-partition-${nth}`);
}

/**
 * Which of so many partitions a key is in: Java's `String.hashCode()` without its sign, modulo. That is what Pulsar's
 * clients do where nothing is said ("JavaStringHash" of their message routing), so everybody who writes agrees.
 */
export function partitionOf(key: string, partitions: number): number {
  if (partitions <= 1) return 0;
  let hash = 0;
  for (let at = 0; at < key.length; at++) hash = (Math.imul(31, hash) + key.charCodeAt(at)) | 0;
  return (hash & 0x7fffffff) % partitions;
}
