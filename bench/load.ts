import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Histogram } from "./histogram.ts";
import type { LoadPlan, LoadReport } from "./load-plan.ts";
import { type HttpResponse, ResponseReader } from "./response.ts";
import { keyDigits, type Target, targets } from "./targets.ts";

/** What one read takes at most; a longer answer arrives in several. */
const readBufferBytes = 4096;
/** Keeps a server that is down from being hammered. */
const reconnectAfterMs = 100;
const errorSamplesKept = 5;
/** Where a rate is set: so short that no request waits long for its time, and no second begins with a crowd. */
const paceEveryMs = 2;

/** What all connections of a run count into. */
type Run = {
  readonly plan: LoadPlan;
  readonly target: Target;
  /** A whole request with the changing part of its key. */
  readonly requestOf: (changing: string) => string;
  readonly histogram: Histogram;
  readonly errors: Record<string, number>;
  readonly errorSamples: string[];
  requests: number;
  answers: number;
  created: number;
  acknowledged: number;
  sampledBodies: number;
  outstanding: number;
  measuring: boolean;
  stopping: boolean;
  /** Connections that wait for their turn, where the plan sets a rate. */
  readonly free: Connection[];
};

type Connection = { readonly socket: Socket; readonly reader: ResponseReader; askedAtMs: number | null };

/**
 * Drives one kind of request with closed-loop connections over plain sockets: one request outstanding on each, the next
 * one sent as soon as the answer is there, or when the plan's rate allows. It spends as little as possible on a
 * request, because it shares the machine's cores with the server that it measures. Rejects only where the server cannot
 * be reached at all; whatever else goes wrong is counted in the report.
 */
async function runLoad(plan: LoadPlan): Promise<LoadReport> {
  const target = targets[plan.target];
  const run: Run = {
    plan,
    target,
    requestOf: target.requests(plan.port, plan.keySuffix),
    histogram: new Histogram(),
    errors: {},
    errorSamples: [],
    requests: 0,
    answers: 0,
    created: 0,
    acknowledged: 0,
    sampledBodies: 0,
    outstanding: 0,
    measuring: false,
    stopping: false,
    free: [],
  };
  const sockets = await Promise.all(Array.from({ length: plan.connections }, () => connected(plan.port)));
  for (const socket of sockets) drive(run, socket);
  const pacing = plan.ratePerSecond === undefined ? undefined : pace(run, plan.ratePerSecond);
  await sleep(plan.warmupMs);
  run.measuring = true;
  const measuredFromMs = Date.now();
  const startedAtMs = performance.now();
  await sleep(plan.measureMs);
  run.measuring = false;
  const seconds = (performance.now() - startedAtMs) / 1000;
  const measuredUntilMs = Date.now();
  clearInterval(pacing);
  await drain(run);
  const cpu = process.cpuUsage();
  return {
    created: run.created,
    createdPerSecond: run.created / seconds,
    acknowledged: run.acknowledged,
    latency: run.histogram.summary(),
    measuredFromMs,
    measuredUntilMs,
    errors: run.errors,
    errorSamples: run.errorSamples,
    sampledBodies: run.sampledBodies,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  };
}

/**
 * The changing part of a key: different for each of 2^32 numbers, and in no order, as clients' keys are. Keys in order
 * would only ever touch the last page of the index that keeps them unique.
 */
function scrambled(number: number): string {
  return (Math.imul(number, 0x9e3779b1) >>> 0).toString(16).padStart(keyDigits, "0");
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // One buffer for all of a connection's reads: a new one for each would be most of this process's garbage.
    const buffer = Buffer.allocUnsafe(readBufferBytes);
    const onread = {
      buffer,
      callback: (length: number): boolean => {
        socket.emit("bytes", buffer.subarray(0, length));
        return true;
      },
    };
    const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true, onread });
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

function drive(run: Run, socket: Socket): void {
  const connection: Connection = { socket, reader: new ResponseReader(), askedAtMs: null };
  socket.removeAllListeners("error");
  socket.on("error", () => socket.destroy());
  socket.on("close", () => closed(run, connection));
  socket.on("bytes", (bytes: Buffer) => {
    try {
      const response = connection.reader.push(bytes);
      if (response !== undefined) answered(run, connection, response);
    } catch (error) {
      fail(run, "unreadable_answer", String(error));
      socket.destroy();
    }
  });
  askInTurn(run, connection);
}

/** At once, or when the rate allows. */
function askInTurn(run: Run, connection: Connection): void {
  if (run.plan.ratePerSecond === undefined) ask(run, connection);
  else run.free.push(connection);
}

/** Sends what is due. What no connection was free for is sent later: the rate is kept where the server can keep it. */
function pace(run: Run, ratePerSecond: number): NodeJS.Timeout {
  const startedAtMs = performance.now();
  return setInterval(() => {
    const due = ((performance.now() - startedAtMs) * ratePerSecond) / 1000;
    while (run.requests < due) {
      const connection = run.free.shift();
      if (connection === undefined) return;
      if (!connection.socket.destroyed) ask(run, connection);
    }
  }, paceEveryMs);
}

function ask(run: Run, connection: Connection): void {
  if (run.stopping) return;
  run.requests += 1;
  run.outstanding += 1;
  connection.askedAtMs = performance.now();
  connection.socket.write(run.requestOf(scrambled(run.requests)), "latin1");
}

function answered(run: Run, connection: Connection, { status, body }: HttpResponse): void {
  if (connection.askedAtMs === null) throw new Error("an answer that nobody asked for");
  const tookMs = performance.now() - connection.askedAtMs;
  connection.askedAtMs = null;
  run.outstanding -= 1;
  run.answers += 1;
  if (status === run.target.acknowledged) {
    run.acknowledged += 1;
    if (run.measuring) {
      run.created += 1;
      run.histogram.record(tookMs * 1000);
    }
    if (run.answers % run.plan.sampleEvery === 0) checkBody(run, body);
  } else {
    fail(run, `status_${status}`, body.toString());
  }
  askInTurn(run, connection);
}

/** Parses one answer of many. */
function checkBody(run: Run, body: Buffer): void {
  run.sampledBodies += 1;
  if (!run.target.isRight(JSON.parse(body.toString()))) fail(run, "wrong_body", body.toString());
}

function closed(run: Run, connection: Connection): void {
  if (connection.askedAtMs !== null) {
    run.outstanding -= 1;
    fail(run, "connection_closed", "the server closed a connection with a request outstanding");
  }
  if (run.stopping) return;
  setTimeout(() => {
    if (run.stopping) return;
    connected(run.plan.port).then(
      (socket) => drive(run, socket),
      () => {
        fail(run, "connection_refused", "the server does not accept connections");
        closed(run, { ...connection, askedAtMs: null });
      },
    );
  }, reconnectAfterMs);
}

function fail(run: Run, what: string, sample: string): void {
  run.errors[what] = (run.errors[what] ?? 0) + 1;
  if (run.errorSamples.length < errorSamplesKept) run.errorSamples.push(`${what}: ${sample.slice(0, 300)}`);
}

async function drain(run: Run): Promise<void> {
  run.stopping = true;
  const deadlineMs = performance.now() + run.plan.drainMs;
  while (run.outstanding > 0 && performance.now() < deadlineMs) await sleep(10);
  for (let left = run.outstanding; left > 0; left -= 1) fail(run, "unanswered", `not within ${run.plan.drainMs} ms`);
}

const report = await runLoad(JSON.parse(process.argv[2] ?? "") as LoadPlan);
// The sockets are still open: leaving is what closes them.
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
