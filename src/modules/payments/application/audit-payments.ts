import type { Currency } from "../../../kernel/currency.ts";
import type { Database } from "../../../kernel/statement.ts";
import { type AuditCheck, comparePostings, type Expected, explainPostings } from "../../ledger/index.ts";
import * as statements from "../persistence/audit.queries.ts";
import type { FundsState } from "./change-payment.ts";
import {
  chargebackDraft,
  disputeDraft,
  disputeReversalDraft,
  refundDraft,
  refundReversalDraft,
  saleDraft,
} from "./postings.ts";

/** Fewer than the references that the ledger looks up at once, with the most that a row has: three. */
const pageSize = 300;
const kindsOfPayments = ["sale", "refund", "refund_reversal", "dispute", "dispute_reversal", "chargeback"];
const beforeEveryId = "00000000-0000-0000-0000-000000000000";

/**
 * Every payment that succeeded, every refund and every dispute has exactly its postings, and every such posting has
 * its payment, refund or dispute.
 */
export function paymentChecks(database: Database, tenant: string): AuditCheck[] {
  const ledger = { database, tenant };
  const findUnexplained = (references: string[]) => statements.findUnexplained.run({ references }, database);
  return [
    { name: "sales", run: (report) => comparePostings(report, ledger, "payments", expectedSales(database)) },
    { name: "refunds", run: (report) => comparePostings(report, ledger, "refunds", expectedRefunds(database)) },
    { name: "disputes", run: (report) => comparePostings(report, ledger, "disputes", expectedDisputes(database)) },
    { name: "explained", run: (report) => explainPostings(report, ledger, kindsOfPayments, findUnexplained) },
  ];
}

async function* expectedSales(database: Database): AsyncGenerator<Expected[]> {
  let after = beforeEveryId;
  for (;;) {
    const rows = await statements.listExpectedSales.run({ after, limit: pageSize }, database);
    yield rows.map((row) => {
      const faults = [
        ...(row.feeIsRight ? [] : ["has another commission than its rate says"]),
        ...(row.sumsAreRight ? [] : ["has other sums than its refunds and disputes add up to"]),
      ];
      return { where: `payment ${row.id}`, drafts: [saleDraft(stateOf(row), row)], faults };
    });
    if (rows.length < pageSize) return;
    after = rows.at(-1)?.id ?? after;
  }
}

async function* expectedRefunds(database: Database): AsyncGenerator<Expected[]> {
  let after = beforeEveryId;
  for (;;) {
    const rows = await statements.listExpectedRefunds.run({ after, limit: pageSize }, database);
    yield rows.map((row) => {
      const where = `refund ${row.id}`;
      const refund = refundDraft(stateOf(row), row.id, row, null, null);
      if (row.status === "pending") return { where, drafts: [], faults: [] };
      if (row.status === "succeeded") return { where, drafts: [refund], faults: [] };
      // One that failed later was posted and reversed, one that failed at once was neither.
      const reversal = refundReversalDraft(stateOf(row), row.id, row, "");
      return { where, drafts: [refund, reversal], orNone: true, faults: [] };
    });
    if (rows.length < pageSize) return;
    after = rows.at(-1)?.id ?? after;
  }
}

async function* expectedDisputes(database: Database): AsyncGenerator<Expected[]> {
  let after = "";
  for (;;) {
    const rows = await statements.listExpectedDisputes.run({ after, limit: pageSize }, database);
    yield rows.map((row) => {
      const { id, amountMinor, borneMinor, feeMinor } = row;
      const state = stateOf(row);
      const opening = disputeDraft(state, id, amountMinor);
      const borne = { amountMinor: borneMinor, feeMinor };
      const closing = {
        open: [],
        won: [disputeReversalDraft(state, id, amountMinor)],
        lost: [chargebackDraft(state, id, borne, amountMinor)],
      };
      const drafts = [opening, ...closing[row.status as keyof typeof closing]];
      return { where: `dispute ${id}`, drafts, faults: [] };
    });
    if (rows.length < pageSize) return;
    after = rows.at(-1)?.id ?? after;
  }
}

/** As much of a payment as its postings are made of. */
function stateOf(row: { gateway: string; sellerId: string | null; currency: string; id: string }): FundsState {
  const { gateway, sellerId, id: paymentId } = row;
  const none = { capturedMinor: 0n, feeMinor: 0n, returnedMinor: 0n, returnedFeeMinor: 0n };
  const funds = { ...none, refundingMinor: 0n, refundedMinor: 0n };
  const currency = row.currency as Currency;
  return { paymentId, gateway, sellerId, currency, funds, version: 0, status: "", intentId: null, lastAttempt: 0 };
}
