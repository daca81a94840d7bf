import { createHmac } from "node:crypto";
import { Agent, request as requestHttp } from "node:http";
import { request as requestHttps, Agent as SecureAgent } from "node:https";

/** Where events go, asked for with the first one if it is a function, and the secret (`whsec_…`) that signs them. */
export type WebhookTarget = { readonly url: string | (() => string); readonly secret: string };

export type WebhookSender = {
  /** Posts one event; true where the endpoint answered 2xx in time. Never throws. */
  send(body: string, now: number): Promise<boolean>;
  close(): void;
};

/**
 * The value of the Stripe-Signature header: HMAC-SHA256 over "<unix seconds>.<body>", as Stripe documents it at
 * https://docs.stripe.com/webhooks#verify-manually.
 */
export function signatureHeader(body: string, secret: string, now: number): string {
  const timestamp = Math.floor(now / 1000);
  return `t=${timestamp},v1=${createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex")}`;
}

/**
 * Posts events to one endpoint over at most `connections` kept-alive connections. An answer other than 2xx, or none
 * within `deadlineMs`, is a failure. Throws where a url that is given as text is not http or https.
 */
export function createWebhookSender(target: WebhookTarget, connections: number, deadlineMs: number): WebhookSender {
  let endpoint = typeof target.url === "string" ? openEndpoint(target.url, connections) : undefined;

  return {
    send: (body, now) =>
      new Promise((resolve) => {
        endpoint ??= openEndpoint(typeof target.url === "string" ? target.url : target.url(), connections);
        const { request, options } = endpoint;
        const headers = {
          "content-type": "application/json; charset=utf-8",
          "content-length": Buffer.byteLength(body),
          "stripe-signature": signatureHeader(body, target.secret, now),
        };
        const post = request({ ...options, headers });
        const deadline = setTimeout(() => post.destroy(), deadlineMs);
        const settle = (delivered: boolean) => {
          clearTimeout(deadline);
          resolve(delivered);
        };
        post.on("response", (response) => {
          const status = response.statusCode ?? 0;
          response.on("end", () => settle(status >= 200 && status < 300));
          response.on("close", () => settle(false));
          response.resume();
        });
        post.on("error", () => settle(false));
        post.on("close", () => settle(false));
        post.end(body);
      }),
    close: () => endpoint?.options.agent.destroy(),
  };
}

function openEndpoint(address: string, connections: number) {
  const url = new URL(address);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new TypeError(`not a web address: ${address}`);
  const secure = url.protocol === "https:";
  const agentOptions = { keepAlive: true, maxSockets: connections, scheduling: "fifo" } as const;
  const agent = secure ? new SecureAgent(agentOptions) : new Agent(agentOptions);
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const options = { hostname, port: url.port, path: url.pathname + url.search, method: "POST", agent };
  return { request: secure ? requestHttps : requestHttp, options };
}
