import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createWebhookClient } from "../../src/infrastructure/webhooks/client.ts";
import { openSite, type Site } from "./support.ts";

type Method = "GET" | "POST" | "PATCH" | "DELETE";

describe("webhook endpoints", () => {
  let site: Site;
  before(async () => {
    site = await openSite();
  });
  after(() => site.close());

  async function ask(method: Method, url: string, payload?: object) {
    const answer = await site.server.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
    return { status: answer.statusCode, body: answer.body === "" ? undefined : answer.json() };
  }

  const url = "https://shop.example.com/hooks";

  it("are registered with a secret that is shown once", async () => {
    const wanted = { url, event_types: ["payment.*", "payment.*", "PagoExitoso"], description: "The shop" };
    const { status, body } = await ask("POST", "/webhook-endpoints", wanted);
    assert.equal(status, 201);
    const { secret, ...endpoint } = body;
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    assert.equal(Buffer.from(secret.slice(6), "base64").length, 32);
    assert.deepEqual(endpoint.event_types, ["payment.*", "PagoExitoso"]);
    assert.equal(endpoint.enabled, true);
    const got = await ask("GET", `/webhook-endpoints/${endpoint.id}`);
    assert.deepEqual(got.body, endpoint);
    const listed = await ask("GET", "/webhook-endpoints");
    assert.deepEqual(listed.body, { data: [endpoint] });
    assert.doesNotMatch(JSON.stringify([got.body, listed.body]), /whsec_/);
  });

  it("take only types that there are, and say which", async () => {
    for (const type of ["payment.teleported", "payments.*", "payment.succeede", "", "*.*", ".*"]) {
      const { status, body } = await ask("POST", "/webhook-endpoints", { url, event_types: ["bill.*", type] });
      assert.equal(status, 400, type);
      assert.equal(body.code, "invalid_request");
      if (type !== "") assert.match(body.detail, /There are payment\.created, .*PagoFallido/);
    }
    assert.equal((await ask("POST", "/webhook-endpoints", { url, event_types: [] })).status, 400);
    assert.equal((await ask("POST", "/webhook-endpoints", { event_types: ["*"] })).status, 400);
  });

  it("are refused where the address may not be sent to", async () => {
    const strict = createWebhookClient({ allowHttp: false, allowPrivate: false });
    const lenient = site.context.client;
    Object.assign(site.context, { client: strict });
    try {
      const register = (address: string) => ask("POST", "/webhook-endpoints", { url: address, event_types: ["*"] });
      for (const address of ["http://shop.example.com/", "https://127.0.0.1/", "https://[::1]/", "no address"]) {
        const { status, body } = await register(address);
        assert.equal(status, 400, address);
        assert.equal(body.errors[0].pointer, "/url");
      }
      const { id } = (await register(url)).body;
      assert.equal((await ask("PATCH", `/webhook-endpoints/${id}`, { url: "https://10.0.0.1/" })).status, 400);
      await ask("DELETE", `/webhook-endpoints/${id}`);
    } finally {
      Object.assign(site.context, { client: lenient });
    }
  });

  it("are changed in what is said, and in nothing else", async () => {
    const { id } = await site.register(url, ["payment.succeeded"]);
    const path = `/webhook-endpoints/${id}`;
    const changed = await ask("PATCH", path, { description: "New", event_types: ["*"] });
    assert.deepEqual([changed.body.description, changed.body.event_types, changed.body.url], ["New", ["*"], url]);
    const disabled = await ask("PATCH", path, { enabled: false });
    assert.equal(disabled.body.disabled_reason, "request");
    assert.ok(disabled.body.disabled_at);
    assert.equal(disabled.body.description, "New");
    const enabled = await ask("PATCH", path, { enabled: true, description: null });
    assert.deepEqual([enabled.body.enabled, enabled.body.disabled_reason], [true, null]);
    assert.equal(enabled.body.description, null);
    assert.equal((await ask("PATCH", path, {})).status, 400);
    assert.equal((await ask("PATCH", path, { secret: "whsec_mine" })).status, 400);
    assert.equal((await ask("PATCH", path, { description: "a\u0000b" })).status, 400);
    await ask("DELETE", path);
  });

  it("are gone once they are removed, with their secrets", async () => {
    const { id } = await site.register(url);
    assert.equal((await ask("DELETE", `/webhook-endpoints/${id}`)).status, 204);
    for (const [method, path, payload] of [
      ["GET", "", undefined],
      ["PATCH", "", { enabled: true }],
      ["DELETE", "", undefined],
      ["POST", "/rotate-secret", undefined],
    ] as const) {
      const { status, body } = await ask(method, `/webhook-endpoints/${id}${path}`, payload);
      assert.deepEqual([status, body.code], [404, "webhook_endpoint_not_found"], `${method} ${path}`);
    }
    assert.deepEqual(await site.look("select from webhooks.secrets where endpoint_id = $1", [id]), []);
    assert.equal((await ask("GET", "/webhook-endpoints/nonsense")).status, 404);
  });

  it("have one current secret however often it is rotated at the same time", async () => {
    const { id, secret } = await site.register(url);
    const rotate = () => ask("POST", `/webhook-endpoints/${id}/rotate-secret`);
    const answers = await Promise.all([rotate(), rotate(), rotate()]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal(new Set([secret, ...answers.map(({ body }) => body.secret)]).size, 4);
    const rows = await site.look("select expires_at is null as current from webhooks.secrets where endpoint_id = $1", [
      id,
    ]);
    assert.deepEqual(rows.map((row) => (row as { current: boolean }).current).sort(), [false, false, false, true]);
    await ask("DELETE", `/webhook-endpoints/${id}`);
  });

  it("are at most a hundred, however many register at the same time", async () => {
    const register = () => ask("POST", "/webhook-endpoints", { url, event_types: ["*"] });
    const { body } = await ask("GET", "/webhook-endpoints");
    const free = 100 - body.data.length;
    const answers = await Promise.all(Array.from({ length: free + 5 }, register));
    assert.equal(answers.filter(({ status }) => status === 201).length, free);
    const refused = answers.find(({ status }) => status !== 201);
    assert.deepEqual([refused?.status, refused?.body.code], [409, "too_many_webhook_endpoints"]);
  });
});
