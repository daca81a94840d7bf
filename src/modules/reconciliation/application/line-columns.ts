import type { Line } from "../domain/lines.ts";

/** Lines as the columns that a statement unnests. */
export function lineColumns(lines: readonly Line[]) {
  return {
    kinds: lines.map(({ kind }) => kind),
    gatewayIds: lines.map(({ gatewayId }) => gatewayId),
    amounts: lines.map(({ amount }) => amount.amountMinor),
    currencies: lines.map(({ amount }) => amount.currency),
    occurredAts: lines.map(({ occurredAt }) => occurredAt),
    areParts: lines.map(({ isPart }) => String(isPart)),
    lineIds: lines.map(({ id }) => id),
  };
}
