import type { Message, Publisher, Receive, ReceivedMessage, Refusal } from "../../modules/events/ports.ts";

/** Somebody in this process who wants the events of some topics (by their short names). */
export type LocalSubscriber = { readonly topics: readonly string[]; readonly receive: Receive };

/** How many messages a subscriber is given at once. */
const mostTogether = 256;

/**
 * Publishes to subscribers of this process, for where no broker is configured. A lane is what a partition is elsewhere:
 * each subscriber is called once at a time for it, with messages in their order. While one of them asks for messages
 * again publishing rejects, so the relay comes back with them; what a subscriber puts aside is refused for good. Topics
 * that nobody wants are published to nobody.
 */
export function createLocalPublisher(options: { readonly subscribers: readonly LocalSubscriber[] }): Publisher {
  const underWay = new Set<Promise<unknown>>();
  let isClosed = false;

  async function publish(messages: readonly Message[]): Promise<readonly Refusal[]> {
    if (isClosed) throw new Error("the publisher is closed");
    const refused = new Map<string, Refusal>();
    for (const subscriber of options.subscribers) {
      await deliver(
        subscriber,
        messages.filter(({ topic }) => subscriber.topics.includes(topic)),
        refused,
      );
    }
    return [...refused.values()].sort((a, b) => Number(a.position - b.position));
  }

  return {
    name: "local",
    async publish(_lane, messages) {
      const publishing = publish(messages);
      underWay.add(publishing);
      return await publishing.finally(() => underWay.delete(publishing));
    },
    async ping() {
      if (isClosed) throw new Error("the publisher is closed");
    },
    async close() {
      isClosed = true;
      await Promise.allSettled([...underWay]);
    },
  };
}

/** Gives a subscriber its messages, but for what follows a refused one in its stream. */
async function deliver(subscriber: LocalSubscriber, messages: readonly Message[], refused: Map<string, Refusal>) {
  let rest = messages.filter(({ stream }) => !refused.has(stream));
  while (rest.length > 0) {
    const together = rest.slice(0, mostTogether);
    const reception = await subscriber.receive(together.map(received));
    const { handled, rest: asked } = reception;
    const next = together[handled];
    rest = rest.slice(handled);
    if (next === undefined) continue;
    if (asked === undefined) throw new Error("a subscriber says nothing about what it did not handle");
    if ("retryAfterMs" in asked) throw new Error(`a subscriber asks for ${next.topic} again: ${next.position}`);
    refused.set(next.stream, { position: next.position, reason: asked.deadLetter });
    rest = rest.filter(({ stream }) => !refused.has(stream));
  }
}

function received({ topic, key, payload, properties, position }: Message): ReceivedMessage {
  return { messageId: String(position), topic, key, payload, properties };
}
