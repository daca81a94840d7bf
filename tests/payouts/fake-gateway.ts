import type { CreatePayoutRequest, DisbursementOutcome, PayoutGateway } from "../../src/movements/index.ts";

/** What the gateway does with a call. After a timeout "after paying" it knows of the payout, and we do not. */
export type Plan =
  | "pay"
  | { readonly decline: string; readonly code?: string }
  | "times out after paying"
  | "times out before paying"
  | "is not reached";

/** A gateway that does as it is told and remembers what it decided, as the port demands of every adapter. */
export type FakeGateway = PayoutGateway & {
  /** Every payment that it made, in order: whoever was paid twice is here twice. */
  readonly payments: CreatePayoutRequest[];
  /** How often it was asked to pay and how often what became of a payout. */
  readonly asked: { pay: number; find: number };
  plan: (request: CreatePayoutRequest) => Plan;
  latencyMs: number;
  reachable: boolean;
};

type Decision = Extract<DisbursementOutcome, { type: "succeeded" | "declined" }>;

export function createFakeGateway(name = "fake"): FakeGateway {
  const decisions = new Map<string, Decision>();
  const unreachable = { code: "gateway_unreachable", message: "Nothing could be sent." };
  const silent = { type: "unknown", code: "gateway_timeout", message: "There was no answer in time." } as const;

  function decide(request: CreatePayoutRequest, plan: Plan): Decision {
    const decided: Decision =
      typeof plan === "object"
        ? { type: "declined", code: plan.code ?? "account_closed", message: plan.decline }
        : { type: "succeeded", gatewayReference: `po_${request.attemptId}` };
    decisions.set(request.attemptId, decided);
    if (decided.type === "succeeded") fake.payments.push(request);
    return decided;
  }

  const fake: FakeGateway = {
    name,
    payments: [],
    asked: { pay: 0, find: 0 },
    plan: () => "pay",
    latencyMs: 0,
    reachable: true,
    async createPayout(request) {
      fake.asked.pay += 1;
      if (fake.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, fake.latencyMs));
      const decided = decisions.get(request.attemptId);
      if (decided !== undefined) return decided;
      const plan = fake.reachable ? fake.plan(request) : "is not reached";
      if (plan === "is not reached") return { type: "not_sent", ...unreachable };
      if (plan === "times out before paying") return silent;
      const decision = decide(request, plan);
      return plan === "times out after paying" ? silent : decision;
    },
    async findPayout({ attemptId }) {
      fake.asked.find += 1;
      if (!fake.reachable) return { type: "unreachable", ...unreachable };
      return decisions.get(attemptId) ?? { type: "absent" };
    },
  };
  return fake;
}
