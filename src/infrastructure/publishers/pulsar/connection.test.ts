import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startStandIn, welcome } from "../../../../tests/conformance/pulsar-stand-in.ts";
import { createCluster } from "./cluster.ts";
import { openConnection, PulsarError } from "./connection.ts";
import { encodeCommand } from "./frames.ts";
import { type Commands, lookupOutcome } from "./schema.ts";

const patience = { answerMs: 300, keepAliveMs: 10_000 };
const end = new Error("the test has ended");

describe("a connection to Pulsar", () => {
  test("introduces itself with the token, and learns how large messages may be", async () => {
    const broker = await startStandIn(welcome);
    const connection = await openConnection({ url: broker.url, token: "a.b.c", ...patience });
    assert.equal(connection.maxMessageBytes, 1_234_567);
    const [connect] = broker.heard;
    assert.ok(connect?.name === "connect");
    assert.equal(connect.fields.authMethodName, "token");
    assert.equal(Buffer.from(connect.fields.authData ?? []).toString(), "a.b.c");
    assert.equal(connect.fields.protocolVersion, 19);
    connection.end(end);
  });

  test("says the token again when it is asked for", async () => {
    const broker = await startStandIn(({ name }, say) => {
      if (name === "connect") say("authChallenge", {});
      if (name === "authResponse") say("connected", { serverVersion: "stand-in" });
    });
    const connection = await openConnection({ url: broker.url, token: "a.b.c", ...patience });
    const response = broker.heard[1];
    assert.ok(response?.name === "authResponse");
    assert.equal(Buffer.from(response.fields.response.authData).toString(), "a.b.c");
    connection.end(end);
  });

  test("goes over TLS where the url says so, and not to somebody whom it cannot trust", async () => {
    const psk = Buffer.from("a key that both sides have");
    const ciphers = "PSK-AES256-GCM-SHA384";
    const broker = await startStandIn(welcome, { pskCallback: () => psk, ciphers, maxVersion: "TLSv1.2" });
    const trusting = { pskCallback: () => ({ psk, identity: "us" }), ciphers, maxVersion: "TLSv1.2" } as const;
    const tls = { ...trusting, checkServerIdentity: () => undefined };
    const connection = await openConnection({ url: broker.url, tls, token: "a.b.c", ...patience });
    assert.equal(broker.heard[0]?.name, "connect");
    connection.end(end);
    await assert.rejects(openConnection({ url: broker.url, ...patience }));
    const plain = broker.url.replace("+ssl", "");
    await assert.rejects(openConnection({ url: plain, ...patience }));
    assert.equal(broker.heard.length, 1, "nothing is said before it is known to whom");
  });

  test("is refused by its name for the refusal", async () => {
    const broker = await startStandIn((_, say) => say("error", { requestId: 2n ** 64n - 1n, error: 3, message: "no" }));
    await assert.rejects(openConnection({ url: broker.url, ...patience }), (error: unknown) => {
      assert.ok(error instanceof PulsarError);
      assert.equal(error.code, "AuthenticationError");
      return true;
    });
  });

  test("waits for no answer longer than it may", async () => {
    const silent = await startStandIn(() => undefined);
    await assert.rejects(openConnection({ url: silent.url, ...patience }), /does not answer within 300 ms: connect/);
    const broker = await startStandIn(welcome);
    const connection = await openConnection({ url: broker.url, ...patience });
    await assert.rejects(connection.request("partitions", { topic: "t" }), /within 300 ms: partitions/);
    await assert.rejects(connection.ping(), /within 300 ms: ping/);
    connection.end(end);
    await assert.rejects(connection.request("partitions", { topic: "t" }), /has ended/);
  });

  test("answers whether it is there, and ends where the broker is silent for too long", async () => {
    const broker = await startStandIn(welcome);
    const connection = await openConnection({ url: broker.url, answerMs: 300, keepAliveMs: 50 });
    broker.sockets[0]?.write(encodeCommand("ping", {}));
    const ended = await new Promise<Error>((resolve) => connection.attach({ onCommand() {}, onEnd: resolve }));
    assert.match(ended.message, /silent for/);
    assert.ok(broker.heard.some(({ name }) => name === "pong"));
    assert.ok(broker.heard.some(({ name }) => name === "ping"));
  });

  test("ends where what comes is no Pulsar", async () => {
    const web = await startStandIn(() => web.sockets[0]?.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await assert.rejects(openConnection({ url: web.url, ...patience }), /cannot be read/);
  });
});

describe("the brokers of a cluster", () => {
  const found = (requestId: unknown, more: Partial<Commands["lookupResponse"]>) => ({
    requestId: BigInt(Number(requestId)),
    response: lookupOutcome.connect,
    ...more,
  });

  test("refer to each other until one has the topic, and are connected to once each", async () => {
    const owner = await startStandIn((command, say) => {
      welcome(command, say);
      if (command.name !== "lookup") return;
      say("lookupResponse", found(command.fields.requestId, { brokerServiceUrl: owner.url }));
    });
    const first = await startStandIn((command, say) => {
      welcome(command, say);
      if (command.name !== "lookup") return;
      const redirect = { response: lookupOutcome.redirect, brokerServiceUrl: owner.url, authoritative: true };
      say("lookupResponse", found(command.fields.requestId, redirect));
    });
    const cluster = createCluster({ url: first.url, answerMs: 300 });
    const connection = await cluster.connectTo("t");
    assert.equal(await cluster.connectTo("t"), connection);
    assert.deepEqual([first.sockets.length, owner.sockets.length], [1, 1]);
    const asked = owner.heard.find(({ name }) => name === "lookup");
    assert.ok(asked?.name === "lookup" && asked.fields.authoritative);
    // A connection that has ended is opened anew.
    connection.end(end);
    assert.notEqual(await cluster.connectTo("t"), connection);
    cluster.close();
    await assert.rejects(cluster.connect());
  });

  test("are reached through a proxy where the answer says so", async () => {
    const proxy = await startStandIn((command, say) => {
      welcome(command, say);
      if (command.name !== "lookup") return;
      const through = { brokerServiceUrl: "pulsar://inside.example:6650", proxyThroughServiceUrl: true };
      say("lookupResponse", found(command.fields.requestId, through));
    });
    const cluster = createCluster({ url: proxy.url, answerMs: 300 });
    await cluster.connectTo("t");
    const asked = proxy.heard.flatMap((command) =>
      command.name === "connect" ? [command.fields.proxyToBrokerUrl ?? null] : [],
    );
    assert.deepEqual(asked, [null, "inside.example:6650"]);
    cluster.close();
  });

  test("that refer in circles are not followed for ever", async () => {
    const broker = await startStandIn((command, say) => {
      welcome(command, say);
      if (command.name !== "lookup") return;
      const redirect = { response: lookupOutcome.redirect, brokerServiceUrl: broker.url };
      say("lookupResponse", found(command.fields.requestId, redirect));
    });
    const cluster = createCluster({ url: broker.url, answerMs: 300 });
    await assert.rejects(cluster.connectTo("t"), /from broker to broker/);
    cluster.close();
  });
});
