import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCurrency } from "../../src/kernel/currency.ts";
import type { Money } from "../../src/kernel/money.ts";
import type {
  CreateIntentRequest,
  FindIntentRequest,
  GatewayIntent,
  PaymentGateway,
} from "../../src/movements/ports.ts";

/** What a test can let go wrong with every call of one operation, until it is told otherwise. */
export type ConformanceFault =
  | "declined"
  | "declined_later"
  | "error_before"
  | "error_after"
  | "timeout_before"
  | "timeout_after"
  | "timeout_after_charge";

export type Operation = "create" | "cancel" | "capture" | "refund" | "find" | "find_refund" | "settlements";

/** A gateway with everything behind it that the suite has to steer and to ask. */
export type GatewayUnderTest = {
  readonly gateway: PaymentGateway;
  /** The same gateway where nobody listens. */
  readonly unreachable: PaymentGateway;
  /** What an independent witness says was charged for a payment. */
  chargesOf(paymentId: string): readonly { readonly amountMinor: bigint }[];
  /** What the same witness says was given back. */
  refundsOf(paymentId: string): readonly { readonly amountMinor: bigint }[];
  /** Lets the gateway's clock jump ahead; it looks at it at least once a second. */
  advance(milliseconds: number): void;
  fail(operation: Operation, fault: ConformanceFault | undefined): void;
  /** Stops all of it and starts it again over what it stored. */
  restart(): Promise<GatewayUnderTest>;
  close(): Promise<void>;
};

/** Starts the gateway over an empty state, with a buyer who pays after some milliseconds, or never. */
export type GatewaySetup = (buyer: { payAfterMs: number } | "absent") => Promise<GatewayUnderTest>;

export const deadlineMs = 5000;
/** How long a call may go on after its deadline, on a machine that does other things as well. */
export const marginMs = 250;

export function money(amountMinor: bigint, code: string): Money {
  const currency = parseCurrency(code);
  assert(currency !== undefined);
  return { amountMinor, currency };
}

export function aRequest(change: Partial<CreateIntentRequest> = {}): CreateIntentRequest {
  const paymentId = randomUUID();
  return {
    attemptId: `${paymentId}-1`,
    paymentId,
    amount: money(100_000n, "USD"),
    capture: "automatic",
    reference: null,
    ...change,
  };
}

export function lookFor(
  { attemptId, paymentId }: CreateIntentRequest,
  intentId: string | null = null,
): FindIntentRequest {
  return { attemptId, paymentId, intentId, acceptedAt: new Date() };
}

export async function created(gateway: PaymentGateway, request: CreateIntentRequest): Promise<GatewayIntent> {
  const outcome = await gateway.createIntent(request, deadlineMs);
  assert(outcome.type === "succeeded", JSON.stringify({ ...outcome, intent: undefined }));
  return outcome.intent;
}

export async function found(gateway: PaymentGateway, request: CreateIntentRequest): Promise<GatewayIntent> {
  const finding = await gateway.findIntent(lookFor(request), deadlineMs);
  assert(finding.type === "found", JSON.stringify({ ...finding, intent: undefined }));
  return finding.intent;
}

/** Creates the intent of a request and waits until the buyer has paid it. */
export async function paid(gateway: PaymentGateway, request: CreateIntentRequest): Promise<GatewayIntent> {
  await created(gateway, request);
  await eventually(gateway, request, "succeeded");
  return found(gateway, request);
}

export async function eventually(gateway: PaymentGateway, request: CreateIntentRequest, status: string) {
  await until(`the intent is ${status}`, async () => (await found(gateway, request)).status === status);
}

/** Waits until something holds, for at most five seconds. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 5000;
  while (!(await holds())) {
    assert(Date.now() < end, `it did not come to be that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A port of this machine on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 1;
}

/** A new folder for what a gateway stores. */
export function newHome(): string {
  return mkdtempSync(join(tmpdir(), "marketflow-gateway-"));
}
