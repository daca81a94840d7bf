import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import {
  createFrameReader,
  decodeFrame,
  encodeCommand,
  type ReceivedCommand,
} from "../../src/infrastructure/publishers/pulsar/frames.ts";
import type { Commands } from "../../src/infrastructure/publishers/pulsar/schema.ts";

export type StandIn = { readonly url: string; readonly heard: ReceivedCommand[]; readonly sockets: Socket[] };
export type Answer = (
  command: ReceivedCommand,
  say: <Name extends keyof Commands>(name: Name, fields: Commands[Name]) => void,
) => void;

/** Somebody who speaks Pulsar's protocol, writes down what is said, and answers as he is told. */
export async function startStandIn(answer: Answer, tls?: TlsOptions): Promise<StandIn> {
  const heard: ReceivedCommand[] = [];
  const sockets: Socket[] = [];
  const onSocket = (socket: Socket): void => {
    sockets.push(socket);
    const reader = createFrameReader();
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      for (const frame of reader.push(chunk, 5_242_880)) {
        const command = decodeFrame(frame) ?? assert.fail("a command that we do not know");
        heard.push(command);
        answer(command, (name, fields) => void socket.write(encodeCommand(name, fields)));
      }
    });
  };
  const server = tls === undefined ? createServer(onSocket) : createTlsServer(tls, onSocket);
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) assert.fail("a listener has a port");
  return { url: `pulsar${tls === undefined ? "" : "+ssl"}://127.0.0.1:${address.port}`, heard, sockets };
}

/** Lets everybody in. */
export const welcome: Answer = ({ name }, say) => {
  if (name === "connect") say("connected", { serverVersion: "stand-in", maxMessageSize: 1_234_567 });
};
