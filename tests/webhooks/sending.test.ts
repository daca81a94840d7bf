import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { Webhook } from "standardwebhooks";
import { type Database, DatabaseFailure } from "../../src/kernel/statement.ts";
import type { SendOutcome, WebhookRequest } from "../../src/modules/webhooks/ports.ts";
import { openSite, type Receiver, type Site, startReceiver } from "./support.ts";

const minute = 60_000;
const hour = 60 * minute;

describe("sending webhooks", () => {
  let site: Site;
  let receiver: Receiver;
  const registered: string[] = [];
  let others: Receiver[] = [];
  before(async () => {
    site = await openSite();
  });
  after(() => site.close());
  beforeEach(async () => {
    receiver = await startReceiver();
    site.told.length = 0;
  });
  afterEach(async () => {
    for (const id of registered.splice(0)) {
      await site.server.inject({ method: "DELETE", url: `/webhook-endpoints/${id}` });
    }
    await Promise.all([receiver, ...others].map((one) => one.close()));
    others = [];
  });

  async function register(url = receiver.url, types = ["*"]) {
    const endpoint = await site.register(url, types);
    registered.push(endpoint.id);
    return endpoint;
  }

  async function endpointOf(id: string) {
    return (await site.server.inject({ method: "GET", url: `/webhook-endpoints/${id}` })).json();
  }

  async function deliveriesOf(id: string) {
    return (await site.server.inject({ method: "GET", url: `/webhook-endpoints/${id}/deliveries` })).json().data;
  }

  it("signs what it sends as Standard Webhooks has it, and sends what is published elsewhere", async () => {
    const { id, secret } = await register();
    const [stream] = await site.append("payment.succeeded");
    await site.settle();
    assert.equal(await site.send(), 1);
    const [got] = receiver.received;
    assert.ok(got);
    const payload = new Webhook(secret).verify(got.body, got.headers as Record<string, string>) as Record<
      string,
      object
    >;
    assert.equal(payload["event_type"], "payment.succeeded");
    assert.equal(payload["event_id"], got.headers["webhook-id"]);
    assert.deepEqual(payload["data"], { payment_id: stream, amount: "1000.00", currency: "USD" });
    assert.equal(got.headers["content-type"], "application/json");
    assert.match(got.headers["user-agent"] ?? "", /^MarketFlow-Webhooks/);
    assert.throws(() => new Webhook(secret).verify(`${got.body} `, got.headers as Record<string, string>));
    const [delivery] = await deliveriesOf(id);
    assert.equal(delivery.status, "delivered");
    assert.equal(delivery.attempts[0].status_code, 204);
  });

  it("signs with both secrets for a day after a rotation, and at once with the new one alone if so told", async () => {
    const { id: endpoint, secret: old } = await register();
    const rotate = async (payload?: object) => {
      const url = `/webhook-endpoints/${endpoint}/rotate-secret`;
      return (await site.server.inject({ method: "POST", url, ...(payload === undefined ? {} : { payload }) })).json();
    };
    const knows = async (secret: string) => {
      const got = receiver.received.at(-1);
      assert.ok(got);
      const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures } = got.headers;
      const signed = new Webhook(secret).sign(String(id), new Date(Number(timestamp) * 1_000), got.body);
      return String(signatures).split(" ").includes(signed);
    };
    const sendOne = async () => {
      await site.append("payment.succeeded");
      await site.settle();
      assert.equal(await site.send(), 1);
    };
    const { secret: second } = await rotate();
    await sendOne();
    assert.deepEqual([await knows(old), await knows(second)], [true, true]);
    const [got] = receiver.received.slice(-1);
    for (const secret of [old, second]) new Webhook(secret).verify(String(got?.body), got?.headers as never);
    site.advance(24 * hour + 1);
    await sendOne();
    assert.deepEqual([await knows(old), await knows(second)], [false, true]);
    const { secret: third } = await rotate({ old_secret_valid_seconds: 0 });
    await sendOne();
    assert.deepEqual([await knows(second), await knows(third)], [false, true]);
  });

  it("tries again after 5 s, 5 min, 30 min … ten times within about three days, and then it has failed", async () => {
    const { id } = await register();
    receiver.answer = () => ({ status: 500, body: "the shop is closed" });
    await site.append("payment.succeeded");
    await site.settle();
    const pauses = [5_000, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];
    assert.equal(await site.send(), 1);
    for (const pause of pauses) {
      site.advance(pause - 1_000);
      assert.equal(await site.send(), 0, `before ${pause}`);
      site.advance(2_000);
      assert.equal(await site.send(), 1, `after ${pause}`);
    }
    site.advance(100 * hour);
    assert.equal(await site.send(), 0);
    const [delivery] = await deliveriesOf(id);
    assert.deepEqual([delivery.status, delivery.attempt_count, delivery.next_attempt_at], ["failed", 10, null]);
    assert.equal(delivery.attempts.length, 10);
    assert.equal(delivery.attempts[0].answer, "the shop is closed");
    assert.match(delivery.attempts[0].error, /answered 500/);
    assert.equal(new Set(receiver.ids()).size, 1);
    // Nothing has arrived there for three days.
    const endpoint = await endpointOf(id);
    assert.deepEqual([endpoint.enabled, endpoint.disabled_reason], [false, "failing"]);
    assert.ok(site.told.includes("disabled: failing"));
  });

  it("forgets that an endpoint failed once something arrives there", async () => {
    const { id } = await register();
    receiver.answer = () => ({ status: 302, headers: { location: "http://127.0.0.1/" } });
    await site.append("payment.succeeded");
    await site.settle();
    await site.send();
    assert.ok((await endpointOf(id)).failing_since);
    assert.match((await deliveriesOf(id))[0].attempts[0].error, /redirects are not followed/);
    receiver.answer = () => ({ status: 200 });
    site.advance(6_000);
    assert.equal(await site.send(), 1);
    assert.equal((await endpointOf(id)).failing_since, null);
  });

  it("waits as long as Retry-After asks, and a day at most", async () => {
    const { id } = await register();
    for (const [asked, waited] of [
      ["600", 10 * minute],
      ["999999", 24 * hour],
    ] as const) {
      receiver.answer = () => ({ status: 429, headers: { "retry-after": asked } });
      await site.append("payment.succeeded");
      await site.settle();
      assert.equal(await site.send(), 1);
      site.advance(waited - 10_000);
      assert.equal(await site.send(), 0);
      receiver.answer = () => ({ status: 200 });
      site.advance(20_000);
      assert.equal(await site.send(), 1);
    }
    assert.equal(
      (await deliveriesOf(id)).every(({ status }: { status: string }) => status === "delivered"),
      true,
    );
  });

  it("disables an endpoint that answers 410, keeps what was to be sent, and sends it once it is enabled", async () => {
    const { id } = await register();
    receiver.answer = () => ({ status: 410 });
    await site.append("payment.succeeded", "payment.created");
    await site.settle();
    assert.equal(await site.send(site.sending({ limits: { ofEndpoint: 1 } })), 1);
    const endpoint = await endpointOf(id);
    assert.deepEqual([endpoint.enabled, endpoint.disabled_reason], [false, "gone"]);
    await site.append("payment.refunded");
    assert.equal(await site.settle(), 0);
    const states = (await deliveriesOf(id)).map(({ status }: { status: string }) => status);
    assert.deepEqual(states.sort(), ["failed", "pending"]);
    receiver.answer = () => ({ status: 200 });
    await site.server.inject({ method: "PATCH", url: `/webhook-endpoints/${id}`, payload: { enabled: true } });
    assert.equal(await site.send(), 1);
  });

  it("does not disable an endpoint where something arrived while a try failed after three days", async () => {
    const { id } = await register();
    receiver.answer = () => ({ status: 500 });
    await site.append("payment.succeeded");
    await site.settle();
    assert.equal(await site.send(), 1);
    site.advance(73 * hour);
    await site.append("payment.created");
    await site.settle();
    const answers: ((outcome: SendOutcome) => void)[] = [];
    const sending = site.sending({ client: { send: () => new Promise((resolve) => answers.push(resolve)) } });
    assert.equal(await sending.begin(), 2);
    const [arrives, fails] = answers;
    arrives?.({ type: "answered", status: 200, answer: "", retryAfterMs: null });
    await eventuallyEqual(() => sending.inFlight(), 1);
    fails?.({ type: "not_answered", error: "the connection was reset" });
    await eventuallyEqual(() => sending.inFlight(), 0);
    const endpoint = await endpointOf(id);
    assert.deepEqual([endpoint.enabled, endpoint.failing_since], [true, null]);
    assert.ok(!site.told.includes("disabled: failing"));
  });

  it("tells once that it has disabled an endpoint", async () => {
    await register();
    receiver.answer = () => ({ status: 410 });
    await site.append("payment.succeeded", "payment.created", "payment.refunded");
    await site.settle();
    assert.equal(await site.send(), 3);
    assert.deepEqual(
      site.told.filter((one) => one.startsWith("disabled")),
      ["disabled: gone"],
    );
  });

  it("counts a try once where the answer to its commit was lost", async () => {
    const { id } = await register();
    receiver.answer = () => ({ status: 500 });
    await site.append("payment.succeeded");
    await site.settle();
    const connection = site.connect();
    let commits = 0;
    const database: Database = {
      async query(statement) {
        const answer = await connection.query(statement);
        if (!statement.text.includes("insert into webhooks.attempts")) return answer;
        commits += 1;
        if (commits === 1) throw new DatabaseFailure("unavailable", true, "the connection was lost");
        return answer;
      },
    };
    assert.equal(await site.send(site.sending({ database })), 1);
    assert.equal(commits, 2);
    const [delivery] = await deliveriesOf(id);
    assert.deepEqual([delivery.status, delivery.attempt_count, delivery.attempts.length], ["pending", 1, 1]);
  });

  it("keeps nobody waiting for an endpoint that is slow", async () => {
    const slow = await startReceiver();
    others.push(slow);
    let release = () => {};
    const released = new Promise<{ status: number }>((resolve) => {
      release = () => resolve({ status: 200 });
    });
    slow.answer = () => released;
    const sending = site.sending({ limits: { inAll: 16 } });
    await register(slow.url);
    for (let times = 0; times < 50; times++) await site.append("payment.succeeded");
    await site.settle();
    assert.equal(await sending.begin(), 8);
    assert.equal(await sending.begin(), 0);
    const fast = await register();
    for (let times = 0; times < 20; times++) await site.append("bill.failed");
    await site.settle();
    for (let rounds = 0; rounds < 200 && receiver.received.length < 20; rounds++) {
      if ((await sending.begin()) === 0) await sending.wait(20);
    }
    assert.equal(receiver.received.length, 20);
    await eventuallyEqual(() => sending.inFlight(), 8);
    assert.equal(slow.received.length, 8);
    assert.equal((await deliveriesOf(fast.id)).length, 20);
    release();
    await site.send(sending);
    assert.equal(slow.received.length, 70);
  });

  it("sends each once where two send at the same time", async () => {
    await register();
    for (let times = 0; times < 40; times++) await site.append("payment.succeeded", "payment.created");
    await site.settle();
    const tries = await Promise.all([site.send(site.sending()), site.send(site.sending())]);
    assert.equal(tries[0] + tries[1], 80);
    assert.equal(new Set(receiver.ids()).size, 80);
    assert.equal(receiver.received.length, 80);
  });

  it("sends again under the same id what a process that died had begun, and does not listen to the dead", async () => {
    const { id } = await register();
    await site.append("payment.succeeded");
    await site.settle();
    let answerLate: (outcome: SendOutcome) => void = () => {};
    const asked: WebhookRequest[] = [];
    const dying = site.sending({
      client: {
        send: (request) => {
          asked.push(request);
          return new Promise((resolve) => {
            answerLate = resolve;
          });
        },
      },
    });
    assert.equal(await dying.begin(), 1);
    assert.equal(await site.send(), 0);
    site.advance(61_000);
    assert.equal(await site.send(), 1);
    assert.deepEqual(receiver.ids(), [asked[0]?.headers["webhook-id"]]);
    answerLate({ type: "answered", status: 500, answer: "", retryAfterMs: null });
    await site.send(dying);
    const [delivery] = await deliveriesOf(id);
    assert.deepEqual([delivery.status, delivery.attempt_count], ["delivered", 1]);
    assert.equal((await site.look("select from webhooks.attempts where delivery_id = $1", [delivery.id])).length, 1);
  });

  it("gives back what it was sending when it is stopped", async () => {
    await register();
    receiver.answer = () => new Promise(() => undefined);
    await site.append("payment.succeeded");
    await site.settle();
    const stopped = site.sending();
    assert.equal(await stopped.begin(), 1);
    await stopped.stop(20);
    receiver.answer = () => ({ status: 200 });
    assert.equal(await site.send(), 1);
    assert.equal(new Set(receiver.ids()).size, 1);
  });
});

async function eventuallyEqual(read: () => number, expected: number): Promise<void> {
  for (let times = 0; times < 200 && read() !== expected; times++) await new Promise((done) => setTimeout(done, 10));
  assert.equal(read(), expected);
}
