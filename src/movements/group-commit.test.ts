import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { DatabaseFailure } from "../kernel/statement.ts";
import { createLane, type Lane, type LaneSettings } from "./group-commit.ts";
import { LaneRefusal } from "./ports.ts";

type Run = LaneSettings<string, string>["run"];

const limits = { name: "test", maxBatch: 4, maxQueued: 100, maxWaitMs: 10_000 };
const echo: Run = async (items) => items.map((item) => item.toUpperCase());

/** A lane whose batches are recorded in the order in which they began. */
function recordingLane(run: Run, more: Partial<LaneSettings<string, string>> = {}) {
  const batches: string[][] = [];
  const lane = createLane<string, string>({
    ...limits,
    ...more,
    run(items) {
      batches.push([...items]);
      return run(items);
    },
  });
  return { lane, batches };
}

/** A `run` that waits until it is let go, once for each batch. */
function gated(run: Run = echo) {
  const waiting: (() => void)[] = [];
  return {
    run: async (items: readonly string[]) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      return run(items);
    },
    async open(): Promise<void> {
      const untilMs = performance.now() + 1_000;
      while (waiting.length === 0) {
        assert.ok(performance.now() < untilMs, "no statement was begun");
        await turn();
      }
      waiting.shift()?.();
    },
  };
}

const failure = (kind: DatabaseFailure["kind"], mayHaveCommitted = false) =>
  new DatabaseFailure(kind, mayHaveCommitted, kind);

function isRefusal(reason: LaneRefusal["reason"]): (error: unknown) => boolean {
  return (error) => error instanceof LaneRefusal && error.reason === reason;
}

async function outcomesOf(submitted: Promise<string>[]): Promise<string[]> {
  const settled = await Promise.allSettled(submitted);
  return settled.map((result) => (result.status === "fulfilled" ? result.value : String(result.reason.message)));
}

function within<Value>(work: Promise<Value>, mostMs = 1_000): Promise<Value> {
  const late = sleep(mostMs, undefined, { ref: false }).then(() => assert.fail(`nothing after ${mostMs} ms`));
  return Promise.race([work, late]);
}

describe("batches", () => {
  test("hold what one turn of the event loop brought, in its order, and give each item its own outcome", async () => {
    const { lane, batches } = recordingLane(echo);
    assert.deepEqual(await Promise.all(["a", "b", "c"].map(lane.submit)), ["A", "B", "C"]);
    assert.deepEqual(batches, [["a", "b", "c"]]);
  });

  test("hold what arrived while the last batch was under way, never more than the cap", async () => {
    const gate = gated();
    const { lane, batches } = recordingLane(gate.run);
    const first = lane.submit("a");
    await turn();
    await turn();
    const rest = ["b", "c", "d", "e", "f", "g"].map(lane.submit);
    assert.equal(lane.depth(), 6);
    for (let opened = 0; opened < 3; opened++) await gate.open();
    assert.deepEqual(await Promise.all([first, ...rest]), ["A", "B", "C", "D", "E", "F", "G"]);
    assert.deepEqual(batches, [["a"], ["b", "c", "d", "e"], ["f", "g"]]);
    assert.equal(lane.depth(), 0);
  });

  test("are sent one at a time", async () => {
    let underWay = 0;
    let most = 0;
    const { lane } = recordingLane(async (items) => {
      most = Math.max(most, ++underWay);
      await sleep(1);
      underWay--;
      return items;
    });
    const submitted: Promise<string>[] = [];
    for (let item = 0; item < 20; item++) {
      submitted.push(lane.submit(String(item)));
      if (item % 3 === 0) await turn();
    }
    await Promise.all(submitted);
    assert.equal(most, 1);
  });

  test("an item that is submitted at any moment around the end of a batch is taken up", async () => {
    for (let ticks = 0; ticks < 20; ticks++) {
      const { lane } = recordingLane(echo);
      await lane.submit("a");
      for (let tick = 0; tick < ticks; tick++) await null;
      assert.equal(await within(lane.submit("b")), "B", `${ticks} microtasks after the first item's outcome`);
    }
  });

  test("are told to the observer with their size and how long they took and waited", async () => {
    const seen: { size: number; durationMs: number; waitedMs: number }[] = [];
    const observer = { batch: (batch: (typeof seen)[number]) => void seen.push(batch), shed() {}, failed() {} };
    const gate = gated();
    const { lane } = recordingLane(gate.run, { observer });
    const submitted = ["a", "b"].map(lane.submit);
    await turn();
    submitted.push(lane.submit("c"));
    await sleep(20);
    await gate.open();
    await gate.open();
    await Promise.all(submitted);
    assert.deepEqual(
      seen.map((batch) => batch.size),
      [2, 1],
    );
    assert.ok((seen[0]?.durationMs ?? 0) >= 15, "the first batch's statement took 20 ms");
    assert.ok((seen[1]?.waitedMs ?? 0) >= 15, "the second batch's item waited for it");
  });
});

