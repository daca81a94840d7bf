/** Types generated for queries found in "src/modules/events/persistence/outbox.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type bigintArray = readonly (bigint | null)[];

/** 'ListLanes' parameters type */
export interface ListLanesParams {
  consumer: string;
  lanes: number;
}

/** 'ListLanes' return type */
export interface ListLanesResult {
  lane: number;
  movedAt: Date | null;
  oldestPending: Date | null;
  ownerPid: number | null;
  parked: bigint;
  position: bigint;
  published: bigint;
}

const listLanesIR = {"statement":"select l.lane as \"lane\" , coalesce(c.position, 0) as \"position\" ,\n       coalesce((select sum(p.events) from events.published p where p.consumer = :consumer! and p.lane = l.lane), 0)\n         ::bigint as \"published\" ,\n       (select count(*) from events.parked p where p.consumer = :consumer! and p.lane = l.lane) as \"parked\" ,\n       c.updated_at as \"movedAt\" ,\n       (\n         select k.pid from pg_locks k\n         where k.locktype = 'advisory' and k.objsubid = 2 and k.granted and k.mode = 'ExclusiveLock'\n           and k.classid = hashtext('marketflow ' || :consumer!)::oid and k.objid = l.lane\n           and k.database = (select d.oid from pg_database d where d.datname = current_database())\n         limit 1\n       ) as \"ownerPid\" ,\n       next.recorded_at as \"oldestPending\" \nfrom generate_series(0, :lanes!::integer - 1) as l (lane)\nleft join events.cursors c on c.consumer = :consumer! and c.lane = l.lane\nleft join lateral (\n  -- The first that it has before it. Nothing is far behind a cursor that moves.\n  select e.recorded_at from events.log e\n  where e.position > coalesce(c.position, 0) and get_byte(uuid_send(e.stream), 15) & 7 = l.lane\n  order by e.position\n  limit 1\n) next on true\norder by l.lane","params":[{"name":"consumer","locs":[{"a":147,"b":157},{"a":282,"b":292},{"a":564,"b":574},{"a":888,"b":898}]},{"name":"lanes","locs":[{"a":811,"b":818}]}]};

/**
 * Query generated from SQL:
 * ```
 * select l.lane as "lane!", coalesce(c.position, 0) as "position!",
 *        coalesce((select sum(p.events) from events.published p where p.consumer = :consumer! and p.lane = l.lane), 0)
 *          ::bigint as "published!",
 *        (select count(*) from events.parked p where p.consumer = :consumer! and p.lane = l.lane) as "parked!",
 *        c.updated_at as "movedAt?",
 *        (
 *          select k.pid from pg_locks k
 *          where k.locktype = 'advisory' and k.objsubid = 2 and k.granted and k.mode = 'ExclusiveLock'
 *            and k.classid = hashtext('marketflow ' || :consumer!)::oid and k.objid = l.lane
 *            and k.database = (select d.oid from pg_database d where d.datname = current_database())
 *          limit 1
 *        ) as "ownerPid?",
 *        next.recorded_at as "oldestPending?"
 * from generate_series(0, :lanes!::integer - 1) as l (lane)
 * left join events.cursors c on c.consumer = :consumer! and c.lane = l.lane
 * left join lateral (
 *   -- The first that it has before it. Nothing is far behind a cursor that moves.
 *   select e.recorded_at from events.log e
 *   where e.position > coalesce(c.position, 0) and get_byte(uuid_send(e.stream), 15) & 7 = l.lane
 *   order by e.position
 *   limit 1
 * ) next on true
 * order by l.lane                                                                             
 * ```
 */
export const listLanes = new PreparedStatement<ListLanesParams, ListLanesResult>("events.listLanes", listLanesIR);

/** 'ListCategories' parameters type */
export interface ListCategoriesParams {
  consumer: string;
}

/** 'ListCategories' return type */
export interface ListCategoriesResult {
  category: string;
  parked: bigint;
  published: bigint;
  skipped: bigint;
  total: bigint;
}

const listCategoriesIR = {"statement":"select n.category as \"category\" , events.count_of(n.category) as \"total\" ,\n       coalesce((\n         select sum(p.events) from events.published p where p.consumer = :consumer! and p.category = n.category\n       ), 0)::bigint as \"published\" ,\n       (select count(*) from events.parked p where p.consumer = :consumer! and p.category = n.category) as \"parked\" ,\n       (select count(*) from events.skipped s where s.consumer = :consumer! and s.category = n.category) as \"skipped\" \nfrom (\n  select t.category from events.tallies t\n  union\n  select l.category from events.log l where l.position > (select p.counted_to from events.tally_progress p)\n) n\norder by n.category","params":[{"name":"consumer","locs":[{"a":166,"b":176},{"a":307,"b":317},{"a":426,"b":436}]}]};

