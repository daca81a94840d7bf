import Type, { type TProperties } from "typebox";
import { amount, currency, defineEvent, exactly, id, text } from "./definition.ts";

const bill = <Fields extends TProperties>(fields: Fields) =>
  exactly({ payment_id: id("The bill's payment, as the bills contract calls it."), ...fields });
const paymentId = "019a0f63-5d20-7b3c-a0f4-1e9c7d2b6a55";

const asked = {
  amount: amount("What is paid, in the currency's major unit."),
  currency,
  reference: text("The bill's own number."),
};
const retries = Type.Integer({ minimum: 0, description: "How many retries were declined." });
const declined = bill({
  ...asked,
  retries,
  failure_code: text("The gateway's reason."),
  failure_message: text("The gateway's reason as a sentence."),
});

const askedExample = { payment_id: paymentId, amount: "500.00", currency: "MXN", reference: "FAC-12345" };
const declinedExample = {
  ...askedExample,
  retries: 0,
  failure_code: "amount_over_limit",
  failure_message: "The amount is over the biller's limit.",
};
const common = { category: "bill", version: 1 } as const;

/** Bills paid, with controlled retries. */
export const billEvents = [
  defineEvent({
    ...common,
    type: "bill.created",
    summary: "A bill's payment was accepted",
    happens: "Before the gateway hears of it.",
    data: bill(asked),
    example: askedExample,
  }),
  defineEvent({
    ...common,
    type: "bill.succeeded",
    summary: "The bill is paid",
    happens: "In the commit that posts it. Final.",
    data: bill({ ...asked, retries, gateway_reference: text("The gateway's own id of the payment.") }),
    example: { ...askedExample, retries: 1, gateway_reference: "bp_7f3a" },
  }),
  defineEvent({
    ...common,
    type: "bill.failed",
    summary: "The gateway declined an attempt",
    happens: "After each attempt that is declined while retries are left. The payment may be retried.",
    data: declined,
    example: declinedExample,
  }),
  defineEvent({
    ...common,
    type: "bill.exhausted",
    summary: "The gateway declined the last attempt",
    happens: "When the last retry was declined. Final: a person must look.",
    data: declined,
    example: { ...declinedExample, retries: 3 },
  }),
  defineEvent({
    ...common,
    type: "bill.retrying",
    summary: "A retry was accepted",
    happens: "Before the gateway hears of it.",
    data: bill({ retry: Type.Integer({ minimum: 1, description: "Which retry begins." }) }),
    example: { payment_id: paymentId, retry: 1 },
  }),
] as const;
