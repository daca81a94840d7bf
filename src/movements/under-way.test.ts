import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { announce, ended, lookUntilOver, type UnderWay } from "./under-way.ts";

const inMs = (ms: number): number => performance.now() + ms;

describe("waiting for a first request", () => {
  it("ends with it where it is in this process, however it ended", async () => {
    for (const how of ["resolve", "reject"] as const) {
      const underWay: UnderWay = new Map();
      const first = Promise.withResolvers<string>();
      const announced = announce(underWay, "a", first.promise).catch(() => "failed");
      let looks = 0;
      const looking = lookUntilOver(
        { underWay, key: "a", untilMs: inMs(5_000) },
        async () => ++looks,
        () => looks > 1,
      );
      await new Promise((resolve) => setTimeout(resolve, 80));
      assert.equal(looks, 1, "it does not poll for what it will be told");
      if (how === "resolve") first.resolve("done");
      else first.reject(new Error("failed"));
      assert.equal(await looking, 2);
      assert.equal(await announced, how === "resolve" ? "done" : "failed");
      assert.equal(underWay.size, 0);
    }
  });

  it("polls where it is in another process, ever more slowly", async () => {
    const times: number[] = [];
    const look = async () => times.push(performance.now());
    await lookUntilOver({ underWay: new Map(), key: "a", untilMs: inMs(5_000) }, look, () => times.length === 4);
    const pauses = times.slice(1).map((time, place) => time - (times[place] ?? 0));
    assert.ok((pauses[0] ?? 0) >= 19 && (pauses[1] ?? 0) >= 39 && (pauses[2] ?? 0) >= 79, pauses.join());
  });

  it("ends at its time with what it saw last", async () => {
    const underWay: UnderWay = new Map([["a", new Promise(() => undefined)]]);
    const beganMs = performance.now();
    const seen = await lookUntilOver(
      { underWay, key: "a", untilMs: inMs(60) },
      async () => "running",
      () => false,
    );
    assert.equal(seen, "running");
    assert.ok(performance.now() - beganMs < 3_000);
    await ended(undefined, 1);
  });
});
