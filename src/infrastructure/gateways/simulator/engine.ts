import { Book } from "./book.ts";
import { followPlans } from "./buyer.ts";
import { WebhookDelivery } from "./webhook-delivery.ts";
import type { WebhookTarget } from "./webhook-sender.ts";

export type EngineOptions = {
  /** The SQLite file of the book; several processes may open the same one. */
  readonly path: string;
  /** Milliseconds since 1970; what is due, and every time that is booked, is read from here. */
  readonly clock?: (() => number) | undefined;
  /** How long the simulated buyer takes to pay, in milliseconds. */
  readonly payAfterMs: number;
  /** An absent buyer never pays, and leaves what other processes' buyers owe to them. */
  readonly buyer: "pays" | "absent";
  /** Without a webhook the events wait in the book for a process that has one. */
  readonly webhook: WebhookTarget | null;
  /** How long one delivery of a webhook may take; 5 s unless said otherwise. */
  readonly webhookDeadlineMs?: number | undefined;
};

type Submission = { work: () => unknown; resolve: (value: unknown) => void; reject: (error: unknown) => void };

/** The most that one transaction carries, so that it never holds the event loop for long. */
const pageSize = 256;
/** Work that is due is done in pages no closer together than this; work of other processes is looked for this often. */
const leastPauseMs = 5;
const mostPauseMs = 1000;

/**
 * A book with its clockwork: the buyer who pays, and the delivery of events. All that is due is read from the book in
 * pages, so it survives a restart and costs no memory. Constructing throws where the book cannot be opened.
 */
export class Engine {
  readonly book: Book;
  readonly now: () => number;
  readonly #payAfterMs: number;
  readonly #buyerPays: boolean;
  readonly #delivery: WebhookDelivery | null;
  readonly #submissions: Submission[] = [];
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #closed: Promise<void> | undefined;

  constructor(options: EngineOptions) {
    this.now = options.clock ?? Date.now;
    this.#payAfterMs = options.payAfterMs;
    this.#buyerPays = options.buyer === "pays";
    this.book = new Book(options.path);
    const { webhook, webhookDeadlineMs = 5_000 } = options;
    this.#delivery =
      webhook === null
        ? null
        : new WebhookDelivery(this.book, webhook, webhookDeadlineMs, this.now, (at) => this.#wakeAt(at));
    this.#wakeAt(this.now());
  }

  /** When a buyer who is told to pay at `now` does so; null where nobody will. */
  dueAt(now: number): number | null {
    return this.#buyerPays ? now + this.#payAfterMs : null;
  }

  /**
   * Runs `work` in one transaction with everything else that was submitted in the same turn of the event loop, and
   * resolves when the disk has it. Rejects where the transaction failed, and then nothing of it is booked, or where the
   * disk did not take it.
   */
  submit<Value>(work: () => Value): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(new Error("the simulated gateway is closed"));
        return;
      }
      this.#submissions.push({ work, resolve: resolve as (value: unknown) => void, reject });
      if (this.#submissions.length === 1) setImmediate(() => this.#flush());
    });
  }

  /** Stops the buyer and the deliveries, waits at most `deadlineMs` for what is under way, and closes the book. */
  close(deadlineMs = 2000): Promise<void> {
    this.#closed ??= this.#stop(deadlineMs);
    return this.#closed;
  }

  async #flush(): Promise<void> {
    const batch = this.#submissions.splice(0, pageSize);
    if (this.#submissions.length > 0) setImmediate(() => this.#flush());
    const values: unknown[] = [];
    try {
      this.book.transaction(() => {
        for (const { work } of batch) values.push(work());
      });
      await this.book.flushed();
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (let index = 0; index < batch.length; index++) batch[index]?.resolve(values[index]);
    if (this.#closed === undefined) this.#wakeAt(this.#nextDue());
  }

  #nextDue(): number {
    const buyerAt = this.#buyerPays ? this.book.nextIntentDue() : null;
    return Math.min(buyerAt ?? Number.POSITIVE_INFINITY, this.#delivery?.nextDue() ?? Number.POSITIVE_INFINITY);
  }

  #wakeAt(at: number): void {
    if (this.#closed !== undefined || this.#timerAt <= at) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    const pauseMs = Math.min(mostPauseMs, Math.max(leastPauseMs, at - this.now()));
    this.#timer = setTimeout(() => this.#tick(), pauseMs);
    this.#timer.unref();
  }

  /** One page of everything that is due, in one transaction. A book that is busy or broken is tried again later. */
  async #tick(): Promise<void> {
    this.#timerAt = Number.POSITIVE_INFINITY;
    if (this.#closed !== undefined) return;
    try {
      const at = this.now();
      if (this.#nextDue() <= at) {
        this.book.transaction(() => {
          if (this.#buyerPays) followPlans(this.book, at, pageSize);
          this.#delivery?.claim(at);
        });
        // Nobody hears of a charge before the disk has it.
        await this.book.flushed();
        this.#delivery?.send();
      }
      this.#wakeAt(Math.min(this.#nextDue(), at + mostPauseMs));
    } catch {
      this.#wakeAt(this.now() + mostPauseMs);
    }
  }

  async #stop(deadlineMs: number): Promise<void> {
    clearTimeout(this.#timer);
    const until = Date.now() + deadlineMs;
    try {
      while (this.#submissions.length > 0) await new Promise((resolve) => setTimeout(resolve, 1));
      await this.book.flushed();
      await this.#delivery?.stop(until);
    } finally {
      this.book.close();
    }
  }
}
