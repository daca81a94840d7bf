import type { DatabaseSync } from "node:sqlite";

const fixedColumns =
  "i.n, i.attempt, i.payment_id as paymentId, i.reference, i.metadata, i.amount, i.currency, i.capture, i.plan, " +
  "i.created_at as createdAt";
const intentColumns = `${fixedColumns}, i.status, i.received, i.failure`;
const refundColumns = "n, intent, amount, reason, metadata, created_at as createdAt, attempt";
const disputeColumns = "n, intent, amount, status, created_at as createdAt";
const lines =
  "select n, kind, intent, source, amount, currency, at from journal " +
  "where kind in ('charge', 'refund', 'dispute', 'dispute_reversal')";
const disbursementColumns =
  "n, attempt, kind, subject, recipient, reference, amount, currency, failure, message, metadata, " +
  "created_at as createdAt";

/** Everything the book is asked, prepared once: what the hot path runs costs a few microseconds each. */
export function prepareStatements(database: DatabaseSync) {
  return {
    ...intentStatements(database),
    ...eventStatements(database),
    ...reversalStatements(database),
    ...disbursementStatements(database),
    insertJournal: database.prepare(
      "insert into journal (kind, intent, payment_id, amount, currency, at, source) values (?, ?, ?, ?, ?, ?, ?)",
    ),
    linesAfter: database.prepare(`${lines} and n > ? and at >= ? and at < ? order by n limit ?`),
    linesBefore: database.prepare(`${lines} and n < ? and at >= ? and at < ? order by n desc limit ?`),
    replyTo: database.prepare("select fingerprint, status, body from replies where key = ?"),
    keepReply: database.prepare(
      "insert into replies (key, fingerprint, status, body, created_at) values (?, ?, ?, ?, ?)",
    ),
  };
}

function intentStatements(database: DatabaseSync) {
  return {
    insertIntent: database.prepare(
      "insert into intents (attempt, payment_id, reference, metadata, amount, currency, capture, status, plan, " +
        "due_at, created_at) values (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?) on conflict (attempt) do nothing",
    ),
    byAttempt: database.prepare(`select ${intentColumns} from intents i where attempt = ?`),
    byNumber: database.prepare(`select ${intentColumns} from intents i where n = ?`),
    list: database.prepare(
      `select ${intentColumns} from intents i
        where i.n < ? and i.created_at >= ? and i.created_at < ? order by i.n desc limit ?`,
    ),
    dueIntents: database.prepare(
      `select ${intentColumns} from intents i
        where i.due_at <= ? order by i.due_at limit ?`,
    ),
    nextIntentDue: database.prepare("select min(due_at) as at from intents where due_at is not null"),
    moveIntent: database.prepare(
      "update intents set status = ?, received = ?, failure = ?, plan = ?, due_at = ? where n = ?",
    ),
    planIntent: database.prepare("update intents set plan = ?, due_at = ? where n = ?"),
  };
}

function eventStatements(database: DatabaseSync) {
  return {
    insertEvent: database.prepare(
      "insert into events (intent, type, status, received, failure, created_at, due_at) values (?, ?, ?, ?, ?, ?, ?)",
    ),
    insertObjectEvent: database.prepare(
      "insert into events (intent, type, status, received, failure, created_at, due_at, object) " +
        "values (?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    dueEvents: database.prepare(
      `select ${fixedColumns}, e.status, e.received, e.failure, e.n as event, e.type,
         e.created_at as occurredAt, e.tries, e.object
         from events e join intents i on i.n = e.intent where e.due_at <= ? order by e.due_at limit ?`,
    ),
    nextEventDue: database.prepare("select min(due_at) as at from events where due_at is not null"),
    claimEvent: database.prepare("update events set tries = tries + 1, due_at = ? where n = ?"),
    postponeEvent: database.prepare("update events set due_at = ? where n = ? and delivered_at is null"),
    deliverEvent: database.prepare("update events set due_at = null, delivered_at = ? where n = ?"),
  };
}

/** What is asked about money that goes back: refunds and disputes. */
function reversalStatements(database: DatabaseSync) {
  return {
    insertRefund: database.prepare(
      "insert into refunds (intent, amount, reason, metadata, created_at, attempt) values (?, ?, ?, ?, ?, ?)",
    ),
    refundByNumber: database.prepare(`select ${refundColumns} from refunds where n = ?`),
    refundByAttempt: database.prepare(`select ${refundColumns} from refunds where attempt = ?`),
    listRefunds: database.prepare(
      `select ${refundColumns} from refunds where n < ?1 and (?2 is null or intent = ?2) order by n desc limit ?3`,
    ),
    refundedOf: database.prepare("select coalesce(sum(amount), 0) as amount from refunds where intent = ?"),
    insertDispute: database.prepare(
      "insert into disputes (intent, amount, status, created_at) values (?, ?, 'needs_response', ?)",
    ),
    disputeByNumber: database.prepare(`select ${disputeColumns} from disputes where n = ?`),
    openDisputeOf: database.prepare(
      `select ${disputeColumns} from disputes where intent = ? and status = 'needs_response'`,
    ),
    closeDispute: database.prepare("update disputes set status = ? where n = ?"),
    disputedOf: database.prepare(
      "select coalesce(sum(amount), 0) as amount from disputes where intent = ? and status <> 'won'",
    ),
  };
}

/** What is asked about money that is paid out: bills and payouts. */
function disbursementStatements(database: DatabaseSync) {
  return {
    insertDisbursement: database.prepare(
      "insert into disbursements (attempt, kind, subject, recipient, reference, amount, currency, failure, message, " +
        "metadata, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    disbursementByAttempt: database.prepare(`select ${disbursementColumns} from disbursements where attempt = ?`),
    transferByNumber: database.prepare(
      `select ${disbursementColumns} from disbursements where n = ? and metadata is not null`,
    ),
    listTransfers: database.prepare(
      `select ${disbursementColumns} from disbursements
        where metadata is not null and n < ? order by n desc limit ?`,
    ),
    listTransfersOfGroup: database.prepare(
      `select ${disbursementColumns} from disbursements
        where metadata is not null and n < ? and subject = ? order by n desc limit ?`,
    ),
    insertPaidLine: database.prepare(
      "insert into journal (kind, payment_id, amount, currency, at, source, recipient) values (?, ?, ?, ?, ?, ?, ?)",
    ),
  };
}
