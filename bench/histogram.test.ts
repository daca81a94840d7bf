import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram } from "./histogram.ts";

/** What the histogram has to come close to: the value at that rank of the sorted list. */
function exactPercentile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? Number.NaN;
}

test("percentiles are at most 0.8 percent above the exact ones, over six powers of ten", () => {
  const histogram = new Histogram();
  const durations: number[] = [];
  for (let index = 0; index < 20_000; index += 1) {
    const us = Math.round(10 ** (1 + (index * 6) / 20_000));
    durations.push(us);
    histogram.record(us);
  }
  durations.sort((left, right) => left - right);
  for (const share of [0.001, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1]) {
    const exact = exactPercentile(durations, share);
    const measured = histogram.percentileUs(share);
    assert.ok(measured >= exact && measured <= exact * 1.008, `${share}: ${measured} instead of ${exact}`);
  }
});

test("small durations are exact", () => {
  const histogram = new Histogram();
  for (let us = 1; us <= 200; us += 1) histogram.record(us);
  assert.equal(histogram.percentileUs(0.5), 100);
  assert.equal(histogram.percentileUs(0.95), 190);
  assert.equal(histogram.percentileUs(1), 200);
});

test("one slow answer among a hundred is the maximum and not the 99th percentile", () => {
  const histogram = new Histogram();
  for (let index = 0; index < 99; index += 1) histogram.record(100);
  histogram.record(5_000_000);
  const { count, p99Ms, maxMs, meanMs } = histogram.summary();
  assert.deepEqual({ count, p99Ms, maxMs }, { count: 100, p99Ms: 0.1, maxMs: 5000 });
  assert.equal(meanMs, (99 * 0.1 + 5000) / 100);
});

test("nothing recorded is all zeros, and durations out of range do not break it", () => {
  const histogram = new Histogram();
  assert.deepEqual(histogram.summary(), { count: 0, meanMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 });
  histogram.record(-5);
  histogram.record(1e12);
  assert.equal(histogram.percentileUs(0.5), 0);
  assert.equal(histogram.percentileUs(1), 2 ** 32 - 1);
});
