import type { ChangeRefusal, RegisterRefusal } from "../application/change-endpoints.ts";
import type { DeliveryNotFound } from "../application/read-deliveries.ts";
import type { EndpointNotFound } from "../application/read-endpoints.ts";
import type { EndpointDisabled } from "../application/replay-deliveries.ts";

type WebhookRefusal =
  | RegisterRefusal
  | ChangeRefusal
  | EndpointNotFound
  | EndpointDisabled
  | DeliveryNotFound
  | { type: "cursor_malformed" }
  | { type: "text_not_storable" }
  | { type: "changes_missing" }
  | { type: "period_malformed"; field: "since" | "until" }
  | { type: "period_empty" };

type Answer = { status: number; code: string; detail: string; pointer?: string };

function invalid(detail: string, pointer?: string): Answer {
  return { status: 400, code: "invalid_request", detail, ...(pointer === undefined ? {} : { pointer }) };
}

/** The status, the code and what to do, for each refusal: a refusal without an entry does not compile. */
const answers = {
  url_malformed: invalid("url must be a whole address, such as https://shop.example.com/webhooks.", "/url"),
  url_not_https: invalid("url must begin with https://.", "/url"),
  url_has_credentials: invalid(
    "url must not hold a user name or a password. Verify the signature of what arrives instead.",
    "/url",
  ),
  url_port_not_allowed: invalid("url's port must be 443, or 1024 and above.", "/url"),
  url_not_public: invalid(
    "url must lead to a public host: private, loopback and special addresses are refused.",
    "/url",
  ),
  event_type_unknown: invalid("event_types has one that there is not", "/event_types"),
  cursor_malformed: invalid("cursor must be a next_cursor of this list.", "cursor"),
  text_not_storable: invalid(
    "description contains the character U+0000 or half of a surrogate pair. Take it out.",
    "/description",
  ),
  changes_missing: invalid("Send what is to change: url, event_types, description or enabled."),
  period_malformed: invalid("since and until must be RFC 3339 times, such as 2026-01-31T00:00:00Z."),
  period_empty: invalid("since must be before until.", "/since"),
  webhook_endpoint_not_found: {
    status: 404,
    code: "webhook_endpoint_not_found",
    detail: "There is no webhook endpoint with this id. Check the id.",
  },
  webhook_delivery_not_found: {
    status: 404,
    code: "webhook_delivery_not_found",
    detail: "There is no delivery with this id. Deliveries are kept for 30 days.",
  },
  webhook_endpoint_disabled: {
    status: 409,
    code: "webhook_endpoint_disabled",
    detail: 'The endpoint is disabled or was removed, so nothing is sent to it. Enable it by PATCH {"enabled": true}.',
  },
  too_many_webhook_endpoints: {
    status: 409,
    code: "too_many_webhook_endpoints",
    detail: "There are 100 webhook endpoints, which is the most. Remove one first.",
  },
} as const satisfies Record<WebhookRefusal["type"], Answer>;

/** The problem that answers a refusal. `knownTypes` are what an endpoint can ask for. */
export function problemOfWebhook(refusal: WebhookRefusal, knownTypes: readonly string[]) {
  const { pointer, ...answer }: Answer = answers[refusal.type];
  if (refusal.type === "event_type_unknown") {
    const { eventType } = refusal;
    const detail =
      `${answer.detail}: ${JSON.stringify(eventType)}. There are ${knownTypes.join(", ")}; ` +
      '"payment.*" takes all that begin so, and "*" takes all.';
    return { ...answer, detail, errors: [{ pointer: "/event_types", detail }] };
  }
  const field = refusal.type === "period_malformed" ? `/${refusal.field}` : pointer;
  return field === undefined ? answer : { ...answer, errors: [{ pointer: field, detail: answer.detail }] };
}
