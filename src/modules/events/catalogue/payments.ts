import Type, { type TProperties } from "typebox";
import { amount, currency, defineEvent, exactly, id, minorUnits, nullable, text } from "./definition.ts";

const paymentId = "019a0f5e-7c11-7d0a-9c3e-6f1b2a4d8e01";
const payment = <Fields extends TProperties>(fields: Fields) =>
  exactly({ payment_id: id("The payment; `GET /payments/{id}` shows it as it stands now."), ...fields });

const asked = {
  amount: amount("What was asked for, in the currency's major unit."),
  currency,
};
const askedExample = { payment_id: paymentId, amount: "1000", currency: "USD" };

const askedFor = {
  seller_id: nullable(text("Who is credited; null where no seller was named.")),
  reference: nullable(text("What the client calls it; null where nothing was said.")),
};

const settled = payment({
  ...asked,
  ...askedFor,
  captured_minor: nullable(minorUnits("What was taken, in the currency's minor unit; null unless money was taken.")),
  fee_minor: nullable(minorUnits("The commission in it; the rest is the seller's. Null unless money was taken.")),
  intent_id: nullable(text("The payment intent at the gateway; null where the gateway made none.")),
  failure_code: nullable(text("Why it failed; null unless it did.")),
  gateway_event: Type.Optional(text("The gateway's event that told of it; absent where we asked or were answered.")),
});
const settledExample = {
  ...askedExample,
  seller_id: "seller_42",
  reference: "order_1001",
  captured_minor: "100000",
  fee_minor: "2500",
  intent_id: "pi_3QK2x7",
  failure_code: null,
};

const refund = payment({
  refund_id: id("The refund; `GET /payments/{id}/refunds` lists it."),
  amount_minor: minorUnits("What goes back to the buyer, in the currency's minor unit."),
  fee_minor: minorUnits("The part of it that comes out of the commission; the rest is the seller's."),
  currency,
  gateway_refund_id: nullable(text("The refund at the gateway; null where it is not known yet, or was not told.")),
  failure_code: nullable(text("Why it failed; null unless it did.")),
});
const refundExample = {
  payment_id: paymentId,
  refund_id: "019a0f61-02b7-7a55-8f20-c4d1e0b9a733",
  amount_minor: "25000",
  fee_minor: "625",
  currency: "USD",
  gateway_refund_id: "re_3QK2x7",
  failure_code: null,
};

const dispute = payment({
  dispute_id: text("The dispute at the gateway."),
  amount_minor: minorUnits("What is disputed, in the currency's minor unit."),
  fee_minor: minorUnits("The part of it that the commission bears; the rest is the seller's."),
  currency,
});
const disputeExample = {
  payment_id: paymentId,
  dispute_id: "dp_1QK9r2",
  amount_minor: "100000",
  fee_minor: "2500",
  currency: "USD",
};

const common = { category: "payment", version: 1 } as const;

/** Money in: payments, and what goes back of them. */
export const paymentEvents = [
  defineEvent({
    ...common,
    type: "payment.created",
    summary: "A payment was accepted",
    happens: "Before the gateway hears of it; what becomes of it is said by one of the next three.",
    data: payment({
      ...asked,
      ...askedFor,
    }),
    example: { ...askedExample, seller_id: "seller_42", reference: "order_1001" },
  }),
  defineEvent({
    ...common,
    type: "payment.succeeded",
    summary: "The buyer's money was taken",
    happens:
      "In the commit that credits the seller and the commission. Final, and it may follow `payment.failed` or " +
      "`payment.cancelled`: a gateway can learn late that money has moved. A capture may have taken less than " +
      "`amount`.",
    data: settled,
    example: { ...settledExample, gateway_event: "evt_1QK2zB" },
  }),
  defineEvent({
    ...common,
    type: "payment.failed",
    summary: "The payment failed",
    happens: "When the gateway has declined it, or the buyer's bank has. No money has moved.",
    data: settled,
    example: {
      ...settledExample,
      captured_minor: null,
      fee_minor: null,
      intent_id: null,
      failure_code: "card_declined",
    },
  }),
  defineEvent({
    ...common,
    type: "payment.cancelled",
    summary: "The payment was cancelled",
    happens: "When the gateway has confirmed that it will take no money.",
    data: settled,
    example: { ...settledExample, captured_minor: null, fee_minor: null },
  }),
  defineEvent({
    ...common,
    type: "payment.refund_created",
    summary: "A refund was accepted",
    happens: "Before the gateway hears of it, in the commit that holds the seller's part.",
    data: refund,
    example: { ...refundExample, gateway_refund_id: null },
  }),
  defineEvent({
    ...common,
    type: "payment.refunded",
    summary: "Money went back to the buyer",
    happens: "In the commit that takes it from the seller and the commission; also for a refund made at the gateway.",
    data: refund,
    example: refundExample,
  }),
  defineEvent({
    ...common,
    type: "payment.refund_failed",
    summary: "A refund failed",
    happens: "When the gateway declines it; or after `payment.refunded`, when the bank sends it back.",
    data: refund,
    example: { ...refundExample, failure_code: "expired_or_canceled_card" },
  }),
  defineEvent({
    ...common,
    type: "payment.disputed",
    summary: "The buyer disputes the payment",
    happens: "When the bank has taken the money back until it decides; the seller's part is held.",
    data: dispute,
    example: disputeExample,
  }),
  defineEvent({
    ...common,
    type: "payment.dispute_lost",
    summary: "A dispute was lost",
    happens: "When the bank leaves the money with the buyer. It may be the first that is heard of a dispute.",
    data: dispute,
    example: disputeExample,
  }),
  defineEvent({
    ...common,
    type: "payment.dispute_won",
    summary: "A dispute was won",
    happens: "When the bank gives the money back. It may be the first that is heard of a dispute.",
    data: dispute,
    example: disputeExample,
  }),
] as const;
