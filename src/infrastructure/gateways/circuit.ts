import type { GatewayFailure } from "../../movements/ports.ts";

export type CircuitState = "closed" | "open" | "half_open";

export type CircuitOptions = {
  /** So many faults within `windowMs` open the circuit; 5 in 60 s unless said otherwise. */
  readonly failures?: number | undefined;
  readonly windowMs?: number | undefined;
  /** How long the circuit stays open before one call is let through to probe the gateway; 30 s. */
  readonly openMs?: number | undefined;
  /** Milliseconds, as `Date.now`. */
  readonly nowMs?: (() => number) | undefined;
  readonly onStateChange?: ((state: CircuitState) => void) | undefined;
};

/** Keeps a gateway that fails from being called. */
export type Circuit = {
  state(): CircuitState;
  /** Calls the gateway, or answers `refused` at once where it is left alone. Rejects only as the call does. */
  run<Answer extends { readonly type: string }>(call: () => Promise<Answer>, refused: Answer): Promise<Answer>;
};

/** Why a call was not made. */
export const circuitOpen: GatewayFailure = {
  code: "gateway_circuit_open",
  message: "The gateway has failed repeatedly and is not called for the moment.",
};

/** Faults of the gateway. A decline is an answer, and so is "there is no such intent". */
function isFault({ type }: { readonly type: string }): boolean {
  return type === "not_sent" || type === "unknown" || type === "unreachable";
}

/**
 * A circuit breaker: 5 faults within 60 s open it, 30 s later exactly one call probes the gateway, whose success closes
 * the circuit and whose fault opens it for another 30 s. Successes take no faults back, nobody waits for the probe, and
 * calls that began before the circuit opened decide nothing when they end.
 */
export function createCircuit(options: CircuitOptions = {}): Circuit {
  const { failures = 5, windowMs = 60_000, openMs = 30_000, nowMs = Date.now, onStateChange } = options;
  let state: CircuitState = "closed";
  let openedAt = 0;
  /** Counts the states: what began in another one than the present decides nothing. */
  let era = 0;
  let failedAt: number[] = [];

  function turn(to: CircuitState): void {
    state = to;
    era++;
    failedAt = [];
    if (to === "open") openedAt = nowMs();
    onStateChange?.(to);
  }

  /** What a call that began in the present state came to. */
  function conclude(failed: boolean): void {
    if (state === "half_open") turn(failed ? "open" : "closed");
    else if (failed) count();
  }

  function count(): void {
    const now = nowMs();
    failedAt = failedAt.filter((at) => now - at < windowMs);
    failedAt.push(now);
    if (failedAt.length >= failures) turn("open");
  }

  return {
    state: () => state,
    async run(call, refused) {
      if (state === "half_open") return refused;
      if (state === "open") {
        if (nowMs() - openedAt < openMs) return refused;
        turn("half_open");
      }
      const began = era;
      // A gateway that throws is a bug, but the probe's place must not stay taken.
      let failed = true;
      try {
        const answer = await call();
        failed = isFault(answer);
        return answer;
      } finally {
        if (began === era) conclude(failed);
      }
    },
  };
}