describe("keys", () => {
  const keyOf = (item: string) => item.charAt(0);

  test("a second item of a key waits for the next batch, in its place", async () => {
    const { lane, batches } = recordingLane(echo, { keyOf });
    await Promise.all(["a1", "b1", "a2", "c1", "a3", "b2"].map(lane.submit));
    assert.deepEqual(batches, [["a1", "b1", "c1"], ["a2", "b2"], ["a3"]]);
  });

  test("the items of one hot key do not keep others from filling the batch", async () => {
    const { lane, batches } = recordingLane(echo, { keyOf, maxBatch: 3 });
    await Promise.all(["a1", "a2", "a3", "b1", "c1", "d1", "e1"].map(lane.submit));
    assert.deepEqual(batches, [["a1", "b1", "c1"], ["a2", "d1", "e1"], ["a3"]]);
  });
});

describe("a lane that has too much to do", () => {
  test("turns items away beyond the bound of its queue, and serves those it took", async () => {
    let shed = 0;
    const observer = { batch() {}, shed: () => void shed++, failed() {} };
    const gate = gated();
    const { lane } = recordingLane(gate.run, { maxQueued: 2, observer });
    const first = lane.submit("a");
    await turn();
    await turn();
    const queued = ["b", "c"].map(lane.submit);
    await assert.rejects(within(lane.submit("d")), isRefusal("full"));
    await assert.rejects(within(lane.submit("e")), isRefusal("full"));
    assert.equal(shed, 2);
    assert.equal(lane.depth(), 2);
    await gate.open();
    await gate.open();
    assert.deepEqual(await Promise.all([first, ...queued]), ["A", "B", "C"]);
    const later = lane.submit("f");
    await gate.open();
    assert.equal(await later, "F");
  });

  test("turns away what waited too long for its turn, without sending it", async () => {
    let shed = 0;
    const observer = { batch() {}, shed: () => void shed++, failed() {} };
    const gate = gated();
    const { lane, batches } = recordingLane(gate.run, { maxWaitMs: 25, observer });
    const first = lane.submit("a");
    await turn();
    await turn();
    const late = lane.submit("b");
    const told = assert.rejects(late, isRefusal("waited_too_long"));
    await sleep(40);
    const fresh = lane.submit("c");
    await gate.open();
    await gate.open();
    await told;
    assert.deepEqual(await Promise.all([first, fresh]), ["A", "C"]);
    assert.deepEqual(batches, [["a"], ["c"]]);
    assert.equal(shed, 1);
  });

  test("says in its refusal which lane it was and why", async () => {
    const { lane } = recordingLane(echo, { maxQueued: 0 });
    await assert.rejects(lane.submit("a"), { name: "LaneRefusal", message: "the test lane took nothing: full" });
  });
});

