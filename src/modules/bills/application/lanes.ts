import { toDecimal } from "../../../kernel/money.ts";
import type { Database } from "../../../kernel/statement.ts";
import { type Lane, type LaneLimits, laneMaker } from "../../../movements/index.ts";
import type { BillPayment, BillStatus, ExhaustedBill, FailedBill, PaidBill } from "../domain/bill-payment.ts";
import type { BillIntent } from "../domain/bill-request.ts";
import { acceptBills, retryBills, settleBills } from "../persistence/movements.queries.ts";
import { findBillsByKey } from "../persistence/reading.queries.ts";
import { billOf } from "./rows.ts";

export type AcceptItem = {
  readonly id: string;
  readonly scope: string;
  readonly intent: BillIntent;
  readonly gateway: string;
  readonly traceparent: string | null;
};

/** The payment as it stands after its attempt; when that is, the database says. */
export type SettleItem = {
  readonly bill: PaidBill | FailedBill | ExhaustedBill;
  /** The gateway's sentence where it declined. */
  readonly message: string | null;
};

export type RetryItem = {
  readonly id: string;
  readonly scope: string;
  /** The attempt that would begin. */
  readonly attempt: number;
  readonly traceparent: string | null;
};

export type RetryOutcome =
  | { readonly type: "started"; readonly at: Date }
  | { readonly type: "refused"; readonly status: BillStatus }
  | { readonly type: "absent" };

/** What stands under a key, and for how many milliseconds it will be remembered. */
export type StandingBill = { readonly bill: BillPayment; readonly underWay: boolean; readonly leftMs: number };

export type BillLanes = {
  /** Resolves to when the payment was made, or null where its key is taken. */
  readonly accept: Lane<AcceptItem, Date | null>;
  /** Resolves to when the attempt was settled, or null where it was not under way any more. */
  readonly settle: Lane<SettleItem, Date | null>;
  readonly retry: Lane<RetryItem, RetryOutcome>;
  readonly findByKey: Lane<{ scope: string; key: string }, StandingBill | null>;
};

export type BillLaneLimits = LaneLimits & {
  /** How long keys are remembered, in milliseconds. */
  readonly idempotencyTtlMs: number;
};

/** The hot statements of this module, each in a lane of its own; `database(lane)` gives each its own connection. */
export function createBillLanes(database: (lane: string) => Database, limits: BillLaneLimits): BillLanes {
  const lane = laneMaker(database, limits);
  return {
    accept: lane("accept_bill", (items, connection) => runAccept(items, connection, limits), keyOfAccept),
    settle: lane("settle_bill", runSettle, ({ bill }) => bill.id),
    retry: lane("retry_bill", (items, connection) => runRetry(items, connection, limits.leaseMs)),
    findByKey: lane("find_bill", runFind),
  };
}

function keyOfAccept({ scope, intent }: AcceptItem): string {
  return `${scope} ${intent.idempotencyKey}`;
}

const byKey = (left: AcceptItem, right: AcceptItem) =>
  left.intent.idempotencyKey < right.intent.idempotencyKey ? -1 : 1;

async function runAccept(
  items: readonly AcceptItem[],
  database: Database,
  { leaseMs, idempotencyTtlMs }: BillLaneLimits,
): Promise<(Date | null)[]> {
  const sorted = items.toSorted(byKey);
  const [row] = await acceptBills.run(
    {
      ids: sorted.map(({ id }) => id),
      scopes: sorted.map(({ scope }) => scope),
      keys: sorted.map(({ intent }) => intent.idempotencyKey),
      references: sorted.map(({ intent }) => intent.reference),
      amounts: sorted.map(({ intent }) => intent.amount.amountMinor),
      currencies: sorted.map(({ intent }) => intent.amount.currency),
      gateways: sorted.map(({ gateway }) => gateway),
      traceparents: sorted.map(({ traceparent }) => traceparent),
      payloads: sorted.map(({ intent }) => JSON.stringify(shownOf(intent))),
      leaseMs,
      ttlMs: BigInt(idempotencyTtlMs),
    },
    database,
  );
  const accepted = new Set(row?.acceptedIds.split(","));
  return items.map(({ id }) => (accepted.has(id) ? (row?.createdAt ?? null) : null));
}

/** What events say of every payment. */
function shownOf({ reference, amount }: BillIntent | BillPayment): Record<string, string> {
  return { amount: toDecimal(amount), currency: amount.currency, reference };
}

const byId = (left: SettleItem, right: SettleItem) => (left.bill.id < right.bill.id ? -1 : 1);

async function runSettle(items: readonly SettleItem[], database: Database): Promise<(Date | null)[]> {
  const sorted = items.toSorted(byId);
  const [row] = await settleBills.run(
    {
      ids: sorted.map(({ bill }) => bill.id),
      attempts: sorted.map(({ bill }) => bill.attempt),
      statuses: sorted.map(({ bill }) => bill.status),
      retries: sorted.map(({ bill }) => bill.retries),
      gatewayReferences: sorted.map(({ bill }) => (bill.status === "SUCCESS" ? bill.gatewayReference : null)),
      failureCodes: sorted.map(({ bill }) => (bill.status === "SUCCESS" ? null : bill.failureCode)),
      payloads: sorted.map((item) => JSON.stringify(settledOf(item))),
    },
    database,
  );
  const settled = new Set(row?.settledIds.split(","));
  return items.map(({ bill }) => (settled.has(bill.id) ? (row?.settledAt ?? null) : null));
}

function settledOf({ bill, message }: SettleItem): Record<string, unknown> {
  const shown = { ...shownOf(bill), retries: bill.retries };
  if (bill.status === "SUCCESS") return { ...shown, gateway_reference: bill.gatewayReference };
  return { ...shown, failure_code: bill.failureCode, failure_message: message };
}

async function runRetry(items: readonly RetryItem[], database: Database, leaseMs: number): Promise<RetryOutcome[]> {
  const rows = await retryBills.run(
    {
      ids: items.map(({ id }) => id),
      scopes: items.map(({ scope }) => scope),
      attempts: items.map(({ attempt }) => attempt),
      traceparents: items.map(({ traceparent }) => traceparent),
      leaseMs,
    },
    database,
  );
  const standing = new Map(rows.map((row) => [row.id, row]));
  return items.map(({ id }, index) => {
    const row = standing.get(id);
    if (row === undefined) return { type: "absent" };
    if (row.startedAt !== null && Number(row.place) === index + 1) return { type: "started", at: row.startedAt };
    return { type: "refused", status: row.status as BillStatus };
  });
}

async function runFind(
  items: readonly { scope: string; key: string }[],
  database: Database,
): Promise<(StandingBill | null)[]> {
  const rows = await findBillsByKey.run(
    { scopes: items.map(({ scope }) => scope), keys: items.map(({ key }) => key) },
    database,
  );
  const found = new Map(rows.map((row) => [Number(row.place), row]));
  return items.map((_item, index) => {
    const row = found.get(index + 1);
    return row === undefined ? null : { bill: billOf(row), underWay: row.underWay, leftMs: Number(row.leftMs) };
  });
}
