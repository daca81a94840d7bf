import Type, { type TProperties } from "typebox";
import { amount, currency, defineEvent, exactly, id, text } from "./definition.ts";

const pago = {
  id_pago: Type.String({ format: "uuid", description: "El pago; `GET /pagos/{id_pago}` lo muestra." }),
  id_afiliado: Type.String({ minLength: 1, maxLength: 255, description: "A quién se paga; es la clave del mensaje." }),
  monto: Type.Number({
    exclusiveMinimum: 0,
    description: "En la unidad mayor de la moneda, con dos decimales a lo sumo: exacto también como número.",
  }),
  moneda: Type.Enum(["USD", "EUR", "COP"], { description: "ISO 4217." }),
  referencia_pago: Type.String({ description: "Lo que ve el afiliado en su extracto." }),
};
const pagoExample = {
  id_pago: "019a0f65-8e4f-7c91-b2d6-3a5f9e0c1d72",
  id_afiliado: "afiliado_123",
  monto: 100.5,
  moneda: "USD" as const,
  referencia_pago: "ref_019a0f658e4f7c91b2d63a5f9e0c1d72",
};

/** Payouts to affiliates, in the words of the pagos contract. */
export const pagoEvents = [
  defineEvent({
    category: "pago",
    version: 1,
    type: "PagoExitoso",
    summary: "An affiliate was paid",
    happens: "In the commit that posts it. Final.",
    data: exactly(pago),
    example: pagoExample,
  }),
  defineEvent({
    category: "pago",
    version: 1,
    type: "PagoFallido",
    summary: "An affiliate was not paid",
    happens: "When the gateway has declined it, or the money for it was not there. Final, and nothing has moved.",
    data: exactly({ ...pago, mensaje_error: Type.String({ description: "La razón, como frase." }) }),
    example: { ...pagoExample, mensaje_error: "Fondos insuficientes" },
  }),
] as const;

const payout = <Fields extends TProperties>(fields: Fields) =>
  exactly({
    payout_id: id("The payout; `GET /payouts/{id}` shows it."),
    seller_id: text("Who is paid out."),
    amount: amount("What is paid out, in the currency's major unit."),
    currency,
    ...fields,
  });
const payoutExample = {
  payout_id: "019a0f68-4b9d-7e02-8c17-d5a6b3f0e984",
  seller_id: "seller_42",
  amount: "30.25",
  currency: "USD",
};

/** Payouts to sellers. */
export const payoutEvents = [
  defineEvent({
    category: "payout",
    version: 1,
    type: "payout.succeeded",
    summary: "A seller was paid out",
    happens: "In the commit that takes it from what is available to the seller. Final.",
    data: payout({ gateway_reference: text("The gateway's own id of the payout.") }),
    example: { ...payoutExample, gateway_reference: "po_5c1e" },
  }),
  defineEvent({
    category: "payout",
    version: 1,
    type: "payout.failed",
    summary: "A seller was not paid out",
    happens: "When the gateway has declined it, or the balance does not cover it. Final: what was held is free again.",
    data: payout({ failure_code: text("The reason."), failure_message: text("The reason as a sentence.") }),
    example: {
      ...payoutExample,
      failure_code: "seller_balance_insufficient",
      failure_message: "The seller's available balance does not cover the payout.",
    },
  }),
] as const;
