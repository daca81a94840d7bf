import { startSimulatedApp } from "../support/simulated-app.ts";

// The API, which kills itself with SIGKILL when its first refund is at the step that REFUND_DIES names: "accepted" (the
// gateway has not heard of it), "called" (the gateway has made it, and nothing is settled) or "settled".

await startSimulatedApp(process.env, {
  onStep(at, operation) {
    if (operation === "refund" && at === process.env["REFUND_DIES"]) process.kill(process.pid, "SIGKILL");
  },
});
