import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { parseCurrency } from "../kernel/currency.ts";
import { DatabaseFailure } from "../kernel/statement.ts";
import {
  type Attempt,
  complete,
  type FinalOutcome,
  type Finding,
  type PipelineSettings,
  type Policy,
  recover,
  type Step,
} from "./pipeline.ts";
import { type GatewayOutcome, LaneRefusal, type Trace, untraced } from "./ports.ts";

const currency = parseCurrency("USD");
assert(currency !== undefined);
const intent = {
  id: "pi_1",
  status: "pending",
  amount: { amountMinor: 100n, currency },
  captured: { amountMinor: 0n, currency },
  clientSecret: null,
  paymentId: "p",
} as const;
const fault = { code: "gateway_says_so", message: "It said so." };
const succeeded: FinalOutcome = { type: "succeeded", intent };
const declined: FinalOutcome = { type: "declined", intent: null, ...fault };
const notSent: GatewayOutcome = { type: "not_sent", ...fault };
const unknown: GatewayOutcome = { type: "unknown", ...fault };
const absent: Finding = { type: "absent", ...fault };
const unreachable: Finding = { type: "unreachable", ...fault };

const attemptOf = (tries: number, absences = 0): Attempt => ({ id: "p-1", tries, absences });
const away = () => new DatabaseFailure("unavailable", true, "the database is away");

type Answers = {
  readonly call?: () => GatewayOutcome;
  readonly find?: () => Finding;
  readonly settle?: () => string;
  readonly postpone?: () => void;
};

function unexpected(step: string): never {
  throw new assert.AssertionError({ message: `${step} was not expected` });
}

/** A policy that notes what is asked of it, in order. What has no answer must not be asked. */
function recordingPolicy(answers: Answers) {
  const log: unknown[][] = [];
  const counted: number[] = [];
  const policy: Policy<Attempt, string> = {
    operation: "create",
    async call(attempt, deadlineMs) {
      log.push(["call", attempt.id, deadlineMs]);
      return (answers.call ?? (() => unexpected("call")))();
    },
    async find(attempt, deadlineMs) {
      log.push(["find", attempt.id, deadlineMs]);
      return (answers.find ?? (() => unexpected("find")))();
    },
    async settle(attempt, outcome) {
      log.push(["settle", attempt.id, outcome]);
      return (answers.settle ?? (() => outcome.type))();
    },
    decline: (failure) => ({ type: "declined", intent: null, ...failure }),
    async postpone(attempt, failure, { delayMs, park, absences }) {
      log.push(["postpone", attempt.id, failure.code, delayMs, park]);
      counted.push(absences);
      answers.postpone?.();
    },
  };
  const steps: Step[] = [];
  const settings: PipelineSettings = {
    callDeadlineMs: 500,
    onStep(step, operation, attemptId) {
      assert.deepEqual([operation, attemptId], ["create", "p-1"]);
      steps.push(step);
    },
  };
  return { policy, log, counted, steps, settings, asked: () => log.map(([what]) => what) };
}

/** Lets the pauses between the tries pass at once, and says how long they were. */
async function withoutPauses<Value>(context: TestContext, work: () => Promise<Value>): Promise<Value> {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let done = false;
  const result = work().finally(() => {
    done = true;
  });
  result.catch(() => undefined);
  while (!done) {
    context.mock.timers.tick(10_000);
    await turn();
  }
  context.mock.timers.reset();
  return await result;
}

