import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "../../../../kernel/statement.ts";
import { laneOf } from "../../domain/lanes.ts";
import { createLogReader, type LogPage, type LogReader } from "../log-reader.ts";
import { commitPage, parkRefused } from "./commit-page.ts";
import { LaneOwnership, type OwnedLane } from "./lane-ownership.ts";
import { type LaneOutcome, prepareEvents, publishShare } from "./publish-lane.ts";
import { resumeReleased } from "./resume-streams.ts";
import { backoffMs, type RelayLimits, type RelaySettings, relayLimits } from "./settings.ts";

export type Relay = {
  start(): void;
  /** Finishes the page under way, for at most some seconds, and gives its lanes back. The publisher stays open. */
  stop(): Promise<void>;
};

/** Lanes that stand at the same position: they read the log together. */
type Group = { readonly cursor: bigint; readonly lanes: OwnedLane[] };

type Prefetched = { readonly key: string; readonly page: Promise<LogPage> };

/**
 * Publishes the log: each event at least once, those of a stream in their order, with as many other relays over the
 * same database as there are. It takes its share of the lanes, reads the log once for all of them, publishes, and moves
 * their cursors together with the counts of what was published. A broker that is away is waited for.
 */
export function createRelay(settings: RelaySettings): Relay {
  const running = new RunningRelay(settings);
  let loops: Promise<unknown> | undefined;
  return {
    start() {
      loops ??= running.run();
    },
    stop: () => running.stop(loops),
  };
}

class RunningRelay {
  readonly #settings: RelaySettings;
  readonly #limits: RelayLimits;
  readonly #reader: LogReader;
  readonly #writes: Database;
  readonly #ownership: LaneOwnership;
  readonly #stopping = new AbortController();
  /** Lanes whose last call to the publisher failed. */
  readonly #failing = new Set<number>();
  /** Lanes that were told of as halted. */
  readonly #halted = new WeakSet<OwnedLane>();
  #toldParked = 0;
  #prefetched: Prefetched | undefined;
  #resumeAtMs = 0;
  #resumeFailures = 0;

  constructor(settings: RelaySettings) {
    const { connection, locks, observe, limits } = settings;
    this.#settings = settings;
    this.#limits = { ...relayLimits, ...limits };
    this.#reader = createLogReader(connection("relay reads"));
    this.#writes = connection("relay writes");
    this.#ownership = new LaneOwnership({ database: this.#writes, locks, observe });
  }

