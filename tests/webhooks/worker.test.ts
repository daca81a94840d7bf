import assert from "node:assert/strict";
import { randomUUIDv7 } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { createWebhookClient } from "../../src/infrastructure/webhooks/client.ts";
import { messageOf, topicsOf } from "../../src/modules/events/index.ts";
import { createWebhookWorker, type WebhookWorker } from "../../src/modules/webhooks/index.ts";
import { eventually } from "../support/app.ts";
import { openSite, type Receiver, type Site, startReceiver } from "./support.ts";

const topics = topicsOf("pagos-events");

describe("the worker", () => {
  let site: Site;
  let receiver: Receiver;
  before(async () => {
    site = await openSite();
    receiver = await startReceiver();
  });
  after(async () => {
    await receiver.close();
    await site.close();
  });

  let owner = "";
  const faults: unknown[] = [];

  function workerCalled(name: string): WebhookWorker {
    const worker = createWebhookWorker({
      logDatabase: site.connect(),
      database: site.connect(),
      client: createWebhookClient({ allowHttp: true, allowPrivate: true }),
      bodyOf: (event) => messageOf(event, topics),
      newId: randomUUIDv7,
      holdsOwnership: async () => {
        if (owner === "") owner = name;
        return owner === name;
      },
      graceMs: 50,
      userAgent: "MarketFlow-Webhooks/1",
      observe: {
        sent: () => undefined,
        endpointDisabled: () => undefined,
        notSent: (position, type) => faults.push(`${position} ${type}`),
        failed: (step, error) => faults.push([step, error]),
      },
    });
    worker.start();
    return worker;
  }

  it("sends everything once while several work, and goes on with what one of them leaves", async () => {
    const { id } = await site.register(receiver.url);
    const first = workerCalled("first");
    const second = workerCalled("second");
    for (let times = 0; times < 10; times++) await site.append("payment.created", "payment.succeeded", "bill.failed");
    await eventually(
      async () => receiver.received.length,
      (count) => count >= 30,
    );
    await (owner === "first" ? first : second).stop();
    owner = "";
    await site.append("payment.refunded", "payment.refunded");
    await eventually(
      async () => receiver.received.length,
      (count) => count >= 32,
    );
    assert.equal(new Set(receiver.ids()).size, 32);
    assert.equal(receiver.received.length, 32);
    await Promise.all([first.stop(), second.stop()]);
    assert.deepEqual(faults, []);
    const text = "select status, count(*)::integer as count from webhooks.deliveries where endpoint_id = $1 group by 1";
    assert.deepEqual(await site.look(text, [id]), [{ status: "delivered", count: 32 }]);
    await site.server.inject({ method: "DELETE", url: `/webhook-endpoints/${id}` });
  });

  it("gives back what does not end while it stops", async () => {
    const { id } = await site.register(receiver.url);
    receiver.answer = () => new Promise(() => undefined);
    const worker = workerCalled("third");
    owner = "third";
    await site.append("payment.succeeded");
    await eventually(
      async () => worker.inFlight(),
      (count) => count === 1,
    );
    await worker.stop();
    const text = "select status, leased_until from webhooks.deliveries where endpoint_id = $1";
    assert.deepEqual(await site.look(text, [id]), [{ status: "pending", leased_until: null }]);
  });
});
