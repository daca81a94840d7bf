import { cpuSecondsOf, machineCpuSeconds } from "./processes.ts";

/** How many cores each part kept busy on average; `others` is what was not ours, and the kernel's own work. */
export type Cores = Readonly<Record<"server" | "postgres" | "load" | "others", number>>;

/** Processor seconds since the watch began. */
export type Usage = {
  readonly seconds: number;
  readonly server: number;
  readonly postgres: number;
  readonly machine: number;
};

/**
 * Begins to watch what a server (by its process, or what says how many processor seconds it has used), PostgreSQL and
 * the machine use; the result says how much it was since.
 */
export function watchUsage(server: number | (() => number), postmasterPid: number): () => Usage {
  const read = () => ({
    seconds: performance.now() / 1000,
    server: typeof server === "number" ? cpuSecondsOf(server) : server(),
    postgres: cpuSecondsOf(postmasterPid),
    machine: machineCpuSeconds(),
  });
  const before = read();
  return () => {
    const after = read();
    return {
      seconds: after.seconds - before.seconds,
      server: after.server - before.server,
      postgres: after.postgres - before.postgres,
      machine: after.machine - before.machine,
    };
  };
}

export function coresOf({ seconds, server, postgres, machine }: Usage, loadCpuSeconds: number): Cores {
  const others = Math.max(0, machine - server - postgres - loadCpuSeconds) / seconds;
  return { server: server / seconds, postgres: postgres / seconds, load: loadCpuSeconds / seconds, others };
}

/** Processor time for each of so many things that were done, in microseconds. */
export function cpuUsEachOf({ server, postgres }: Usage, things: number): { server: number; postgres: number } {
  return { server: (server * 1e6) / things, postgres: (postgres * 1e6) / things };
}
