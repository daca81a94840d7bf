import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { format } from "node:util";
import type { TSchema } from "typebox";
import { catalogue } from "../src/modules/events/catalogue/catalogue.ts";
import { type Category, categories, type EventDefinition } from "../src/modules/events/catalogue/definition.ts";
import { envelopeSchema, propertiesSchema } from "../src/modules/events/catalogue/envelope.ts";
import { defaultTopics, routes } from "../src/modules/events/catalogue/topics.ts";
import { asyncApiDocument } from "../src/modules/events/http/asyncapi.ts";
import { exampleMessage } from "../src/modules/events/http/examples.ts";
import { version } from "../src/version.ts";

// `npm run generate` writes docs/events.md and openapi/asyncapi.json from the catalogue of events; with --check it
// fails where that would change a file.

const files = {
  "docs/events.md": document(),
  "openapi/asyncapi.json": `${JSON.stringify(asyncApiDocument({ version }), null, 2)}\n`,
};

for (const [name, fresh] of Object.entries(files)) {
  const file = resolve(import.meta.dirname, "..", name);
  if (!process.argv.includes("--check")) {
    await writeFile(file, fresh);
    process.stdout.write(format("%s written, %d events\n", name, catalogue.length));
  } else if ((await readFile(file, "utf8").catch(() => "")) === fresh) {
    process.stdout.write(format("%s is fresh, %d events\n", name, catalogue.length));
  } else {
    process.stderr.write(`${name} is stale: run npm run generate\n`);
    process.exitCode = 1;
  }
}

function document(): string {
  const [first] = catalogue;
  if (first === undefined) throw new Error("the catalogue is empty");
  const sections = categories.map((category) => topicSection(category));
  return `${[introduction(first), ...sections].join("\n\n")}\n`;
}

function introduction(first: EventDefinition): string {
  return `# Events

Written by \`npm run generate\` from [the catalogue](../src/modules/events/catalogue); the same as an AsyncAPI 3.0
document is [openapi/asyncapi.json](../openapi/asyncapi.json), and \`GET /asyncapi.json\` of a server that runs.

Every change of state appends its event to the log in its own commit: there is no change without its event, and no event
of something that did not happen. A relay publishes the log to Apache Pulsar, and the webhooks of integrators carry the
same payloads ([webhooks.md](webhooks.md)).

## Topics

| topic | what it is about | key of a message | types |
| --- | --- | --- | --- |
${categories.map(topicRow).join("\n")}

The topic of the pagos is called as \`PULSAR_TOPIC\` says; the others are in the same namespace. The partition is
chosen by the key.

## The envelope

Every payload is one JSON object. The order of its fields means nothing.

${fieldTable(envelopeSchema(first))}

Beside it, a Pulsar message has these properties, so that a consumer can choose without reading the payload:

${fieldTable(propertiesSchema)}

## What is guaranteed

- **At least once.** What is committed is published, whatever dies in between; it may come twice, after a crash or a
  lost acknowledgement. Keep each \`event_id\` that you have handled, in the transaction of what you did for it, and
  pass over what you know: then each event takes effect once. The broker drops most second publications by their
  sequence numbers (the relay turns that on for its topics); what is left of them only you can know.
- **In order for each stream**: for one payment, one pago, one bill, one payout. After second deliveries are dropped,
  \`stream_version\` only rises. Across streams there is no order: two pagos of one affiliate may arrive either way.
- **Read with a Failover subscription.** A partition has one consumer at a time then, which keeps the order; \`Shared\`
  gives it up, \`Key_Shared\` does too because a batch holds messages of several keys, and \`Exclusive\` gives up
  sharing the work.
- **Nothing is passed over silently.** An event that the broker refuses for good holds back the later ones of its own
  stream, and is pending in the statistics until an operator has decided.
- **Amounts are exact.** \`amount\` is a decimal of the currency's major unit, \`…_minor\` a whole number of its minor
  unit, both as text. Only the pagos' \`monto\` is a JSON number, because its contract says so; every amount that a pago
  can have is exact as a double.

## What may change

Fields may be added to \`data\`, and texts such as failure codes may get values that are not there today: ignore what
you do not know. That keeps the type's version (\`event_version\`). Nothing is ever removed, renamed or given another
meaning: what would need that gets a new type with a name of its own and a higher version, and both are published for a
while.

## How to check an event

- The id of an event that is no pago is made of its stream and its version, which are in the properties: the first 128
  bits of the SHA-256 of \`<stream>:<stream_version>\`, with the version (8) and the variant of RFC 9562 put in their
  places. So it is the same whoever publishes the event, and however often.
- What an event says can be asked for: each uuid in \`data\` is that of a resource of the API, which shows how it stands
  now. Ids that are no uuid are the gateway's.
- The hashes of \`ledger.sealed\` follow from each other: \`previous_hash\` is the \`hash\` of the event before. Kept
  elsewhere, they show any later tampering: see [ledger-proof.md](ledger-proof.md).`;
}

function topicRow(category: Category): string {
  const { topic, about, key } = routes[category];
  const types = eventsOf(category).map(({ type }) => `[\`${type}\`](#${anchorOf(type)})`);
  return `| \`${topic}\` | ${about} | ${key} | ${types.join(", ")} |`;
}

function topicSection(category: Category): string {
  const { topic, about } = routes[category];
  return [`## ${topic}\n\n${about}`, ...eventsOf(category).map(eventSection)].join("\n\n");
}

function eventSection(definition: EventDefinition): string {
  const { type, summary, happens, data } = definition;
  const { payload } = exampleMessage(definition, defaultTopics);
  const example = JSON.stringify(JSON.parse(payload), null, 2);
  return `### ${type}

**${summary}.** ${happens} Version ${definition.version}.

${fieldTable(data)}

\`\`\`json
${example}
\`\`\``;
}

function eventsOf(category: Category): readonly EventDefinition[] {
  return catalogue.filter((definition) => definition.category === category);
}

/** The anchor that a heading gets where Markdown is shown: lower case, and without dots. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(".", "");
}

type Shown = TSchema & {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Shown>>;
  readonly required?: readonly string[];
  readonly type?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly anyOf?: readonly Shown[];
};

function fieldTable(schema: Shown): string {
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) => {
    const optional = schema.required?.includes(name) ? "" : ", optional";
    return `| \`${name}\` | ${kindOf(field)}${optional} | ${descriptionOf(name, field)} |`;
  });
  return ["| field | what it is | what it says |", "| --- | --- | --- |", ...rows].join("\n");
}

function kindOf(field: Shown): string {
  if (field.anyOf !== undefined) return field.anyOf.map(kindOf).join(" or ");
  if (field.const !== undefined) return "text";
  if (field.enum !== undefined) return field.enum.map((one) => `\`${one}\``).join(", ");
  if (field.format !== undefined) return field.format;
  if (field.pattern?.includes(String.raw`\.`)) return "decimal text";
  if (field.pattern?.startsWith(String.raw`^\d`)) return "text of digits";
  return field.type === "string" ? "text" : (field.type ?? "object");
}

function descriptionOf(name: string, field: Shown): string {
  const known: Readonly<Record<string, string>> = {
    event_type: "Which event it is: one of those below.",
    data: "What the event says, as its type has it below.",
    timestamp: "When it was written to the log; of a pago, when it was processed. RFC 3339, UTC.",
  };
  const own = field.description ?? field.anyOf?.find(({ description }) => description !== undefined)?.description;
  return known[name] ?? own ?? "";
}
