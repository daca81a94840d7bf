// Owns: money in. Payments, the attempts to have a gateway make or cancel them, and the inbox of the gateway's events.
// Invariants: one payment for each key; nothing is called before it is committed; a status only moves up its order.
// Called by: the composition root (routes, jobs), and orders later.
export { paymentChecks } from "./application/audit-payments.ts";
export {
  type CommissionRate,
  listCommissionRates,
  setCommissionRate,
} from "./application/commission-rates.ts";
export type { PaymentsContext } from "./application/context.ts";
export { createPaymentLanes } from "./application/lanes.ts";
export { registerPaymentRoutes } from "./http/routes.ts";
export { paymentJobs } from "./jobs.ts";