describe("failures", () => {
  test("an item that the database rejects fails alone; its neighbours go through, each once", async () => {
    const done: string[] = [];
    const { lane, batches } = recordingLane(async (items) => {
      if (items.includes("bad")) throw failure("rejected");
      done.push(...items);
      return items;
    });
    const submitted = ["a", "b", "bad", "c"].map(lane.submit);
    assert.deepEqual(await outcomesOf(submitted), ["a", "b", "rejected", "c"]);
    assert.deepEqual(done, ["a", "b", "c"]);
    assert.deepEqual(batches, [["a", "b", "bad", "c"], ["a", "b"], ["bad", "c"], ["bad"], ["c"]]);
  });

  test("a busy database is asked again, three times and no more", async () => {
    let refusals = 3;
    const { lane, batches } = recordingLane(async (items) => {
      if (refusals-- > 0) throw failure("busy");
      return items;
    });
    assert.equal(await lane.submit("a"), "a");
    assert.equal(batches.length, 4);

    refusals = Number.POSITIVE_INFINITY;
    await assert.rejects(lane.submit("b"), { kind: "busy", mayHaveCommitted: false });
    assert.equal(batches.length, 8);
    refusals = 0;
    assert.equal(await lane.submit("c"), "c");
  });

  test("an outage fails what was in flight, which may have committed; the queue behind goes on", async () => {
    let failed = 0;
    const observer = { batch() {}, shed() {}, failed: () => void failed++ };
    let broken = true;
    const gate = gated(async (items) => {
      if (!broken) return items;
      broken = false;
      throw failure("unavailable", true);
    });
    const { lane, batches } = recordingLane(gate.run, { observer });
    const inFlight = ["a", "b"].map(lane.submit);
    const told = Promise.all(
      inFlight.map((item) => assert.rejects(item, { kind: "unavailable", mayHaveCommitted: true })),
    );
    await turn();
    await turn();
    const behind = ["c", "d"].map(lane.submit);
    await gate.open();
    await gate.open();
    await told;
    assert.deepEqual(await Promise.all(behind), ["c", "d"]);
    assert.deepEqual(batches, [
      ["a", "b"],
      ["c", "d"],
    ]);
    assert.equal(failed, 1);
  });

  test("a bug in the statement fails the batch once, whole, and is not tried again", async () => {
    const { lane, batches } = recordingLane(async () => {
      throw new TypeError("a bug");
    });
    assert.deepEqual(await outcomesOf(["a", "b"].map(lane.submit)), ["a bug", "a bug"]);
    assert.equal(batches.length, 1);
  });

  test("a statement that gives another number of outcomes than it got items fails its whole batch", async () => {
    for (const wrong of [["A"], ["A", "B", "C"], []]) {
      const { lane } = recordingLane(async () => wrong);
      const told = `the test lane's statement gave ${wrong.length} outcomes for 2 items`;
      assert.deepEqual(await outcomesOf(["a", "b"].map(lane.submit)), [told, told]);
    }
  });
});

describe("draining", () => {
  test("finishes what was taken and takes no more", async () => {
    const gate = gated();
    const { lane } = recordingLane(gate.run, { maxBatch: 1 });
    const taken = ["a", "b", "c"].map(lane.submit);
    let drained = false;
    const draining = lane.drain().then(() => {
      drained = true;
    });
    await assert.rejects(lane.submit("d"), isRefusal("closed"));
    await gate.open();
    await gate.open();
    await turn();
    assert.equal(drained, false);
    await gate.open();
    await draining;
    assert.deepEqual(await Promise.all(taken), ["A", "B", "C"]);
    assert.equal(lane.depth(), 0);
  });

  test("an idle lane is drained at once, and can be drained again", async () => {
    const { lane } = recordingLane(echo);
    await within(lane.drain());
    await within(lane.drain());
    await assert.rejects(lane.submit("a"), isRefusal("closed"));
  });

  test("waits also for an item that was submitted at the end of a batch", async () => {
    for (let ticks = 0; ticks < 20; ticks++) {
      const { lane } = recordingLane(echo);
      await lane.submit("a");
      for (let tick = 0; tick < ticks; tick++) await null;
      const last = lane.submit("b");
      await within(lane.drain());
      assert.equal(await within(last), "B", `${ticks} microtasks after the first item's outcome`);
    }
  });
});

/** One arrival: its key, how many turns or microtasks pass before it, and whether the database rejects its data. */
type Arrival = { readonly key: number; readonly turns: number; readonly ticks: number; readonly bad: boolean };
/** What the database does with a statement beside rejecting bad data. */
type Mishap = "none" | "busy" | "unavailable" | "slow";