describe("completing an attempt", () => {
  for (const outcome of [succeeded, declined]) {
    test(`settles it where the gateway ${outcome.type === "succeeded" ? "did it" : "declined"}`, async () => {
      const { policy, log, steps, settings } = recordingPolicy({ call: () => outcome });
      const completion = await complete(policy, attemptOf(1), untraced, settings);
      assert.deepEqual(completion, { type: "settled", settled: outcome.type });
      assert.deepEqual(log, [
        ["call", "p-1", 500],
        ["settle", "p-1", outcome],
      ]);
      assert.deepEqual(steps, ["accepted", "called", "settled"]);
    });
  }

  for (const outcome of [notSent, unknown]) {
    test(`leaves it to recovery where the outcome is ${outcome.type}, and never settles it`, async () => {
      const { policy, log, steps, settings } = recordingPolicy({ call: () => outcome });
      const completion = await complete(policy, attemptOf(1), untraced, settings);
      assert.deepEqual(completion, { type: "postponed", outcome: outcome.type, ...fault });
      assert.deepEqual(log, [
        ["call", "p-1", 500],
        ["postpone", "p-1", fault.code, 1_000, false],
      ]);
      assert.deepEqual(steps, ["accepted", "called", "postponed"]);
    });
  }

  test("needs nobody who watches the steps", async () => {
    const { policy } = recordingPolicy({ call: () => succeeded });
    assert.equal((await complete(policy, attemptOf(1), untraced, { callDeadlineMs: 1 })).type, "settled");
  });

  test("lets a gateway's throw through without settling or postponing, because it is a bug", async () => {
    const { policy, asked, settings } = recordingPolicy({});
    await assert.rejects(complete(policy, attemptOf(1), untraced, settings), /call was not expected/);
    assert.deepEqual(asked(), ["call"]);
  });

  test("lets it through that the attempt could not be postponed: it stays open and its lease runs out", async () => {
    const { policy, steps, settings } = recordingPolicy({
      call: () => unknown,
      postpone: () => {
        throw away();
      },
    });
    await assert.rejects(complete(policy, attemptOf(1), untraced, settings), { kind: "unavailable" });
    assert.deepEqual(steps, ["accepted", "called"]);
  });

  test("puts the gateway's call and the settling into spans of the trace", async () => {
    const spans: string[] = [];
    const trace: Trace = {
      traceparent: null,
      span(name, work) {
        spans.push(name);
        return work();
      },
    };
    const { policy, settings } = recordingPolicy({ call: () => succeeded });
    await complete(policy, attemptOf(1), trace, settings);
    assert.deepEqual(spans, ["gateway call", "settle"]);
  });
});

describe("settling", () => {
  test("is tried again while the database is away, busy or overloaded; the gateway is called once", async (context) => {
    const passing = [away(), new DatabaseFailure("busy", false, "busy"), new LaneRefusal("settle", "full")];
    const { policy, asked, steps, settings } = recordingPolicy({
      call: () => succeeded,
      settle: () => {
        const error = passing.shift();
        if (error !== undefined) throw error;
        return "done";
      },
    });
    const completion = await withoutPauses(context, () => complete(policy, attemptOf(1), untraced, settings));
    assert.deepEqual(completion, { type: "settled", settled: "done" });
    assert.deepEqual(asked(), ["call", "settle", "settle", "settle", "settle"]);
    assert.deepEqual(steps, ["accepted", "called", "settled"]);
  });

  test("is tried five times and no more, then left to recovery", async (context) => {
    const { policy, asked, steps, settings } = recordingPolicy({
      call: () => succeeded,
      settle: () => {
        throw away();
      },
    });
    const completing = withoutPauses(context, () => complete(policy, attemptOf(1), untraced, settings));
    await assert.rejects(completing, { kind: "unavailable" });
    assert.equal(asked().filter((step) => step === "settle").length, 5);
    assert.deepEqual(steps, ["accepted", "called"]);
  });

  test("is not tried again where that cannot help: refused data, a stopping process, a bug", async () => {
    const rejected = new DatabaseFailure("rejected", false, "a constraint");
    for (const error of [rejected, new LaneRefusal("settle", "closed"), new TypeError("a bug")]) {
      const { policy, asked, settings } = recordingPolicy({
        call: () => succeeded,
        settle: () => {
          throw error;
        },
      });
      await assert.rejects(complete(policy, attemptOf(1), untraced, settings), (thrown) => thrown === error);
      assert.deepEqual(asked(), ["call", "settle"]);
    }
  });

  test("waits between the tries", async () => {
    let failures = 1;
    const { policy, settings } = recordingPolicy({
      call: () => succeeded,
      settle: () => {
        if (failures-- > 0) throw away();
        return "done";
      },
    });
    const beganMs = performance.now();
    await complete(policy, attemptOf(1), untraced, settings);
    assert.ok(performance.now() - beganMs >= 90, "it hammered the database");
  });
});

