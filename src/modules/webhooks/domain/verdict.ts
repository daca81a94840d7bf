import { disabledAfterMs } from "./endpoint.ts";
import { pauseAfter } from "./schedule.ts";

/** What a try to deliver told us: the endpoint's status and what it asks for, or that there was no answer. */
export type TryResult =
  | { readonly type: "answered"; readonly status: number; readonly retryAfterMs: number | null }
  | { readonly type: "not_answered"; readonly error: string };

/** What becomes of a delivery after a try. The error is for the endpoint's owner; null where it arrived. */
export type Verdict = {
  readonly delivery: { readonly status: "delivered" | "failed" } | { readonly status: "pending"; pauseMs: number };
  readonly error: string | null;
  /** What the endpoint learns from it: nothing, that it works again, that it begins to fail, that it is disabled. */
  readonly endpoint: "unchanged" | "recovered" | "begins_to_fail" | "gone" | "failing";
};

export type TryFacts = {
  /** Tries of the delivery, with this one. */
  readonly tries: number;
  /** Since when nothing has reached its endpoint; null where the last one did. */
  readonly failingForMs: number | null;
  readonly random: number;
};

/** 2xx is the only success: a redirect is none, and is not followed. 410 says that nothing more is wanted. */
export function judge(result: TryResult, { tries, failingForMs, random }: TryFacts): Verdict {
  if (result.type === "answered" && result.status >= 200 && result.status < 300) {
    const endpoint = failingForMs === null ? "unchanged" : "recovered";
    return { delivery: { status: "delivered" }, error: null, endpoint };
  }
  if (result.type === "answered" && result.status === 410) {
    const error = "the endpoint answered 410 Gone and was disabled";
    return { delivery: { status: "failed" }, error, endpoint: "gone" };
  }
  const pauseMs = pauseAfter(tries, result.type === "answered" ? result.retryAfterMs : null, random);
  return {
    delivery: pauseMs === null ? { status: "failed" } : { status: "pending", pauseMs },
    error: result.type === "answered" ? wordsFor(result.status) : result.error,
    endpoint: failingForMs === null ? "begins_to_fail" : failingForMs >= disabledAfterMs ? "failing" : "unchanged",
  };
}

function wordsFor(status: number): string {
  return status >= 300 && status < 400
    ? `the endpoint answered ${status}; redirects are not followed, register the address that they lead to`
    : `the endpoint answered ${status}`;
}
