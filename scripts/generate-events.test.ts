import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { fastify } from "fastify";
import type { TSchema } from "typebox";
import { Value } from "typebox/value";
import { catalogue, eventTypes } from "../src/modules/events/catalogue/catalogue.ts";
import { categories } from "../src/modules/events/catalogue/definition.ts";
import { asyncApiDocument } from "../src/modules/events/http/asyncapi.ts";
import { registerEventDocs } from "../src/modules/events/http/routes.ts";

const root = join(import.meta.dirname, "..");

// biome-ignore lint/suspicious/noExplicitAny: a document of another's format is looked into at every depth.
type Fields = any;

/** What is served, as whoever asks for it reads it. */
function read(options: Parameters<typeof asyncApiDocument>[0] = { version: "1.2.3" }): Fields {
  return JSON.parse(JSON.stringify(asyncApiDocument(options)));
}

const document = read();

/** What a reference of the document leads to; fails where that is nothing. */
function follow(reference: string): Fields {
  assert.match(reference, /^#\//);
  const steps = reference.slice(2).split("/");
  const target = steps.reduce((place: Fields, step) => place?.[step], document);
  assert.ok(target !== undefined, `${reference} leads nowhere`);
  return target;
}

function referencesIn(value: Fields): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => (name === "$ref" ? [String(inner)] : referencesIn(inner)));
}

/** The schema with what it refers to in its place. */
function resolved(schema: Fields): Fields {
  if (Array.isArray(schema)) return schema.map(resolved);
  if (typeof schema !== "object" || schema === null) return schema;
  if (schema.$ref !== undefined) return resolved(follow(schema.$ref));
  return Object.fromEntries(Object.entries(schema).map(([name, inner]) => [name, resolved(inner)]));
}

describe("the AsyncAPI document", () => {
  it("is of version 3.0.0 and has what that demands", () => {
    assert.equal(document.asyncapi, "3.0.0");
    assert.deepEqual([document.info.title, document.info.version], ["MarketFlow events", "1.2.3"]);
    const known = ["asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"];
    assert.deepEqual(Object.keys(document).sort(), known.sort());
    for (const server of Object.values<Fields>(document.servers)) {
      assert.equal(typeof server.protocol, "string");
      const names = [...server.host.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      assert.deepEqual(Object.keys(server.variables), names, "a variable for each in the host");
    }
    for (const [name, section] of Object.entries<Fields>(document.components)) {
      for (const key of Object.keys(section)) assert.match(key, /^[\w.-]+$/, `components.${name}`);
    }
  });

  it("has references that all lead somewhere", () => {
    const references = referencesIn(document);
    assert.ok(references.length > 3 * eventTypes.length, `only ${references.length} references were seen`);
    for (const reference of references) follow(reference);
  });

  it("has a channel and an operation for each topic, with its messages, and one for webhooks", () => {
    const channels = Object.entries<Fields>(document.channels);
    assert.equal(channels.length, categories.length + 1);
    const published = channels.filter(([name]) => name !== "webhooks");
    assert.deepEqual(
      published.flatMap(([, channel]) => Object.keys(channel.messages)).sort(),
      [...eventTypes].sort(),
      "each type is in one channel",
    );
    for (const [name, channel] of published) {
      assert.equal(channel.address, `persistent://public/default/${name}`);
      const { namespace, persistence } = channel.bindings.pulsar;
      assert.deepEqual([namespace, persistence], ["default", "persistent"]);
    }
    assert.equal(document.channels.webhooks.address, null);
    const sent = Object.values<Fields>(document.operations).map(({ action, channel }) => [action, channel.$ref]);
    assert.deepEqual(sent.sort(), channels.map(([name]) => ["send", `#/channels/${name}`]).sort());
  });

  it("has examples that its own schemas take, also with a field that is new", () => {
    for (const type of eventTypes) {
      const { headers, payload, examples } = document.components.messages[type];
      for (const example of examples) {
        const errors = (schema: Fields, value: unknown) => Value.Errors(resolved(schema) as TSchema, value);
        assert.deepEqual(errors(headers, example.headers), [], type);
        assert.deepEqual(errors(payload, example.payload), [], type);
        const later = { ...example.payload, data: { ...example.payload.data, added_later: 1 } };
        assert.deepEqual(errors(payload, later), [], type);
        assert.notDeepEqual(errors(payload, { ...example.payload, event_type: "other" }), [], type);
        const webhooks = errors(document.components.messages.webhook.payload, example.payload);
        assert.deepEqual(webhooks, [], `${type} by webhook`);
      }
    }
  });

  it("names the topics as they are set", () => {
    const { channels } = read({ version: "1", pagoTopic: "persistent://acme/money/pagos" });
    assert.equal(channels["pagos"].address, "persistent://acme/money/pagos");
    assert.equal(channels["bills-events"].address, "persistent://acme/money/bills-events");
    assert.equal(channels["bills-events"].bindings.pulsar.namespace, "money");
  });

  it("is served as /asyncapi.json", async () => {
    const server = fastify();
    registerEventDocs(server, { version: "1.2.3" });
    const answer = await server.inject("/asyncapi.json");
    assert.deepEqual([answer.statusCode, answer.headers["content-type"]], [200, "application/json; charset=utf-8"]);
    assert.deepEqual(answer.json(), document);
    await server.close();
  });
});

describe("generate-events", () => {
  it("says of files that are fresh that they are, and from how many events", async () => {
    const script = join(root, "scripts", "generate-events.ts");
    const { stdout } = await promisify(execFile)(process.execPath, [script, "--check"]);
    assert.match(stdout, new RegExp(`events.md is fresh, ${catalogue.length} events`));
    assert.match(stdout, new RegExp(`asyncapi.json is fresh, ${catalogue.length} events`));
  });

  it("has written a section and an example for each type", () => {
    const text = readFileSync(join(root, "docs", "events.md"), "utf8");
    const sections = text.split(/^### /m).slice(1);
    assert.deepEqual(sections.map((section) => section.slice(0, section.indexOf("\n"))).sort(), [...eventTypes].sort());
    for (const section of sections) {
      const example = JSON.parse(/```json\n(.*?)```/s.exec(section)?.[1] ?? "null");
      assert.equal(example.event_type, section.slice(0, section.indexOf("\n")));
    }
  });
});
