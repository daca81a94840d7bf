/** Types generated for queries found in "src/modules/events/persistence/relay.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

export type bigintArray = readonly (bigint | null)[];

export type numberArray = readonly (number | null)[];

export type stringArray = readonly (string | null)[];

/** 'ReadCursor' parameters type */
export interface ReadCursorParams {
  consumer: string;
  lane: number;
}

/** 'ReadCursor' return type */
export interface ReadCursorResult {
  position: bigint;
}

const readCursorIR = {"statement":"select c.position as \"position\"  from events.cursors c where c.consumer = :consumer! and c.lane = :lane!::integer","params":[{"name":"consumer","locs":[{"a":74,"b":84}]},{"name":"lane","locs":[{"a":98,"b":104}]}]};

/**
 * Query generated from SQL:
 * ```
 * select c.position as "position!" from events.cursors c where c.consumer = :consumer! and c.lane = :lane!::integer                                                                                                                                                                                        
 * ```
 */
export const readCursor = new PreparedStatement<ReadCursorParams, ReadCursorResult>("events.readCursor", readCursorIR);

/** 'TakeLane' parameters type */
export interface TakeLaneParams {
  consumer: string;
  lane: number;
}

/** 'TakeLane' return type */
export interface TakeLaneResult {
  epoch: bigint;
  logName: string;
  position: bigint;
}

const takeLaneIR = {"statement":"insert into events.cursors as c (consumer, lane, position, epoch)\nvalues (:consumer!, :lane!::integer, 0, 1)\non conflict (consumer, lane) do update set epoch = c.epoch + 1\nreturning c.position as \"position\" , c.epoch as \"epoch\" , events.log_name() as \"logName\"","params":[{"name":"consumer","locs":[{"a":74,"b":84}]},{"name":"lane","locs":[{"a":86,"b":92}]}]};

/**
 * Query generated from SQL:
 * ```
 * insert into events.cursors as c (consumer, lane, position, epoch)
 * values (:consumer!, :lane!::integer, 0, 1)
 * on conflict (consumer, lane) do update set epoch = c.epoch + 1
 * returning c.position as "position!", c.epoch as "epoch!", events.log_name() as "logName!"
 * ```
 */
export const takeLane = new PreparedStatement<TakeLaneParams, TakeLaneResult>("events.takeLane", takeLaneIR);

/** 'ReadParkedStreams' parameters type */
export interface ReadParkedStreamsParams {
  consumer: string;
  lane: number;
}

/** 'ReadParkedStreams' return type */
export interface ReadParkedStreamsResult {
  position: bigint;
  stream: string;
}

const readParkedStreamsIR = {"statement":"select p.stream as \"stream\" , p.position as \"position\" \nfrom events.parked p\nwhere p.consumer = :consumer! and p.lane = :lane!::integer","params":[{"name":"consumer","locs":[{"a":96,"b":106}]},{"name":"lane","locs":[{"a":120,"b":126}]}]};

/**
 * Query generated from SQL:
 * ```
 * select p.stream as "stream!", p.position as "position!"
 * from events.parked p
 * where p.consumer = :consumer! and p.lane = :lane!::integer                                                                                                                                                                                                                                                                                                                                                                                                                                                                           
 * ```
 */
export const readParkedStreams = new PreparedStatement<ReadParkedStreamsParams, ReadParkedStreamsResult>("events.readParkedStreams", readParkedStreamsIR);

/** 'ParkStreams' parameters type */
export interface ParkStreamsParams {
  categories: stringArray;
  consumer: string;
  epochs: bigintArray;
  lanes: numberArray;
  positions: bigintArray;
  reasons: stringArray;
  streams: stringArray;
  types: stringArray;
  versions: numberArray;
}

/** 'ParkStreams' return type */
export interface ParkStreamsResult {
  stream: string;
}

