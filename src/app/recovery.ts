import type { Logger } from "pino";
import type { Metrics } from "../infrastructure/telemetry/metrics.ts";
import type { Tracer } from "../infrastructure/telemetry/tracer.ts";
import { traceOf } from "../infrastructure/telemetry/traces.ts";
import { type BillsContext, billJobs } from "../modules/bills/index.ts";
import { type PaymentsContext, paymentJobs } from "../modules/payments/index.ts";
import { type PayoutsContext, payoutJobs } from "../modules/payouts/index.ts";
import { type RecoverySettings, type SweeperJob, type Trace, untraced } from "../movements/index.ts";

export type Movements = {
  readonly payments: PaymentsContext;
  readonly bills: BillsContext;
  readonly payouts: PayoutsContext;
};

/** What was accepted and never settled is taken up again, of every kind of movement. */
export function recoveryJobs(
  { payments, bills, payouts }: Movements,
  { metrics, tracer, logger }: { readonly metrics: Metrics; readonly tracer: Tracer; readonly logger: Logger },
): SweeperJob[] {
  const settings = (policy: keyof Movements): RecoverySettings => ({
    resumeTrace: (traceparent) => resume(tracer, traceparent),
    onFailure: (attempt, error) =>
      logger.error({ attempt, error }, "an attempt could not be recovered; it is due again"),
    onDue: (attempts) => metrics.sweeperDue(attempts, policy),
  });
  return [
    ...paymentJobs(payments, settings("payments")),
    ...billJobs(bills, settings("bills")),
    ...payoutJobs(payouts, settings("payouts")),
  ];
}

function resume(tracer: Tracer, traceparent: string | null): Trace {
  if (traceparent === null) return untraced;
  const span = tracer.startSpan("recovery", traceparent);
  span.end();
  return traceOf(tracer, span);
}

const headLogIntervalMs = 60_000;

/** Tells the log the head of the hash chain, once a minute: kept elsewhere, it proves that nothing was rewritten. */
export function headLog(logger: Logger): (head: string) => void {
  let loggedAtMs = Number.NEGATIVE_INFINITY;
  return (head) => {
    if (performance.now() - loggedAtMs < headLogIntervalMs) return;
    loggedAtMs = performance.now();
    logger.info({ head }, "the ledger is sealed up to this head");
  };
}
