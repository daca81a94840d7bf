import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { webhookJobs } from "../../src/modules/webhooks/index.ts";
import { openSite, type Receiver, type Site, startReceiver } from "./support.ts";

describe("the log of deliveries", () => {
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

  async function ask(method: "GET" | "POST" | "DELETE", url: string, payload?: object) {
    const answer = await site.server.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
    return { status: answer.statusCode, body: answer.body === "" ? undefined : answer.json() };
  }

  /** An endpoint with so many deliveries that arrived, and so many that failed for good. */
  async function endpointWith(delivered: string[], failed: string[]) {
    const { id } = await site.register(receiver.url);
    receiver.answer = () => ({ status: 410, body: "gone" });
    for (const type of failed) {
      await site.append(type);
      await site.settle();
      await site.send();
      await site.server.inject({ method: "PATCH", url: `/webhook-endpoints/${id}`, payload: { enabled: true } });
      site.advance(1_000);
    }
    receiver.answer = () => ({ status: 200, body: "thanks" });
    for (const type of delivered) {
      await site.append(type);
      await site.settle();
      await site.send();
      site.advance(1_000);
    }
    receiver.received.length = 0;
    return id;
  }

  it("is read in pages, newest first, by status and by type", async () => {
    const id = await endpointWith(
      ["payment.succeeded", "payment.created", "payment.succeeded"],
      ["payment.created", "bill.failed"],
    );
    const path = `/webhook-endpoints/${id}/deliveries`;
    const seen: string[] = [];
    for (let cursor = ""; ; ) {
      const { body } = await ask("GET", `${path}?limit=2${cursor}`);
      assert.ok(body.data.length <= 2);
      seen.push(...body.data.map(({ event_type }: { event_type: string }) => event_type));
      if (body.next_cursor === null) break;
      cursor = `&cursor=${body.next_cursor}`;
    }
    const newestFirst = ["payment.succeeded", "payment.created", "payment.succeeded", "bill.failed", "payment.created"];
    assert.deepEqual(seen, newestFirst);
    const failed = await ask("GET", `${path}?status=failed`);
    assert.equal(failed.body.data.length, 2);
    assert.equal(failed.body.data[0].attempts[0].status_code, 410);
    assert.equal(failed.body.data[0].attempts[0].answer, "gone");
    const created = await ask("GET", `${path}?event_type=payment.created&status=delivered`);
    assert.equal(created.body.data.length, 1);
    assert.equal((await ask("GET", `${path}?status=lost`)).status, 400);
    assert.equal((await ask("GET", `${path}?cursor=nonsense`)).status, 400);
    const [one] = created.body.data;
    const { body } = await ask("GET", `/webhook-deliveries/${one.id}`);
    assert.equal(JSON.parse(body.payload).event_id, one.event_id);
    assert.equal((await ask("GET", "/webhook-deliveries/nonsense")).body.code, "webhook_delivery_not_found");
    await ask("DELETE", `/webhook-endpoints/${id}`);
    assert.equal((await ask("GET", path)).body.data.length, 5);
  });

  it("lets one be sent again, with the same id and the whole schedule", async () => {
    const id = await endpointWith(["payment.succeeded"], ["payment.created"]);
    const { body } = await ask("GET", `/webhook-endpoints/${id}/deliveries`);
    for (const { id: delivery, event_id: eventId } of body.data) {
      const replayed = await ask("POST", `/webhook-deliveries/${delivery}/replay`);
      assert.deepEqual([replayed.status, replayed.body.status, replayed.body.ended_at], [202, "pending", null]);
      assert.equal(await site.send(), 1);
      assert.equal(receiver.ids().at(-1), eventId);
      const after = await ask("GET", `/webhook-deliveries/${delivery}`);
      assert.deepEqual([after.body.status, after.body.attempt_count, after.body.attempts.length], ["delivered", 2, 2]);
    }
    await site.server.inject({ method: "PATCH", url: `/webhook-endpoints/${id}`, payload: { enabled: false } });
    const refused = await ask("POST", `/webhook-deliveries/${body.data[0].id}/replay`);
    assert.deepEqual([refused.status, refused.body.code], [409, "webhook_endpoint_disabled"]);
    await ask("DELETE", `/webhook-endpoints/${id}`);
  });

  it("lets many be sent again: what failed in a period, or all of it", async () => {
    const since = new Date(site.nowMs()).toISOString();
    const id = await endpointWith(["payment.succeeded"], ["payment.created", "bill.failed", "bill.created"]);
    const path = `/webhook-endpoints/${id}/replay`;
    const until = new Date(Date.parse(since) + 2_000).toISOString();
    const some = await ask("POST", path, { since, until });
    assert.deepEqual([some.status, some.body], [202, { replayed: 2, next_cursor: null }]);
    assert.equal(await site.send(), 2);
    assert.deepEqual((await ask("POST", path, { since })).body, { replayed: 1, next_cursor: null });
    assert.equal(await site.send(), 1);
    assert.deepEqual((await ask("POST", path, { since, status: "all" })).body, { replayed: 4, next_cursor: null });
    assert.equal(await site.send(), 4);
    assert.equal(new Set(receiver.ids()).size, 4);
    for (const body of [{}, { since: "yesterday" }, { since, until: since }, { since, cursor: "nonsense" }]) {
      assert.equal((await ask("POST", path, body)).status, 400, JSON.stringify(body));
    }
    await ask("DELETE", `/webhook-endpoints/${id}`);
  });

  it("sends many again in pages of 10,000", async () => {
    const { id } = await site.register(receiver.url);
    const eventId = "00000000-0000-8000-8000-";
    await site.look(
      `insert into webhooks.messages (event_id, type, payload)
       select ('${eventId}' || lpad(n::text, 12, '0'))::uuid, 'payment.created', '{}' from generate_series(1, 12500) n`,
    );
    await site.look(
      `insert into webhooks.deliveries (id, endpoint_id, event_id, type, status, ended_at)
       select ('019abcde-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, $1,
              ('${eventId}' || lpad(n::text, 12, '0'))::uuid, 'payment.created', 'delivered', now()
       from generate_series(1, 12500) n`,
      [id],
    );
    const body = { since: "2025-01-01T00:00:00Z", status: "all" };
    const first = await ask("POST", `/webhook-endpoints/${id}/replay`, body);
    assert.equal(first.body.replayed, 10_000);
    const rest = await ask("POST", `/webhook-endpoints/${id}/replay`, { ...body, cursor: first.body.next_cursor });
    assert.deepEqual(rest.body, { replayed: 2_500, next_cursor: null });
    const due =
      "select count(*)::integer as due from webhooks.deliveries where endpoint_id = $1 and status = 'pending'";
    assert.deepEqual(await site.look(due, [id]), [{ due: 12_500 }]);
    await ask("DELETE", `/webhook-endpoints/${id}`);
    await keepHouse();
  });

  it("shows a test, which is sent whatever the endpoint takes", async () => {
    const { id } = await site.register(receiver.url, ["bill.failed"]);
    receiver.answer = () => ({ status: 200 });
    const tested = await ask("POST", `/webhook-endpoints/${id}/test`);
    assert.equal(tested.status, 202);
    assert.equal(await site.send(), 1);
    const { body } = await ask("GET", `/webhook-deliveries/${tested.body.id}`);
    assert.deepEqual([body.status, body.event_type], ["delivered", "webhook.test"]);
    assert.equal(JSON.parse(receiver.received.at(-1)?.body ?? "").event_id, receiver.ids().at(-1));
    await ask("DELETE", `/webhook-endpoints/${id}`);
  });

  const dues: { deliveries: number; ageMs: number }[] = [];
  async function keepHouse() {
    for (const job of webhookJobs(site.context, (due) => void dues.push(due))) while ((await job.run()) > 0);
  }

  it("counts what is due and is not sent, and for how long", async () => {
    const { id } = await site.register(receiver.url);
    await site.append("payment.succeeded");
    await site.settle();
    site.advance(90_000);
    await keepHouse();
    const due = dues.at(-1);
    assert.equal(due?.deliveries, 1);
    assert.ok(due !== undefined && due.ageMs >= 90_000 && due.ageMs < 120_000, `${due?.ageMs} ms`);
    assert.equal(await site.send(), 1);
    await keepHouse();
    assert.deepEqual(dues.at(-1), { deliveries: 0, ageMs: 0 });
    await ask("DELETE", `/webhook-endpoints/${id}`);
  });

  it("ends what is due to an endpoint that was removed, and forgets everything after 30 days", async () => {
    const { id } = await site.register(receiver.url);
    await site.append("payment.succeeded");
    await site.settle();
    await ask("DELETE", `/webhook-endpoints/${id}`);
    assert.equal(await site.send(), 0);
    await keepHouse();
    const { body } = await ask("GET", `/webhook-endpoints/${id}/deliveries`);
    assert.equal(body.data[0].status, "failed");
    const kept = await site.register(receiver.url);
    site.advance(29 * 86_400_000);
    await keepHouse();
    assert.equal((await ask("GET", `/webhook-endpoints/${id}/deliveries`)).body.data.length, 1);
    site.advance(2 * 86_400_000);
    await keepHouse();
    assert.equal((await ask("GET", `/webhook-endpoints/${id}/deliveries`)).status, 404);
    assert.equal((await ask("GET", `/webhook-endpoints/${kept.id}`)).status, 200);
    for (const table of ["messages", "deliveries", "attempts"]) {
      const [row] = await site.look<{ left: number }>(`select count(*)::integer as left from webhooks.${table}`);
      // Those of the test with made-up ids are dated by them.
      assert.deepEqual([table, row?.left], [table, 0]);
    }
  });
});
