import type { Database } from "../../../kernel/statement.ts";
import type { WebhookClient } from "../ports.ts";

/** What the use cases of this module work with; built once, in the composition root. */
export type WebhooksContext = {
  readonly database: Database;
  readonly client: Pick<WebhookClient, "faultOf">;
  /** Every type of event that an endpoint can ask for. */
  readonly knownTypes: readonly string[];
  /** Makes ids, uuids of version 7. */
  readonly newId: () => string;
  readonly nowMs: () => number;
};
