import type { GatewayFailure } from "../../../movements/ports.ts";
import type { Engine } from "./engine.ts";
import type { Fault } from "./magic-amounts.ts";

/** What may come of a call that changes something. */
type Outcome = { readonly type: "succeeded" | "declined" | "not_sent" | "unknown" };
type Failed = { readonly type: "not_sent" | "unknown" } & GatewayFailure;
/** What may come of a call that only asks. */
type Unreachable = { readonly type: "unreachable" } & GatewayFailure;

const gatewayError = {
  type: "unknown",
  code: "gateway_error",
  message: "The gateway answered 500: whether it did what was asked is not known.",
} as const;
const connectionRefused = {
  type: "not_sent",
  code: "gateway_unreachable",
  message: "The gateway refused the connection.",
} as const;
const timedOut = {
  type: "unknown",
  code: "gateway_timeout",
  message: "The gateway did not answer within the deadline.",
} as const;
const closed = { type: "not_sent", code: "gateway_closed", message: "The gateway is being shut down." } as const;

const timesOutAfter: ReadonlySet<Fault> = new Set(["timeout_after", "timeout_after_charge", "refund_timeout_after"]);

function bookFailed(error: unknown): GatewayFailure {
  const reason = error instanceof Error ? error.message : String(error);
  return { code: "gateway_error", message: `The simulated gateway's book failed: ${reason}` };
}

/**
 * What lies between a caller and the book, as a network would: latency, what goes wrong before and after the effect,
 * and the deadline. The effect is there from the start, so that a process can be killed between it and the answer.
 */
export class Wire {
  /** How long each call takes, in milliseconds. */
  latencyMs: number;
  readonly #engine: Engine;
  readonly #pauses = new Set<() => void>();
  #closed = false;

  constructor(engine: Engine, latencyMs: number) {
    this.#engine = engine;
    this.latencyMs = latencyMs;
  }

  /** Runs what changes the book, with what goes wrong before and after it; `refusal` is how it is declined. */
  async perform<Answer extends Outcome>(
    work: () => Answer,
    fault: Fault | undefined,
    refusal: Answer | undefined,
    deadlineMs: number,
  ): Promise<Answer | Failed> {
    if (this.#closed) return closed;
    const beganMs = this.latencyMs === 0 ? 0 : performance.now();
    const early = fault === undefined ? undefined : await this.#outcomeBefore(fault, refusal, deadlineMs);
    if (early !== undefined) return early;
    let outcome: Answer | Failed;
    try {
      outcome = await this.#engine.submit(work);
    } catch (error) {
      return { ...gatewayError, ...bookFailed(error) };
    }
    if (fault !== undefined && timesOutAfter.has(fault)) return this.#pause(deadlineMs, timedOut);
    if (fault === "error_after") outcome = gatewayError;
    if (this.latencyMs === 0) return outcome;
    // The call takes as long as it is told to, and the booking is a part of it.
    return this.#answerLate<Answer | Failed>(outcome, timedOut, deadlineMs, performance.now() - beganMs);
  }

  /** Reads the book, with what goes wrong. */
  async ask<Finding>(
    read: () => Finding,
    fault: Fault | undefined,
    deadlineMs: number,
  ): Promise<Finding | Unreachable> {
    if (this.#closed) return { ...closed, type: "unreachable" };
    if (fault === "not_sent") return { ...connectionRefused, type: "unreachable" };
    const late: Unreachable = { ...timedOut, type: "unreachable" };
    if (fault?.startsWith("timeout")) return this.#pause(deadlineMs, late);
    let finding: Finding | Unreachable;
    try {
      finding = fault?.startsWith("error") ? { ...gatewayError, type: "unreachable" } : read();
    } catch (error) {
      finding = { type: "unreachable", ...bookFailed(error) };
    }
    return this.latencyMs === 0 ? finding : this.#answerLate(finding, late, deadlineMs);
  }

  /** Resolves what is waiting; whoever calls from now on is told that nothing was sent. */
  close(): void {
    this.#closed = true;
    for (const end of this.#pauses) end();
  }

  async #outcomeBefore<Answer>(
    fault: Fault,
    refusal: Answer | undefined,
    deadlineMs: number,
  ): Promise<Answer | Failed | undefined> {
    if (fault === "not_sent") return connectionRefused;
    if (fault === "timeout_before") return this.#pause(deadlineMs, timedOut);
    if (fault === "error_before") return this.#answerLate<Failed>(gatewayError, timedOut, deadlineMs);
    if (refusal === undefined || (fault !== "declined" && fault !== "refund_declined")) return undefined;
    return this.#answerLate<Answer | Failed>(refusal, timedOut, deadlineMs);
  }

  /**
   * Lets what is left of the latency pass. What takes longer than the deadline is not known to the caller, though it
   * happened.
   */
  #answerLate<Answer>(answer: Answer, late: Answer, deadlineMs: number, passedMs = 0): Promise<Answer> {
    if (this.latencyMs >= deadlineMs) return this.#pause(deadlineMs - passedMs, late);
    return this.#pause(this.latencyMs - passedMs, answer);
  }

  /** Resolves after a while, or as soon as the gateway is closed. */
  #pause<Answer>(pauseMs: number, answer: Answer): Promise<Answer> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#pauses.delete(end);
        resolve(answer);
      };
      // Whole milliseconds: Node keeps one list, which costs nothing to add to, for each length of a timer.
      const timer = setTimeout(end, Math.max(1, Math.ceil(pauseMs)));
      if (this.#closed) end();
      else this.#pauses.add(end);
    });
  }
}