  async run(): Promise<void> {
    await Promise.all([this.#keepLanes(), this.#publish()]);
  }

  async stop(loops: Promise<unknown> | undefined): Promise<void> {
    this.#stopping.abort();
    const patience = new AbortController();
    const enough = sleep(this.#limits.stopMs, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([loops, enough]);
    patience.abort();
    await this.#ownership.close();
  }

  /** Apart from publishing, which may have to wait for the broker. */
  async #keepLanes(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#ownership.keep();
      await this.#pause(this.#limits.lookMs);
    }
  }

  async #publish(): Promise<void> {
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      try {
        const pauseMs = await this.#round();
        failures = 0;
        if (pauseMs > 0) await this.#pause(pauseMs);
      } catch (error) {
        failures += 1;
        this.#prefetched = undefined;
        this.#settings.observe.failed(error);
        await this.#pause(backoffMs(failures, this.#limits));
      }
    }
  }

  /** A page for each group of lanes. Returns how long to wait before the next round. */
  async #round(): Promise<number> {
    await this.#ownership.letGo();
    this.#forgetFailing();
    if (performance.now() >= this.#resumeAtMs) await this.#resume();
    const groups = groupsOf(this.#ready());
    const pauses: number[] = [];
    for (const [place, group] of groups.entries()) pauses.push(await this.#step(group, groups[place + 1]?.cursor));
    return Math.min(this.#limits.idleMs, ...pauses);
  }

  async #resume(): Promise<void> {
    this.#resumeAtMs = performance.now() + this.#limits.lookMs;
    const lanes = this.#ownership.working();
    if (!lanes.some(({ parked }) => parked.size > 0)) return;
    try {
      await resumeReleased(this.#settings, { lanes, ownership: this.#ownership, database: this.#writes });
      this.#resumeFailures = 0;
    } catch (error) {
      // The lanes go on meanwhile, as far as they can.
      this.#resumeFailures += 1;
      this.#resumeAtMs += backoffMs(this.#resumeFailures, this.#limits);
      this.#settings.observe.failed(error);
    }
    this.#tellParked();
  }

  /** `ceiling` is where the lanes ahead of these stand: there they join. */
  async #step(group: Group, ceiling: bigint | undefined): Promise<number> {
    const { cursor, lanes } = group;
    const page = await this.#page(cursor, lanes, ceiling);
    const { idleMs, gatherMs } = this.#limits;
    const gauge = this.#reader.gauge();
    this.#settings.observe.horizon(gauge);
    // What is not settled yet is so in some milliseconds, unless somebody keeps a transaction open.
    if (page.upTo === cursor) return gauge.positions > 0 && gauge.ageMs < 1_000 ? idleMs / 10 : idleMs;
    if (page.more) this.#prefetch(page.upTo, lanes, ceiling);
    // The lanes of another log are taken anew, under its name.
    const strange = lanes.filter(({ logName }) => logName !== page.logName);
    for (const lane of strange) await this.#ownership.drop(lane);
    if (strange.length > 0) return 0;
    const shares = Map.groupBy(page.events, ({ stream }) => laneOf(stream));
    const prepared = lanes.map((lane) => ({
      lane,
      prepared: prepareEvents(this.#settings.messageOf, shares.get(lane.lane) ?? [], lane.parked),
    }));
    for (const lane of await parkRefused(this.#committing(), prepared)) await this.#ownership.drop(lane);
    const owned = prepared.filter(({ lane }) => this.#ownership.isOwned(lane));
    const outcomes = await Promise.all(owned.map((share) => publishShare(this.#settings.publisher, share)));
    for (const outcome of outcomes) this.#tellReach(outcome);
    await this.#commit(outcomes, page.upTo);
    this.#tellParked();
    return page.more || ceiling !== undefined ? 0 : gatherMs;
  }

  async #page(cursor: bigint, lanes: readonly OwnedLane[], ceiling: bigint | undefined): Promise<LogPage> {
    const prefetched = this.#prefetched;
    this.#prefetched = undefined;
    if (prefetched?.key === keyOf(cursor, lanes, ceiling)) return await prefetched.page;
    return await this.#read(cursor, lanes, ceiling);
  }

  #prefetch(cursor: bigint, lanes: readonly OwnedLane[], ceiling: bigint | undefined): void {
    const page = this.#read(cursor, lanes, ceiling);
    // Whoever takes it hears of its failure; where nobody does it does not matter.
    page.catch(() => undefined);
    this.#prefetched = { key: keyOf(cursor, lanes, ceiling), page };
  }

  #read(cursor: bigint, lanes: readonly OwnedLane[], ceiling: bigint | undefined): Promise<LogPage> {
    const numbers = lanes.map(({ lane }) => lane);
    const bound = ceiling === undefined ? {} : { notBeyond: ceiling };
    return this.#reader.next(cursor, this.#limits.pageEvents, { lanes: numbers, ...bound });
  }

  async #commit(outcomes: readonly LaneOutcome[], upTo: bigint): Promise<void> {
    const done = outcomes.filter(({ lane }) => this.#ownership.isOwned(lane));
    const lost = await commitPage(this.#committing(), done, upTo).catch(async (error: unknown) => {
      // It may have been committed: what the database says is read with the next taking.
      for (const { lane } of done) await this.#ownership.drop(lane).catch(() => undefined);
      throw error;
    });
    for (const lane of lost) await this.#ownership.drop(lane);
  }

  #committing() {
    return { database: this.#writes, observe: this.#settings.observe };
  }

  #tellParked(): void {
    const parked = this.#ownership.parked();
    if (parked !== this.#toldParked) this.#settings.observe.parked(parked);
    this.#toldParked = parked;
  }

  /**
   * The lanes to read for now: not those that wait after a failure, nor those with too many parked streams. Streams
   * that are parked further on do not count: their lane has to come to them.
   */
  #ready(): OwnedLane[] {
    const nowMs = performance.now();
    return this.#ownership.working().filter((lane) => {
      const { mostParked } = this.#limits;
      const halts =
        lane.parked.size > mostParked &&
        lane.parked.values().reduce((sum, at) => sum + Number(at <= lane.cursor), 0) > mostParked;
      if (halts && !this.#halted.has(lane)) this.#settings.observe.halted(lane.lane, lane.parked.size);
      if (halts) this.#halted.add(lane);
      else this.#halted.delete(lane);
      return !halts && lane.waitsUntilMs <= nowMs;
    });
  }

  /** A lane that fails waits; the first failure and the last are told. */
  #tellReach(outcome: LaneOutcome): void {
    const { lane } = outcome;
    const wasFailing = this.#failing.size > 0;
    if ("error" in outcome) {
      lane.failures += 1;
      lane.waitsUntilMs = performance.now() + backoffMs(lane.failures, this.#limits);
      this.#failing.add(lane.lane);
      if (!wasFailing) this.#settings.observe.unreachable(outcome.error);
    } else if (this.#failing.delete(lane.lane)) {
      lane.failures = 0;
      if (this.#failing.size === 0) this.#settings.observe.reachable();
    }
  }

  /** What is another process's now fails there. */
  #forgetFailing(): void {
    if (this.#failing.size === 0) return;
    const own = new Set(this.#ownership.working().map(({ lane }) => lane));
    for (const lane of [...this.#failing]) if (!own.has(lane)) this.#failing.delete(lane);
    if (this.#failing.size === 0) this.#settings.observe.reachable();
  }

  async #pause(ms: number): Promise<void> {
    try {
      await sleep(ms, undefined, { ref: false, signal: this.#stopping.signal });
    } catch (error) {
      if (!this.#stopping.signal.aborted) throw error;
    }
  }
}

function keyOf(cursor: bigint, lanes: readonly OwnedLane[], ceiling: bigint | undefined): string {
  return `${cursor} ${ceiling} ${lanes.map(({ lane, epoch }) => `${lane}:${epoch}`).join(" ")}`;
}

/** The lanes by where they stand, those behind first. */
function groupsOf(lanes: readonly OwnedLane[]): Group[] {
  const groups = Map.groupBy(lanes, ({ cursor }) => cursor);
  return [...groups.entries()]
    .map(([cursor, members]) => ({ cursor, lanes: members }))
    .sort((left, right) => (left.cursor < right.cursor ? -1 : 1));
}
