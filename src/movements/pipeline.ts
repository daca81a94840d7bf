import { DatabaseFailure } from "../kernel/statement.ts";
import { type GatewayFailure, type GatewayOutcome, LaneRefusal, type RefundOutcome, type Trace } from "./ports.ts";

/** What gateways answer for good about an intent: the attempt can be settled with it. */
export type FinalOutcome = Extract<GatewayOutcome, { type: "succeeded" | "declined" }>;

/** The same about a refund. */
export type FinalRefundOutcome = Extract<RefundOutcome, { type: "succeeded" | "declined" }>;

/** What leaves the truth with the gateway: recovery goes on with the attempt. */
export type OpenOutcome = Extract<GatewayOutcome, { type: "not_sent" | "unknown" }>;

/** What recovery learned by asking the gateway, without charging anything. */
export type Finding<Final extends Decided = FinalOutcome> =
  | Final
  | ({ readonly type: "absent" } & GatewayFailure)
  | ({ readonly type: "unreachable" } & GatewayFailure);

/** An answer for good, of whatever the gateway was asked. */
type Decided = { readonly type: "succeeded" | "declined" };

/**
 * One committed attempt to have a gateway do something. `tries` counts who took it up, the first time included;
 * `absences` how often the gateway had never heard of it and then did not answer it either.
 */
export type Attempt = { readonly id: string; readonly tries: number; readonly absences: number };

/** How recovery goes on with an attempt: due again after the delay, or parked for a person. */
export type Postponement = { readonly delayMs: number; readonly park: boolean; readonly absences: number };

/**
 * A kind of movement: what payments, bills and payouts each say of their own. The pipeline says when.
 * `settle` must be guarded by the attempt being open, because a webhook, recovery and the request may all bring it.
 */
export type Policy<Accepted extends Attempt, Settled, Final extends Decided = FinalOutcome> = {
  readonly operation: string;
  call(attempt: Accepted, deadlineMs: number): Promise<Final | OpenOutcome>;
  find(attempt: Accepted, deadlineMs: number): Promise<Finding<Final>>;
  settle(attempt: Accepted, outcome: Final): Promise<Settled>;
  /**
   * What a gateway that keeps saying that it never heard of the attempt has decided. Without it such an attempt stays
   * open, and the gateway is called again until a person looks: for money that goes out, where an outcome that is not
   * known is never taken for a failure.
   */
  decline?(failure: GatewayFailure): Final;
  /** Leaves the attempt open for recovery. */
  postpone(attempt: Accepted, failure: GatewayFailure, postponement: Postponement): Promise<void>;
};

export type Completion<Settled> =
  | { readonly type: "settled"; readonly settled: Settled }
  | ({ readonly type: "postponed" } & Pick<OpenOutcome, "code" | "message"> & {
        readonly outcome: OpenOutcome["type"];
      });

/** The moments between the steps, where a process can die; tests stop it there. */
export type Step = "accepted" | "called" | "settled" | "postponed";

export type PipelineSettings = {
  readonly callDeadlineMs: number;
  readonly onStep?: (step: Step, operation: string, attemptId: string) => void;
};

const settleTries = 5;
const firstDelayMs = 1_000;
const longestDelayMs = 300_000;
/** With the delays above: about a day of asking before a person has to look. */
const mostTries = 300;
/** How often a gateway must never have heard of an attempt, and then not answer it, before the attempt is over. */
const absencesToBelieve = 3;

/** call → settle for an attempt that is committed. What the gateway did not decide is postponed to recovery. */
export async function complete<Accepted extends Attempt, Settled, Final extends Decided>(
  policy: Policy<Accepted, Settled, Final>,
  attempt: Accepted,
  trace: Trace,
  settings: PipelineSettings,
): Promise<Completion<Settled>> {
  return await callAndSettle(policy, attempt, trace, settings, 0);
}

