import type { Fault } from "../../src/infrastructure/gateways/simulator/magic-amounts.ts";
import { startSimulatedApp } from "../support/simulated-app.ts";

// The API over a gateway on which FAULTS calls go wrong, at random: more than four of them open the circuit.

const kinds: readonly Fault[] = ["error_before", "error_after", "timeout_before", "timeout_after", "not_sent"];
const chance = 0.01;
let left = Number(process.env["FAULTS"]);

const app = await startSimulatedApp(process.env, {
  faults() {
    if (left === 0 || Math.random() > chance) return undefined;
    left -= 1;
    return kinds[Math.floor(Math.random() * kinds.length)];
  },
});

process.once("SIGTERM", () => app.close().then(() => process.exit(0)));
