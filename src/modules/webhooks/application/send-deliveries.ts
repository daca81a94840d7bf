import type { Database } from "../../../kernel/statement.ts";
import { createLane, type Lane } from "../../../movements/index.ts";
import { disabledAfterMs } from "../domain/endpoint.ts";
import { judge, type Verdict } from "../domain/verdict.ts";
import { disableWebhookEndpoint, noteWebhookFailure, noteWebhookRecovery } from "../persistence/endpoints.queries.ts";
import {
  type ClaimWebhookDeliveriesResult,
  claimWebhookDeliveries,
  releaseWebhookDeliveries,
  settleWebhookDeliveries,
} from "../persistence/sending.queries.ts";
import type { SendOutcome, WebhookClient } from "../ports.ts";
import { createBell } from "./bell.ts";
import { signedHeaders } from "./secret.ts";

/** What came of one try, for metrics: "disabled" is besides it. */
export type SendingObserver = {
  /** A try ended after so many milliseconds. */
  sent(result: "delivered" | "retried" | "failed", durationMs: number): void;
  endpointDisabled(endpointId: string, reason: "gone" | "failing"): void;
};

export type SendingLimits = {
  /** Deliveries that are under way in this process, in all and to one endpoint, to one that fails. */
  readonly inAll: number;
  readonly ofEndpoint: number;
  readonly ofFailing: number;
  /** After how long somebody else sends what this process has claimed; longer than a try may take. In milliseconds. */
  readonly leaseMs: number;
};

export type SendingSettings = {
  /** One connection of its own, which is planned by index. */
  readonly database: Database;
  readonly client: Pick<WebhookClient, "send">;
  readonly nowMs: () => number;
  readonly random: () => number;
  readonly limits: SendingLimits;
  readonly userAgent: string;
  readonly observe: SendingObserver;
  readonly onFailure: (error: unknown) => void;
};

export type Sending = {
  /** Takes what is due and there is room for, and begins to send it; returns how many. Throws a DatabaseFailure. */
  begin(): Promise<number>;
  inFlight(): number;
  /** Until one under way has ended, or after so many milliseconds. */
  wait(mostMs: number): Promise<void>;
  ring(): void;
  /** Lets what is under way end for so many milliseconds, breaks off the rest, and resolves when all have ended. */
  stop(graceMs: number): Promise<void>;
};

type Claimed = ClaimWebhookDeliveriesResult;
type Settlement = {
  readonly claimed: Claimed;
  readonly at: Date;
  readonly durationMs: number;
  readonly outcome: Exclude<SendOutcome, { type: "aborted" }>;
  readonly verdict: Verdict;
};

/** Of one statement; what is claimed is in memory with its payload until it is settled. */
const claimedAtOnce = 64;
const mostSecrets = 5;
const settleRetryMs = 500;

/**
 * Sends what is due. A delivery is claimed for a time, posted with no transaction open, and settled where the claim
 * still holds; a process that dies meanwhile leaves it to the next claim after that, under the same webhook-id.
 */
