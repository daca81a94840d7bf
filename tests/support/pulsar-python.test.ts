import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { createNamespace, sharedPulsar, withoutPulsar } from "./pulsar.ts";
import { readWithPython, withoutPythonClient } from "./pulsar-python.ts";

const skip = withoutPulsar || withoutPythonClient;

test("the Python client reads what is in a partitioned topic, each key in its order", { skip }, async () => {
  const { url, webUrl } = await sharedPulsar();
  const topic = `${await createNamespace(webUrl)}/sums`;
  const json = { "content-type": "application/json" };
  const made = await fetch(`${webUrl}/admin/v2/persistent/${topic}/partitions`, {
    method: "PUT",
    headers: json,
    body: "4",
  });
  equal(made.status, 204);
  const sent = Array.from({ length: 24 }, (_, n) => ({ key: `key-${n % 6}`, payload: `{"n":${n},"sum":"1000.00 €"}` }));
  await send(webUrl, topic, sent);

  const read = await readWithPython({ url, topic: `persistent://${topic}`, count: sent.length, timeoutMs: 30_000 });

  for (const key of new Set(sent.map((one) => one.key))) {
    const ofKey = read.filter((one) => one.key === key);
    deepEqual(
      ofKey.map(({ payload }) => payload),
      sent.filter((one) => one.key === key).map(({ payload }) => payload),
    );
    equal(new Set(ofKey.map(({ partition }) => partition)).size, 1);
  }
  ok(new Set(read.map(({ partition }) => partition)).size > 1);
  deepEqual(read[0]?.properties, { from: "here" });
  await rejects(
    readWithPython({ url, topic: `persistent://${topic}`, count: 25, timeoutMs: 2_000 }),
    /of 25 messages came within 2 s/,
  );
});

/** Through Pulsar's WebSocket, one after the other: each is answered once it is kept. */
async function send(webUrl: string, topic: string, messages: readonly { key: string; payload: string }[]) {
  const socket = new WebSocket(`${webUrl.replace("http:", "ws:")}/ws/v2/producer/persistent/${topic}`);
  await once(socket, "open");
  for (const { key, payload } of messages) {
    socket.send(
      JSON.stringify({ key, payload: Buffer.from(payload).toString("base64"), properties: { from: "here" } }),
    );
    const [answer] = (await once(socket, "message")) as [{ data: string }];
    equal((JSON.parse(answer.data) as { result: string }).result, "ok");
  }
  socket.close();
  await once(socket, "close");
}
