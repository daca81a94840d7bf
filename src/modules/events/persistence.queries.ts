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
