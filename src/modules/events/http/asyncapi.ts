import Type, { type TSchema } from "typebox";
import { catalogue } from "../catalogue/catalogue.ts";
import { type Category, categories, type EventDefinition } from "../catalogue/definition.ts";
import { envelopeSchema, propertiesSchema } from "../catalogue/envelope.ts";
import { routes, topicsOf } from "../catalogue/topics.ts";
import { exampleMessage } from "./examples.ts";

export type EventDocsOptions = {
  /** Of the application, which the document tells as its own. */
  readonly version: string;
  /** The topic of the pagos as it is set: short, or persistent://tenant/namespace/topic. The others are beside it. */
  readonly pagoTopic?: string;
};

const description =
  "What happens to money, as it happened: every event is written in the commit of its change and published after it. " +
  "Delivery is at least once, and in order for each payment, pago, bill and payout; `event_id` is the same at every " +
  "delivery. Fields may be added to `data` under the same version, so ignore those that you do not know. Whatever " +
  "else changes is a new type.";

const webhookHeaders = Type.Object({
  "webhook-id": Type.String({ format: "uuid", description: "The event's `event_id`, the same at every delivery." }),
  "webhook-timestamp": Type.String({
    pattern: String.raw`^\d+$`,
    description: "When it was sent: seconds since 1970.",
  }),
  "webhook-signature": Type.String({
    description: "`v1,` and the base64 HMAC-SHA256 of `<id>.<timestamp>.<body>`; several, where a secret is rotated.",
    examples: ["v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="],
  }),
});

/** What an endpoint is sent where its owner asks for a test. It is in no log and on no topic. */
const webhookTest = Type.Object({
  event_type: Type.Literal("webhook.test"),
  event_id: Type.String({ format: "uuid", description: "As in the header webhook-id." }),
  timestamp: Type.String({ format: "date-time", description: "When the test was asked for. RFC 3339, UTC." }),
  data: Type.Object({ endpoint_id: Type.String({ format: "uuid", description: "The endpoint that is tested." }) }),
});

/** The catalogue as an AsyncAPI 3.0 document: a channel for each topic, and one for the webhooks of integrators. */
export function asyncApiDocument({ version, pagoTopic = routes.pago.topic }: EventDocsOptions): object {
  const topics = topicsOf(pagoTopic);
  const [tenant = "public", namespace = "default"] =
    /^persistent:\/\/([^/]+)\/([^/]+)\//.exec(pagoTopic)?.slice(1) ?? [];
  const channelOf = (category: Category) => ({
    address: `persistent://${tenant}/${namespace}/${topics[category]}`,
    title: topics[category],
    description: `${routes[category].about} The message's key is ${routes[category].key}.`,
    servers: [{ $ref: "#/servers/pulsar" }],
    messages: messagesOf(category),
    bindings: { pulsar: { namespace, persistence: "persistent", bindingVersion: "0.1.0" } },
  });
  return {
    asyncapi: "3.0.0",
    id: "urn:marketflow:events",
    info: {
      title: "MarketFlow events",
      version,
      description,
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    defaultContentType: "application/json",
    servers: servers(tenant),
    channels: {
      ...Object.fromEntries(categories.map((category) => [topics[category], channelOf(category)])),
      webhooks: webhookChannel,
    },
    operations: {
      ...Object.fromEntries(
        categories.map((category) => [`publish-${topics[category]}`, publishing(topics[category])]),
      ),
      "send-webhook": sendingWebhooks,
    },
    components: {
      messages: {
        ...Object.fromEntries(catalogue.map((definition) => [definition.type, messageOn(definition, pagoTopic)])),
        webhook: webhookMessage,
      },
      schemas: {
        ...Object.fromEntries(catalogue.map((definition) => [definition.type, open(envelopeSchema(definition))])),
        properties: open(propertiesSchema),
        "webhook.test": open(webhookTest),
      },
    },
  };

  function publishing(topic: string): object {
    return {
      action: "send",
      channel: { $ref: `#/channels/${topic}` },
      summary: `Every event of ${topic}, at least once, in order for each of what they are about.`,
    };
  }
}

function servers(tenant: string): object {
  return {
    pulsar: {
      host: "{broker}",
      protocol: "pulsar",
      description: "Apache Pulsar. Partitions are chosen by the message's key.",
      variables: { broker: { default: "localhost:6650", description: "Host and port, as in `PULSAR_URL`." } },
      bindings: { pulsar: { tenant, bindingVersion: "0.1.0" } },
    },
    integrator: {
      host: "{endpoint}",
      protocol: "https",
      description: "The integrator's own endpoint, as it was registered.",
      variables: { endpoint: { default: "example.com", description: "Host, port and path of the endpoint's URL." } },
    },
  };
}

const webhookChannel = {
  address: null,
  title: "Webhooks",
  description: "Posted to every endpoint that was registered for the type. Not in order: ask the API how things stand.",
  servers: [{ $ref: "#/servers/integrator" }],
  messages: { webhook: { $ref: "#/components/messages/webhook" } },
};

const sendingWebhooks = {
  action: "send",
  channel: { $ref: "#/channels/webhooks" },
  summary: "An event, signed as Standard Webhooks has it, until the endpoint answers 2xx or for about three days.",
  bindings: { http: { method: "POST", bindingVersion: "0.3.0" } },
};

const webhookMessage = {
  name: "webhook",
  title: "An event, by webhook",
  summary: "The payload that the event's message has; or a test, which an endpoint's owner asked for.",
  contentType: "application/json",
  headers: open(webhookHeaders),
  payload: {
    oneOf: [...catalogue.map(({ type }) => type), "webhook.test"].map((type) => ({
      $ref: `#/components/schemas/${type}`,
    })),
  },
};

function messageOn(definition: EventDefinition, pagoTopic: string): object {
  const { type, summary, happens, category } = definition;
  const { payload, properties } = exampleMessage(definition, topicsOf(pagoTopic));
  return {
    name: type,
    title: summary,
    summary: happens,
    tags: [{ name: category }],
    contentType: "application/json",
    headers: { $ref: "#/components/schemas/properties" },
    payload: { $ref: `#/components/schemas/${type}` },
    examples: [{ name: type, headers: properties, payload: JSON.parse(payload) as object }],
  };
}

function messagesOf(category: Category): object {
  const own = catalogue.filter((definition) => definition.category === category);
  return Object.fromEntries(own.map(({ type }) => [type, { $ref: `#/components/messages/${type}` }]));
}

/** The schema as consumers may rely on it: open to fields that come later under the same version. */
function open(schema: TSchema): object {
  const text = JSON.stringify(schema, (name, value) => (name === "additionalProperties" ? undefined : value));
  return JSON.parse(text) as object;
}
