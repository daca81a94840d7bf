import type { Currency } from "../../../kernel/currency.ts";
import { isUuid } from "../../../kernel/identifiers.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import { accountCodes, type TransactionDraft } from "../../ledger/index.ts";
import { correctionsOf, type Exception, type PostingLeg, suggestedPosting } from "../domain/exceptions.ts";
import * as statements from "../persistence/resolving.queries.ts";
import type { ReconciliationContext } from "./context.ts";
import { exceptionOf } from "./read-runs.ts";

export type ResolveRequest = {
  readonly runId: string;
  readonly number: number;
  readonly note: string;
  /** What is posted: nothing, what is suggested for the exception, or these legs. */
  readonly posting: "none" | "suggested" | readonly PostingLeg[];
  /** Who resolves it. */
  readonly actor: string;
};

export type ResolveRefusal =
  | { type: "exception_not_found" }
  | { type: "exception_already_resolved" }
  | { type: "exception_being_resolved" }
  | { type: "posting_not_suggested" }
  /** The ledger refused it, for the reason of that name; nothing was posted. */
  | { type: "posting_refused"; reason: string };

/** Whoever writes a resolution down has this long to post it before another process does, in milliseconds. */
const resolutionLeaseMs = 60_000;

type Resolving = Pick<ResolveRequest, "runId" | "number" | "note" | "actor"> & {
  readonly posting: "none" | "suggested" | "custom";
  readonly legs: readonly PostingLeg[];
};

type Found = { readonly exception: Exception; readonly gateway: string };

/**
 * Resolves an exception with a note and, where one is asked for, a posting to the ledger. It is written down before
 * the ledger hears of it, and the posting's reference is the exception's, so that a process that dies in between
 * leaves one posting and one resolution in the end.
 */
export async function resolveException(
  context: ReconciliationContext,
  request: ResolveRequest,
): Promise<Result<Exception, ResolveRefusal>> {
  const { runId, number, posting } = request;
  const found = await findException(context, runId, number);
  if (found === null) return refuse({ type: "exception_not_found" });
  if (found.exception.resolution !== null) return refuse({ type: "exception_already_resolved" });
  const legs = legsOf(found, posting);
  if (legs === null) return refuse({ type: "posting_not_suggested" });
  const named = typeof posting === "string" ? posting : "custom";
  const resolving: Resolving = { runId, number, note: request.note, actor: request.actor, posting: named, legs };
  if (!(await open(context, resolving))) return refuse({ type: "exception_being_resolved" });
  // Somebody may have resolved it between the first look and now. From now on nobody else can.
  const now = await findException(context, runId, number);
  if (now === null || now.exception.resolution !== null) {
    await statements.closeResolution.run({ runId, number }, context.database);
    return refuse({ type: "exception_already_resolved" });
  }
  return await carryOut(context, found, resolving);
}

async function findException(context: ReconciliationContext, runId: string, number: number): Promise<Found | null> {
  if (!isUuid(runId)) return null;
  const [row] = await statements.getException.run({ runId, number }, context.database);
  return row === undefined ? null : { exception: exceptionOf(row), gateway: row.gateway };
}

function legsOf({ exception, gateway }: Found, posting: ResolveRequest["posting"]): readonly PostingLeg[] | null {
  if (posting === "none") return [];
  return posting === "suggested" ? suggestionFor(exception, gateway) : posting;
}

/** The posting that is suggested for an exception of a run over this gateway; null where none is. */
export function suggestionFor(exception: Exception, gateway: string): PostingLeg[] | null {
  return suggestedPosting(exception, { clearing: accountCodes.clearing(gateway), suspense: accountCodes.suspense });
}

type StoredLeg = { readonly account: string; readonly amount_minor: string; readonly currency: string };

async function open(context: ReconciliationContext, resolving: Resolving): Promise<boolean> {
  const { runId, number, note, posting, actor: resolvedBy } = resolving;
  const legs: StoredLeg[] = resolving.legs.map(({ account, amount }) => ({
    account,
    amount_minor: amount.amountMinor.toString(),
    currency: amount.currency,
  }));
  const opened = await statements.openResolution.run(
    { runId, number, note, posting, resolvedBy, legs: JSON.stringify(legs), leaseMs: resolutionLeaseMs },
    context.database,
  );
  return opened.length > 0;
}

/** Posts what is written down and keeps the resolution; safe to do again by whoever finds it not done. */
async function carryOut(
  context: ReconciliationContext,
  { exception, gateway }: Found,
  resolving: Resolving,
): Promise<Result<Exception, ResolveRefusal>> {
  const { runId, number, note, posting, actor: resolvedBy, legs } = resolving;
  const { database, ledger } = context;
  let transactionId: string | null = null;
  if (posting !== "none") {
    const posted = await ledger.post(draftOf(exception, resolving));
    if (!posted.ok) {
      await statements.closeResolution.run({ runId, number }, database);
      return refuse({ type: "posting_refused", reason: posted.refusal.type });
    }
    transactionId = posted.value.transactionId;
  }
  const corrections = correctionsOf(legs, accountCodes.clearing(gateway), exception.kind);
  await statements.keepResolution.run(
    {
      runId,
      number,
      note,
      posting,
      transactionId,
      resolvedBy,
      amounts: corrections.map(({ amountMinor }) => amountMinor),
      currencies: corrections.map(({ currency }) => currency),
    },
    database,
  );
  const kept = await findException(context, runId, number);
  if (kept === null) throw new Error(`the exception ${number} of ${runId} is gone`);
  return accept(kept.exception);
}

function draftOf(exception: Exception, { runId, number, legs }: Resolving): TransactionDraft {
  return {
    kind: "adjustment",
    reference: `reconciliation:${runId}:${number}`,
    externalId: exception.gatewayId,
    // When the gateway moved the money, where it says that it did.
    effectiveAt: exception.gatewaySide.occurredAt,
    holdId: null,
    legs,
    shortfall: null,
  };
}

const resolutionsAtOnce = 20;

/** Carries out resolutions whose process died over them. Returns how many it took up. */
export async function finishResolutions(context: ReconciliationContext): Promise<number> {
  const parameters = { limit: resolutionsAtOnce, leaseMs: resolutionLeaseMs };
  const due = await statements.claimDueResolutions.run(parameters, context.database);
  for (const { runId, number, note, posting, resolvedBy: actor, legs: stored } of due) {
    const found = await findException(context, runId, number);
    if (found === null || found.exception.resolution !== null) {
      await statements.closeResolution.run({ runId, number }, context.database);
      continue;
    }
    const legs = (stored as unknown as StoredLeg[]).map(({ account, amount_minor, currency }) => ({
      account,
      amount: { amountMinor: BigInt(amount_minor), currency: currency as Currency },
    }));
    await carryOut(context, found, { runId, number, note, actor, posting: posting as Resolving["posting"], legs });
  }
  return due.length;
}
