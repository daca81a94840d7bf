import { randomUUID } from "node:crypto";
import type { Database } from "../../../kernel/statement.ts";
import { settleLog } from "../persistence/log.queries.ts";

/** How far the log is ahead of what may be read of it. */
export type HorizonGauge = {
  /** Positions that were drawn and may still become visible. */
  readonly positions: number;
  /** For how long the oldest of them has been waited for, in milliseconds. */
  readonly ageMs: number;
};

/**
 * The position up to which the log may be read: every event up to there is visible, or never will be. It is found by
 * marks, as events.settle says.
 *
 * The database must be one connection and no pool: what is known holds in the session that found it out only.
 */
export class Horizon {
  readonly #database: Database;
  /** Our name for the session; another one whenever that may be another session. */
  #session = randomUUID();
  #settled = 0n;
  #drawn = 0n;
  #mark: { readonly position: bigint; readonly xid: string; readonly atMs: number } | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The name by which a later statement can see that it is in the session of which the answer is. */
  get session(): string {
    return this.#session;
  }

  /**
   * Asks once, and returns the settled position. What was appended before needs two calls where nobody else writes,
   * and otherwise as many as come until those who were writing meanwhile have ended.
   */
  async settle(): Promise<bigint> {
    const session = this.#session;
    const mark = this.#mark;
    const markedPosition = mark?.position ?? this.#settled;
    const parameters = { session, markedPosition, markedXid: mark?.xid ?? null };
    const [answer] = await settleLog.run(parameters, this.#database).catch((error: unknown) => {
      this.forget();
      throw error;
    });
    if (answer === undefined) throw new Error("events.settle gives one row");
    if (session !== this.#session) return this.#settled;
    if (answer.known && answer.settled && mark !== undefined && mark === this.#mark) {
      this.#settled = mark.position;
      this.#mark = undefined;
    }
    if (!answer.known) this.#reset();
    this.#drawn = answer.drawn;
    if (answer.mark !== null) this.#mark = { position: answer.drawn, xid: answer.mark, atMs: performance.now() };
    return this.#settled;
  }

  /** What was known is void: the session that knew it is gone. */
  forget(): void {
    this.#session = randomUUID();
    this.#reset();
  }

  #reset(): void {
    this.#settled = 0n;
    this.#mark = undefined;
  }

  gauge(): HorizonGauge {
    const ageMs = this.#mark === undefined ? 0 : performance.now() - this.#mark.atMs;
    return { positions: Number(this.#drawn - this.#settled), ageMs };
  }
}