const parkStreamsIR = {"statement":"insert into events.parked as p (consumer, stream, lane, position, version, category, type, reason)\nselect :consumer!, r.stream, r.lane, r.position, r.version, r.category, r.type, r.reason\nfrom unnest(\n  :streams!::uuid[], :lanes!::integer[], :epochs!::bigint[], :positions!::bigint[], :versions!::integer[],\n  :categories!::text[], :types!::text[], :reasons!::text[]\n) as r (stream, lane, epoch, position, version, category, type, reason)\njoin events.cursors c on c.consumer = :consumer! and c.lane = r.lane and c.epoch = r.epoch\nfor share of c\non conflict (consumer, stream) do update\nset position = excluded.position, version = excluded.version, type = excluded.type, reason = excluded.reason,\n    released_at = case when p.position = excluded.position then p.released_at end,\n    released_by = case when p.position = excluded.position then p.released_by end,\n    skip_reason = case when p.position = excluded.position then p.skip_reason end\nwhere p.position >= excluded.position\nreturning p.stream as \"stream\"","params":[{"name":"consumer","locs":[{"a":106,"b":116},{"a":477,"b":487}]},{"name":"streams","locs":[{"a":203,"b":212}]},{"name":"lanes","locs":[{"a":222,"b":229}]},{"name":"epochs","locs":[{"a":242,"b":250}]},{"name":"positions","locs":[{"a":262,"b":273}]},{"name":"versions","locs":[{"a":285,"b":295}]},{"name":"categories","locs":[{"a":310,"b":322}]},{"name":"types","locs":[{"a":332,"b":339}]},{"name":"reasons","locs":[{"a":349,"b":358}]}]};

/**
 * Query generated from SQL:
 * ```
 * insert into events.parked as p (consumer, stream, lane, position, version, category, type, reason)
 * select :consumer!, r.stream, r.lane, r.position, r.version, r.category, r.type, r.reason
 * from unnest(
 *   :streams!::uuid[], :lanes!::integer[], :epochs!::bigint[], :positions!::bigint[], :versions!::integer[],
 *   :categories!::text[], :types!::text[], :reasons!::text[]
 * ) as r (stream, lane, epoch, position, version, category, type, reason)
 * join events.cursors c on c.consumer = :consumer! and c.lane = r.lane and c.epoch = r.epoch
 * for share of c
 * on conflict (consumer, stream) do update
 * set position = excluded.position, version = excluded.version, type = excluded.type, reason = excluded.reason,
 *     released_at = case when p.position = excluded.position then p.released_at end,
 *     released_by = case when p.position = excluded.position then p.released_by end,
 *     skip_reason = case when p.position = excluded.position then p.skip_reason end
 * where p.position >= excluded.position
 * returning p.stream as "stream!"                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                        
 * ```
 */
export const parkStreams = new PreparedStatement<ParkStreamsParams, ParkStreamsResult>("events.parkStreams", parkStreamsIR);

/** 'AdvanceLanes' parameters type */
export interface AdvanceLanesParams {
  consumer: string;
  countedCategories: stringArray;
  countedLanes: numberArray;
  counts: bigintArray;
  epochs: bigintArray;
  froms: bigintArray;
  lanes: numberArray;
  parkedCategories: stringArray;
  parkedLanes: numberArray;
  parkedPositions: bigintArray;
  parkedStreams: stringArray;
  parkedTypes: stringArray;
  parkedVersions: numberArray;
  reasons: stringArray;
  tos: bigintArray;
}

/** 'AdvanceLanes' return type */
export interface AdvanceLanesResult {
  durability: string | null;
  lane: number;
}

