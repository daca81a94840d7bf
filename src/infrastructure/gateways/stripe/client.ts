import { Agent } from "node:http";
import { Agent as SecureAgent } from "node:https";
import Stripe from "stripe";

export type StripeClientOptions = {
  readonly secretKey: string;
  /** Another host for Stripe's API, such as the stand-in's: protocol, host and port, without a path. */
  readonly apiBase?: string | undefined;
};

type HttpClient = ReturnType<typeof Stripe.createNodeHttpClient>;

/** Idle connections are dropped before Stripe's side would, so that few requests meet a connection that just closed. */
const idleConnectionMs = 20_000;

/**
 * The SDK repeats a request whose connection was closed even with `maxNetworkRetries: 0`, and then reports only how
 * the repetition failed: a request that may have arrived would look like one that was refused. Renaming the code keeps
 * it from doing so; the adapter repeats instead, and remembers.
 */
function withoutHiddenRetries(client: HttpClient): HttpClient {
  return {
    getClientName: () => client.getClientName(),
    makeRequest: (...request) =>
      client.makeRequest(...request).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ECONNRESET" || error.code === "EPIPE") {
          throw Object.assign(new Error("the connection was closed", { cause: error }), { code: "CONNECTION_CLOSED" });
        }
        throw error;
      }),
  };
}

/** The SDK for one account, and the connections it keeps. Throws a TypeError where `apiBase` has a path. */
export function createStripeClient({ secretKey, apiBase = "https://api.stripe.com" }: StripeClientOptions) {
  const { protocol, hostname, port, pathname } = new URL(apiBase);
  const secure = protocol === "https:";
  if (pathname !== "/" || !(secure || protocol === "http:"))
    throw new TypeError(`not the address of a host: ${apiBase}`);
  const agentOptions = { keepAlive: true, timeout: idleConnectionMs };
  const agent = secure ? new SecureAgent(agentOptions) : new Agent(agentOptions);
  const stripe = new Stripe(secretKey, {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (secure ? 443 : 80) : Number(port),
    protocol: secure ? "https" : "http",
    httpClient: withoutHiddenRetries(Stripe.createNodeHttpClient(agent)),
    maxNetworkRetries: 0,
    telemetry: false,
  });
  return { stripe, agent };
}
