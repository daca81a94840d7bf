import type Stripe from "stripe";
import type { CreatePayoutRequest, DisbursementFinding, PayoutGateway } from "../../../movements/ports.ts";
import { toStripeUnits } from "./amounts.ts";
import { askStripe, changeStripe, findInList, notSupported, onceWithin } from "./calls.ts";

function parametersOf(request: CreatePayoutRequest, amount: number): Stripe.TransferCreateParams {
  return {
    amount,
    currency: request.amount.currency.toLowerCase(),
    destination: request.recipient,
    description: request.reference,
    // By which a transfer is found again: a list can be narrowed to a group, and not to metadata.
    transfer_group: request.payoutId,
    metadata: {
      marketflow_payout_id: request.payoutId,
      marketflow_attempt_id: request.attemptId,
      reference: request.reference,
    },
  };
}

/**
 * Pays affiliates and sellers out by transfers to their connected accounts (https://docs.stripe.com/api/transfers), so
 * that a recipient is the id of one ("acct_…"). A transfer is made or refused at once: it is never pending. Stripe
 * keeps what it refused under the idempotency key alone, so a decline is found again by calling again, and not by
 * asking.
 */
export function createStripePayouts(stripe: Stripe): PayoutGateway {
  return {
    name: "stripe",

    async createPayout(request, deadlineMs) {
      const amount = toStripeUnits(request.amount);
      if (amount === undefined) return { type: "declined", ...notSupported(request.amount) };
      const parameters = parametersOf(request, amount);
      // Derived from the attempt, so that no number of calls for it can pay twice.
      const idempotencyKey = `marketflow:${request.attemptId}`;
      const called = await changeStripe(deadlineMs, (timeout) =>
        stripe.transfers.create(parameters, { idempotencyKey, timeout, maxNetworkRetries: 0 }),
      );
      if (called.type === "answered") return { type: "succeeded", gatewayReference: called.answer.id };
      const { type, code, message } = called;
      return { type, code, message };
    },

    async findPayout({ attemptId, payoutId }, deadlineMs) {
      return await askStripe<DisbursementFinding>(deadlineMs, async (msLeft) => {
        const found = await findInList("transfer", attemptId, (page) =>
          stripe.transfers.list({ transfer_group: payoutId, ...page }, onceWithin(msLeft)),
        );
        // One that was reversed was made all the same: what comes back is another matter.
        return found.type === "found" ? { type: "succeeded", gatewayReference: found.item.id } : found;
      });
    },
  };
}
