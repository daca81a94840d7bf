import type { BillGateway, PaymentGateway, PayoutGateway } from "../../movements/ports.ts";

/** Binds the histogram of one operation; the result takes the outcome and milliseconds. */
export type GatewayMetric = (gateway: string, operation: string) => (outcome: string, durationMs: number) => void;

type Measured = <Outcome extends { readonly type: string }>(call: Promise<Outcome>) => Promise<Outcome>;

/** Measures calls of one operation by what came of them. */
function measuring(metric: GatewayMetric, gateway: { readonly name: string }, operation: string): Measured {
  const record = metric(gateway.name, operation);
  return async (call) => {
    const beganMs = performance.now();
    const outcome = await call;
    record(outcome.type, performance.now() - beganMs);
    return outcome;
  };
}

/** The gateway with every call measured by what came of it. */
export function withMetrics(gateway: PaymentGateway, metric: GatewayMetric): PaymentGateway {
  const create = measuring(metric, gateway, "create");
  const cancel = measuring(metric, gateway, "cancel");
  const capture = measuring(metric, gateway, "capture");
  const refund = measuring(metric, gateway, "refund");
  const find = measuring(metric, gateway, "find");
  const findRefund = measuring(metric, gateway, "find_refund");
  const settlements = measuring(metric, gateway, "settlements");
  return {
    name: gateway.name,
    readAmount: (units, currency) => gateway.readAmount(units, currency),
    createIntent: (request, deadlineMs) => create(gateway.createIntent(request, deadlineMs)),
    cancelIntent: (request, deadlineMs) => cancel(gateway.cancelIntent(request, deadlineMs)),
    captureIntent: (request, deadlineMs) => capture(gateway.captureIntent(request, deadlineMs)),
    createRefund: (request, deadlineMs) => refund(gateway.createRefund(request, deadlineMs)),
    findRefund: (request, deadlineMs) => findRefund(gateway.findRefund(request, deadlineMs)),
    listSettlements: (request, deadlineMs) => settlements(gateway.listSettlements(request, deadlineMs)),
    findIntent: (request, deadlineMs) => find(gateway.findIntent(request, deadlineMs)),
    close: () => gateway.close(),
  };
}

/** As {@link withMetrics}, of a gateway that pays bills. */
export function measureBills(gateway: BillGateway, metric: GatewayMetric): BillGateway {
  const pay = measuring(metric, gateway, "pay_bill");
  const find = measuring(metric, gateway, "find_bill");
  return {
    name: gateway.name,
    payBill: (request, deadlineMs) => pay(gateway.payBill(request, deadlineMs)),
    findBillPayment: (request, deadlineMs) => find(gateway.findBillPayment(request, deadlineMs)),
  };
}

/** As {@link withMetrics}, of a gateway that pays affiliates and sellers out. */
export function measurePayouts(gateway: PayoutGateway, metric: GatewayMetric): PayoutGateway {
  const pay = measuring(metric, gateway, "payout");
  const find = measuring(metric, gateway, "find_payout");
  return {
    name: gateway.name,
    createPayout: (request, deadlineMs) => pay(gateway.createPayout(request, deadlineMs)),
    findPayout: (request, deadlineMs) => find(gateway.findPayout(request, deadlineMs)),
  };
}
