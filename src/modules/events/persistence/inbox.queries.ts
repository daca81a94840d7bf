/** Types generated for queries found in "src/modules/events/persistence/inbox.sql" */
import { PreparedStatement } from "../../../kernel/statement.ts";

/** 'ForgetReceipts' parameters type */
export interface ForgetReceiptsParams {
  keptDays: number;
  most: number;
}

/** 'ForgetReceipts' return type */
export interface ForgetReceiptsResult {
  removed: bigint;
}

const forgetReceiptsIR = {"statement":"select events.forget_receipts(now() - :keptDays!::integer * interval '1 day', :most!::integer) as \"removed\"","params":[{"name":"keptDays","locs":[{"a":38,"b":48}]},{"name":"most","locs":[{"a":78,"b":84}]}]};

/**
 * Query generated from SQL:
 * ```
 * select events.forget_receipts(now() - :keptDays!::integer * interval '1 day', :most!::integer) as "removed!"
 * ```
 */
export const forgetReceipts = new PreparedStatement<ForgetReceiptsParams, ForgetReceiptsResult>("events.forgetReceipts", forgetReceiptsIR);