const advanceLanesIR = {"statement":"with done as materialized (\n  select d.* from unnest(:lanes!::integer[], :epochs!::bigint[], :froms!::bigint[], :tos!::bigint[])\n    as d (lane, epoch, from_position, to_position)\n), moved as (\n  update events.cursors c\n  set position = d.to_position, updated_at = now()\n  from done d\n  where c.consumer = :consumer! and c.lane = d.lane and c.epoch = d.epoch and c.position = d.from_position\n  returning c.lane\n), counted as (\n  insert into events.published as p (consumer, lane, category, events)\n  select :consumer!, n.lane, n.category, n.events\n  from unnest(:countedLanes!::integer[], :countedCategories!::text[], :counts!::bigint[])\n    as n (lane, category, events)\n  join moved m on m.lane = n.lane\n  on conflict (consumer, lane, category) do update set events = p.events + excluded.events\n), parked as (\n  insert into events.parked as p (consumer, stream, lane, position, version, category, type, reason)\n  select :consumer!, r.stream, r.lane, r.position, r.version, r.category, r.type, r.reason\n  from unnest(\n    :parkedStreams!::uuid[], :parkedLanes!::integer[], :parkedPositions!::bigint[], :parkedVersions!::integer[],\n    :parkedCategories!::text[], :parkedTypes!::text[], :reasons!::text[]\n  ) as r (stream, lane, position, version, category, type, reason)\n  join moved m on m.lane = r.lane\n  on conflict (consumer, stream) do update\n  set position = excluded.position, version = excluded.version, type = excluded.type, reason = excluded.reason,\n      released_at = null, released_by = null, skip_reason = null\n  where p.position > excluded.position\n)\nselect m.lane as \"lane\" , set_config('synchronous_commit', 'off', true) as durability from moved m","params":[{"name":"lanes","locs":[{"a":53,"b":60}]},{"name":"epochs","locs":[{"a":73,"b":81}]},{"name":"froms","locs":[{"a":93,"b":100}]},{"name":"tos","locs":[{"a":112,"b":117}]},{"name":"consumer","locs":[{"a":306,"b":316},{"a":507,"b":517},{"a":922,"b":932}]},{"name":"countedLanes","locs":[{"a":562,"b":576}]},{"name":"countedCategories","locs":[{"a":589,"b":608}]},{"name":"counts","locs":[{"a":618,"b":626}]},{"name":"parkedStreams","locs":[{"a":1023,"b":1038}]},{"name":"parkedLanes","locs":[{"a":1048,"b":1061}]},{"name":"parkedPositions","locs":[{"a":1074,"b":1091}]},{"name":"parkedVersions","locs":[{"a":1103,"b":1119}]},{"name":"parkedCategories","locs":[{"a":1136,"b":1154}]},{"name":"parkedTypes","locs":[{"a":1164,"b":1177}]},{"name":"reasons","locs":[{"a":1187,"b":1196}]}]};

/**
 * Query generated from SQL:
 * ```
 * with done as materialized (
 *   select d.* from unnest(:lanes!::integer[], :epochs!::bigint[], :froms!::bigint[], :tos!::bigint[])
 *     as d (lane, epoch, from_position, to_position)
 * ), moved as (
 *   update events.cursors c
 *   set position = d.to_position, updated_at = now()
 *   from done d
 *   where c.consumer = :consumer! and c.lane = d.lane and c.epoch = d.epoch and c.position = d.from_position
 *   returning c.lane
 * ), counted as (
 *   insert into events.published as p (consumer, lane, category, events)
 *   select :consumer!, n.lane, n.category, n.events
 *   from unnest(:countedLanes!::integer[], :countedCategories!::text[], :counts!::bigint[])
 *     as n (lane, category, events)
 *   join moved m on m.lane = n.lane
 *   on conflict (consumer, lane, category) do update set events = p.events + excluded.events
 * ), parked as (
 *   insert into events.parked as p (consumer, stream, lane, position, version, category, type, reason)
 *   select :consumer!, r.stream, r.lane, r.position, r.version, r.category, r.type, r.reason
 *   from unnest(
 *     :parkedStreams!::uuid[], :parkedLanes!::integer[], :parkedPositions!::bigint[], :parkedVersions!::integer[],
 *     :parkedCategories!::text[], :parkedTypes!::text[], :reasons!::text[]
 *   ) as r (stream, lane, position, version, category, type, reason)
 *   join moved m on m.lane = r.lane
 *   on conflict (consumer, stream) do update
 *   set position = excluded.position, version = excluded.version, type = excluded.type, reason = excluded.reason,
 *       released_at = null, released_by = null, skip_reason = null
 *   where p.position > excluded.position
 * )
 * select m.lane as "lane!", set_config('synchronous_commit', 'off', true) as durability from moved m                                                                                                     
 * ```
 */
export const advanceLanes = new PreparedStatement<AdvanceLanesParams, AdvanceLanesResult>("events.advanceLanes", advanceLanesIR);

/** 'ReadReleased' parameters type */
export interface ReadReleasedParams {
  consumer: string;
  cursors: bigintArray;
  lanes: numberArray;
  limit: number;
}

/** 'ReadReleased' return type */
export interface ReadReleasedResult {
  lane: number;
  position: bigint;
  skipReason: string | null;
  stream: string;
  version: number;
}