/**
 * Query generated from SQL:
 * ```
 * select n.category as "category!", events.count_of(n.category) as "total!",
 *        coalesce((
 *          select sum(p.events) from events.published p where p.consumer = :consumer! and p.category = n.category
 *        ), 0)::bigint as "published!",
 *        (select count(*) from events.parked p where p.consumer = :consumer! and p.category = n.category) as "parked!",
 *        (select count(*) from events.skipped s where s.consumer = :consumer! and s.category = n.category) as "skipped!"
 * from (
 *   select t.category from events.tallies t
 *   union
 *   select l.category from events.log l where l.position > (select p.counted_to from events.tally_progress p)
 * ) n
 * order by n.category                                                                                              
 * ```
 */
export const listCategories = new PreparedStatement<ListCategoriesParams, ListCategoriesResult>("events.listCategories", listCategoriesIR);

/** 'ReadDrawn' parameters type */
export type ReadDrawnParams = void;

/** 'ReadDrawn' return type */
export interface ReadDrawnResult {
  drawn: bigint;
}

const readDrawnIR = {"statement":"select s.drawn as \"drawn\"  from events.settle('', 9223372036854775807, null) s","params":[]};

/**
 * Query generated from SQL:
 * ```
 * select s.drawn as "drawn!" from events.settle('', 9223372036854775807, null) s                                                                
 * ```
 */
export const readDrawn = new PreparedStatement<ReadDrawnParams, ReadDrawnResult>("events.readDrawn", readDrawnIR);

/** 'ListParked' parameters type */
export interface ListParkedParams {
  consumer: string;
  limit: number;
  stream?: string | null | undefined;
}

/** 'ListParked' return type */
export interface ListParkedResult {
  category: string;
  lane: number;
  parkedAt: Date;
  position: bigint;
  reason: string;
  recordedAt: Date | null;
  releasedAt: Date | null;
  releasedBy: string | null;
  skipReason: string | null;
  stream: string;
  type: string;
  version: number;
  withheld: bigint;
}

const listParkedIR = {"statement":"with page as materialized (\n  select p.* from events.parked p\n  where p.consumer = :consumer! and (:stream::uuid is null or p.stream = :stream)\n  order by p.parked_at, p.stream\n  limit :limit!::integer\n)\nselect p.stream as \"stream\" , p.lane as \"lane\" , p.position as \"position\" , p.version as \"version\" ,\n       p.category as \"category\" , p.type as \"type\" , p.reason as \"reason\" , p.parked_at as \"parkedAt\" ,\n       p.released_at as \"releasedAt\", p.released_by as \"releasedBy\", p.skip_reason as \"skipReason\",\n       first.recorded_at as \"recordedAt\" ,\n       (\n         select count(*) from events.log l\n         where l.stream = p.stream and l.stream_version >= p.version\n           and l.position <= coalesce(\n             (select c.position from events.cursors c where c.consumer = p.consumer and c.lane = p.lane), 0\n           )\n       ) as \"withheld\" \nfrom page p\nleft join lateral (\n  select l.recorded_at from events.log l where l.stream = p.stream and l.stream_version = p.version offset 0\n) first on true\norder by p.parked_at, p.stream","params":[{"name":"consumer","locs":[{"a":83,"b":93}]},{"name":"stream","locs":[{"a":99,"b":106},{"a":135,"b":142}]},{"name":"limit","locs":[{"a":185,"b":192}]}]};

/**
 * Query generated from SQL:
 * ```
 * with page as materialized (
 *   select p.* from events.parked p
 *   where p.consumer = :consumer! and (:stream::uuid is null or p.stream = :stream)
 *   order by p.parked_at, p.stream
 *   limit :limit!::integer
 * )
 * select p.stream as "stream!", p.lane as "lane!", p.position as "position!", p.version as "version!",
 *        p.category as "category!", p.type as "type!", p.reason as "reason!", p.parked_at as "parkedAt!",
 *        p.released_at as "releasedAt", p.released_by as "releasedBy", p.skip_reason as "skipReason",
 *        first.recorded_at as "recordedAt?",
 *        (
 *          select count(*) from events.log l
 *          where l.stream = p.stream and l.stream_version >= p.version
 *            and l.position <= coalesce(
 *              (select c.position from events.cursors c where c.consumer = p.consumer and c.lane = p.lane), 0
 *            )
 *        ) as "withheld!"
 * from page p
 * left join lateral (
 *   select l.recorded_at from events.log l where l.stream = p.stream and l.stream_version = p.version offset 0
 * ) first on true
 * order by p.parked_at, p.stream                                                          
 * ```
 */
export const listParked = new PreparedStatement<ListParkedParams, ListParkedResult>("events.listParked", listParkedIR);

/** 'ReleaseParked' parameters type */
export interface ReleaseParkedParams {
  actor: string;
  consumer: string;
  skipReason?: string | null | undefined;
  stream?: string | null | undefined;
}

/** 'ReleaseParked' return type */
export interface ReleaseParkedResult {
  stream: string;
}

