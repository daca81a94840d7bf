/** Types generated for queries found in "src/modules/events/persistence/partitions.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

/** 'MakePartitions' parameters type */
export interface MakePartitionsParams {
  ahead: number;
}

/** 'MakePartitions' return type */
export interface MakePartitionsResult {
  made: number;
}

const makePartitionsIR = {"statement":"select events.make_partitions(:ahead!::integer) as \"made\"","params":[{"name":"ahead","locs":[{"a":30,"b":37}]}]};

/**
 * Query generated from SQL:
 * ```
 * select events.make_partitions(:ahead!::integer) as "made!"                                                                               
 * ```
 */
export const makePartitions = new PreparedStatement<MakePartitionsParams, MakePartitionsResult>("events.makePartitions", makePartitionsIR);

/** 'DropPartition' parameters type */
export type DropPartitionParams = void;

/** 'DropPartition' return type */
export interface DropPartitionResult {
  dropped: string | null;
}

const dropPartitionIR = {"statement":"select events.drop_partition() as \"dropped\"","params":[]};

/**
 * Query generated from SQL:
 * ```
 * select events.drop_partition() as "dropped"
 * ```
 */
export const dropPartition = new PreparedStatement<DropPartitionParams, DropPartitionResult>("events.dropPartition", dropPartitionIR);