/** `absencesIfUnknown` is what a call without an answer adds to the attempt's absences. */
async function callAndSettle<Accepted extends Attempt, Settled, Final extends Decided>(
  policy: Policy<Accepted, Settled, Final>,
  attempt: Accepted,
  trace: Trace,
  settings: PipelineSettings,
  absencesIfUnknown: 0 | 1,
): Promise<Completion<Settled>> {
  settings.onStep?.("accepted", policy.operation, attempt.id);
  const outcome = await trace.span("gateway call", () => policy.call(attempt, settings.callDeadlineMs));
  settings.onStep?.("called", policy.operation, attempt.id);
  if (outcome.type === "not_sent" || outcome.type === "unknown") {
    const absences = attempt.absences + (outcome.type === "unknown" ? absencesIfUnknown : 0);
    await postpone(policy, attempt, outcome, absences, settings);
    return { type: "postponed", outcome: outcome.type, code: outcome.code, message: outcome.message };
  }
  return await settle(policy, attempt, outcome, trace, settings);
}

/**
 * Takes up an attempt that nobody settled: asks the gateway what became of it, settles what it knows, and calls again,
 * with the same idempotency key, where it never heard of it. A gateway that keeps saying so, and keeps not answering
 * the calls in between, has decided where the policy has a `decline`: the attempt is settled as declined, and should a
 * webhook prove otherwise, the payment still moves up to succeeded.
 */
export async function recover<Accepted extends Attempt, Settled, Final extends Decided>(
  policy: Policy<Accepted, Settled, Final>,
  attempt: Accepted,
  trace: Trace,
  settings: PipelineSettings,
): Promise<Completion<Settled>> {
  const finding = await trace.span("gateway lookup", () => policy.find(attempt, settings.callDeadlineMs));
  if (finding.type === "unreachable") {
    const failure = { type: "unknown", code: finding.code, message: finding.message } as const;
    await postpone(policy, attempt, failure, attempt.absences, settings);
    return { ...failure, type: "postponed", outcome: "unknown" };
  }
  if (finding.type === "absent") {
    if (policy.decline === undefined || attempt.absences < absencesToBelieve) {
      return await callAndSettle(policy, attempt, trace, settings, 1);
    }
    const verdict = policy.decline({ code: finding.code, message: finding.message });
    return await settle(policy, attempt, verdict, trace, settings);
  }
  return await settle(policy, attempt, finding, trace, settings);
}

/**
 * Settling is guarded and can be repeated, so a lost connection or a full lane is tried again before it is left to
 * recovery, which finds the attempt open.
 */
async function settle<Accepted extends Attempt, Settled, Final extends Decided>(
  policy: Policy<Accepted, Settled, Final>,
  attempt: Accepted,
  outcome: Final,
  trace: Trace,
  settings: PipelineSettings,
): Promise<Completion<Settled>> {
  for (let tries = 1; ; tries++) {
    try {
      const settled = await trace.span("settle", () => policy.settle(attempt, outcome));
      settings.onStep?.("settled", policy.operation, attempt.id);
      return { type: "settled", settled };
    } catch (error) {
      if (tries >= settleTries || !mayPass(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** tries));
    }
  }
}

function mayPass(error: unknown): boolean {
  if (error instanceof LaneRefusal) return error.reason !== "closed";
  return error instanceof DatabaseFailure && error.kind !== "rejected";
}

async function postpone<Accepted extends Attempt, Settled, Final extends Decided>(
  policy: Policy<Accepted, Settled, Final>,
  attempt: Accepted,
  outcome: OpenOutcome,
  absences: number,
  settings: PipelineSettings,
): Promise<void> {
  const postponement = { delayMs: delayAfter(attempt.tries), park: attempt.tries >= mostTries, absences };
  await policy.postpone(attempt, outcome, postponement);
  settings.onStep?.("postponed", policy.operation, attempt.id);
}

/** 1 s, 2 s, 4 s … up to 5 minutes. */
function delayAfter(tries: number): number {
  return Math.min(firstDelayMs * 2 ** Math.min(tries - 1, 20), longestDelayMs);
}
