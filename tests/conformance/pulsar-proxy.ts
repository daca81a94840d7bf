import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import {
  createFrameReader,
  decodeFrame,
  encodeCommand,
  type ReceivedCommand,
} from "../../src/infrastructure/publishers/pulsar/frames.ts";

/** A broker that can be cut off, in front of one that others use as well. */
export type PulsarProxy = {
  readonly url: string;
  /** Ends what is connected and takes nobody in. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** From now on these answers of the broker do not reach us; the empty list lets everything through. */
  swallow(names: readonly ReceivedCommand["name"][]): void;
  /** From now on the broker says of no producer what it has of it. */
  beForgetful(): void;
  close(): Promise<void>;
};

/** Passes on what a broker and we say to each other, and takes the broker's place in what it says of itself. */
export async function startPulsarProxy(brokerUrl: string): Promise<PulsarProxy> {
  const { hostname, port } = new URL(brokerUrl);
  const sockets = new Set<Socket>();
  let swallowed: readonly ReceivedCommand["name"][] = [];
  let isForgetful = false;
  let address = "";
  let server: Server;

  function rewritten(frame: Buffer): Buffer | null {
    const command = decodeFrame(frame);
    if (command !== null && swallowed.includes(command.name)) return null;
    if (command?.name === "lookupResponse") {
      return encodeCommand("lookupResponse", { ...command.fields, brokerServiceUrl: address });
    }
    if (command?.name === "producerSuccess" && isForgetful) {
      return encodeCommand("producerSuccess", { ...command.fields, lastSequenceId: -1n });
    }
    const size = Buffer.alloc(4);
    size.writeUInt32BE(frame.length);
    return Buffer.concat([size, frame]);
  }

  function join(socket: Socket): void {
    const broker = connect(Number(port), hostname);
    const reader = createFrameReader();
    for (const [end, other] of [
      [socket, broker],
      [broker, socket],
    ] as const) {
      sockets.add(end);
      end.on("error", () => other.destroy());
      end.on("close", () => {
        sockets.delete(end);
        other.destroy();
      });
    }
    socket.on("data", (chunk) => broker.write(chunk));
    broker.on("data", (chunk: Buffer) => {
      for (const frame of reader.push(chunk, 16_777_216)) {
        const passed = rewritten(frame);
        if (passed !== null) socket.write(passed);
      }
    });
  }

  async function listen(on: number): Promise<void> {
    server = createServer(join).listen(on, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    if (typeof bound !== "object" || bound === null) throw new Error("a listener has a port");
    address = `pulsar://127.0.0.1:${bound.port}`;
  }

  async function cut(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  await listen(0);
  return {
    url: address,
    cut,
    restore: () => listen(Number(new URL(address).port)),
    swallow(names) {
      swallowed = names;
    },
    beForgetful() {
      isForgetful = true;
    },
    close: cut,
  };
}
