import assert from "node:assert/strict";
import { createPulsarBroker } from "../../src/infrastructure/publishers/pulsar/broker.ts";
import { createPulsarPublisher } from "../../src/infrastructure/publishers/pulsar/publisher.ts";
import type { ReceivedMessage } from "../../src/modules/events/ports.ts";
import { createNamespace, sharedPulsar, withoutPulsar } from "../support/pulsar.ts";
import { type BrokerUnderTest, describeBroker } from "./broker.ts";
import { startPulsarProxy } from "./pulsar-proxy.ts";

async function pulsarUnderTest(): Promise<BrokerUnderTest> {
  const { url, webUrl } = await sharedPulsar();
  const namespace = await createNamespace(webUrl);
  const proxy = await startPulsarProxy(url);
  const common = { url, webUrl, namespace, partitions: 4, onWarning: (message: string) => assert.fail(message) };
  const broker = createPulsarBroker({ ...common, url: proxy.url });
  const neighbour = createPulsarBroker(common);
  // A topic that is put letters into has no partitions, and is there already when somebody reads them.
  const reader = createPulsarBroker({ ...common, webUrl: undefined });
  const publisher = createPulsarPublisher({ ...common, subscriptionOf: () => "readers" });
  const letters = new Map<string, ReceivedMessage[]>();
  return {
    broker,
    neighbour,
    publisher,
    async deadLetters(topic, subscription) {
      const name = `${topic}-${subscription}-DLQ`;
      const known = letters.get(name);
      if (known !== undefined) return known;
      const read: ReceivedMessage[] = [];
      letters.set(name, read);
      const receive = async (messages: readonly ReceivedMessage[]) => {
        read.push(...messages);
        return { handled: messages.length };
      };
      await reader.subscribe({ topics: [name], subscription, receive, onFailure: () => undefined });
      return read;
    },
    async interrupt() {
      await proxy.cut();
      await proxy.restore();
    },
    async close() {
      await Promise.all([broker.close(), neighbour.close(), reader.close(), publisher.close()]);
      await proxy.close();
    },
  };
}

describeBroker("Pulsar", pulsarUnderTest, withoutPulsar);