const readReleasedIR = {"statement":"select p.stream as \"stream\" , p.lane as \"lane\" , p.position as \"position\" , p.version as \"version\" ,\n       p.skip_reason as \"skipReason\"\nfrom unnest(:lanes!::integer[], :cursors!::bigint[]) as l (lane, cursor)\ncross join lateral (\n  select r.* from events.parked r\n  where r.consumer = :consumer! and r.lane = l.lane and r.released_at is not null\n    and r.position <= l.cursor\n  order by r.released_at\n  limit :limit!::integer\n) p","params":[{"name":"lanes","locs":[{"a":150,"b":157}]},{"name":"cursors","locs":[{"a":170,"b":179}]},{"name":"consumer","locs":[{"a":287,"b":297}]},{"name":"limit","locs":[{"a":412,"b":419}]}]};

/**
 * Query generated from SQL:
 * ```
 * select p.stream as "stream!", p.lane as "lane!", p.position as "position!", p.version as "version!",
 *        p.skip_reason as "skipReason"
 * from unnest(:lanes!::integer[], :cursors!::bigint[]) as l (lane, cursor)
 * cross join lateral (
 *   select r.* from events.parked r
 *   where r.consumer = :consumer! and r.lane = l.lane and r.released_at is not null
 *     and r.position <= l.cursor
 *   order by r.released_at
 *   limit :limit!::integer
 * ) p                                                            
 * ```
 */
export const readReleased = new PreparedStatement<ReadReleasedParams, ReadReleasedResult>("events.readReleased", readReleasedIR);

/** 'ReadWithheld' parameters type */
export interface ReadWithheldParams {
  fromVersion: number;
  limit: number;
  stream: string;
}

/** 'ReadWithheld' return type */
export interface ReadWithheldResult {
  category: string;
  data: string;
  position: bigint;
  recordedAt: Date;
  stream: string;
  traceparent: string | null;
  type: string;
  version: number;
}

const readWithheldIR = {"statement":"select l.position as \"position\" , l.category as \"category\" , l.stream as \"stream\" , l.stream_version as \"version\" ,\n       l.type as \"type\" , l.data::text as \"data\" , l.traceparent, l.recorded_at as \"recordedAt\" \nfrom events.log l\nwhere l.stream = :stream! and l.stream_version >= :fromVersion!::integer\norder by l.stream_version\nlimit :limit!::integer","params":[{"name":"stream","locs":[{"a":248,"b":256}]},{"name":"fromVersion","locs":[{"a":281,"b":294}]},{"name":"limit","locs":[{"a":336,"b":343}]}]};

/**
 * Query generated from SQL:
 * ```
 * select l.position as "position!", l.category as "category!", l.stream as "stream!", l.stream_version as "version!",
 *        l.type as "type!", l.data::text as "data!", l.traceparent, l.recorded_at as "recordedAt!"
 * from events.log l
 * where l.stream = :stream! and l.stream_version >= :fromVersion!::integer
 * order by l.stream_version
 * limit :limit!::integer                                                                                                                                                                                                                                                                                                                                 
 * ```
 */
export const readWithheld = new PreparedStatement<ReadWithheldParams, ReadWithheldResult>("events.readWithheld", readWithheldIR);

/** 'ResumeStream' parameters type */
export interface ResumeStreamParams {
  consumer: string;
  count: bigint;
  cursor: bigint;
  epoch: bigint;
  lane: number;
  nextPosition?: bigint | null | undefined;
  nextReason?: string | null | undefined;
  nextType?: string | null | undefined;
  nextVersion?: number | null | undefined;
  position: bigint;
  skipped: boolean;
  stream: string;
}

/** 'ResumeStream' return type */
export interface ResumeStreamResult {
  stream: string;
}

