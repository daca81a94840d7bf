import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createGate, createSignal } from "./gate.ts";

describe("a gate", () => {
  test("lets so many in at the same time, and the others in the order in which they came", async () => {
    const gate = createGate(3);
    const begun: number[] = [];
    let inside = 0;
    let most = 0;
    const work = (n: number) => async () => {
      begun.push(n);
      inside += 1;
      most = Math.max(most, inside);
      await sleep(n % 3);
      inside -= 1;
      return n;
    };
    const numbers = Array.from({ length: 3_000 }, (_, n) => n);
    const results = await Promise.all(numbers.map((n) => gate.pass(work(n))));
    assert.deepEqual(results, numbers);
    assert.deepEqual(begun, numbers);
    assert.equal(most, 3);
  });

  test("gives the place of one that fails to the next", async () => {
    const gate = createGate(1);
    const failing = gate.pass(() => Promise.reject(new Error("no")));
    const next = gate.pass(async () => "in");
    await assert.rejects(failing, /no/);
    assert.equal(await next, "in");
    assert.equal(await gate.pass(async () => "again"), "again");
  });
});

describe("a signal", () => {
  test("wakes who waits, is kept for who comes later, and is used up", async () => {
    const signal = createSignal();
    const waiting = signal.wait(60_000);
    signal.raise();
    await waiting;
    signal.raise();
    await signal.wait(60_000);
    const beganMs = performance.now();
    // The wait itself keeps no process alive.
    await Promise.all([signal.wait(30), sleep(40)]);
    assert.ok(performance.now() - beganMs >= 29);
  });
});
