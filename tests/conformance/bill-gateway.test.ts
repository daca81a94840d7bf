import { rmSync } from "node:fs";
import { join } from "node:path";
import { createSimulator, type SimulatedCall } from "../../src/infrastructure/gateways/simulator/simulator.ts";
import { describeBillGateway, payingBills } from "./bill-gateway.ts";
import type { DisbursingFault, DisbursingUnderTest } from "./disbursing.ts";
import { newHome } from "./gateway-under-test.ts";

async function startSimulator(home: string, latencyMs: number): Promise<DisbursingUnderTest> {
  const failing = new Map<SimulatedCall["operation"], DisbursingFault>();
  const common = { latencyMs, payAfterMs: 0, buyer: "absent", webhook: null } as const;
  const faults = ({ operation }: SimulatedCall) => failing.get(operation);
  const simulator = createSimulator({ ...common, path: join(home, "simulator.db"), faults });
  const unreachable = createSimulator({ ...common, path: join(home, "unreachable.db"), faults: () => "not_sent" });
  const stop = () => Promise.all([simulator.close(), unreachable.close()]);
  return {
    ...payingBills(simulator.bills),
    unreachable: payingBills(unreachable.bills),
    paidOf: (paymentId) => simulator.billPaymentsOf(paymentId),
    fail(call, fault) {
      const operation = call === "pay" ? "pay_bill" : "find_bill";
      if (fault === undefined) failing.delete(operation);
      else failing.set(operation, fault);
    },
    async restart() {
      await stop();
      return startSimulator(home, latencyMs);
    },
    async close() {
      await stop();
      rmSync(home, { recursive: true });
    },
  };
}

describeBillGateway("the simulator", (latencyMs) => startSimulator(newHome(), latencyMs));
