import assert from "node:assert/strict";
import { test } from "node:test";
import { courseOf, isFlat } from "./memory.ts";

test("memory that rises all the time is not flat, and memory that swings is", () => {
  const rising = courseOf(Array.from({ length: 50 }, (_, index) => 100 + index));
  assert.deepEqual(rising, { firstMb: 104.5, lastMb: 144.5, peakMb: 149 });
  assert.ok(!isFlat(rising));
  const swinging = courseOf(Array.from({ length: 50 }, (_, index) => 100 + (index % 5) * 10));
  assert.ok(isFlat(swinging));
  assert.equal(swinging.peakMb, 140);
});

test("a run that is over at once has one sample for both ends", () => {
  assert.deepEqual(courseOf([120]), { firstMb: 120, lastMb: 120, peakMb: 120 });
  assert.throws(() => courseOf([]));
});
