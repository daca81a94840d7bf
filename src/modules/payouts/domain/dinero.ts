import { parseCurrency } from "../../../kernel/currency.ts";
import { type AmountRefusal, type Money, parseAmount } from "../../../kernel/money.ts";
import { type Result, refuse } from "../../../kernel/result.ts";

/** The currencies in which affiliates are paid. */
export const monedas = ["USD", "EUR", "COP"] as const;
export type Moneda = (typeof monedas)[number];

export type DineroRefusal = AmountRefusal | { type: "moneda_unknown" };

/** Reads a Dinero, an amount in major units ("100.50") and one of the monedas, exactly into minor units. */
export function parseDinero(monto: string, moneda: string): Result<Money, DineroRefusal> {
  const currency = monedas.some((known) => known === moneda) ? parseCurrency(moneda) : undefined;
  return currency === undefined ? refuse({ type: "moneda_unknown" }) : parseAmount(monto, currency);
}
