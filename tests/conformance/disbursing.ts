import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Money } from "../../src/kernel/money.ts";
import type { DisbursementFinding, DisbursementOutcome } from "../../src/movements/ports.ts";
import { deadlineMs, marginMs, money } from "./gateway-under-test.ts";

/** What a test can let go wrong with every call of one kind, until it is told otherwise. */
export type DisbursingFault = "declined" | "error_before" | "error_after" | "timeout_before" | "timeout_after";

/** One attempt to send money out, whatever for: `subject` is the payment whose bill it is, or the payout. */
export type Attempt = { readonly attemptId: string; readonly subject: string; readonly amount: Money };

/** A gateway that sends money out, as the suite calls it. */
export type Disbursing = {
  pay(attempt: Attempt, deadlineMs: number): Promise<DisbursementOutcome>;
  find(attempt: Attempt, deadlineMs: number): Promise<DisbursementFinding>;
};

/** That gateway with everything behind it that the suite has to steer and to ask. */
export type DisbursingUnderTest = Disbursing & {
  /** The same gateway where nobody listens. */
  readonly unreachable: Disbursing;
  /** What an independent witness says was paid. */
  paidOf(subject: string): readonly { readonly amountMinor: bigint }[];
  fail(call: "pay" | "find", fault: DisbursingFault | undefined): void;
  /** Stops all of it and starts it again over what it stored. */
  restart(): Promise<DisbursingUnderTest>;
  close(): Promise<void>;
};

/** Starts the gateway over an empty state; every call takes as long as told. */
export type DisbursingSetup = (latencyMs: number) => Promise<DisbursingUnderTest>;

export function anAttempt(change: Partial<Attempt> = {}): Attempt {
  const subject = randomUUID();
  return { attemptId: `${subject}-1`, subject, amount: money(50_000n, "USD"), ...change };
}

async function paid(gateway: Disbursing, attempt: Attempt): Promise<string> {
  const outcome = await gateway.pay(attempt, deadlineMs);
  assert(outcome.type === "succeeded", JSON.stringify(outcome));
  return outcome.gatewayReference;
}

/** What every gateway promises that sends money out: bills and payouts. */
export function describeDisbursing(setup: DisbursingSetup): void {
  describePaying(setup);
  describeFaults(setup);
  describeFinding(setup);
}

function describePaying(setup: DisbursingSetup): void {
  describe("paying", () => {
    let under: DisbursingUnderTest;
    beforeEach(async () => {
      under = await setup(0);
    });
    afterEach(() => under.close());

    const paidOf = ({ subject }: Attempt) => under.paidOf(subject).map(({ amountMinor }) => amountMinor);

    it("pays, names what it did, and finds it by that name", async () => {
      const attempt = anAttempt();
      const gatewayReference = await paid(under, attempt);
      assert.match(gatewayReference, /^\w+$/);
      assert.deepEqual(await under.find(attempt, deadlineMs), { type: "succeeded", gatewayReference });
      assert.deepEqual(paidOf(attempt), [50_000n]);
    });

    it("pays once however often the same attempt is asked for, and names it the same", async () => {
      const attempt = anAttempt();
      const first = await paid(under, attempt);
      for (let time = 0; time < 3; time++) assert.equal(await paid(under, attempt), first);
      assert.deepEqual(paidOf(attempt), [50_000n]);
    });

    it("pays once of fifty calls for one attempt at once", async () => {
      const attempt = anAttempt();
      const outcomes = await Promise.all(Array.from({ length: 50 }, () => under.pay(attempt, deadlineMs)));
      const reference = await paid(under, attempt);
      assert(outcomes.some(({ type }) => type === "succeeded"));
      for (const outcome of outcomes) {
        // A gateway may refuse to answer while the first call runs; it may not say that nothing happened.
        if (outcome.type !== "unknown") assert.deepEqual(outcome, { type: "succeeded", gatewayReference: reference });
      }
      assert.deepEqual(paidOf(attempt), [50_000n]);
    });

    it("can witness what is paid twice, by two attempts", async () => {
      const attempt = anAttempt();
      const first = await paid(under, attempt);
      const second = await paid(under, { ...attempt, attemptId: `${attempt.subject}-2` });
      assert.notEqual(first, second);
      assert.deepEqual(paidOf(attempt), [50_000n, 50_000n]);
    });

    it("declines another request for an attempt that it knows, and keeps the first", async () => {
      const attempt = anAttempt();
      const gatewayReference = await paid(under, attempt);
      const other = await under.pay({ ...attempt, amount: money(50_001n, "USD") }, deadlineMs);
      assert.equal(other.type === "declined" && other.code, "idempotency_error");
      assert.deepEqual(await under.find(attempt, deadlineMs), { type: "succeeded", gatewayReference });
      assert.deepEqual(paidOf(attempt), [50_000n]);
    });

    it("declines amounts that it cannot carry, and throws at nothing", async () => {
      for (const minor of [0n, -1n, 2n ** 60n]) {
        const attempt = anAttempt({ amount: money(minor, "USD") });
        assert.equal((await under.pay(attempt, deadlineMs)).type, "declined");
        assert.notEqual((await under.find(attempt, deadlineMs)).type, "succeeded");
        assert.deepEqual(paidOf(attempt), []);
      }
    });

    it("still knows everything after a restart, and the same attempt is not paid again", async () => {
      const attempt = anAttempt();
      const gatewayReference = await paid(under, attempt);
      under = await under.restart();
      assert.deepEqual(await under.find(attempt, deadlineMs), { type: "succeeded", gatewayReference });
      assert.equal(await paid(under, attempt), gatewayReference);
      assert.deepEqual(paidOf(attempt), [50_000n]);
    });
  });
}

