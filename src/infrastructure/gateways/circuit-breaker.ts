import { BrokenCircuitError, CircuitState, circuitBreaker, handleWhenResult, type IBreaker } from "cockatiel";
import type { PaymentGateway } from "../../movements/ports.ts";

export type BreakerState = "closed" | "open" | "half_open";

export type CircuitBreakerOptions = {
  /** So many failures within `windowMs` open the circuit. */
  readonly failures?: number;
  readonly windowMs?: number;
  /** How long the circuit stays open before one call is let through to probe the gateway. */
  readonly openMs?: number;
  readonly onStateChange?: (state: BreakerState) => void;
};

export type GuardedGateway = PaymentGateway & { readonly breaker: { state(): BreakerState } };

type Answer = { readonly type: string };

const stateNames: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: "closed",
  [CircuitState.Open]: "open",
  [CircuitState.HalfOpen]: "half_open",
  [CircuitState.Isolated]: "open",
};

const circuitOpen = {
  code: "gateway_circuit_open",
  message: "The gateway has failed repeatedly and is not called for the moment.",
} as const;

/** Faults of the gateway. A decline is an answer, and so is "there is no such intent" (or refund). */
function isFault(answer: unknown): boolean {
  const { type } = answer as Answer;
  return type === "not_sent" || type === "unknown" || type === "unreachable";
}

/** Counts failures in the window that ends now; successes in between do not take failures back. */
class SlidingWindow implements IBreaker {
  state: unknown = undefined;
  #failedAt: number[] = [];
  readonly #failures: number;
  readonly #windowMs: number;
  readonly #isClosed: () => boolean;

  constructor(failures: number, windowMs: number, isClosed: () => boolean) {
    this.#failures = failures;
    this.#windowMs = windowMs;
    this.#isClosed = isClosed;
  }

  success(): void {}

  /** Whether this failure opens the circuit. Calls from before it opened may fail after: they decide nothing. */
  failure(): boolean {
    if (!this.#isClosed()) return false;
    const now = Date.now();
    this.#failedAt = this.#failedAt.filter((at) => now - at < this.#windowMs);
    this.#failedAt.push(now);
    if (this.#failedAt.length < this.#failures) return false;
    this.#failedAt = [];
    return true;
  }
}

/**
 * Keeps a failing gateway from being called: 5 faults within 60 s open the circuit, 30 s later exactly one call probes
 * it, whose success closes the circuit and whose failure opens it for another 30 s. While it is open, and for everybody
 * but the probe, calls are answered `not_sent` (or `unreachable`) at once; nobody waits for the probe.
 */
export function withCircuitBreaker(gateway: PaymentGateway, options: CircuitBreakerOptions = {}): GuardedGateway {
  const { failures = 5, windowMs = 60_000, openMs = 30_000, onStateChange } = options;
  const breaker = new SlidingWindow(failures, windowMs, () => circuit.state === CircuitState.Closed);
  const circuit = circuitBreaker(handleWhenResult(isFault), { breaker, halfOpenAfter: openMs });
  if (onStateChange !== undefined) circuit.onStateChange((state) => onStateChange(stateNames[state]));

  /** Cockatiel throws only where it refuses to call: a gateway resolves whatever happens, and so does this. */
  async function guard<Outcome extends Answer>(call: () => Promise<Outcome>, refused: Outcome): Promise<Outcome> {
    // Cockatiel would let this caller wait for the probe's result, which may take as long as its deadline.
    if (circuit.state === CircuitState.HalfOpen) return refused;
    try {
      return await circuit.execute(call);
    } catch (error) {
      if (error instanceof BrokenCircuitError) return refused;
      throw error;
    }
  }

  return {
    name: gateway.name,
    readAmount: (units, currency) => gateway.readAmount(units, currency),
    createIntent: (request, deadlineMs) =>
      guard(() => gateway.createIntent(request, deadlineMs), { type: "not_sent", ...circuitOpen }),
    cancelIntent: (request, deadlineMs) =>
      guard(() => gateway.cancelIntent(request, deadlineMs), { type: "not_sent", ...circuitOpen }),
    captureIntent: (request, deadlineMs) =>
      guard(() => gateway.captureIntent(request, deadlineMs), { type: "not_sent", ...circuitOpen }),
    createRefund: (request, deadlineMs) =>
      guard(() => gateway.createRefund(request, deadlineMs), { type: "not_sent", ...circuitOpen }),
    findRefund: (request, deadlineMs) =>
      guard(() => gateway.findRefund(request, deadlineMs), { type: "unreachable", ...circuitOpen }),
    listSettlements: (request, deadlineMs) =>
      guard(() => gateway.listSettlements(request, deadlineMs), { type: "unreachable", ...circuitOpen }),
    findIntent: (request, deadlineMs) =>
      guard(() => gateway.findIntent(request, deadlineMs), { type: "unreachable", ...circuitOpen }),
    close: () => gateway.close(),
    breaker: { state: () => stateNames[circuit.state] },
  };
}
