import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { installPythonClient, whyNoPythonClient } from "../../scripts/pulsar/python-client.ts";

const lacking = process.env["REQUIRE_SERVICES"] === "1" ? null : whyNoPythonClient();

/** Why tests that read a topic with Pulsar's Python client are skipped, or false; with services required they run. */
export const withoutPythonClient = lacking === null ? false : `NO PYTHON CLIENT: ${lacking}`;
if (withoutPythonClient !== false) process.stdout.write(`${withoutPythonClient}\n`);

/** A message as the Python client has it. */
export type PythonMessage = {
  /** With its partition ("persistent://public/default/pagos-events-partition-3"). */
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly payload: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly publishedAtMs: number;
};

export type TopicReading = {
  /** The broker (pulsar://…). */
  readonly url: string;
  /** "persistent://tenant/namespace/topic"; of a partitioned one all partitions are read. */
  readonly topic: string;
  readonly count: number;
  readonly timeoutMs: number;
  /** Reads on after `count` messages, until nothing more has come for so long. */
  readonly restMs?: number;
  /** A subscription that reads on where it was; without one everything is read from the beginning. */
  readonly subscription?: string;
};

/**
 * Reads so many messages of a topic with a client that is not ours. Those of one partition are in their order. Throws
 * where they do not come in time, with what did come.
 */
export async function readWithPython(reading: TopicReading): Promise<readonly PythonMessage[]> {
  const { url, topic, count, timeoutMs, restMs = 0, subscription = `reader-${randomUUID()}` } = reading;
  const modules = await installPythonClient();
  const script = join(import.meta.dirname, "pulsar-reader.py");
  const limits = [count, timeoutMs / 1_000, restMs / 1_000].map(String);
  const child = spawn("python3", [script, url, topic, subscription, ...limits], {
    env: { ...process.env, PYTHONPATH: modules, PYTHONDONTWRITEBYTECODE: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    // It watches the time itself; this is for one that hangs.
    timeout: timeoutMs + 10_000,
    killSignal: "SIGKILL",
  });
  let output = "";
  let complaints = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints = (complaints + text).slice(-10_000);
  });
  const code = await new Promise<number | null>((done, failed) => {
    child.once("error", failed);
    child.once("close", done);
  });
  if (code !== 0) throw new Error(`the Python client did not read ${topic}: ${complaints}\n${output.slice(-10_000)}`);
  const lines = output.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as PythonMessage);
}
