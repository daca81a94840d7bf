import assert from "node:assert/strict";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { addressFault, isPublicAddress } from "../../src/infrastructure/webhooks/addresses.ts";
import { createWebhookClient, type WebhookClientOptions } from "../../src/infrastructure/webhooks/client.ts";
import { guardedLookup } from "../../src/infrastructure/webhooks/lookup.ts";
import type { SendOutcome } from "../../src/modules/webhooks/ports.ts";
import { selfSigned } from "./certificate.ts";
import { type Receiver, startReceiver } from "./support.ts";

const strict = { allowHttp: false, allowPrivate: false };
const local = { allowHttp: true, allowPrivate: true };
/** As in production, but for the scheme: the receiver of these tests has no certificate. */
const guarded = { allowHttp: true, allowPrivate: false };
const never = new AbortController().signal;

async function sendBy(options: WebhookClientOptions, url: string): Promise<SendOutcome> {
  const client = createWebhookClient(options);
  try {
    return await client.send({ url, headers: { "content-type": "application/json" }, body: "{}" }, never);
  } finally {
    client.close();
  }
}

function errorOf(outcome: SendOutcome): string {
  assert.equal(outcome.type, "not_answered");
  return outcome.type === "not_answered" ? outcome.error : "";
}

describe("which addresses are public", () => {
  const notPublic = [
    ...["127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
    ...["169.254.169.254", "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9"],
    ...["224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.88.99.1"],
    ...["::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "fe80::1", "fc00::1", "fd00:ec2::254"],
    ...["ff02::1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "2001:db8::1", "100::1", "3fff::1"],
    ...["5f00::1", "example.com", "", "1"],
  ];
  for (const address of notPublic) {
    it(`not ${address}`, () => {
      assert.equal(isPublicAddress(address), false);
    });
  }

  it("those of the internet", () => {
    const addresses = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "193.0.0.1", "2606:4700::1111", "2a00::1"];
    for (const address of addresses) assert.equal(isPublicAddress(address), true, address);
  });
});

describe("what an endpoint's address may be", () => {
  const disguised = [
    ...["https://127.0.0.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/"],
    ...["https://0/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::]/"],
    ...["https://169.254.169.254/latest/meta-data", "https://[fd00:ec2::254]/", "https://①②⑦.⓪.⓪.①/"],
    ...["https://localhost/", "https://LOCALHOST./", "https://api.localhost/", "https://metadata.google.internal/"],
    ...["https://printer.local/", "https://intranet/", "https://10.0.0.1:8443/"],
  ];
  for (const url of disguised) {
    it(`not ${url}`, () => {
      assert.deepEqual(addressFault(url, strict), { type: "url_not_public" });
    });
  }

  it("no plain HTTP, no credentials, no port of another service, no nonsense", () => {
    const faults = {
      "http://shop.example.com/": "url_not_https",
      "ftp://shop.example.com/": "url_not_https",
      "file:///etc/passwd": "url_malformed",
      "https://user:pass@shop.example.com/": "url_has_credentials",
      "https://user@shop.example.com/": "url_has_credentials",
      "https://shop.example.com:25/": "url_port_not_allowed",
      "https://": "url_malformed",
      "https://shop.example.com/\u0000": "url_malformed",
      "https://shop.exa\nmple.com/": "url_malformed",
      "https://shop.example.com/\ud800": "url_malformed",
      "shop.example.com": "url_malformed",
      "": "url_malformed",
    };
    for (const [url, type] of Object.entries(faults)) assert.deepEqual(addressFault(url, strict), { type }, url);
  });

  it("a public host by https", () => {
    for (const url of ["https://shop.example.com/hooks?a=b", "https://shop.example.com:8443/", "https://1.1.1.1/"]) {
      assert.equal(addressFault(url, strict), null, url);
    }
    assert.equal(addressFault("http://localhost:3000/", local), null);
  });
});

describe("posting a webhook", () => {
  let receiver: Receiver;
  let port: string;
  before(async () => {
    receiver = await startReceiver();
    port = new URL(receiver.url).port;
  });
  after(() => receiver.close());

  it("does not connect to a private address, however it is written", async () => {
    for (const host of ["127.0.0.1", "2130706433", "[::ffff:127.0.0.1]", "localhost"]) {
      assert.match(errorOf(await sendBy(guarded, `http://${host}:${port}/`)), /not allowed \(url_not_public\)/);
    }
    assert.equal(receiver.received.length, 0);
  });

  it("does not connect where a public name leads to a private address, be it one of several", async () => {
    for (const found of [["127.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["::ffff:127.0.0.1"], ["::1"]]) {
      const outcome = await sendBy({ ...guarded, resolve: async () => found }, `http://shop.example.com:${port}/`);
      assert.match(errorOf(outcome), /leads to an address that is not public/);
    }
    assert.equal(receiver.received.length, 0);
  });

  it("gives the connection the addresses that were checked, and asks for none again", async () => {
    const answers = [["1.1.1.1", "2606:4700::1111"], ["127.0.0.1"]];
    let asked = 0;
    const lookup = guardedLookup(async () => answers[asked++] ?? [], false);
    const found = await new Promise((resolve, reject) => {
      lookup("shop.example.com", { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
    });
    const checked = [
      { address: "1.1.1.1", family: 4 },
      { address: "2606:4700::1111", family: 6 },
    ];
    assert.deepEqual(found, checked);
    assert.equal(asked, 1);
  });

  it("looks at the address anew with every connection", async () => {
    const client = createWebhookClient({ ...guarded, timeoutMs: 200, resolve: async () => ["127.0.0.1"] });
    const request = { url: `http://shop.example.com:${port}/`, headers: {}, body: "{}" };
    for (let tries = 0; tries < 3; tries++) assert.match(errorOf(await client.send(request, never)), /not public/);
    client.close();
    assert.equal(receiver.received.length, 0);
  });

  it("does not follow a redirect", async () => {
    const other = await startReceiver();
    receiver.answer = () => ({ status: 307, headers: { location: other.url } });
    const outcome = await sendBy(local, receiver.url);
    assert.deepEqual({ ...outcome, answer: "" }, { type: "answered", status: 307, answer: "", retryAfterMs: null });
    assert.equal(other.received.length, 0);
    await other.close();
  });

  it("keeps the beginning of a long answer, without what cannot be stored", async () => {
    receiver.answer = () => ({ status: 500, body: `a\u0000b${"é".repeat(200_000)}` });
    const outcome = await sendBy(local, receiver.url);
    assert(outcome.type === "answered");
    assert.equal(outcome.status, 500);
    assert.ok(outcome.answer.startsWith("a\ufffdbéé"));
    assert.ok(Buffer.byteLength(outcome.answer) <= 1_030, `${Buffer.byteLength(outcome.answer)} bytes`);
  });

  it("reads Retry-After in seconds and as a date", async () => {
    receiver.answer = () => ({ status: 429, headers: { "retry-after": "120" } });
    const inSeconds = await sendBy(local, receiver.url);
    assert(inSeconds.type === "answered" && inSeconds.retryAfterMs === 120_000);
    const date = new Date(Date.now() + 90_000).toUTCString();
    receiver.answer = () => ({ status: 503, headers: { "retry-after": date } });
    const asDate = await sendBy(local, receiver.url);
    assert(asDate.type === "answered" && asDate.retryAfterMs !== null);
    assert.ok(Math.abs(asDate.retryAfterMs - 90_000) < 2_000);
    receiver.answer = () => ({ status: 204 });
  });

  it("gives up at its deadline, and says that nobody answered", async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => {
      silent.listen(0, "127.0.0.1", resolve);
    });
    const address = silent.address();
    assert(typeof address === "object" && address !== null);
    const url = `http://127.0.0.1:${address.port}/`;
    assert.match(errorOf(await sendBy({ ...local, timeoutMs: 100 }, url)), /no answer in time/);
    silent.close();
    const nobody = await sendBy(local, url);
    assert.match(errorOf(nobody), /refused|reset/);
  });

  it("lets no try wait for others to the same host", async () => {
    receiver.answer = ({ body }) => (body === "fast" ? { status: 204 } : new Promise(() => undefined));
    const client = createWebhookClient({ ...local, timeoutMs: 5_000 });
    const stopping = new AbortController();
    const send = (body: string) => client.send({ url: receiver.url, headers: {}, body }, stopping.signal);
    const slow = Array.from({ length: 64 }, () => send("slow"));
    assert.equal((await send("fast")).type, "answered");
    stopping.abort();
    await Promise.all(slow);
    client.close();
  });

  it("takes no certificate that nobody vouches for, whatever the environment says", async (t) => {
    let requests = 0;
    const server = createHttpsServer(selfSigned, (_request, response) => {
      requests += 1;
      response.end();
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    t.after(() => server.close());
    const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      const { port: httpsPort } = server.address() as AddressInfo;
      const options = { ...local, resolve: async () => ["127.0.0.1"] };
      const outcome = await sendBy(options, `https://shop.example.com:${httpsPort}/`);
      assert.match(errorOf(outcome), /self-signed certificate/);
      const refused = await sendBy({ ...options, ...strict }, `https://shop.example.com:${httpsPort}/`);
      assert.match(errorOf(refused), /leads to an address that is not public/);
      assert.equal(requests, 0);
    } finally {
      if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
    }
  });

  it("posts once more where a connection that it used again had been closed", async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      let requests = 0;
      socket.on("data", () => {
        requests += 1;
        if (requests === 1) socket.write("HTTP/1.1 204 No Content\r\nconnection: keep-alive\r\n\r\n");
        else socket.resetAndDestroy();
      });
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    assert(typeof address === "object" && address !== null);
    const client = createWebhookClient(local);
    const request = { url: `http://127.0.0.1:${address.port}/`, headers: {}, body: "{}" };
    for (let times = 0; times < 3; times++) {
      assert.equal((await client.send(request, never)).type, "answered");
      // The connection goes back to those that are free.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(connections, 3);
    client.close();
    server.close();
  });

  it("is broken off by whoever stops", async () => {
    receiver.answer = () => new Promise(() => undefined);
    const stopping = new AbortController();
    const client = createWebhookClient(local);
    const sent = client.send({ url: receiver.url, headers: {}, body: "{}" }, stopping.signal);
    setTimeout(() => stopping.abort(), 50);
    assert.deepEqual(await sent, { type: "aborted" });
    client.close();
  });
});