describe("recovering an attempt", () => {
  for (const finding of [succeeded, declined]) {
    test(`settles what the gateway says of it (${finding.type}) without calling again`, async () => {
      const { policy, log, steps, settings } = recordingPolicy({ find: () => finding });
      const completion = await recover(policy, attemptOf(2), untraced, settings);
      assert.deepEqual(completion, { type: "settled", settled: finding.type });
      assert.deepEqual(log, [
        ["find", "p-1", 500],
        ["settle", "p-1", finding],
      ]);
      assert.deepEqual(steps, ["settled"]);
    });
  }

  test("postpones it where the gateway cannot be asked, as an unknown outcome", async () => {
    const { policy, log, steps, settings } = recordingPolicy({ find: () => unreachable });
    const completion = await recover(policy, attemptOf(2), untraced, settings);
    assert.deepEqual(completion, { type: "postponed", outcome: "unknown", ...fault });
    assert.deepEqual(log, [
      ["find", "p-1", 500],
      ["postpone", "p-1", fault.code, 2_000, false],
    ]);
    assert.deepEqual(steps, ["postponed"]);
  });

  test("calls again for the same attempt where the gateway never heard of it", async () => {
    const attempt = attemptOf(2);
    const { policy, log, steps, settings } = recordingPolicy({ find: () => absent, call: () => succeeded });
    const seen: Attempt[] = [];
    const call = policy.call;
    const watched = {
      ...policy,
      call(given: Attempt, deadlineMs: number) {
        seen.push(given);
        return call(given, deadlineMs);
      },
    };
    assert.equal((await recover(watched, attempt, untraced, settings)).type, "settled");
    assert.deepEqual(
      log.map(([what]) => what),
      ["find", "call", "settle"],
    );
    assert.equal(seen[0], attempt, "another attempt would be another idempotency key");
    assert.deepEqual(steps, ["accepted", "called", "settled"]);
  });

  test("settles it as declined, without calling, where the gateway keeps saying it never heard of it", async () => {
    const { policy, log, settings } = recordingPolicy({ find: () => absent });
    const completion = await recover(policy, attemptOf(4, 3), untraced, settings);
    assert.deepEqual(completion, { type: "settled", settled: "declined" });
    assert.deepEqual(log, [
      ["find", "p-1", 500],
      ["settle", "p-1", { type: "declined", intent: null, ...fault }],
    ]);
  });

  test("counts an absence only where the call that follows has no answer either", async () => {
    for (const [outcome, absences] of [
      [unknown, 1],
      [notSent, 0],
    ] as const) {
      const { policy, counted, settings } = recordingPolicy({ find: () => absent, call: () => outcome });
      await recover(policy, attemptOf(9), untraced, settings);
      assert.deepEqual(counted, [absences]);
    }
    const { policy, counted, settings } = recordingPolicy({ find: () => unreachable });
    await recover(policy, attemptOf(9, 2), untraced, settings);
    assert.deepEqual(counted, [2], "a gateway that cannot be asked has not said anything");
  });

  test("parks it for a person after 300 tries", async () => {
    for (const [tries, park] of [
      [299, false],
      [300, true],
      [301, true],
    ] as const) {
      const { policy, log, settings } = recordingPolicy({ find: () => unreachable });
      await recover(policy, attemptOf(tries), untraced, settings);
      assert.deepEqual(log.at(-1), ["postpone", "p-1", fault.code, 300_000, park]);
    }
  });
});

/** How long an attempt that was taken up so often waits for its next turn. */
async function delayAfter(tries: number): Promise<number> {
  let waits = Number.NaN;
  const { policy, settings } = recordingPolicy({ find: () => unreachable });
  const postpone: typeof policy.postpone = async (_attempt, _failure, { delayMs }) => {
    waits = delayMs;
  };
  await recover({ ...policy, postpone }, attemptOf(tries), untraced, settings);
  return waits;
}

describe("the delay before the next try", () => {
  test("doubles from a second up to five minutes", async () => {
    const delays = await Promise.all([1, 2, 3, 4, 5, 9, 10, 11, 300].map(delayAfter));
    assert.deepEqual(delays, [1_000, 2_000, 4_000, 8_000, 16_000, 256_000, 300_000, 300_000, 300_000]);
  });

  test("never shrinks and never leaves its bounds, however many tries there were", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 - 1 }), async (tries) => {
        const delayMs = await delayAfter(tries);
        assert.ok(delayMs >= 1_000 && delayMs <= 300_000 && delayMs <= (await delayAfter(tries + 1)));
      }),
    );
  });

  test("adds up to about a day before a person has to look", async () => {
    let sumMs = 0;
    for (let tries = 1; tries < 300; tries++) sumMs += await delayAfter(tries);
    assert.ok(sumMs > 20 * 3_600_000 && sumMs < 28 * 3_600_000, `${sumMs / 3_600_000} hours`);
  });
});