function describeFaults(setup: DisbursingSetup): void {
  describe("a call that goes wrong", () => {
    let under: DisbursingUnderTest;
    beforeEach(async () => {
      under = await setup(0);
    });
    afterEach(() => under.close());

    it("is declined, and its attempt for good, whatever became of the reason; another attempt is paid", async () => {
      under.fail("pay", "declined");
      const attempt = anAttempt();
      const first = await under.pay(attempt, deadlineMs);
      assert(first.type === "declined");
      assert(first.code.length > 0 && first.message.length > 0);
      under.fail("pay", undefined);
      const again = await under.pay(attempt, deadlineMs);
      assert.equal(again.type === "declined" && again.code, first.code);
      // Some keep what they declined where only a repeated call finds it.
      const finding = await under.find(attempt, deadlineMs);
      if (finding.type !== "absent") assert.deepEqual(finding, first);
      assert.deepEqual(under.paidOf(attempt.subject), []);
      await paid(under, { ...attempt, attemptId: `${attempt.subject}-2` });
      assert.equal(under.paidOf(attempt.subject).length, 1);
    });

    for (const [fault, happened] of [
      ["error_before", false],
      ["error_after", true],
      ["timeout_before", false],
      ["timeout_after", true],
    ] as const) {
      it(`is unknown after ${fault}; asking tells that it ${happened ? "paid" : "did not"}; paid once`, async () => {
        under.fail("pay", fault);
        const attempt = anAttempt();
        assert.equal((await under.pay(attempt, 300)).type, "unknown");
        under.fail("pay", undefined);
        const finding = await under.find(attempt, deadlineMs);
        assert.equal(finding.type, happened ? "succeeded" : "absent");
        assert.equal(under.paidOf(attempt.subject).length, happened ? 1 : 0);
        const again = await under.pay(attempt, deadlineMs);
        // A gateway may have kept the answer 500 under the attempt's key: then it is unknown again.
        assert(again.type === "succeeded" || (again.type === "unknown" && fault.startsWith("error")));
        if (finding.type === "succeeded" && again.type === "succeeded") assert.deepEqual(again, finding);
        assert.equal(under.paidOf(attempt.subject).length, happened || again.type === "succeeded" ? 1 : 0);
      });
    }

    it("was not sent where nobody listens, and nobody can be asked there", async () => {
      const attempt = anAttempt();
      assert.equal((await under.unreachable.pay(attempt, deadlineMs)).type, "not_sent");
      assert.equal((await under.unreachable.find(attempt, deadlineMs)).type, "unreachable");
      assert.deepEqual(under.paidOf(attempt.subject), []);
    });

    it("resolves within its deadline, whatever was asked", async () => {
      for (const call of ["pay", "find"] as const) under.fail(call, "timeout_before");
      const startedAt = performance.now();
      const answers = await Promise.all([under.pay(anAttempt(), 300), under.find(anAttempt(), 300)]);
      assert(performance.now() - startedAt < 300 + marginMs);
      assert.deepEqual(
        answers.map(({ type }) => type),
        ["unknown", "unreachable"],
      );
    });

    it("is unknown where the gateway takes longer than the deadline, and found later", async () => {
      await under.close();
      under = await setup(400);
      const attempt = anAttempt();
      const startedAt = performance.now();
      assert.equal((await under.pay(attempt, 100)).type, "unknown");
      assert(performance.now() - startedAt < 100 + marginMs);
      await new Promise((resolve) => setTimeout(resolve, 400));
      const finding = await under.find(attempt, deadlineMs);
      assert(finding.type === "succeeded");
      assert.equal(await paid(under, attempt), finding.gatewayReference);
      assert.equal(under.paidOf(attempt.subject).length, 1);
    });
  });
}

function describeFinding(setup: DisbursingSetup): void {
  describe("finding what became of an attempt", () => {
    let under: DisbursingUnderTest;
    beforeEach(async () => {
      under = await setup(0);
    });
    afterEach(() => under.close());

    it("says absent of an attempt that never arrived, also where another one of the same did", async () => {
      const attempt = anAttempt();
      await paid(under, attempt);
      assert.deepEqual(await under.find(anAttempt(), deadlineMs), { type: "absent" });
      const other = { ...attempt, attemptId: `${attempt.subject}-2` };
      assert.deepEqual(await under.find(other, deadlineMs), { type: "absent" });
    });

    it("tells the attempts of one payment apart, among others", async () => {
      const first = anAttempt();
      const second = { ...first, attemptId: `${first.subject}-2` };
      const references = [await paid(under, first), await paid(under, second)];
      await Promise.all(Array.from({ length: 120 }, () => paid(under, anAttempt())));
      for (const [n, attempt] of [first, second].entries()) {
        const finding = await under.find(attempt, deadlineMs);
        assert.equal(finding.type === "succeeded" && finding.gatewayReference, references[n]);
      }
    });

    it("says unreachable, and not absent, where the gateway does not tell", async () => {
      const attempt = anAttempt();
      await paid(under, attempt);
      under.fail("find", "error_before");
      assert.equal((await under.find(attempt, deadlineMs)).type, "unreachable");
      assert.equal((await under.find(anAttempt(), deadlineMs)).type, "unreachable");
    });
  });
}
