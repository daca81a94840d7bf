import { type Money, toDecimal } from "../../../kernel/money.ts";
import type { Database } from "../../../kernel/statement.ts";
import { type Lane, type LaneLimits, laneMaker } from "../../../movements/index.ts";
import type { Payout } from "../domain/payout.ts";
import type { PayoutOrder } from "../domain/payout-order.ts";
import { acceptPayouts, settleDeclinedPayouts, settlePaidPayouts } from "../persistence/movements.queries.ts";
import { findPayoutsByKey } from "../persistence/reading.queries.ts";
import { payoutOf } from "./stored-payout.ts";

export type AcceptItem = {
  readonly id: string;
  readonly scope: string;
  readonly order: PayoutOrder;
  /** Null where there is no key to compare it under. */
  readonly fingerprint: string | null;
  readonly gateway: string;
  readonly traceparent: string | null;
};

/** A payout that was accepted; `holdId` is null where the money for it is not there. */
export type AcceptedPayout = { readonly createdAt: Date; readonly holdId: bigint | null };

type SettleItem = { readonly payoutId: string; readonly amount: Money };

export type PaidItem = SettleItem & { readonly gatewayReference: string };

export type DeclinedItem = SettleItem & { readonly code: string; readonly message: string };

export type StandingPayout = {
  readonly payout: Payout;
  readonly fingerprint: string;
  /** Whether its first request may still be at work: neither settled nor left to recovery. */
  readonly running: boolean;
};

export type PayoutLanes = {
  /** Resolves to null where the key is taken. */
  readonly accept: Lane<AcceptItem, AcceptedPayout | null>;
  /** Resolves to when the payout was settled, or null where somebody else had settled it. */
  readonly paid: Lane<PaidItem, Date | null>;
  readonly declined: Lane<DeclinedItem, Date | null>;
  readonly findByKey: Lane<{ scope: string; key: string }, StandingPayout | null>;
};

export type PayoutLaneLimits = LaneLimits & {
  /** The books that payouts are reserved in and posted to. */
  readonly tenant: string;
};

/** The hot statements of this module, each in a lane of its own. `database(lane)` gives each its own connection. */
export function createPayoutLanes(database: (lane: string) => Database, limits: PayoutLaneLimits): PayoutLanes {
  const { leaseMs, tenant } = limits;
  const lane = laneMaker(database, limits);
  const payoutIdOf = ({ payoutId }: SettleItem) => payoutId;
  return {
    accept: lane("accept_payout", (items, connection) => runAccept(items, connection, tenant, leaseMs)),
    paid: lane<PaidItem, Date | null>(
      "settle_paid_payout",
      (items, connection) => runPaid(items, connection, tenant),
      payoutIdOf,
    ),
    declined: lane<DeclinedItem, Date | null>(
      "settle_declined_payout",
      (items, connection) => runDeclined(items, connection, tenant),
      payoutIdOf,
    ),
    findByKey: lane("find_payout", runFind),
  };
}

async function runAccept(
  items: readonly AcceptItem[],
  database: Database,
  tenant: string,
  leaseMs: number,
): Promise<(AcceptedPayout | null)[]> {
  const rows = await acceptPayouts.run(
    {
      ids: items.map(({ id }) => id),
      scopes: items.map(({ scope }) => scope),
      idempotencyKeys: items.map(({ order }) => order.idempotencyKey),
      fingerprints: items.map(({ fingerprint }) => fingerprint),
      recipientKinds: items.map(({ order }) => order.recipient.kind),
      recipientIds: items.map(({ order }) => order.recipient.id),
      amounts: items.map(({ order }) => order.amount.amountMinor),
      currencies: items.map(({ order }) => order.amount.currency),
      traceparents: items.map(({ traceparent }) => traceparent),
      gateways: items.map(({ gateway }) => gateway),
      tenant,
      leaseMs,
    },
    database,
  );
  const [row] = rows;
  if (row === undefined) throw new Error("accepting payouts returned no row");
  const { acceptedIds, createdAt } = row;
  const holdIds = row.holdIds.split(",");
  const accepted = new Map(acceptedIds.split(",").map((id, place) => [id, holdIds[place] ?? ""]));
  return items.map(({ id }) => {
    const holdId = accepted.get(id);
    return holdId === undefined ? null : { createdAt, holdId: holdId === "" ? null : BigInt(holdId) };
  });
}

async function runPaid(unordered: readonly PaidItem[], database: Database, tenant: string): Promise<(Date | null)[]> {
  const items = inLockOrder(unordered);
  const rows = await settlePaidPayouts.run(
    {
      ids: items.map(({ payoutId }) => payoutId),
      gatewayReferences: items.map(({ gatewayReference }) => gatewayReference),
      amounts: items.map(({ amount }) => toDecimal(amount)),
      tenant,
    },
    database,
  );
  return settledAmong(unordered, rows[0]);
}

async function runDeclined(
  unordered: readonly DeclinedItem[],
  database: Database,
  tenant: string,
): Promise<(Date | null)[]> {
  const items = inLockOrder(unordered);
  const rows = await settleDeclinedPayouts.run(
    {
      ids: items.map(({ payoutId }) => payoutId),
      failureCodes: items.map(({ code }) => code),
      failureMessages: items.map(({ message }) => message),
      amounts: items.map(({ amount }) => toDecimal(amount)),
      tenant,
    },
    database,
  );
  return settledAmong(unordered, rows[0]);
}

/** In the order of the ids, by everybody: two batches that share payouts wait for each other instead of deadlocking. */
function inLockOrder<Item extends SettleItem>(items: readonly Item[]): readonly Item[] {
  return items.toSorted((left, right) => (left.payoutId < right.payoutId ? -1 : 1));
}

function settledAmong(
  items: readonly SettleItem[],
  row: { readonly settledIds: string; readonly processedAt: Date } | undefined,
): (Date | null)[] {
  const settled = new Set(row?.settledIds.split(","));
  return items.map(({ payoutId }) => (settled.has(payoutId) ? (row?.processedAt ?? null) : null));
}

async function runFind(
  items: readonly { scope: string; key: string }[],
  database: Database,
): Promise<(StandingPayout | null)[]> {
  const rows = await findPayoutsByKey.run(
    { scopes: items.map(({ scope }) => scope), idempotencyKeys: items.map(({ key }) => key) },
    database,
  );
  const found = new Map(rows.map((row) => [Number(row.place), row]));
  return items.map((_item, index) => {
    const row = found.get(index + 1);
    return row === undefined ? null : { payout: payoutOf(row), fingerprint: row.fingerprint, running: row.running };
  });
}