describe("whatever happens", () => {
  const arrival: fc.Arbitrary<Arrival> = fc.record({
    key: fc.nat(4),
    turns: fc.nat(2),
    ticks: fc.nat(3),
    bad: fc.nat(9).map((number) => number === 0),
  });
  const mishaps = fc.infiniteStream(fc.constantFrom<Mishap>("none", "none", "none", "slow", "busy", "unavailable"));

  test("every item settles once with its own outcome, keys keep their order, batches their limits", async () => {
    const arrivals = fc.array(arrival, { minLength: 1, maxLength: 40 });
    const bounds = { maxBatch: fc.integer({ min: 1, max: 8 }), maxQueued: fc.integer({ min: 1, max: 40 }) };
    await fc.assert(
      fc.asyncProperty(arrivals, mishaps, fc.record(bounds), fc.boolean(), async (given, stream, settings, keyed) => {
        await playOut(given, stream, { ...settings, keyed });
      }),
      // Where items are lost every run waits for them: then a few runs say enough.
      { numRuns: 150, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true },
    );
  });
});

type Item = Arrival & { readonly number: number };

async function playOut(
  arrivals: readonly Arrival[],
  mishaps: fc.Stream<Mishap>,
  { maxBatch, maxQueued, keyed }: { maxBatch: number; maxQueued: number; keyed: boolean },
): Promise<void> {
  const committed: Item[] = [];
  let underWay = 0;
  async function run(items: readonly Item[]): Promise<number[]> {
    assert.equal(underWay++, 0, "one statement at a time");
    try {
      assert.ok(items.length >= 1 && items.length <= maxBatch, `${items.length} items in a batch of ${maxBatch}`);
      if (keyed) assert.equal(new Set(items.map((item) => item.key)).size, items.length, "a key twice in one batch");
      const { value: mishap } = mishaps.next();
      if (mishap === "slow") await turn();
      if (mishap === "busy") throw failure("busy");
      if (mishap === "unavailable") throw failure("unavailable", true);
      if (items.some((item) => item.bad)) throw failure("rejected");
      committed.push(...items);
      return items.map((item) => item.number);
    } finally {
      underWay--;
    }
  }
  const keyOf = keyed ? { keyOf: (item: Item) => String(item.key) } : {};
  const lane: Lane<Item, number> = createLane({ ...limits, maxBatch, maxQueued, ...keyOf, run });

  const submitted: Promise<PromiseSettledResult<number>>[] = [];
  for (const [number, arrival] of arrivals.entries()) {
    for (let passed = 0; passed < arrival.turns; passed++) await turn();
    for (let passed = 0; passed < arrival.ticks; passed++) await null;
    const outcome = lane.submit({ ...arrival, number });
    submitted.push(Promise.allSettled([outcome]).then(([result]) => result));
  }
  const results = await within(Promise.all(submitted));
  await within(lane.drain());

  assert.equal(lane.depth(), 0);
  const order = committed.map((item) => item.number);
  assert.equal(new Set(order).size, order.length, "nothing is committed twice");
  for (const [number, result] of results.entries()) {
    if (result.status === "fulfilled") assert.equal(result.value, number, "an item's outcome is its own");
    else assert.ok(isExpected(result.reason, arrivals[number]?.bad === true), String(result.reason));
    assert.equal(order.includes(number), result.status === "fulfilled", "committed and answered are the same");
  }
  const sequences = keyed ? Object.values(Object.groupBy(committed, (item) => item.key)) : [committed];
  for (const sequence of sequences) {
    const numbers = (sequence ?? []).map((item) => item.number);
    assert.deepEqual(
      numbers,
      numbers.toSorted((left, right) => left - right),
      "order of arrival",
    );
  }
}

/** A rejection belongs to a bad item alone; everything else may meet anyone. */
function isExpected(error: unknown, bad: boolean): boolean {
  if (error instanceof LaneRefusal) return error.reason === "full";
  return error instanceof DatabaseFailure && (error.kind !== "rejected" || bad);
}