const resumeStreamIR = {"statement":"with own as materialized (\n  select c.lane from events.cursors c\n  where c.consumer = :consumer! and c.lane = :lane!::integer and c.epoch = :epoch!::bigint\n    and c.position = :cursor!::bigint\n  for update\n), released as materialized (\n  select p.* from events.parked p join own o on o.lane = p.lane\n  where p.consumer = :consumer! and p.stream = :stream!::uuid and p.position = :position!::bigint\n    and p.released_at is not null\n  for update of p\n), passed_over as (\n  insert into events.skipped (consumer, position, stream, version, category, type, refusal, reason, actor)\n  select r.consumer, r.position, r.stream, r.version, r.category, r.type, r.reason, r.skip_reason, r.released_by\n  from released r\n  where :skipped!::boolean\n), counted as (\n  insert into events.published as p (consumer, lane, category, events)\n  select r.consumer, r.lane, r.category, :count!::bigint from released r where :count! > 0\n  on conflict (consumer, lane, category) do update set events = p.events + excluded.events\n), ended as (\n  delete from events.parked p using released r\n  where p.consumer = r.consumer and p.stream = r.stream and :nextVersion::integer is null\n), left_over as (\n  update events.parked p\n  set position = :nextPosition::bigint, version = :nextVersion, type = :nextType::text, skip_reason = null,\n      reason = coalesce(:nextReason::text, p.reason),\n      parked_at = case when :nextReason is null then p.parked_at else now() end,\n      released_at = case when :nextReason is null then p.released_at end,\n      released_by = case when :nextReason is null then p.released_by end\n  from released r\n  where p.consumer = r.consumer and p.stream = r.stream and :nextVersion is not null\n)\nselect r.stream as \"stream\"  from released r","params":[{"name":"consumer","locs":[{"a":86,"b":96},{"a":322,"b":332}]},{"name":"lane","locs":[{"a":110,"b":116}]},{"name":"epoch","locs":[{"a":140,"b":147}]},{"name":"cursor","locs":[{"a":177,"b":185}]},{"name":"stream","locs":[{"a":348,"b":356}]},{"name":"position","locs":[{"a":380,"b":390}]},{"name":"skipped","locs":[{"a":717,"b":726}]},{"name":"count","locs":[{"a":864,"b":871},{"a":902,"b":909}]},{"name":"nextVersion","locs":[{"a":1126,"b":1138},{"a":1249,"b":1261},{"a":1667,"b":1679}]},{"name":"nextPosition","locs":[{"a":1216,"b":1229}]},{"name":"nextType","locs":[{"a":1270,"b":1279}]},{"name":"nextReason","locs":[{"a":1331,"b":1342},{"a":1389,"b":1400},{"a":1472,"b":1483},{"a":1546,"b":1557}]}]};

/**
 * Query generated from SQL:
 * ```
 * with own as materialized (
 *   select c.lane from events.cursors c
 *   where c.consumer = :consumer! and c.lane = :lane!::integer and c.epoch = :epoch!::bigint
 *     and c.position = :cursor!::bigint
 *   for update
 * ), released as materialized (
 *   select p.* from events.parked p join own o on o.lane = p.lane
 *   where p.consumer = :consumer! and p.stream = :stream!::uuid and p.position = :position!::bigint
 *     and p.released_at is not null
 *   for update of p
 * ), passed_over as (
 *   insert into events.skipped (consumer, position, stream, version, category, type, refusal, reason, actor)
 *   select r.consumer, r.position, r.stream, r.version, r.category, r.type, r.reason, r.skip_reason, r.released_by
 *   from released r
 *   where :skipped!::boolean
 * ), counted as (
 *   insert into events.published as p (consumer, lane, category, events)
 *   select r.consumer, r.lane, r.category, :count!::bigint from released r where :count! > 0
 *   on conflict (consumer, lane, category) do update set events = p.events + excluded.events
 * ), ended as (
 *   delete from events.parked p using released r
 *   where p.consumer = r.consumer and p.stream = r.stream and :nextVersion::integer is null
 * ), left_over as (
 *   update events.parked p
 *   set position = :nextPosition::bigint, version = :nextVersion, type = :nextType::text, skip_reason = null,
 *       reason = coalesce(:nextReason::text, p.reason),
 *       parked_at = case when :nextReason is null then p.parked_at else now() end,
 *       released_at = case when :nextReason is null then p.released_at end,
 *       released_by = case when :nextReason is null then p.released_by end
 *   from released r
 *   where p.consumer = r.consumer and p.stream = r.stream and :nextVersion is not null
 * )
 * select r.stream as "stream!" from released r
 * ```
 */
export const resumeStream = new PreparedStatement<ResumeStreamParams, ResumeStreamResult>("events.resumeStream", resumeStreamIR);
