import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openSite, type Site } from "./support.ts";

const url = "https://shop.example.com/hooks";

describe("what is sent to whom", () => {
  let site: Site;
  before(async () => {
    site = await openSite();
  });
  after(() => site.close());

  async function typesOf(endpointId: string): Promise<string[]> {
    const text = "select type from webhooks.deliveries where endpoint_id = $1 order by type";
    return (await site.look<{ type: string }>(text, [endpointId])).map(({ type }) => type);
  }

  it("is chosen by type, from the endpoint's registration on, and once", async () => {
    await site.append("payment.created", "payment.succeeded");
    const all = await site.register(url, ["*"]);
    const payments = await site.register(url, ["payment.*", "bill.succeeded"]);
    const one = await site.register(url, ["payment.succeeded", "payment.*", "*"]);
    const off = await site.register(url, ["*"]);
    await site.server.inject({ method: "PATCH", url: `/webhook-endpoints/${off.id}`, payload: { enabled: false } });
    await site.append("payment.succeeded", "payment.created", "bill.failed");
    assert.equal(await site.settle(), 3 + 2 + 3);
    assert.deepEqual(await typesOf(all.id), ["bill.failed", "payment.created", "payment.succeeded"]);
    assert.deepEqual(await typesOf(payments.id), ["payment.created", "payment.succeeded"]);
    assert.deepEqual(await typesOf(one.id), ["bill.failed", "payment.created", "payment.succeeded"]);
    assert.deepEqual(await typesOf(off.id), []);
    assert.equal(await site.settle(), 0);
    for (const { id } of [all, payments, one, off]) {
      await site.server.inject({ method: "DELETE", url: `/webhook-endpoints/${id}` });
    }
  });

  it("is decided on once for each event and endpoint, however many follow the log", async () => {
    const endpoints = [await site.register(url, ["payment.*"]), await site.register(url, ["*"])];
    const followers = [site.fanOut(), site.fanOut(), site.fanOut()];
    const writing = async () => {
      for (let times = 0; times < 20; times++) await site.append("payment.succeeded", "bill.failed", "payment.created");
    };
    let isDone = false;
    let decided = 0;
    const follow = async (follower: (typeof followers)[number]) => {
      while (!isDone) {
        const { deliveries } = await follower.next();
        decided += deliveries;
      }
    };
    const following = Promise.all(followers.map(follow));
    await writing();
    const left = await site.settle();
    isDone = true;
    await following;
    assert.equal(decided + left, 40 + 60);
    assert.deepEqual(await Promise.all(endpoints.map(async ({ id }) => (await typesOf(id)).length)), [40, 60]);
    const twice = "select from webhooks.deliveries group by event_id, endpoint_id having count(*) > 1";
    assert.deepEqual(await site.look(twice), []);
    for (const { id } of endpoints) await site.server.inject({ method: "DELETE", url: `/webhook-endpoints/${id}` });
  });

  it("goes on behind events that cannot leave, and says so", async () => {
    const { id } = await site.register(url);
    await site.append("payment.teleported", "payment.succeeded");
    assert.equal(await site.settle(), 1);
    assert.deepEqual(site.told.splice(0), ["payment.teleported: event_unknown"]);
    await site.server.inject({ method: "DELETE", url: `/webhook-endpoints/${id}` });
  });

  it("costs nothing but the cursor where nobody takes anything, and nothing is missed by who comes then", async () => {
    const position = async () => {
      const text = "select position from events.cursors where consumer = 'webhooks'";
      const [row] = await site.look<{ position: string }>(text);
      return BigInt(row?.position ?? 0);
    };
    await site.settle();
    const before = await position();
    await site.append("payment.succeeded", "payment.created");
    assert.equal(await site.settle(), 0);
    assert.equal(await position(), before + 2n);
    const { id } = await site.register(url);
    await site.append("payment.succeeded");
    assert.equal(await site.settle(), 1);
    assert.deepEqual(await typesOf(id), ["payment.succeeded"]);
    await site.server.inject({ method: "DELETE", url: `/webhook-endpoints/${id}` });
  });
});