const releaseParkedIR = {"statement":"update events.parked p\nset released_at = now(), released_by = :actor!, skip_reason = :skipReason\nwhere p.consumer = :consumer! and (:stream::uuid is null or p.stream = :stream) and p.released_at is null\nreturning p.stream as \"stream\"","params":[{"name":"actor","locs":[{"a":62,"b":69}]},{"name":"skipReason","locs":[{"a":85,"b":96}]},{"name":"consumer","locs":[{"a":116,"b":126}]},{"name":"stream","locs":[{"a":132,"b":139},{"a":168,"b":175}]}]};

/**
 * Query generated from SQL:
 * ```
 * update events.parked p
 * set released_at = now(), released_by = :actor!, skip_reason = :skipReason
 * where p.consumer = :consumer! and (:stream::uuid is null or p.stream = :stream) and p.released_at is null
 * returning p.stream as "stream!"
 * ```
 */
export const releaseParked = new PreparedStatement<ReleaseParkedParams, ReleaseParkedResult>("events.releaseParked", releaseParkedIR);

/** 'ReadLogged' parameters type */
export interface ReadLoggedParams {
  limit: number;
  position?: bigint | null | undefined;
  stream?: string | null | undefined;
}

/** 'ReadLogged' return type */
export interface ReadLoggedResult {
  category: string;
  data: string;
  position: bigint;
  recordedAt: Date;
  stream: string;
  traceparent: string | null;
  type: string;
  version: number;
}

const readLoggedIR = {"statement":"select l.position as \"position\" , l.category as \"category\" , l.stream as \"stream\" , l.stream_version as \"version\" ,\n       l.type as \"type\" , l.data::text as \"data\" , l.traceparent, l.recorded_at as \"recordedAt\" \nfrom events.log l\nwhere l.stream = coalesce(:stream::uuid, (select e.stream from events.log e where e.position = :position::bigint))\n  and (:position::bigint is null or l.position = :position)\norder by l.stream_version\nlimit :limit!::integer","params":[{"name":"stream","locs":[{"a":257,"b":264}]},{"name":"position","locs":[{"a":326,"b":335},{"a":353,"b":362},{"a":395,"b":404}]},{"name":"limit","locs":[{"a":438,"b":445}]}]};

/**
 * Query generated from SQL:
 * ```
 * select l.position as "position!", l.category as "category!", l.stream as "stream!", l.stream_version as "version!",
 *        l.type as "type!", l.data::text as "data!", l.traceparent, l.recorded_at as "recordedAt!"
 * from events.log l
 * where l.stream = coalesce(:stream::uuid, (select e.stream from events.log e where e.position = :position::bigint))
 *   and (:position::bigint is null or l.position = :position)
 * order by l.stream_version
 * limit :limit!::integer
 * ```
 */
export const readLogged = new PreparedStatement<ReadLoggedParams, ReadLoggedResult>("events.readLogged", readLoggedIR);

/** 'ReadSkipped' parameters type */
export interface ReadSkippedParams {
  consumer: string;
  positions: bigintArray;
}

/** 'ReadSkipped' return type */
export interface ReadSkippedResult {
  actor: string;
  position: bigint;
  reason: string;
  refusal: string;
  skippedAt: Date;
}

const readSkippedIR = {"statement":"select s.position as \"position\" , s.refusal as \"refusal\" , s.reason as \"reason\" , s.actor as \"actor\" ,\n       s.skipped_at as \"skippedAt\" \nfrom events.skipped s\nwhere s.consumer = :consumer! and s.position = any (:positions!::bigint[])","params":[{"name":"consumer","locs":[{"a":180,"b":190}]},{"name":"positions","locs":[{"a":213,"b":224}]}]};

/**
 * Query generated from SQL:
 * ```
 * select s.position as "position!", s.refusal as "refusal!", s.reason as "reason!", s.actor as "actor!",
 *        s.skipped_at as "skippedAt!"
 * from events.skipped s
 * where s.consumer = :consumer! and s.position = any (:positions!::bigint[])
 * ```
 */
export const readSkipped = new PreparedStatement<ReadSkippedParams, ReadSkippedResult>("events.readSkipped", readSkippedIR);

/** 'ReadStreamCursor' parameters type */
export interface ReadStreamCursorParams {
  consumer: string;
  stream: string;
}

/** 'ReadStreamCursor' return type */
export interface ReadStreamCursorResult {
  position: bigint;
}

const readStreamCursorIR = {"statement":"select c.position as \"position\"  from events.cursors c\nwhere c.consumer = :consumer! and c.lane = get_byte(uuid_send(:stream!::uuid), 15) & 7","params":[{"name":"consumer","locs":[{"a":74,"b":84}]},{"name":"stream","locs":[{"a":117,"b":125}]}]};

/**
 * Query generated from SQL:
 * ```
 * select c.position as "position!" from events.cursors c
 * where c.consumer = :consumer! and c.lane = get_byte(uuid_send(:stream!::uuid), 15) & 7
 * ```
 */
export const readStreamCursor = new PreparedStatement<ReadStreamCursorParams, ReadStreamCursorResult>("events.readStreamCursor", readStreamCursorIR);
