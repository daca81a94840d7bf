import type { ConnectionOptions as TlsOptions } from "node:tls";
import { type Connection, openConnection, PulsarError } from "./connection.ts";
import { lookupOutcome } from "./schema.ts";

export type ClusterOptions = {
  /** `pulsar://host:port` or `pulsar+ssl://host:port`, of a broker or a proxy. */
  readonly url: string;
  /** The JSON web token that the brokers know us by. */
  readonly token?: string | undefined;
  readonly tls?: TlsOptions | undefined;
  /** How long a broker may take to answer a request; 10 s where nothing is said. */
  readonly answerMs?: number | undefined;
  /** How long a broker may be silent before it is asked whether it is there; 10 s where nothing is said. */
  readonly keepAliveMs?: number | undefined;
};

/** The brokers that belong together, with one connection to each that we need. */
export type Cluster = {
  /** The connection to the url itself. Rejects where nobody answers. */
  connect(): Promise<Connection>;
  /** The connection to the broker that has this topic (or this partition of one) now. */
  connectTo(topic: string): Promise<Connection>;
  /** How many partitions a topic has; 0 where it has none, or is not there. */
  partitionsOf(topic: string): Promise<number>;
  close(): void;
};

/** From the url to the broker that has the topic: each refers to another one where it does not know better. */
const mostReferrals = 10;

type Referral = { readonly connection: Connection; readonly authoritative: boolean; readonly isLast: boolean };

export function createCluster(options: ClusterOptions): Cluster {
  const { url, answerMs = 10_000, keepAliveMs = 10_000 } = options;
  const connections = new Map<string, Promise<Connection>>();
  let isClosed = false;

  function open(broker: string, proxyTo?: string): Promise<Connection> {
    if (isClosed) return Promise.reject(new Error("the connections to Pulsar are closed"));
    const key = `${broker} ${proxyTo ?? ""}`;
    const known = connections.get(key);
    if (known !== undefined) return known;
    const { token, tls } = options;
    const opening = openConnection({ url: broker, proxyTo, token, tls, answerMs, keepAliveMs });
    const forget = (): void => {
      if (connections.get(key) === opening) connections.delete(key);
    };
    connections.set(key, opening);
    opening.then((connection) => connection.attach({ onCommand() {}, onEnd: forget }), forget);
    return opening;
  }

  async function connectTo(topic: string): Promise<Connection> {
    let referral: Referral = { connection: await open(url), authoritative: false, isLast: false };
    for (let referrals = 0; referrals < mostReferrals && !referral.isLast; referrals++) {
      referral = await follow(referral, topic);
    }
    if (referral.isLast) return referral.connection;
    throw new Error(`Pulsar refers us from broker to broker for ${topic}`);
  }

  async function follow({ connection, authoritative }: Referral, topic: string): Promise<Referral> {
    const { name, fields } = await connection.request("lookup", { topic, authoritative });
    if (name !== "lookupResponse") throw unexpected(name);
    if (fields.response === lookupOutcome.failed) throw new PulsarError(fields.error, fields.message);
    const broker = url.startsWith("pulsar+ssl:") ? fields.brokerServiceUrlTls : fields.brokerServiceUrl;
    if (broker === undefined || broker === "") throw new Error(`Pulsar names no broker for ${topic}`);
    return {
      // A proxy passes on what is for one broker where it is asked to when connecting.
      connection: fields.proxyThroughServiceUrl ? await open(url, new URL(broker).host) : await open(broker),
      authoritative: fields.authoritative ?? false,
      isLast: fields.response === lookupOutcome.connect,
    };
  }

  return {
    connect: () => open(url),
    connectTo,
    async partitionsOf(topic) {
      const { name, fields } = await (await open(url)).request("partitions", { topic });
      if (name !== "partitionsResponse") throw unexpected(name);
      if (fields.partitions === undefined) throw new PulsarError(fields.error, fields.message);
      return fields.partitions;
    },
    close() {
      isClosed = true;
      for (const opening of connections.values()) {
        opening.then(
          (connection) => connection.end(new Error("the connections to Pulsar are closed")),
          () => undefined,
        );
      }
      connections.clear();
    },
  };
}

function unexpected(name: string): Error {
  return new Error(`Pulsar answers with ${name}`);
}
