import type { FastifyInstance } from "fastify";
import type { BillGateway, PaymentGateway, PayoutGateway, Step } from "../movements/index.ts";
import type { Settings } from "../settings.ts";

/** The settings an application is built from: where its database is has been decided by now. */
export type AppSettings = Settings & {
  readonly databaseUrl: string;
  readonly stripeWebhookSecret: string;
  /** True where this process also publishes events and sends webhooks, as the sandbox does. */
  readonly publishes?: boolean;
};

/** The two public listeners. */
export type ListenerName = "marketplace" | "partner";

/** What tests put in place of the edges: the gateways, the clock, and where a process dies. */
export type AppOverrides = {
  /** Closed with the application. */
  readonly gateways?: Gateways;
  readonly nowMs?: () => number;
  readonly onStep?: (step: Step, operation: string, attemptId: string) => void;
  /** Called with each listener before its routes are there: the OpenAPI documents are made from them. */
  readonly onServer?: (server: FastifyInstance, name: ListenerName) => Promise<void>;
};

/** Whoever moves the money for us. */
export type Gateways = {
  readonly payments: PaymentGateway;
  readonly bills: BillGateway;
  readonly payouts: PayoutGateway;
  close(): Promise<void>;
};
