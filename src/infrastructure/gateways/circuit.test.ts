import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { type Circuit, type CircuitState, createCircuit } from "./circuit.ts";

type Answer = { readonly type: "succeeded" | "declined" | "not_sent" | "unknown" | "absent" | "unreachable" };

const refused: Answer = { type: "not_sent" };

let now: number;
let calls: number;
let states: CircuitState[];
let circuit: Circuit;

/** A call that is let through ends as told; whether it was let through is in `calls`. */
function call(answer: Answer["type"] | Promise<Answer> = "succeeded"): Promise<Answer> {
  return circuit.run(async () => {
    calls++;
    return typeof answer === "string" ? { type: answer } : await answer;
  }, refused);
}

async function callTimes(times: number, type: Answer["type"]): Promise<void> {
  for (let time = 0; time < times; time++) await call(type);
}

describe("a circuit", () => {
  beforeEach(() => {
    now = 1_000_000;
    calls = 0;
    states = [];
    circuit = createCircuit({ nowMs: () => now, onStateChange: (state) => states.push(state) });
  });

  it("opens at the fifth fault within a minute, and nothing is called any more", async () => {
    await callTimes(3, "unknown");
    await callTimes(1, "unreachable");
    assert.equal(circuit.state(), "closed");
    await callTimes(1, "not_sent");
    assert.equal(circuit.state(), "open");
    assert.equal(await call(), refused);
    assert.equal(calls, 5);
    assert.deepEqual(states, ["open"]);
  });

  it("counts faults of the last minute only, and successes do not take them back", async () => {
    await callTimes(4, "unknown");
    now += 60_000;
    await callTimes(4, "unknown");
    await callTimes(3, "succeeded");
    assert.equal(circuit.state(), "closed");
    now += 59_999;
    await callTimes(1, "unknown");
    assert.equal(circuit.state(), "open");
  });

  it("never counts a decline, or that something is not there", async () => {
    await callTimes(20, "declined");
    await callTimes(20, "absent");
    assert.equal(circuit.state(), "closed");
    assert.equal(calls, 40);
  });

  it("lets one probe through after 30 s, however many call, and nobody waits for it", async () => {
    await callTimes(5, "unknown");
    now += 29_999;
    assert.equal(await call(), refused);
    now += 1;
    const probe = Promise.withResolvers<Answer>();
    const first = call(probe.promise);
    for (const answer of await Promise.all(Array.from({ length: 100 }, () => call()))) assert.equal(answer, refused);
    assert.equal(calls, 6);
    assert.equal(circuit.state(), "half_open");
    probe.resolve({ type: "succeeded" });
    assert.equal((await first).type, "succeeded");
    assert.equal(circuit.state(), "closed");
    assert.equal((await call()).type, "succeeded");
    assert.deepEqual(states, ["open", "half_open", "closed"]);
  });

  it("opens for another 30 s where the probe fails, and closes where it is declined", async () => {
    await callTimes(5, "unknown");
    now += 30_000;
    await callTimes(1, "unknown");
    assert.equal(circuit.state(), "open");
    now += 29_999;
    assert.equal(await call(), refused);
    now += 1;
    await callTimes(1, "declined");
    assert.equal(circuit.state(), "closed");
  });

  it("is not reopened during the probe by calls from before, and forgets them when it closes", async () => {
    const slow = Promise.withResolvers<Answer>();
    const slower = Promise.withResolvers<Answer>();
    const fromBefore = Array.from({ length: 10 }, (_, n) => call(n < 5 ? slow.promise : slower.promise));
    await callTimes(5, "unknown");
    now += 30_000;
    const probe = Promise.withResolvers<Answer>();
    const first = call(probe.promise);
    slow.resolve({ type: "unknown" });
    await Promise.all(fromBefore.slice(0, 5));
    assert.equal(circuit.state(), "half_open");
    probe.resolve({ type: "succeeded" });
    await first;
    slower.resolve({ type: "unknown" });
    await Promise.all(fromBefore);
    await callTimes(4, "unknown");
    assert.equal(circuit.state(), "closed");
    await callTimes(1, "unknown");
    assert.equal(circuit.state(), "open");
  });

  it("is not closed during the probe by a success from before", async () => {
    const slow = Promise.withResolvers<Answer>();
    const fromBefore = call(slow.promise);
    await callTimes(5, "unknown");
    now += 30_000;
    const probe = Promise.withResolvers<Answer>();
    const first = call(probe.promise);
    slow.resolve({ type: "succeeded" });
    await fromBefore;
    assert.equal(circuit.state(), "half_open");
    probe.resolve({ type: "unknown" });
    await first;
    assert.equal(circuit.state(), "open");
  });

  it("passes on what a call throws, and frees the probe's place", async () => {
    const bug = () => circuit.run<Answer>(() => Promise.reject(new Error("a bug")), refused);
    for (let time = 0; time < 5; time++) await assert.rejects(bug(), /a bug/);
    assert.equal(circuit.state(), "open");
    now += 30_000;
    const atOnce = () =>
      circuit.run<Answer>(() => {
        throw new Error("another bug");
      }, refused);
    await assert.rejects(atOnce(), /another bug/);
    assert.equal(circuit.state(), "open");
    now += 30_000;
    assert.equal((await call()).type, "succeeded");
    assert.equal(circuit.state(), "closed");
  });

  it("takes other limits", async () => {
    circuit = createCircuit({ failures: 2, windowMs: 10, openMs: 20, nowMs: () => now });
    await callTimes(2, "unknown");
    assert.equal(circuit.state(), "open");
    now += 20;
    await callTimes(1, "succeeded");
    await callTimes(1, "unknown");
    now += 10;
    await callTimes(1, "unknown");
    assert.equal(circuit.state(), "closed");
  });
});
