import { once } from "node:events";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions as TlsOptions } from "node:tls";
import { createFrameReader, decodeFrame, encodeCommand, type ReceivedCommand } from "./frames.ts";
import { type Commands, serverErrors } from "./schema.ts";

export type ConnectionOptions = {
  /** `pulsar://host:port`, or `pulsar+ssl://host:port` for TLS. */
  readonly url: string;
  /** The broker ("host:port") that a proxy at the url is asked to connect us to. */
  readonly proxyTo?: string | undefined;
  readonly token?: string | undefined;
  /** What `node:tls` is told besides, an authority of one's own for example. */
  readonly tls?: TlsOptions | undefined;
  /** How long the broker may take to answer, to connecting and to every request. */
  readonly answerMs: number;
  /** The broker is asked whether it is there when it was silent for this long, and given up after as long again. */
  readonly keepAliveMs: number;
};

/** What the broker refuses, by its name for it ("ProducerBusy"). */
export class PulsarError extends Error {
  override readonly name = "PulsarError";
  readonly code: string;
  constructor(code: number | undefined, message: string | undefined) {
    const known = serverErrors[code ?? 0] ?? `error ${code}`;
    super(`Pulsar refuses: ${known}${message ? ` (${message})` : ""}`);
    this.code = known;
  }
}

/** A producer or consumer as its connection sees it. */
export type Attached = {
  onCommand(command: ReceivedCommand): void;
  /** The connection has ended; nothing more comes. */
  onEnd(error: Error): void;
};

type Requests = "producer" | "subscribe" | "partitions" | "lookup" | "closeProducer" | "closeConsumer";

type Waiting = { resolve(command: ReceivedCommand): void; reject(error: Error): void };

/** What a broker allows that does not say: Pulsar's own default. */
const defaultMessageBytes = 5_242_880;
const protocolVersion = 19;
const clientVersion = "marketflow";

