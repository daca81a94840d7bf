import type { Database } from "../../../../kernel/statement.ts";
import { allLanes, laneCount } from "../../domain/lanes.ts";
import { readParkedStreams, takeLane } from "../../persistence/relay.queries.ts";
import type { LaneLocks } from "../../ports.ts";
import { relayConsumer as consumer, type RelayObserver } from "./settings.ts";

/** A lane that this process owns. */
export type OwnedLane = {
  readonly lane: number;
  /** Which log it is of (events.log_name). */
  readonly logName: string;
  /** What it is called at the broker: a name of this log, because another log's positions are other events. */
  readonly name: string;
  /** Of this ownership: statements of an earlier one move nothing. */
  readonly epoch: bigint;
  cursor: bigint;
  /** Its parked streams, and from where on: only the owner parks and ends that, so that the database has the same. */
  readonly parked: Map<string, bigint>;
  /** Its work ends with the round, and then it is given back. */
  isLeaving: boolean;
  /** True once it may be another process's: whatever is under way for it ends. */
  isLost: boolean;
  /** It is left alone until then, after so many failures. In milliseconds of performance.now(). */
  waitsUntilMs: number;
  failures: number;
};

type OwnershipSettings = {
  readonly database: Database;
  readonly locks: LaneLocks;
  readonly observe: RelayObserver;
};

/** Which lanes this process has: its share among those who are alive. */
export class LaneOwnership {
  readonly #settings: OwnershipSettings;
  readonly #lanes = new Map<number, OwnedLane>();
  #told = 0;

  constructor(settings: OwnershipSettings) {
    this.#settings = settings;
  }

  /** The lanes to work on. None where the session that holds them may be gone. */
  working(): OwnedLane[] {
    if (!this.#settings.locks.isAlive()) return [];
    return [...this.#lanes.values()].filter((lane) => !lane.isLeaving);
  }

  isOwned(lane: OwnedLane): boolean {
    return !lane.isLost && this.#settings.locks.isAlive();
  }

  parked(): number {
    return this.#lanes.values().reduce((sum, lane) => sum + lane.parked.size, 0);
  }

  /**
   * Once a second: takes free lanes up to the share, and marks what is more than it as leaving. Where the session of
   * the locks is gone all is lost. Does not throw.
   */
  async keep(): Promise<void> {
    const { locks, observe } = this.#settings;
    try {
      if (!locks.isAlive()) await this.#loseAll();
      const share = Math.ceil(laneCount / Math.max(1, await locks.countOwners()));
      const staying = [...this.#lanes.values()].filter((lane) => !lane.isLeaving);
      for (const lane of staying.slice(share)) lane.isLeaving = true;
      await this.#take(share - staying.length);
    } catch (error) {
      if (!locks.isAlive()) await this.#loseAll();
      observe.failed(error);
    }
    this.#tell();
  }

  /** All at once, so that those that stand at the same position are read together from the beginning. */
  async #take(most: number): Promise<void> {
    const taken: OwnedLane[] = [];
    try {
      for (const lane of allLanes) {
        if (taken.length >= most) break;
        if (!this.#lanes.has(lane) && (await this.#settings.locks.tryTake(lane))) taken.push(await this.#own(lane));
      }
    } finally {
      if (this.#settings.locks.isAlive()) for (const lane of taken) this.#lanes.set(lane.lane, lane);
      else await this.#loseAll();
    }
  }

  async #own(lane: number): Promise<OwnedLane> {
    const { database, locks } = this.#settings;
    try {
      const [taken] = await takeLane.run({ consumer, lane }, database);
      if (taken === undefined) throw new Error("a lane that is taken has a cursor");
      const parked = await readParkedStreams.run({ consumer, lane }, database);
      const own = {
        lane,
        logName: taken.logName,
        name: `${taken.logName}-${lane}`,
        epoch: taken.epoch,
        cursor: taken.position,
        parked: parkedOf(parked),
      };
      return { ...own, isLeaving: false, isLost: false, waitsUntilMs: 0, failures: 0 };
    } catch (error) {
      await locks.release(lane).catch(() => undefined);
      throw error;
    }
  }

  /** Between two rounds of work: gives back the lanes that leave. Throws where the locks' session is gone. */
  async letGo(): Promise<void> {
    for (const lane of [...this.#lanes.values()]) if (lane.isLeaving) await this.drop(lane);
  }

  /** Gives a lane back at once, because it is another process's already or nobody knows where its cursor stands. */
  async drop(lane: OwnedLane): Promise<void> {
    if (lane.isLost) return;
    lane.isLost = true;
    this.#lanes.delete(lane.lane);
    this.#tell();
    await this.#settings.locks.release(lane.lane);
  }

  /** The session goes as well where it lives after all: locks that it has would be taken, and counted, twice. */
  async #loseAll(): Promise<void> {
    for (const lane of this.#lanes.values()) lane.isLost = true;
    this.#lanes.clear();
    await this.#settings.locks.close();
  }

  #tell(): void {
    if (this.#told === this.#lanes.size) return;
    this.#told = this.#lanes.size;
    this.#settings.observe.lanes(this.#told);
  }

  async close(): Promise<void> {
    const closing = this.#loseAll();
    this.#tell();
    await closing;
  }
}

function parkedOf(rows: readonly { readonly stream: string; readonly position: bigint }[]): Map<string, bigint> {
  return new Map(rows.map(({ stream, position }) => [stream, position]));
}
