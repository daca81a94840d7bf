import type { BillGateway, PaymentGateway, PayoutGateway } from "../../movements/ports.ts";
import { type Circuit, circuitOpen } from "./circuit.ts";

/** A gateway, and the circuit that its calls go through. */
export type Guarded<Gateway> = Gateway & { readonly breaker: Circuit };

const notSent = { type: "not_sent", ...circuitOpen } as const;
const unreachable = { type: "unreachable", ...circuitOpen } as const;

/**
 * The gateway behind a circuit: while it is open, and for everybody but the probe, calls are answered `not_sent`, and
 * questions `unreachable`, at once.
 */
export function withCircuitBreaker(gateway: PaymentGateway, circuit: Circuit): Guarded<PaymentGateway> {
  return {
    name: gateway.name,
    readAmount: (units, currency) => gateway.readAmount(units, currency),
    createIntent: (request, deadlineMs) => circuit.run(() => gateway.createIntent(request, deadlineMs), notSent),
    cancelIntent: (request, deadlineMs) => circuit.run(() => gateway.cancelIntent(request, deadlineMs), notSent),
    captureIntent: (request, deadlineMs) => circuit.run(() => gateway.captureIntent(request, deadlineMs), notSent),
    createRefund: (request, deadlineMs) => circuit.run(() => gateway.createRefund(request, deadlineMs), notSent),
    findRefund: (request, deadlineMs) => circuit.run(() => gateway.findRefund(request, deadlineMs), unreachable),
    listSettlements: (request, deadlineMs) =>
      circuit.run(() => gateway.listSettlements(request, deadlineMs), unreachable),
    findIntent: (request, deadlineMs) => circuit.run(() => gateway.findIntent(request, deadlineMs), unreachable),
    close: () => gateway.close(),
    breaker: circuit,
  };
}

/** As {@link withCircuitBreaker}, of a gateway that pays bills. */
export function guardBills(gateway: BillGateway, circuit: Circuit): Guarded<BillGateway> {
  return {
    name: gateway.name,
    payBill: (request, deadlineMs) => circuit.run(() => gateway.payBill(request, deadlineMs), notSent),
    findBillPayment: (request, deadlineMs) =>
      circuit.run(() => gateway.findBillPayment(request, deadlineMs), unreachable),
    breaker: circuit,
  };
}

/** As {@link withCircuitBreaker}, of a gateway that pays affiliates and sellers out. */
export function guardPayouts(gateway: PayoutGateway, circuit: Circuit): Guarded<PayoutGateway> {
  return {
    name: gateway.name,
    createPayout: (request, deadlineMs) => circuit.run(() => gateway.createPayout(request, deadlineMs), notSent),
    findPayout: (request, deadlineMs) => circuit.run(() => gateway.findPayout(request, deadlineMs), unreachable),
    breaker: circuit,
  };
}