export function createSending(settings: SendingSettings): Sending {
  const { database, client, nowMs, random, limits, userAgent, observe, onFailure } = settings;
  const underWay = new Set<Promise<void>>();
  const inFlightOf = new Map<string, number>();
  const stopping = new AbortController();
  const bell = createBell();
  const settling = settlingLane(database, limits.inAll);

  async function claim(): Promise<Claimed[]> {
    const room = Math.min(limits.inAll - underWay.size, claimedAtOnce);
    if (room <= 0 || stopping.signal.aborted) return [];
    const now = nowMs();
    const wanted = {
      now: new Date(now),
      until: new Date(now + limits.leaseMs),
      room,
      busy: [...inFlightOf.keys()],
      inFlight: [...inFlightOf.values()],
      mostOfEndpoint: limits.ofEndpoint,
      mostOfFailing: limits.ofFailing,
      mostSecrets,
    };
    return await claimWebhookDeliveries.run(wanted, database);
  }

  async function deliver(claimed: Claimed): Promise<void> {
    const { eventId, payload, url, secrets, failingSince, endpointId, tries } = claimed;
    const begunMs = performance.now();
    const atMs = nowMs();
    const headers = {
      "content-type": "application/json",
      "user-agent": userAgent,
      ...signedHeaders({ id: eventId, body: payload }, secrets as readonly string[], atMs),
    };
    const outcome = await client.send({ url, headers, body: payload }, stopping.signal);
    if (outcome.type === "aborted") return await release(claimed);
    const durationMs = Math.round(performance.now() - begunMs);
    const failingForMs = failingSince === null ? null : nowMs() - failingSince.getTime();
    const verdict = judge(outcome, { tries: tries + 1, failingForMs, random: random() });
    let isDisabled = false;
    await patiently(limits.leaseMs, stopping.signal, async () => {
      isDisabled = (await noteEndpoint(database, claimed, verdict, new Date(nowMs()))) || isDisabled;
      await settling.submit({ claimed, at: new Date(atMs), durationMs, outcome, verdict });
    });
    const { status } = verdict.delivery;
    observe.sent(status === "pending" ? "retried" : status, durationMs);
    if (isDisabled) observe.endpointDisabled(endpointId, verdict.endpoint === "gone" ? "gone" : "failing");
  }

  async function release({ id, claim }: Claimed): Promise<void> {
    await releaseWebhookDeliveries.run({ ids: [id], claims: [claim], now: new Date(nowMs()) }, database);
  }

  function begin(claimed: Claimed): void {
    const { endpointId } = claimed;
    inFlightOf.set(endpointId, (inFlightOf.get(endpointId) ?? 0) + 1);
    const sending = deliver(claimed)
      .catch(onFailure)
      .finally(() => {
        underWay.delete(sending);
        const left = (inFlightOf.get(endpointId) ?? 1) - 1;
        if (left === 0) inFlightOf.delete(endpointId);
        else inFlightOf.set(endpointId, left);
        bell.ring();
      });
    underWay.add(sending);
  }

  return {
    async begin() {
      const claimed = await claim();
      for (const one of claimed) begin(one);
      return claimed.length;
    },
    inFlight: () => underWay.size,
    wait: (mostMs) => bell.wait(mostMs),
    ring: () => bell.ring(),
    async stop(graceMs) {
      const timer = setTimeout(() => stopping.abort(), graceMs);
      await Promise.all(underWay);
      clearTimeout(timer);
      await settling.drain();
    },
  };
}

/** While the database is away an outcome is kept as long as its claim holds; after that it is sent again. */
async function patiently(mostMs: number, stopping: AbortSignal, work: () => Promise<void>): Promise<void> {
  const untilMs = performance.now() + mostMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (stopping.aborted || performance.now() + settleRetryMs > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, settleRetryMs));
    }
  }
}

/**
 * What an endpoint's state learns from a try; before the delivery is settled, so that 410 cannot be forgotten. Returns
 * whether that has disabled it.
 */
async function noteEndpoint(
  database: Database,
  { endpointId: id, url }: Claimed,
  { endpoint }: Verdict,
  now: Date,
): Promise<boolean> {
  switch (endpoint) {
    case "unchanged":
      return false;
    case "recovered":
      await noteWebhookRecovery.run({ id }, database);
      return false;
    case "begins_to_fail":
      await noteWebhookFailure.run({ id, now }, database);
      return false;
    case "gone":
    case "failing": {
      const failingSince = endpoint === "gone" ? null : new Date(now.getTime() - disabledAfterMs);
      return (await disableWebhookEndpoint.run({ id, url, reason: endpoint, now, failingSince }, database)).length > 0;
    }
  }
}

/** Outcomes that come while the database writes others become the next batch. */
function settlingLane(database: Database, most: number): Lane<Settlement, void> {
  return createLane<Settlement, void>({
    name: "settle_webhooks",
    maxBatch: 100,
    maxQueued: 2 * most,
    maxWaitMs: 5_000,
    async run(batch) {
      await settleWebhookDeliveries.run(
        {
          ids: batch.map(({ claimed }) => claimed.id),
          claims: batch.map(({ claimed }) => claimed.claim),
          statuses: batch.map(({ verdict }) => verdict.delivery.status),
          dueAts: batch.map(dueAtOf),
          ats: batch.map(({ at }) => at.toISOString()),
          statusCodes: batch.map(({ outcome }) => (outcome.type === "answered" ? outcome.status : null)),
          durationsMs: batch.map(({ durationMs }) => durationMs),
          errors: batch.map(({ verdict }) => verdict.error),
          answers: batch.map(({ outcome }) => (outcome.type === "answered" ? outcome.answer : null)),
        },
        database,
      );
      return batch.map(() => undefined);
    },
  });
}

function dueAtOf({ at, durationMs, verdict: { delivery } }: Settlement): string | null {
  if (delivery.status !== "pending") return null;
  return new Date(at.getTime() + durationMs + delivery.pauseMs).toISOString();
}
