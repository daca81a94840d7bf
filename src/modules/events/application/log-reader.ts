import type { Database } from "../../../kernel/statement.ts";
import { allLanes } from "../domain/lanes.ts";
import type { LogEvent } from "../domain/log-event.ts";
import { type ReadPageResult, readPage } from "../persistence/log.queries.ts";
import { Horizon, type HorizonGauge } from "./horizon.ts";

/** What a page is to have; all of it may be left out. */
export type PageSettings = {
  /** Only the events of these lanes; the page reaches as far with all others left out. */
  readonly lanes?: readonly number[];
  /** A position that the page does not reach beyond. */
  readonly notBeyond?: bigint;
  /** The page ends with the event that makes it as large as this, in bytes of JSON. */
  readonly bytes?: number;
};

export type LogPage = {
  /** In the order of their positions; each stream's events in the order of their versions. */
  readonly events: readonly LogEvent[];
  /**
   * How far the log has been read now: the cursor to go on from. It is the position of an event that was seen, never a
   * gap behind it: a position that was only drawn may be drawn once more after a crash of the database.
   */
  readonly upTo: bigint;
  /** True where the page ended by its limits: the next one has something as well. */
  readonly more: boolean;
  /** Which log it is of (events.log_name); null where nothing was read. */
  readonly logName: string | null;
};

export type LogReader = {
  /**
   * The next events after a cursor, at most `limit`: none that an earlier one could still come before. A page without
   * events whose `upTo` is the cursor says that there is nothing to read now: ask again after some milliseconds.
   */
  next(cursor: bigint, limit: number, settings?: PageSettings): Promise<LogPage>;
  gauge(): HorizonGauge;
};

const fallbackBytes = 4 * 1024 * 1024;

/**
 * Reads the log in the order of its positions, for any number of cursors. The database must be one connection of its
 * own that is planned by index (`createDedicatedConnection`), and no pool: in a pool no position ever settles.
 */
export function createLogReader(database: Database): LogReader {
  const horizon = new Horizon(database);
  return {
    async next(cursor, limit, { lanes = allLanes, notBeyond, bytes = fallbackBytes } = {}) {
      const settled = await horizon.settle();
      const upTo = notBeyond !== undefined && notBeyond < settled ? notBeyond : settled;
      if (upTo <= cursor) return nothingAfter(cursor);
      const page = { after: cursor, upTo, limit, bytes: BigInt(bytes), lanes, session: horizon.session };
      const rows = await readPage.run(page, database);
      const [first] = rows;
      if (first?.known === true) {
        const { more, logName } = first;
        return { events: rows.flatMap(eventOf), upTo: first.upTo ?? cursor, more, logName };
      }
      horizon.forget();
      return nothingAfter(cursor);
    },
    gauge: () => horizon.gauge(),
  };
}

function nothingAfter(cursor: bigint): LogPage {
  return { events: [], upTo: cursor, more: false, logName: null };
}

/** The only row of a page without events of the lanes is one of nulls. */
function eventOf(row: ReadPageResult): LogEvent | [] {
  const { position, category, stream, version, type, data, traceparent, recordedAt } = row;
  if (position === null || category === null || stream === null || version === null) return [];
  if (type === null || data === null || recordedAt === null) return [];
  return { position, category, stream, version, type, data, traceparent, recordedAt };
}
