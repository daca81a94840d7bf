import type { Money } from "../../../kernel/money.ts";
import type { GatewayFailure } from "../../../movements/ports.ts";
import { type Classified, classifyStripeError, connectionLost } from "./classify.ts";

/** What came of a call that changes something: what Stripe answered with, or how it failed. */
export type Called<Answer> =
  | { readonly type: "answered"; readonly answer: Answer }
  | (Classified & { readonly error?: unknown });

/** How many milliseconds are left of a deadline. */
export type MsLeft = () => number;

type Unreachable = { readonly type: "unreachable" } & GatewayFailure;

/** A repetition with less time than this left would only turn one unknown into another. */
const leastRepetitionMs = 50;
export const listPageSize = 100;
const listPagesAtMost = 20;

const tooLate = {
  type: "unknown",
  code: "gateway_timeout",
  message: "Stripe did not answer within the deadline.",
} as const;

function startDeadline(deadlineMs: number): MsLeft {
  const until = performance.now() + deadlineMs;
  return () => Math.ceil(until - performance.now());
}

/** The options of a request that only asks: it is sent once, in what is left of the deadline. */
export function onceWithin(msLeft: MsLeft) {
  return { timeout: Math.max(1, msLeft()), maxNetworkRetries: 0 };
}

export function notSupported({ currency }: Money): GatewayFailure {
  return { code: "amount_not_supported_by_gateway", message: `Stripe does not take this amount of ${currency}.` };
}

/** Asks for something, and changes nothing. */
export async function askStripe<Finding>(
  deadlineMs: number,
  ask: (msLeft: MsLeft) => Promise<Finding>,
): Promise<Finding | Unreachable> {
  const msLeft = startDeadline(deadlineMs);
  try {
    return await within(msLeft(), ask(msLeft), { ...tooLate, type: "unreachable" } as const);
  } catch (error) {
    const { code, message } = classifyStripeError(error);
    return { type: "unreachable", code, message };
  }
}

/** Runs a request that changes something, and once more where its connection broke: the key makes that harmless. */
export async function changeStripe<Answer>(
  deadlineMs: number,
  call: (timeout: number) => Promise<Answer>,
): Promise<Called<Answer>> {
  const msLeft = startDeadline(deadlineMs);
  const first = await attempt(msLeft(), call);
  if (first.type !== "unknown" || first.code !== connectionLost || msLeft() < leastRepetitionMs) return first;
  const second = await attempt(msLeft(), call);
  // That the repetition was not taken says nothing about the first, which may have been.
  return second.type === "not_sent" ? first : second;
}

async function attempt<Answer>(
  deadlineMs: number,
  call: (timeout: number) => Promise<Answer>,
): Promise<Called<Answer>> {
  const timeout = Math.max(1, deadlineMs);
  try {
    // The SDK's timeout is about a silent socket; an answer that trickles in would outlast it.
    return await within<Called<Answer>>(
      timeout,
      call(timeout).then((answer) => ({ type: "answered", answer })),
      tooLate,
    );
  } catch (error) {
    return { ...classifyStripeError(error), error };
  }
}

async function within<Answer, Late = Answer>(
  deadlineMs: number,
  answer: Promise<Answer>,
  late: Late,
): Promise<Answer | Late> {
  let timer: NodeJS.Timeout | undefined;
  const lateAnswer = new Promise<Late>((resolve) => {
    timer = setTimeout(() => resolve(late), Math.max(1, deadlineMs));
  });
  try {
    return await Promise.race([answer, lateAnswer]);
  } finally {
    clearTimeout(timer);
  }
}

type Listed = { readonly id: string; readonly metadata: Readonly<Record<string, string>> | null };
type Page = { readonly limit: number; readonly starting_after?: string };

/**
 * Looks for what one of our attempts made in a list of Stripe's, newest first and at most 2,000 items: `list` asks for
 * a page. Throws what the SDK throws.
 */
export async function findInList<Item extends Listed>(
  what: string,
  attemptId: string,
  list: (page: Page) => Promise<{ readonly data: readonly Item[]; readonly has_more: boolean }>,
): Promise<{ readonly type: "found"; readonly item: Item } | { readonly type: "absent" } | Unreachable> {
  let after: string | undefined;
  for (let page = 0; page < listPagesAtMost; page++) {
    const { data, has_more } = await list({
      limit: listPageSize,
      ...(after === undefined ? {} : { starting_after: after }),
    });
    const item = data.find(({ metadata }) => metadata?.marketflow_attempt_id === attemptId);
    if (item !== undefined) return { type: "found", item };
    after = data.at(-1)?.id;
    if (!has_more || after === undefined) return { type: "absent" };
  }
  const looked = listPagesAtMost * listPageSize;
  const message = `The ${what} is not among the ${looked} newest; older ones were not looked at.`;
  return { type: "unreachable", code: "gateway_list_too_long", message };
}
