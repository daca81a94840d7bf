import { describe } from "node:test";
import type { BillGateway } from "../../src/movements/ports.ts";
import { type Disbursing, type DisbursingSetup, describeDisbursing } from "./disbursing.ts";

/** A gateway that pays bills, as the suite calls it: a retry is a new attempt for the same payment. */
export function payingBills(gateway: BillGateway): Disbursing {
  return {
    pay: ({ attemptId, subject: paymentId, amount }, deadlineMs) =>
      gateway.payBill({ attemptId, paymentId, reference: "FAC-12345", amount, retry: 0 }, deadlineMs),
    find: ({ attemptId, subject: paymentId }, deadlineMs) =>
      gateway.findBillPayment({ attemptId, paymentId }, deadlineMs),
  };
}

/** Every promise that a {@link BillGateway} makes, as tests of one adapter. */
export function describeBillGateway(name: string, setup: DisbursingSetup): void {
  describe(`${name} is a bill gateway`, () => describeDisbursing(setup));
}