/** Connects and introduces itself. Rejects where nobody is there, or the broker does not take the token. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const connection = new Connection(await openSocket(options), options);
  try {
    await connection.introduce();
    return connection;
  } catch (error) {
    connection.end(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

async function openSocket({ url, tls, answerMs }: ConnectionOptions): Promise<Socket> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const isTls = protocol === "pulsar+ssl:";
  const address = { host, port: Number(port) || (isTls ? 6651 : 6650) };
  // Names are checked by the certificate; an address has no name to ask for.
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = isTls ? connectTls({ ...address, ...servername, ...tls }) : connectTcp(address);
  socket.setNoDelay(true);
  try {
    await once(socket, isTls ? "secureConnect" : "connect", { signal: AbortSignal.timeout(answerMs) });
    return socket;
  } catch (error) {
    socket.on("error", () => undefined).destroy();
    if (error instanceof Error && error.name === "AbortError") {
      throw new Error(`Pulsar at ${address.host}:${address.port} does not answer within ${answerMs} ms`);
    }
    throw error;
  }
}

/** One connection to one broker, over which producers and consumers share the way. */
export class Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #reader = createFrameReader();
  readonly #requests = new Map<number, Waiting>();
  readonly #attached = new Map<number, Attached>();
  readonly #pings = new Set<Waiting>();
  readonly #keepAlive: NodeJS.Timeout;
  #introduced: Waiting | null = null;
  #waitingToWrite: (() => void)[] = [];
  #lastId = 0;
  #maxMessageBytes = defaultMessageBytes;
  #isOpen = true;
  #heardAtMs = performance.now();

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("drain", () => this.#goOnWriting());
    socket.on("error", (error) => this.end(error));
    socket.on("close", () => this.end(new Error("Pulsar closed the connection")));
    this.#keepAlive = setInterval(() => this.#askWhetherThere(), options.keepAliveMs);
    this.#keepAlive.unref();
  }

  /** How large a message may be, as the broker says, metadata included. */
  get maxMessageBytes(): number {
    return this.#maxMessageBytes;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  async introduce(): Promise<void> {
    const { token, proxyTo } = this.#options;
    await this.#answer("connect", (waiting) => {
      this.#introduced = waiting;
      this.#send("connect", {
        clientVersion,
        protocolVersion,
        featureFlags: { supportsAuthRefresh: true },
        ...(token !== undefined && { authMethodName: "token", authData: Buffer.from(token) }),
        ...(proxyTo !== undefined && { proxyToBrokerUrl: proxyTo }),
      });
      return () => {
        this.#introduced = null;
      };
    });
  }

  /** Rejects with a PulsarError where the broker refuses, with another error where it does not answer in time. */
  request<Name extends Requests>(name: Name, fields: Omit<Commands[Name], "requestId">): Promise<ReceivedCommand> {
    return this.#answer(name, (waiting) => {
      this.#lastId += 1;
      const requestId = this.#lastId;
      this.#requests.set(requestId, waiting);
      this.#send(name, { ...fields, requestId } as unknown as Commands[Name]);
      return () => this.#requests.delete(requestId);
    });
  }

  /** Resolves when the broker answers. */
  async ping(): Promise<void> {
    await this.#answer("ping", (waiting) => {
      this.#pings.add(waiting);
      this.#send("ping", {});
      return () => this.#pings.delete(waiting);
    });
  }

  /** Waits until what was written before has left, where that is much; then writes. */
  async write(frame: Buffer): Promise<void> {
    while (this.#isOpen && this.#socket.writableNeedDrain) {
      await new Promise<void>((resolve) => this.#waitingToWrite.push(resolve));
    }
    if (!this.#isOpen) throw new Error("the connection to Pulsar has ended");
    this.#writeTogether(frame);
  }

  /**
   * What is written in one go, a page's entries for many partitions, leaves with one call to the system: half of the
   * broker's time for an event, and a sixth of ours.
   */
  #writeTogether(frame: Buffer): void {
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      process.nextTick(() => this.#socket.uncork());
    }
    this.#socket.write(frame);
  }

  /** A new id, whose commands go to the producer or consumer until it is detached. */
  attach(attached: Attached): number {
    this.#lastId += 1;
    if (this.#isOpen) this.#attached.set(this.#lastId, attached);
    else attached.onEnd(new Error("the connection to Pulsar has ended"));
    return this.#lastId;
  }

  detach(id: number): void {
    this.#attached.delete(id);
  }

  end(error: Error): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearInterval(this.#keepAlive);
    this.#socket.destroy();
    this.#goOnWriting();
    this.#introduced?.reject(error);
    for (const { reject } of [...this.#requests.values(), ...this.#pings]) reject(error);
    const ended = [...this.#attached.values()];
    this.#attached.clear();
    for (const { onEnd } of ended) onEnd(error);
  }

  #send<Name extends keyof Commands>(name: Name, fields: Commands[Name]): void {
    if (this.#isOpen) this.#writeTogether(encodeCommand(name, fields));
  }

  /** Waits for an answer, which `ask` asks for, for as long as the broker may take. */
  #answer(what: string, ask: (waiting: Waiting) => () => void): Promise<ReceivedCommand> {
    if (!this.#isOpen) return Promise.reject(new Error("the connection to Pulsar has ended"));
    return new Promise((resolve, reject) => {
      const late = new Error(`Pulsar does not answer within ${this.#options.answerMs} ms: ${what}`);
      const timer = setTimeout(() => settle(() => reject(late)), this.#options.answerMs);
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        forget();
        then();
      };
      const forget = ask({
        resolve: (command) => settle(() => resolve(command)),
        reject: (error) => settle(() => reject(error)),
      });
    });
  }

  #onData(chunk: Buffer): void {
    this.#heardAtMs = performance.now();
    try {
      for (const frame of this.#reader.push(chunk, this.#maxMessageBytes)) {
        const command = decodeFrame(frame);
        if (command !== null && this.#isOpen) this.#onCommand(command);
      }
    } catch (error) {
      this.end(new Error(`What Pulsar sends cannot be read: ${String(error)}`, { cause: error }));
    }
  }

  #onCommand(command: ReceivedCommand): void {
    const { name, fields } = command;
    switch (name) {
      case "ping":
        this.#send("pong", {});
        break;
      case "pong":
        for (const { resolve } of [...this.#pings]) resolve(command);
        break;
      case "authChallenge":
        this.#send("authResponse", authentication(this.#options.token));
        break;
      case "connected":
        this.#maxMessageBytes = fields.maxMessageSize ?? defaultMessageBytes;
        this.#introduced?.resolve(command);
        break;
      case "error": {
        const waiting = this.#requests.get(Number(fields.requestId)) ?? this.#introduced;
        waiting?.reject(new PulsarError(fields.error, fields.message));
        break;
      }
      default:
        this.#passOn(command);
    }
  }

  /** A producer's or consumer's commands may have a request's number too, where the broker closes them. */
  #passOn(command: ReceivedCommand): void {
    const { fields } = command;
    if ("producerId" in fields) this.#attached.get(Number(fields.producerId))?.onCommand(command);
    else if ("consumerId" in fields) this.#attached.get(Number(fields.consumerId))?.onCommand(command);
    else if ("requestId" in fields) this.#requests.get(Number(fields.requestId))?.resolve(command);
  }

  #goOnWriting(): void {
    const waiting = this.#waitingToWrite;
    this.#waitingToWrite = [];
    for (const goOn of waiting) goOn();
  }

  #askWhetherThere(): void {
    const { keepAliveMs } = this.#options;
    const silentMs = performance.now() - this.#heardAtMs;
    if (silentMs > 2 * keepAliveMs) this.end(new Error(`Pulsar was silent for ${Math.round(silentMs)} ms`));
    else if (silentMs > keepAliveMs / 2) this.#send("ping", {});
  }
}

function authentication(token = ""): Commands["authResponse"] {
  return {
    clientVersion,
    protocolVersion,
    response: { authMethodName: "token", authData: Buffer.from(token) },
  };
}
