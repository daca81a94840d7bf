/** Types generated for queries found in "src/modules/events/persistence.sql" */
import { PreparedStatement } from "../../kernel/statement.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** 'ReadStream' parameters type */
export interface ReadStreamParams {
  limit: number;
  stream: string;
}

/** 'ReadStream' return type */
export interface ReadStreamResult {
  data: Json;
  recordedAt: Date;
  type: string;
  version: number;
}

const readStreamIR = {"statement":"select stream_version as \"version\" , type as \"type\" , data as \"data\" , recorded_at as \"recordedAt\" \nfrom events.log\nwhere stream = :stream!\norder by stream_version\nlimit :limit!::integer","params":[{"name":"stream","locs":[{"a":131,"b":139}]},{"name":"limit","locs":[{"a":170,"b":177}]}]};

/**
 * Query generated from SQL:
 * ```
 * select stream_version as "version!", type as "type!", data as "data!", recorded_at as "recordedAt!"
 * from events.log
 * where stream = :stream!
 * order by stream_version
 * limit :limit!::integer                                                                                                       
 * ```
 */
export const readStream = new PreparedStatement<ReadStreamParams, ReadStreamResult>("events.readStream", readStreamIR);

/** 'ReadStatistics' parameters type */
export interface ReadStatisticsParams {
  category: string;
  consumer: string;
}

/** 'ReadStatistics' return type */
export interface ReadStatisticsResult {
  handled: bigint;
  total: bigint;
}

const readStatisticsIR = {"statement":"select events.count_of(:category!) as \"total\" ,\n       coalesce((select sum(c.handled) from events.cursors c where c.consumer = :consumer!), 0)::bigint as \"handled\"","params":[{"name":"category","locs":[{"a":23,"b":33}]},{"name":"consumer","locs":[{"a":128,"b":138}]}]};

/**
 * Query generated from SQL:
 * ```
 * select events.count_of(:category!) as "total!",
 *        coalesce((select sum(c.handled) from events.cursors c where c.consumer = :consumer!), 0)::bigint as "handled!"
 * ```
 */
export const readStatistics = new PreparedStatement<ReadStatisticsParams, ReadStatisticsResult>("events.readStatistics", readStatisticsIR);

/** 'TallyEvents' parameters type */
export interface TallyEventsParams {
  most: number;
}

/** 'TallyEvents' return type */
export interface TallyEventsResult {
  left: bigint;
}

const tallyEventsIR = {"statement":"select events.tally(:most!::integer) as \"left\"","params":[{"name":"most","locs":[{"a":20,"b":26}]}]};

/**
 * Query generated from SQL:
 * ```
 * select events.tally(:most!::integer) as "left!"
 * ```
 */
export const tallyEvents = new PreparedStatement<TallyEventsParams, TallyEventsResult>("events.tallyEvents", tallyEventsIR);
