import type { GatewayOutcome } from "../../src/movements/index.ts";
import { startSimulatedApp } from "../support/simulated-app.ts";

// The API, which kills itself with SIGKILL at a step. CRASH_STEP is "accepted" (the gateway has heard of nothing),
// "called" (it has answered, nothing is settled) or "settled" (settled, or postponed where the outcome is open), and
// CRASH_PAYMENTS is how many payments must be at that step. Payments with the reference "not_sent" do not reach the
// gateway from here.

const step = process.env["CRASH_STEP"];
const payments = Number(process.env["CRASH_PAYMENTS"]);

const { promise: allAnswered, resolve: letGo } = Promise.withResolvers<void>();
let answered = 0;

/** Holds each payment at the gateway's door until all are there, so that all of them are at the step. */
async function held(call: () => Promise<GatewayOutcome>): Promise<GatewayOutcome> {
  if (step === "accepted") return await new Promise(() => undefined);
  const outcome = await call();
  if (step === "called") {
    answered += 1;
    if (answered === payments) letGo();
    await allAnswered;
  }
  return outcome;
}

const reached = new Set<string>();

await startSimulatedApp(process.env, {
  faults: ({ operation, request }) =>
    operation === "create" && request.reference === "not_sent" ? "not_sent" : undefined,
  wrap: (simulator) => ({
    name: simulator.name,
    readAmount: (units, currency) => simulator.readAmount(units, currency),
    createIntent: (request, deadlineMs) => held(() => simulator.createIntent(request, deadlineMs)),
    cancelIntent: (request, deadlineMs) => simulator.cancelIntent(request, deadlineMs),
    findIntent: (request, deadlineMs) => simulator.findIntent(request, deadlineMs),
    captureIntent: (request, deadlineMs) => simulator.captureIntent(request, deadlineMs),
    createRefund: (request, deadlineMs) => simulator.createRefund(request, deadlineMs),
    findRefund: (request, deadlineMs) => simulator.findRefund(request, deadlineMs),
    listSettlements: (request, deadlineMs) => simulator.listSettlements(request, deadlineMs),
    close: () => simulator.close(),
  }),
  onStep(at, _operation, attemptId) {
    if (at !== step && !(step === "settled" && at === "postponed")) return;
    reached.add(attemptId);
    if (step === "called" || reached.size === payments) process.kill(process.pid, "SIGKILL");
  },
});
