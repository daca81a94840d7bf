/** Types generated for queries found in "src/modules/events/persistence/log.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type numberArray = readonly (number | null)[];

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

const readStatisticsIR = {"statement":"select events.count_of(:category!) as \"total\" ,\n       coalesce((\n         select sum(p.events) from events.published p where p.consumer = :consumer! and p.category = :category!\n       ), 0)::bigint as \"handled\"","params":[{"name":"category","locs":[{"a":23,"b":33},{"a":167,"b":177}]},{"name":"consumer","locs":[{"a":139,"b":149}]}]};

/**
 * Query generated from SQL:
 * ```
 * select events.count_of(:category!) as "total!",
 *        coalesce((
 *          select sum(p.events) from events.published p where p.consumer = :consumer! and p.category = :category!
 *        ), 0)::bigint as "handled!"
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

/** 'SettleLog' parameters type */
export interface SettleLogParams {
  markedPosition: bigint;
  markedXid?: string | null | undefined;
  session: string;
}

/** 'SettleLog' return type */
export interface SettleLogResult {
  drawn: bigint;
  known: boolean;
  mark: string | null;
  settled: boolean;
}

const settleLogIR = {"statement":"select s.known as \"known\" , s.settled as \"settled\" , s.drawn as \"drawn\" , s.mark\nfrom events.settle(:session!::text, :markedPosition!::bigint, :markedXid::xid8) s","params":[{"name":"session","locs":[{"a":100,"b":109}]},{"name":"markedPosition","locs":[{"a":117,"b":133}]},{"name":"markedXid","locs":[{"a":143,"b":153}]}]};

/**
 * Query generated from SQL:
 * ```
 * select s.known as "known!", s.settled as "settled!", s.drawn as "drawn!", s.mark
 * from events.settle(:session!::text, :markedPosition!::bigint, :markedXid::xid8) s                                                                                                                                                                                                                                                                                                                                                      
 * ```
 */
export const settleLog = new PreparedStatement<SettleLogParams, SettleLogResult>("events.settleLog", settleLogIR);

/** 'ReadPage' parameters type */
export interface ReadPageParams {
  after: bigint;
  bytes: bigint;
  lanes: numberArray;
  limit: number;
  session: string;
  upTo: bigint;
}

/** 'ReadPage' return type */
export interface ReadPageResult {
  category: string;
  data: string | null;
  known: boolean;
  logName: string;
  more: boolean;
  position: bigint;
  recordedAt: Date;
  stream: string;
  traceparent: string | null;
  type: string;
  upTo: bigint | null;
  version: number;
}

const readPageIR = {"statement":"with page as materialized (\n  select l.position, l.category, l.stream, l.stream_version, l.type, l.traceparent, l.recorded_at,\n         l.data::text as data\n  from events.log l\n  where l.position > :after!::bigint and l.position <= :upTo!::bigint\n  order by l.position\n  limit :limit!::integer\n), sized as materialized (\n  select p.*, sum(length(p.data)) over (order by p.position) - length(p.data) as before from page p\n), bound as (\n  select max(s.position) as up_to,\n         (select count(*) from page) >= :limit or count(*) < (select count(*) from page) as more,\n         coalesce(:session!::text = current_setting('marketflow.log_reader', true), false) as known,\n         events.log_name() as log_name\n  from sized s where s.before < :bytes!::bigint\n)\nselect b.known as \"known\" , b.log_name as \"logName\" , b.up_to as \"upTo\", b.more as \"more\" ,\n       s.position, s.category, s.stream, s.stream_version as \"version\", s.type, s.data, s.traceparent,\n       s.recorded_at as \"recordedAt\"\nfrom bound b\nleft join sized s on s.position <= b.up_to and get_byte(uuid_send(s.stream), 15) & 7 = any (:lanes!::integer[])\norder by s.position","params":[{"name":"after","locs":[{"a":198,"b":205}]},{"name":"upTo","locs":[{"a":232,"b":238}]},{"name":"limit","locs":[{"a":277,"b":284},{"a":510,"b":516}]},{"name":"session","locs":[{"a":586,"b":595}]},{"name":"bytes","locs":[{"a":740,"b":747}]},{"name":"lanes","locs":[{"a":1095,"b":1102}]}]};

/**
 * Query generated from SQL:
 * ```
 * with page as materialized (
 *   select l.position, l.category, l.stream, l.stream_version, l.type, l.traceparent, l.recorded_at,
 *          l.data::text as data
 *   from events.log l
 *   where l.position > :after!::bigint and l.position <= :upTo!::bigint
 *   order by l.position
 *   limit :limit!::integer
 * ), sized as materialized (
 *   select p.*, sum(length(p.data)) over (order by p.position) - length(p.data) as before from page p
 * ), bound as (
 *   select max(s.position) as up_to,
 *          (select count(*) from page) >= :limit or count(*) < (select count(*) from page) as more,
 *          coalesce(:session!::text = current_setting('marketflow.log_reader', true), false) as known,
 *          events.log_name() as log_name
 *   from sized s where s.before < :bytes!::bigint
 * )
 * select b.known as "known!", b.log_name as "logName!", b.up_to as "upTo", b.more as "more!",
 *        s.position, s.category, s.stream, s.stream_version as "version", s.type, s.data, s.traceparent,
 *        s.recorded_at as "recordedAt"
 * from bound b
 * left join sized s on s.position <= b.up_to and get_byte(uuid_send(s.stream), 15) & 7 = any (:lanes!::integer[])
 * order by s.position
 * ```
 */
export const readPage = new PreparedStatement<ReadPageParams, ReadPageResult>("events.readPage", readPageIR);