/** What the gateway does with a call. A crash is of our process, before or after the gateway did it. */
type Call = "succeeds" | "declines" | "is_not_sent" | "times_out_done" | "times_out_undone" | "crashes_before_answer";
type Happening = {
  readonly call: Call;
  readonly lookup: "answers" | "is_down";
  readonly database: "works" | "dies_before_settling" | "dies_after_settling";
};

/** A gateway that is idempotent by attempt, and a store that settles an attempt once. */
function world(happenings: Iterator<Happening>) {
  let accepted = false;
  let truth: FinalOutcome | undefined;
  const results: FinalOutcome["type"][] = [];
  let calls = 0;
  let absences = 0;
  let now: Happening = { call: "succeeds", lookup: "answers", database: "works" };
  const policy: Policy<Attempt, string> = {
    operation: "create",
    decline: (failure) => ({ type: "declined", intent: null, ...failure }),
    async call(attempt) {
      assert.ok(accepted, "the gateway was called before the attempt was committed");
      assert.equal(attempt.id, "p-1");
      assert.equal(results.length, 0, "the gateway was called for an attempt that is settled");
      calls++;
      if (now.call === "is_not_sent") return { type: "not_sent", ...fault };
      if (now.call === "times_out_undone") return { type: "unknown", ...fault };
      truth ??= now.call === "declines" ? declined : succeeded;
      if (now.call === "crashes_before_answer") throw new Error("the process died");
      return now.call === "times_out_done" ? { type: "unknown", ...fault } : truth;
    },
    async find() {
      if (now.lookup === "is_down") return unreachable;
      return truth ?? absent;
    },
    async settle(_attempt, outcome) {
      if (now.database === "dies_before_settling") throw new Error("the process died");
      if (results.length === 0) results.push(outcome.type);
      if (now.database === "dies_after_settling") throw new Error("the process died");
      return outcome.type;
    },
    async postpone(_attempt, _failure, postponement) {
      absences = postponement.absences;
    },
  };
  return {
    policy,
    results,
    calls: () => calls,
    absences: () => absences,
    truth: () => truth,
    accept: () => {
      accepted = true;
    },
    next() {
      now = happenings.next().value as Happening;
    },
  };
}

describe("whatever fails and wherever the process dies", () => {
  const happening: fc.Arbitrary<Happening> = fc.record({
    call: fc.constantFrom<Call>(
      "succeeds",
      "declines",
      "is_not_sent",
      "times_out_done",
      "times_out_undone",
      "crashes_before_answer",
    ),
    lookup: fc.constantFrom("answers", "is_down"),
    database: fc.constantFrom("works", "dies_before_settling", "dies_after_settling"),
  });

  test("an attempt gets one result, the gateway's own, and no call is made before it is committed", async () => {
    const settings = { callDeadlineMs: 1 };
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 1, maxLength: 12 }), async (happenings) => {
        const calm: Happening = { call: "succeeds", lookup: "answers", database: "works" };
        const { policy, results, truth, calls, absences, accept, next } = world(
          [...happenings, calm][Symbol.iterator](),
        );
        const dies = () => undefined;
        accept();
        next();
        await complete(policy, attemptOf(1), untraced, settings).catch(dies);
        for (let tries = 2; tries <= happenings.length + 1; tries++) {
          next();
          // The guarded store hands out only attempts that are open.
          if (results.length === 0) await recover(policy, attemptOf(tries, absences()), untraced, settings).catch(dies);
        }
        assert.equal(results.length, 1, "when all works again, the attempt is settled");
        const decided = truth();
        if (decided !== undefined) assert.deepEqual(results, [decided.type]);
        else assert.deepEqual([results, absences()], [["declined"], 3]);
        assert.ok(calls() >= 1);
      }),
      { numRuns: 500 },
    );
  });
});
