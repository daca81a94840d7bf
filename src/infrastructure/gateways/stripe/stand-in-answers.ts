/** An answer of the stand-in: `kept` ones are stored under the idempotency key, as those of endpoints that ran are. */
export type Answer = { readonly status: number; readonly body: string; readonly kept: boolean };

type ErrorFields = {
  readonly type: "invalid_request_error" | "card_error" | "idempotency_error" | "api_error";
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
  readonly decline_code?: string;
};

export function answerOk(body: string): Answer {
  return { status: 200, body, kept: true };
}

/** An error in Stripe's shape; `intent` is the JSON of the intent whose state forbade what was asked. */
export function answerError(status: number, error: ErrorFields, kept = false, intent?: string): Answer {
  const fields = JSON.stringify(error);
  const withIntent = intent === undefined ? fields : `${fields.slice(0, -1)},"payment_intent":${intent}}`;
  return { status, body: `{"error":${withIntent}}`, kept };
}

export function invalidParameter(param: string, message: string, code?: string): Answer {
  return answerError(400, { type: "invalid_request_error", message, param, ...(code === undefined ? {} : { code }) });
}

export function noSuch(what: string, id: string): Answer {
  const message = `No such ${what}: '${id}'`;
  return answerError(404, { type: "invalid_request_error", code: "resource_missing", message, param: "id" });
}

export const cardDeclined: ErrorFields = {
  type: "card_error",
  code: "card_declined",
  decline_code: "generic_decline",
  message: "Your card was declined.",
};

export const refundDeclined: ErrorFields = {
  type: "invalid_request_error",
  code: "refund_declined",
  message: "The refund was declined.",
};

export const serverError: ErrorFields = { type: "api_error", message: "An unknown error occurred." };

export function listJson(url: string, items: readonly string[], hasMore: boolean): string {
  return `{"object":"list","data":[${items.join(",")}],"has_more":${hasMore},"url":"${url}"}`;
}
