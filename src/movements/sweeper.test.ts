import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type SweeperJob, type SweeperSettings, startSweeper } from "./sweeper.ts";

const owner = async () => true;
const unexpectedFailure = (job: string, error: unknown) => assert.fail(`${job}: ${error}`);

function sweeperOf(jobs: SweeperJob[], more: Partial<SweeperSettings> = {}) {
  return startSweeper({ jobs, holdsOwnership: owner, intervalMs: 5, onFailure: unexpectedFailure, ...more });
}

/** A job that finds the given amounts of work one after the other, then nothing. */
function jobOf(name: string, ...amounts: number[]) {
  const left = [...amounts];
  const job = {
    name,
    runs: 0,
    async run() {
      job.runs++;
      return left.shift() ?? 0;
    },
  };
  return job;
}

async function until(condition: () => boolean): Promise<void> {
  const untilMs = performance.now() + 2_000;
  while (!condition()) {
    assert.ok(performance.now() < untilMs, "it did not happen within 2 s");
    await sleep(1);
  }
}

describe("the sweeper", () => {
  test("runs every job at once when it starts, in their order, and again every interval", async () => {
    const order: string[] = [];
    const jobs = ["first", "second"].map((name) => ({
      name,
      async run() {
        order.push(name);
        return 0;
      },
    }));
    const sweeper = sweeperOf(jobs);
    await until(() => order.length >= 6);
    await sweeper.stop();
    assert.deepEqual(order.slice(0, 6), ["first", "second", "first", "second", "first", "second"]);
  });

  test("repeats a job without a pause while it finds work, then goes on to the next", async () => {
    const busy = jobOf("busy", 32, 32, 7);
    const next = jobOf("next");
    const sweeper = sweeperOf([busy, next], { intervalMs: 60_000 });
    await until(() => next.runs > 0);
    await sweeper.stop();
    assert.equal(busy.runs, 4);
    assert.equal(next.runs, 1);
  });

  test("does nothing but ask while it is not the owner, and works once it is", async () => {
    let isOwner = false;
    let asked = 0;
    const job = jobOf("recover");
    const sweeper = sweeperOf([job], {
      holdsOwnership: async () => {
        asked++;
        return isOwner;
      },
    });
    await until(() => asked >= 3);
    assert.equal(job.runs, 0);
    isOwner = true;
    await until(() => job.runs > 0);
    await sweeper.stop();
  });

  test("of several only the owner works; when it stops, another takes over", async () => {
    let holder: string | undefined;
    const worked = { left: 0, right: 0 };
    const jobOfSide = (name: "left" | "right") => ({
      name,
      async run() {
        worked[name]++;
        return 0;
      },
    });
    const sweepers = (["left", "right"] as const).map((name) =>
      sweeperOf([jobOfSide(name)], {
        holdsOwnership: async () => {
          holder ??= name;
          return holder === name;
        },
      }),
    );
    await until(() => worked.left >= 3);
    assert.equal(worked.right, 0);
    await sweepers[0]?.stop();
    holder = undefined;
    await until(() => worked.right >= 1);
    await sweepers[1]?.stop();
  });

  test("reports a job that fails, runs the others, and tries it again in the next round", async () => {
    const failures: unknown[][] = [];
    const broken = {
      name: "broken",
      run: async () => {
        throw new Error("it broke");
      },
    };
    const healthy = jobOf("healthy");
    const sweeper = sweeperOf([broken, healthy], { onFailure: (...failure) => void failures.push(failure) });
    await until(() => failures.length >= 2 && healthy.runs >= 2);
    await sweeper.stop();
    assert.deepEqual(failures[0], ["broken", new Error("it broke")]);
  });

  test("reports that ownership could not be asked for, runs nothing, and asks again", async () => {
    let asked = 0;
    const failures: string[] = [];
    const job = jobOf("recover");
    const sweeper = sweeperOf([job], {
      holdsOwnership: async () => {
        asked++;
        if (asked < 3) throw new Error("the database is away");
        return true;
      },
      onFailure: (name) => void failures.push(name),
    });
    await until(() => job.runs > 0);
    await sweeper.stop();
    assert.deepEqual(failures, ["ownership", "ownership"]);
  });
});

describe("stopping", () => {
  test("waits for the work under way, and begins nothing more", async () => {
    let finish: () => void = () => undefined;
    let began = 0;
    const slow = {
      name: "slow",
      async run() {
        began++;
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return 1;
      },
    };
    const next = jobOf("next", 1);
    const sweeper = sweeperOf([slow, next]);
    await until(() => began === 1);
    let stopped = false;
    const stopping = sweeper.stop().then(() => {
      stopped = true;
    });
    await sleep(15);
    assert.equal(stopped, false);
    finish();
    await stopping;
    await sleep(15);
    assert.deepEqual([began, next.runs], [1, 0]);
  });

  test("does not wait for the end of the interval, and may be asked for twice", async () => {
    const job = jobOf("job");
    const sweeper = sweeperOf([job], { intervalMs: 60_000 });
    await until(() => job.runs === 1);
    const beganMs = performance.now();
    await Promise.all([sweeper.stop(), sweeper.stop()]);
    assert.ok(performance.now() - beganMs < 1_000);
  });

  test("is not needed for the process to end", () => {
    const program = `
      const { startSweeper } = await import(${JSON.stringify(new URL("./sweeper.ts", import.meta.url).href)});
      const jobs = [{ name: "job", run: async () => { process.stdout.write("worked"); return 0; } }];
      startSweeper({ jobs, holdsOwnership: async () => true, intervalMs: 60_000, onFailure: () => {} });`;
    const options = { encoding: "utf8", timeout: 10_000 } as const;
    const { status, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], options);
    assert.deepEqual([status, stdout], [0, "worked"]);
  });
});
