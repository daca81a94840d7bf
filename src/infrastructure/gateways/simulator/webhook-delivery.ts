import type { Book, BookEvent } from "./book.ts";
import { eventJson } from "./stripe-json.ts";
import { createWebhookSender, type WebhookSender, type WebhookTarget } from "./webhook-sender.ts";

/**
 * Deliveries that share a batch of the receiver's group commit: 16 of them were 700 events a second, 96 are 2,000 while
 * the same process also takes 256 connections of payments.
 */
const connections = 96;
/** The most events that are claimed and not yet answered for: what a process holds in memory, and a dead one held. */
const claimsAtMost = 256;
/** A claim outlives the slowest delivery, so no event is on its way twice; what a dead process held comes back then. */
const leaseMs = 8_000;
const triesAtMost = 50;
/** How long an outcome may wait for others to be booked with; one that is lost is delivered again, as Stripe may. */
const bookWithinMs = 5;

/** When a delivery that failed for the n-th time is tried again: after 1 s, 2 s, 4 s … 60 s; null after the last. */
export function retryAt(tries: number, now: number): number | null {
  return tries >= triesAtMost ? null : now + Math.min(60_000, 1000 * 2 ** (tries - 1));
}

/**
 * Delivers the book's events to one endpoint: claims them in pages, posts them over a few connections, and books what
 * came of it with the next page. Delivery is at least once, and in no particular order.
 */
export class WebhookDelivery {
  readonly #book: Book;
  readonly #sender: WebhookSender;
  readonly #deadlineMs: number;
  readonly #now: () => number;
  readonly #wakeAt: (at: number) => void;
  readonly #claimed: { event: BookEvent; leaseUntil: number }[] = [];
  #outcomes: { event: BookEvent; delivered: boolean; at: number }[] = [];
  #outcomesDue = Number.POSITIVE_INFINITY;
  #inFlight = 0;
  #idle: (() => void) | undefined;
  #stopping = false;

  constructor(book: Book, target: WebhookTarget, deadlineMs: number, now: () => number, wakeAt: (at: number) => void) {
    this.#book = book;
    this.#sender = createWebhookSender(target, connections, deadlineMs);
    this.#deadlineMs = deadlineMs;
    this.#now = now;
    this.#wakeAt = wakeAt;
  }

  /** When there is something to claim or to book; infinity while there is not, or no room for it. */
  nextDue(): number {
    const claimable = this.#room() >= claimsAtMost / 2 ? this.#book.nextEventDue() : null;
    return Math.min(claimable ?? Number.POSITIVE_INFINITY, this.#outcomesDue);
  }

  /** Books the outcomes there are and claims the events that are due. Runs inside a transaction. */
  claim(at: number): void {
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    this.#outcomesDue = Number.POSITIVE_INFINITY;
    for (const { event, delivered, at: sentAt } of outcomes) {
      if (delivered) this.#book.eventDelivered(event.n, sentAt);
      else this.#book.eventPostponed(event.n, retryAt(event.tries, sentAt));
    }
    const leaseUntil = at + leaseMs;
    for (const event of this.#book.claimEvents(at, leaseUntil, this.#room())) {
      this.#claimed.push({ event, leaseUntil });
    }
  }

  /** Posts what is claimed, as far as there are connections. */
  send(): void {
    while (!this.#stopping && this.#inFlight < connections) {
      const next = this.#claimed.shift();
      if (next === undefined) return;
      // Whoever claims it after the lease would send it as well: one that is nearly over is left to them.
      if (next.leaseUntil - this.#now() < this.#deadlineMs) continue;
      void this.#post(next.event);
    }
  }

  /** Waits for what is on its way, at most until then (on the machine's clock), and gives back what is not. */
  async stop(until: number): Promise<void> {
    this.#stopping = true;
    if (this.#inFlight > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, until - Date.now()));
        this.#idle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#sender.close();
    const now = this.#now();
    this.#book.transaction(() => {
      const unsent = this.#claimed.splice(0);
      for (const { event } of unsent) this.#book.eventPostponed(event.n, now);
      for (const { event, delivered, at } of this.#outcomes.splice(0)) {
        if (delivered) this.#book.eventDelivered(event.n, at);
        else this.#book.eventPostponed(event.n, retryAt(event.tries, at));
      }
    });
  }

  #room(): number {
    return claimsAtMost - this.#claimed.length - this.#inFlight;
  }

  async #post(event: BookEvent): Promise<void> {
    this.#inFlight++;
    const delivered = await this.#sender.send(eventJson(this.#book.tag, event), this.#now());
    this.#inFlight--;
    const at = this.#now();
    this.#outcomes.push({ event, delivered, at });
    if (this.#outcomesDue === Number.POSITIVE_INFINITY) this.#outcomesDue = at + bookWithinMs;
    if (this.#inFlight === 0) this.#idle?.();
    this.send();
    this.#wakeAt(this.#outcomesDue);
  }
}
