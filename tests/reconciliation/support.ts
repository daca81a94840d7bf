import { randomUUIDv7 } from "node:crypto";
import { Client } from "pg";
import { type ClosableDatabase, createPool } from "../../src/infrastructure/postgres/connections.ts";
import type { Currency } from "../../src/kernel/currency.ts";
import { accept, refuse } from "../../src/kernel/result.ts";
import type { Database } from "../../src/kernel/statement.ts";
import type { TransactionDraft } from "../../src/modules/ledger/index.ts";
import type { MovementsRequest, ReconciliationContext } from "../../src/modules/reconciliation/application/context.ts";
import type { LedgerMovement } from "../../src/modules/reconciliation/domain/lines.ts";
import type { SettlementLine, SettlementPage, SettlementRequest } from "../../src/movements/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

export const usd = "USD" as Currency;
export const eur = "EUR" as Currency;
export const day = (number: number, time = "12:00:00"): Date =>
  new Date(`2026-03-${String(number).padStart(2, "0")}T${time}Z`);
export const dayMs = 86_400_000;

/** The period of most tests: the tenth of March. */
export const period = { from: day(10, "00:00:00"), to: day(11, "00:00:00") };

let lineCount = 0;

/** A line of the gateway's report, of the tenth of March unless told otherwise. */
export function settled(gatewayId: string, amountMinor: bigint, more: Partial<SettlementLine> = {}): SettlementLine {
  lineCount += 1;
  const kind = more.kind ?? "charge";
  return {
    id: `txn_${lineCount}`,
    kind,
    intentId: kind === "charge" ? gatewayId : "pi_of_source",
    sourceId: kind === "charge" ? null : gatewayId,
    amount: { amountMinor, currency: usd },
    occurredAt: day(10),
    ...more,
  };
}

const ledgerKinds = {
  charge: ["sale", 1n],
  refund: ["refund", -1n],
  dispute: ["dispute", -1n],
  dispute_reversal: ["dispute_reversal", 1n],
} as const;

/** An entry of our clearing account; the amount is positive, the kind says which way it goes. */
export function booked(
  gatewayId: string,
  amountMinor: bigint,
  more: { kind?: SettlementLine["kind"]; currency?: Currency; at?: Date } = {},
): LedgerMovement {
  lineCount += 1;
  const [kind, sign] = ledgerKinds[more.kind ?? "charge"];
  return {
    transactionId: String(lineCount),
    kind,
    reference: `payment:${lineCount}`,
    externalId: gatewayId,
    amount: { amountMinor: amountMinor * sign, currency: more.currency ?? usd },
    postedAt: (more.at ?? day(10)).toISOString(),
    effectiveAt: null,
  };
}

/** A gateway that reports these lines in pages, and fails as often as it is told to. */
export function fakeGateway(lines: readonly SettlementLine[], pageSize = 2) {
  const asked: SettlementRequest[] = [];
  let failures = 0;
  return {
    name: "simulator" as const,
    asked,
    failNext(times: number) {
      failures = times;
    },
    async listSettlements(request: SettlementRequest): Promise<SettlementPage> {
      asked.push(request);
      if (failures > 0) {
        failures -= 1;
        return { type: "unreachable", code: "gateway_timeout", message: "The gateway did not answer." };
      }
      const within = lines.filter(({ occurredAt }) => occurredAt >= request.from && occurredAt < request.to);
      const begin = Number(request.cursor ?? 0);
      const end = begin + pageSize;
      const nextCursor = end < within.length ? String(end) : null;
      return { type: "page", lines: within.slice(begin, end), nextCursor };
    },
  };
}

/** A ledger of these entries, which takes postings and has each reference once. */
export function fakeLedger(movements: readonly LedgerMovement[], pageSize = 3) {
  const posted = new Map<string, TransactionDraft>();
  const timeOf = ({ effectiveAt, postedAt }: LedgerMovement) => new Date(effectiveAt ?? postedAt);
  return {
    posted,
    async listMovements({ from, to, after }: MovementsRequest) {
      const within = movements.filter((movement) => timeOf(movement) >= from && timeOf(movement) < to);
      const begin = Number(after ?? 0);
      const end = begin + pageSize;
      return { movements: within.slice(begin, end), next: end < within.length ? String(end) : null };
    },
    async post(draft: TransactionDraft) {
      const standing = posted.get(draft.reference);
      if (standing !== undefined && JSON.stringify(standing.legs, big) !== JSON.stringify(draft.legs, big)) {
        return refuse({ type: "reference_conflict" });
      }
      posted.set(draft.reference, draft);
      return accept({ transactionId: `transaction of ${draft.reference}` });
    },
  };
}

function big(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

/** A migrated database, as the application sees it and as a superuser looks behind it. */
export type Books = {
  readonly database: TestDatabase;
  readonly pool: ClosableDatabase;
  readonly look: <Row>(text: string, values?: unknown[]) => Promise<Row[]>;
  readonly close: () => Promise<void>;
};

export async function openBooks(): Promise<Books> {
  const database = await createTestDatabase();
  const pool = createPool({
    url: database.appUrl,
    applicationName: "test",
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
    onIdleError: () => undefined,
    most: 4,
  });
  const admin = new Client({ connectionString: database.adminUrl });
  await admin.connect();
  return {
    database,
    pool,
    look: async <Row>(text: string, values: unknown[] = []) => (await admin.query(text, values)).rows as Row[],
    async close() {
      await pool.close();
      await admin.end();
      await database.drop();
    },
  };
}

export type Sides = {
  readonly gateway?: ReconciliationContext["gateway"];
  readonly ledger?: ReconciliationContext["ledger"];
};

/** What the use cases work with, over a gateway and a ledger of the test's. */
export function contextOf(database: Database, sides: Sides, more: Partial<ReconciliationContext> = {}) {
  const context: ReconciliationContext = {
    database,
    gateway: sides.gateway ?? fakeGateway([]),
    ledger: sides.ledger ?? fakeLedger([]),
    newId: randomUUIDv7,
    callDeadlineMs: 1_000,
    leaseMs: 60_000,
    retryMs: 1,
    ...more,
  };
  return context;
}

/** A text as the bytes of an upload, in pieces that cut through lines. */
export async function* bytesOf(text: string, pieceBytes = 1_000): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
