import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import type { Cluster } from "./cluster.ts";
import { createDirectory } from "./directory.ts";

describe("the directory of topics", () => {
  const topic = { namespace: "public/default", name: "t" };
  const asked: string[] = [];
  let partitions = 0;
  const admin = createServer((request, response) => {
    asked.push(`${request.method}`);
    if (request.method === "PUT") partitions ||= 8;
    response.writeHead(204).end();
  });
  let webUrl = "";
  before(async () => {
    await once(admin.listen(0, "127.0.0.1"), "listening");
    const address = admin.address();
    webUrl = `http://127.0.0.1:${typeof address === "object" && address?.port}`;
  });
  after(() => {
    admin.closeAllConnections();
    admin.close();
  });

  test("makes a topic once, and again where it was removed meanwhile", async () => {
    const cluster: Cluster = {
      connect: () => assert.fail(),
      connectTo: () => assert.fail(),
      partitionsOf: async () => partitions,
      close: () => undefined,
    };
    const directory = createDirectory(cluster, { webUrl, partitions: 8, onWarning: assert.fail });
    assert.equal(await directory.partitionsOf(topic), 8);
    directory.forget(topic);
    assert.equal(await directory.partitionsOf(topic), 8);
    assert.deepEqual(asked, ["PUT", "POST"]);
    partitions = 0;
    assert.equal(await directory.partitionsOf(topic), 8, "what is known is not asked for");
    directory.forget(topic);
    assert.equal(await directory.partitionsOf(topic), 8);
    assert.deepEqual(asked, ["PUT", "POST", "PUT", "POST"]);
  });
});
