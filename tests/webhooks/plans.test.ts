import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  listWebhookAttempts,
  listWebhookDeliveries,
  replayWebhookDeliveries,
} from "../../src/modules/webhooks/persistence/deliveries.queries.ts";
import { forgetWebhookDeliveries } from "../../src/modules/webhooks/persistence/keeping.queries.ts";
import {
  claimWebhookDeliveries,
  releaseWebhookDeliveries,
  settleWebhookDeliveries,
} from "../../src/modules/webhooks/persistence/sending.queries.ts";
import { lanePlans, scansOf } from "../support/plans.ts";

const plans = lanePlans();

describe("statements about deliveries reach them by index, also while their statistics know nothing", () => {
  const statements = {
    claiming: claimWebhookDeliveries,
    settling: settleWebhookDeliveries,
    releasing: releaseWebhookDeliveries,
    listing: listWebhookDeliveries,
    "listing tries": listWebhookAttempts,
    replaying: replayWebhookDeliveries,
    forgetting: forgetWebhookDeliveries,
  };
  for (const [name, { text }] of Object.entries(statements)) {
    test(name, async () => {
      const scans = scansOf(await plans.nodesOf(text)).filter((scan) => !/ (?:endpoints|secrets) /.test(scan));
      assert.ok(scans.length > 0);
      // A bitmap is made from an index; the condition on it stands in the step that makes it.
      assert.deepEqual(
        scans.filter((scan) => !scan.endsWith("by key") && !scan.startsWith("Bitmap Heap Scan")),
        [],
      );
    });
  }

  test("what is due to an endpoint is read in the order in which it is due, and not sorted", async () => {
    const plan = await plans.textOf(claimWebhookDeliveries.text);
    assert.match(plan, /Index Scan using deliveries_due/);
  });

  test("a plan that walks a whole table is seen", async () => {
    const scans = scansOf(await plans.nodesOf("select from webhooks.deliveries where attempts > 1"));
    assert.match(scans[0] ?? "", /deliveries whole$/);
  });
});
