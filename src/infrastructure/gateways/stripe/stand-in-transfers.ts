import type { BookDisbursement } from "../simulator/book.ts";
import type { Engine } from "../simulator/engine.ts";
import { numberOfId, transferJson } from "../simulator/stripe-json.ts";
import { type Answer, answerError, answerOk, invalidParameter, listJson, noSuch } from "./stand-in-answers.ts";
import { metadataOf, type Parameters, pageOf, refuseAmount, wholeNumber } from "./stand-in-intents.ts";

/** Stripe knows connected accounts; here everybody is one whose id looks like one. */
const connectedAccount = /^acct_\w+$/;

/** What Stripe answers where its balance does not cover the transfer: kept, because the endpoint ran. */
export const insufficientFunds = {
  type: "invalid_request_error",
  code: "balance_insufficient",
  message: "You have insufficient funds in your Stripe account for this transfer.",
} as const;

function noSuchDestination(destination: string): Answer {
  const message = `No such destination: '${destination}'`;
  const error = { type: "invalid_request_error", code: "resource_missing", message, param: "destination" } as const;
  return answerError(400, error, true);
}

/** POST /v1/transfers with `amount`, `currency`, `destination`, and what names it: group, description, metadata. */
export function createTransfer(engine: Engine, parameters: Parameters): Answer {
  const { book } = engine;
  const amount = wholeNumber(parameters.get("amount"));
  const currency = parameters.get("currency") ?? "";
  const destination = parameters.get("destination") ?? "";
  if (amount === undefined) return invalidParameter("amount", "Missing or invalid required param: amount.");
  if (!/^[a-z]{3}$/.test(currency)) return invalidParameter("currency", "Invalid currency: three lowercase letters.");
  const refused = refuseAmount(amount, currency.toUpperCase());
  if (refused !== undefined) return refused;
  if (!connectedAccount.test(destination)) return noSuchDestination(destination);
  const made: Omit<BookDisbursement, "n"> = {
    attempt: null,
    kind: "payout",
    subject: parameters.get("transfer_group") ?? "",
    recipient: destination,
    reference: parameters.get("description"),
    amount,
    currency: currency.toUpperCase(),
    failure: null,
    message: null,
    metadata: JSON.stringify(metadataOf(parameters)),
    createdAt: engine.now(),
  };
  const n = book.insertDisbursement(made);
  return answerOk(transferJson(book.tag, { n, ...made }));
}

/** GET /v1/transfers/:id */
export function retrieveTransfer({ book }: Engine, id: string): Answer {
  const n = numberOfId(book.tag, "tr", id);
  const transfer = n === undefined ? undefined : book.transferByNumber(n);
  return transfer === undefined ? noSuch("transfer", id) : answerOk(transferJson(book.tag, transfer));
}

/** GET /v1/transfers with `limit`, `starting_after` and `transfer_group`. */
export function listTransfers(engine: Engine, parameters: Parameters): Answer {
  const page = pageOf(engine, parameters, "tr");
  if ("body" in page) return page;
  const { book } = engine;
  const transfers = book.transfersBefore(page.before, parameters.get("transfer_group"), page.limit + 1);
  const items = transfers.slice(0, page.limit).map((transfer) => transferJson(book.tag, transfer));
  return answerOk(listJson("/v1/transfers", items, transfers.length > page.limit));
}
