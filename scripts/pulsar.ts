import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Installation, installPulsar } from "./pulsar/install.ts";
import { installPythonClient } from "./pulsar/python-client.ts";
import { makeClassArchive, type Standalone, startStandalone } from "./pulsar/standalone.ts";

// `npm run pulsar [-- --port 6650 --web-port 8080 --data DIR --max-message-bytes N]`: Apache Pulsar on this machine's
// loopback, of the version that compose.yaml names, until Ctrl-C. `--fetch` only sees to it that it and what
// its tests read with are in the cache.

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "6650" },
    "web-port": { type: "string", default: "8080" },
    data: { type: "string", default: ".marketflow/pulsar" },
    "max-message-bytes": { type: "string" },
    fetch: { type: "boolean", default: false },
  },
});

try {
  const ports = { port: wholeNumber("port"), webPort: wholeNumber("web-port") };
  const installation = await installPulsar(say, async (made) => {
    say("starting it once, so that later starts are fast …");
    await makeClassArchive(made, ports);
  });
  if (values.fetch) {
    say(
      `Pulsar is in ${installation.folder}, the Python client that tests read with in ${await installPythonClient()}`,
    );
  } else await serve(installation, ports);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/** Resolves when it was told to stop and has; throws where Pulsar does not come up, or ends by itself. */
async function serve(installation: Installation, ports: { port: number; webPort: number }): Promise<void> {
  const beganMs = performance.now();
  const maxMessageBytes = values["max-message-bytes"] === undefined ? undefined : wholeNumber("max-message-bytes");
  const folder = resolve(values.data);
  const limits = maxMessageBytes === undefined ? {} : { maxMessageBytes };
  const broker = await startStandalone(installation, { folder, ...ports, ...limits });
  const stopping = stopOnSignals(broker);
  try {
    await broker.ready();
    const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
    const { port, webPort } = ports;
    say(`Pulsar is at pulsar://127.0.0.1:${port}, its admin API at http://127.0.0.1:${webPort} (${seconds} s)`);
    await broker.exited;
    if (!stopping.aborted) throw new Error(`Pulsar has ended:\n${await broker.log()}`);
  } catch (error) {
    if (!stopping.aborted) throw error;
  } finally {
    await broker.stop();
  }
}

function stopOnSignals(broker: Standalone): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      stopping.abort();
      void broker.stop();
    });
  }
  return stopping.signal;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function wholeNumber(name: "port" | "web-port" | "max-message-bytes"): number {
  const text = values[name] ?? "";
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new Error(`--${name} must be a whole number, and is "${text}"`);
  return Number(text);
}
