import type { Money } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import * as statements from "../persistence/posting.queries.ts";
import type { LedgerContext } from "./context.ts";

export type HoldRequest = {
  /** The caller's name for it: the same reference holds once. */
  readonly reference: string;
  readonly account: string;
  readonly amount: Money;
  /** When it ends by itself; null waits for whoever made it. */
  readonly expiresAt: Date | null;
};

/** A hold that stands; `already` where it had been made before. */
export type Hold = { readonly holdId: string; readonly already: boolean };

export type HoldRefusal = { type: "insufficient_funds" } | { type: "reference_conflict"; holdId: string };

/** Reserves money of an account: it is not available until a transaction takes it, it is voided, or it expires. */
export async function holdFunds(context: LedgerContext, request: HoldRequest): Promise<Result<Hold, HoldRefusal>> {
  const { amount, expiresAt, ...named } = request;
  const [row] = await statements.holdFunds.run(
    {
      ...named,
      tenant: context.tenant,
      currency: amount.currency,
      amountMinor: amount.amountMinor,
      expiresAt,
      partially: false,
    },
    context.database,
  );
  const exceptions = (row?.exceptions ?? {}) as Record<string, { result: string; id?: string }>;
  const exception = exceptions["1"];
  if (exception === undefined) return accept({ holdId: row?.firstId ?? "", already: false });
  const { result, id: holdId = "" } = exception;
  if (result === "already_held") return accept({ holdId, already: true });
  return refuse(result === "reference_conflict" ? { type: result, holdId } : { type: "insufficient_funds" });
}

export type VoidRefusal =
  | { type: "hold_unknown" }
  | { type: "hold_resolved"; resolution: "posted" | "voided" | "expired" };

/** Frees a hold: what it was made for did not happen. */
export async function voidHold(context: LedgerContext, holdId: string): Promise<Result<null, VoidRefusal>> {
  const { tenant, database } = context;
  const [row] = await statements.voidHolds.run({ tenant, holdIds: [BigInt(holdId)] }, database);
  const exceptions = (row?.exceptions ?? {}) as Record<string, VoidRefusal & { result: VoidRefusal["type"] }>;
  const exception = exceptions["1"];
  if (exception === undefined) return accept(null);
  if (exception.result === "hold_unknown") return refuse({ type: "hold_unknown" });
  const { resolution } = exception as Extract<VoidRefusal, { type: "hold_resolved" }>;
  return refuse({ type: "hold_resolved", resolution });
}

const expiredAtOnce = 500;

/** Frees the holds whose time is over. Returns how many, so that the sweeper goes on while there are more. */
export async function expireHolds({ database, tenant }: LedgerContext): Promise<number> {
  const [row] = await statements.expireHolds.run({ tenant, most: expiredAtOnce }, database);
  return row?.expired ?? 0;
}
