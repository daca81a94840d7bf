import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { registerDocs } from "./docs.ts";
import { createHttpServer } from "./server.ts";

function served(title: string, options: Parameters<typeof registerDocs>[3] = {}): FastifyInstance {
  const server = createHttpServer({
    logger: pino({ level: "silent" }),
    routeMetric: () => () => {},
    traceIdOf: () => undefined,
  });
  registerDocs(server, title, "marketplace.json", options);
  return server;
}

let partner: FastifyInstance;
let marketplace: FastifyInstance;
before(() => {
  partner = served("Pagos & more", { version: "7.8.9", redoc: true });
  marketplace = served("Marketplace");
});
after(async () => {
  await partner.close();
  await marketplace.close();
});

describe("the documentation", () => {
  for (const url of ["/docs", "/docs/", "/redoc", "/redoc/"]) {
    test(`${url} is a page that takes everything from this server`, async () => {
      const page = await partner.inject({ url });
      assert.equal(page.statusCode, 200);
      assert.match(String(page.headers["content-type"]), /^text\/html/);
      assert.match(String(page.headers["content-security-policy"]), /connect-src 'self'/);
      const script = /<script[^>]+src="([^"]+)"/.exec(page.body)?.[1] ?? "";
      assert.match(script, /^\//);
      const asset = await partner.inject({ url: script });
      assert.equal(asset.statusCode, 200);
      assert.ok(asset.body.length > 1_000_000);
      assert.match(page.body, /Pagos (?:&|&amp;) more/);
      assert.match(page.body, /\/openapi\.json/);
    });
  }

  test("/redoc is only to be read", async () => {
    const hides = async (url: string) => /"hideTestRequestButton":\s*true/.test((await partner.inject({ url })).body);
    assert.deepEqual([await hides("/redoc"), await hides("/docs")], [true, false]);
  });

  test("the document has the title and the version that it is served with", async () => {
    const infoOf = async (server: FastifyInstance) => {
      const document = (await server.inject({ url: "/openapi.json" })).json() as { info: Record<string, string> };
      return document.info;
    };
    const { title, version } = await infoOf(partner);
    assert.deepEqual([title, version], ["Pagos & more", "7.8.9"]);
    const { version: own } = await infoOf(marketplace);
    assert.match(own ?? "", /^\d+\.\d+\.\d+$/);
  });

  test("is no more than these pages", async () => {
    assert.equal((await marketplace.inject({ url: "/redoc" })).statusCode, 404);
    assert.equal((await marketplace.inject({ url: "/docs/js/other.js" })).statusCode, 404);
  });
});
