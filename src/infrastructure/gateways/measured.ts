import type { PaymentGateway } from "../../movements/ports.ts";

/** Binds the histogram of one operation; the result takes the outcome and milliseconds. */
export type GatewayMetric = (gateway: string, operation: string) => (outcome: string, durationMs: number) => void;

/** The gateway with every call measured by what came of it. */
export function withMetrics(gateway: PaymentGateway, metric: GatewayMetric): PaymentGateway {
  const record = {
    create: metric(gateway.name, "create"),
    cancel: metric(gateway.name, "cancel"),
    capture: metric(gateway.name, "capture"),
    refund: metric(gateway.name, "refund"),
    find: metric(gateway.name, "find"),
    find_refund: metric(gateway.name, "find_refund"),
    settlements: metric(gateway.name, "settlements"),
  };

  async function measured<Outcome extends { readonly type: string }>(
    call: Promise<Outcome>,
    operation: keyof typeof record,
  ): Promise<Outcome> {
    const beganMs = performance.now();
    const outcome = await call;
    record[operation](outcome.type, performance.now() - beganMs);
    return outcome;
  }

  return {
    name: gateway.name,
    readAmount: (units, currency) => gateway.readAmount(units, currency),
    createIntent: (request, deadlineMs) => measured(gateway.createIntent(request, deadlineMs), "create"),
    cancelIntent: (request, deadlineMs) => measured(gateway.cancelIntent(request, deadlineMs), "cancel"),
    captureIntent: (request, deadlineMs) => measured(gateway.captureIntent(request, deadlineMs), "capture"),
    createRefund: (request, deadlineMs) => measured(gateway.createRefund(request, deadlineMs), "refund"),
    findRefund: (request, deadlineMs) => measured(gateway.findRefund(request, deadlineMs), "find_refund"),
    listSettlements: (request, deadlineMs) => measured(gateway.listSettlements(request, deadlineMs), "settlements"),
    findIntent: (request, deadlineMs) => measured(gateway.findIntent(request, deadlineMs), "find"),
    close: () => gateway.close(),
  };
}
