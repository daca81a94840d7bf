import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { LedgerContext } from "../application/context.ts";
import { openJournal } from "../application/export-journal.ts";
import { csvOf } from "../application/journal-csv.ts";
import { hledgerOf } from "../application/journal-hledger.ts";
import { getAccount, listAccounts, listEntries } from "../application/read-accounts.ts";
import { getTransaction } from "../application/read-transactions.ts";
import { readTrialBalance } from "../application/read-trial-balance.ts";
import { presentAccount, presentEntries, presentTransaction, presentTrialBalance } from "./answers.ts";
import { accountCursor, readAccountCursor, readAsOf, readEntryCursor, readPeriod } from "./queries.ts";
import { type HttpRefusal, problemFor } from "./refusals.ts";
import * as schemas from "./schemas.ts";

const tags = ["ledger"];
const problem = schemas.problemSchema;

/** GET /ledger/…: the books as they are, to the letter of the marketplace contract. Nothing here writes. */
export function registerLedgerRoutes(server: FastifyInstance, context: LedgerContext): void {
  registerAccounts(server, context);
  registerEntries(server, context);
  registerBooks(server, context);
  registerExport(server, context);
}

function registerAccounts(server: FastifyInstance, context: LedgerContext): void {
  server.get<{ Querystring: schemas.AccountListQuery }>(
    "/ledger/accounts",
    {
      schema: {
        summary: "List accounts by code",
        description: "Accounts open on first use; `as_of` gives the same list with the balances of another time.",
        tags,
        querystring: schemas.accountListQuery,
        response: { 200: schemas.accountListSchema, 400: problem },
      },
    },
    async (request, reply) => {
      const { code: prefix = "", cursor, limit = "20" } = request.query;
      const asOf = readAsOf(request.query);
      if (!asOf.ok) return refused(reply, asOf.refusal);
      const after = readAccountCursor(cursor, prefix);
      if (!after.ok) return refused(reply, after.refusal);
      const filter = { prefix, after: after.value, asOf: asOf.value, limit: Number(limit) };
      const { accounts, next } = await listAccounts(context, filter);
      return { data: accounts.map(presentAccount), next_cursor: next === null ? null : accountCursor(next) };
    },
  );

  server.get<{ Params: { id: string }; Querystring: schemas.AccountQuery }>(
    "/ledger/accounts/:id",
    {
      schema: {
        summary: "Get an account",
        description: "As it stands, or with its balance as of another time.",
        tags,
        params: schemas.idParams,
        querystring: schemas.accountQuery,
        response: { 200: schemas.accountSchema, 400: problem, 404: problem },
      },
    },
    async (request, reply) => {
      const asOf = readAsOf(request.query);
      if (!asOf.ok) return refused(reply, asOf.refusal);
      const account = await getAccount(context, request.params.id, asOf.value);
      return account.ok ? presentAccount(account.value) : refused(reply, account.refusal);
    },
  );
}

function registerEntries(server: FastifyInstance, context: LedgerContext): void {
  server.get<{ Params: { id: string }; Querystring: schemas.EntryListQuery }>(
    "/ledger/accounts/:id/entries",
    {
      schema: {
        summary: "List an account's entries with its running balance",
        description: "Newest first, unless `order=asc` asks for a statement. `from` and `to` are posted times.",
        tags,
        params: schemas.idParams,
        querystring: schemas.entryListQuery,
        response: { 200: schemas.entryListSchema, 400: problem, 404: problem },
      },
    },
    async (request, reply) => {
      const { cursor, order = "desc", limit = "20" } = request.query;
      const period = readPeriod(request.query);
      if (!period.ok) return refused(reply, period.refusal);
      const after = readEntryCursor(cursor);
      if (!after.ok) return refused(reply, after.refusal);
      const filter = { ...period.value, after: after.value, order, limit: Number(limit) };
      const page = await listEntries(context, request.params.id, filter);
      return page.ok ? presentEntries(page.value) : refused(reply, page.refusal);
    },
  );
}

function registerBooks(server: FastifyInstance, context: LedgerContext): void {
  server.get<{ Params: { id: string } }>(
    "/ledger/transactions/:id",
    {
      schema: {
        summary: "Get a transaction with all its legs",
        tags,
        params: schemas.idParams,
        response: { 200: schemas.transactionSchema, 404: problem },
      },
    },
    async (request, reply) => {
      const transaction = await getTransaction(context, request.params.id);
      return transaction.ok ? presentTransaction(transaction.value) : refused(reply, transaction.refusal);
    },
  );

  server.get(
    "/ledger/trial-balance",
    {
      schema: {
        summary: "Get the trial balance",
        description: "All debits and all credits at one moment: they are equal in every currency.",
        tags,
        response: { 200: schemas.trialBalanceSchema },
      },
    },
    async () => presentTrialBalance(await readTrialBalance(context)),
  );
}

/** Each reads pages as fast as its reader takes them, beside the requests that somebody waits for. */
const mostExports = 4;
/** A reader that takes nothing for so long has gone or has forgotten us. */
const stalledReaderMs = 60_000;

const formats = {
  csv: { type: "text/csv; charset=utf-8; header=present", file: "ledger.csv", write: csvOf },
  hledger: { type: "text/plain; charset=utf-8", file: "ledger.journal", write: hledgerOf },
} as const;

function registerExport(server: FastifyInstance, context: LedgerContext): void {
  let underWay = 0;

  server.get<{ Querystring: schemas.ExportQuery }>(
    "/ledger/export",
    {
      schema: {
        summary: "Export the journal",
        description:
          "Streamed in the order of posting, complete up to the moment of the request. A download that breaks off " +
          "was not complete: the connection is cut instead of ended.",
        tags,
        querystring: schemas.exportQuery,
        response: { 200: schemas.exportContent, 400: problem, 503: problem },
      },
    },
    async (request, reply) => {
      const period = readPeriod(request.query);
      if (!period.ok) return refused(reply, period.refusal);
      if (underWay >= mostExports) return refused(reply, { type: "too_many_exports" });
      underWay += 1;
      let streaming = false;
      try {
        const journal = await openJournal(context, period.value);
        if (!journal.ok) return refused(reply, journal.refusal);
        const { type, file, write } = formats[request.query.format ?? "csv"];
        const text = Readable.from(write(journal.value), { objectMode: false });
        text.once("close", () => {
          underWay -= 1;
        });
        streaming = true;
        reply.raw.setTimeout(stalledReaderMs, () => reply.raw.destroy());
        return reply.type(type).header("content-disposition", `attachment; filename="${file}"`).send(text);
      } finally {
        if (!streaming) underWay -= 1;
      }
    },
  );
}

function refused(reply: FastifyReply, refusal: HttpRefusal): FastifyReply {
  return reply.problem(problemFor(refusal));
}
