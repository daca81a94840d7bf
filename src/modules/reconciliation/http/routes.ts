import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import { isUuid } from "../../../kernel/identifiers.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { ReconciliationContext } from "../application/context.ts";
import { getRun, listExceptions, listRuns } from "../application/read-runs.ts";
import { receiveFile } from "../application/receive-file.ts";
import { resolveException, suggestionFor } from "../application/resolve-exception.ts";
import type { RunWorker } from "../application/run-worker.ts";
import { startRun } from "../application/start-run.ts";
import { type PostingLeg, readLegs } from "../domain/exceptions.ts";
import { readPeriod } from "../domain/runs.ts";
import { type HttpRefusal, problemFor } from "./refusals.ts";
import * as schemas from "./schemas.ts";
import { readUpload, UploadTooSlow } from "./uploads.ts";

export type ReconciliationRoutesSettings = {
  /** Who resolves an exception. */
  readonly actorOf: (request: object) => string;
  /** How long a request waits for a run that may be over soon, in milliseconds. */
  readonly answerWithinMs?: number;
  /** The largest settlement file, in bytes. */
  readonly fileLimitBytes?: number;
};

const dayMs = 86_400_000;
const defaultToleranceDays = 3;
const fileLimitBytes = 256 * 1024 * 1024;
/** Small runs are over by then. */
const answerWithinMs = 2_000;
const uploadMayTakeMs = 600_000;
const tags = ["reconciliation"];
const problem = schemas.problemSchema;

/** The routes of /reconciliation, to the letter of the marketplace contract. */
export function registerReconciliationRoutes(
  server: FastifyInstance,
  context: ReconciliationContext,
  worker: RunWorker,
  settings: ReconciliationRoutesSettings,
): void {
  registerCreation(server, context, worker, settings);
  registerReads(server, context);

  server.post<{ Params: { id: string; n: string }; Body: schemas.ResolveBody }>(
    "/reconciliation/runs/:id/exceptions/:n/resolve",
    {
      schema: {
        summary: "Resolve an exception with a note and, where needed, a posting to the ledger",
        description:
          "What is suggested makes our clearing account what the gateway says, against the suspense account. " +
          "An exception is resolved once, and what it posts is posted once.",
        tags,
        params: schemas.exceptionParams,
        body: schemas.resolveBody,
        response: { 200: schemas.exceptionSchema, 400: problem, 404: problem, 409: problem, 422: problem },
      },
    },
    async (request, reply) => {
      const { id: runId, n } = request.params;
      const { note, posting: written } = request.body;
      const accounts = typeof written === "string" ? [] : written.legs.map(({ account }) => account);
      if (![note, ...accounts].every(isStorable)) return reply.problem(problemFor({ type: "text_not_storable" }));
      const posting = readPosting(written);
      if (!posting.ok) return reply.problem(problemFor(posting.refusal));
      const number = readNumber(n);
      if (number === null) return reply.problem(problemFor({ type: "exception_not_found" }));
      const actor = settings.actorOf(request);
      const resolved = await resolveException(context, { runId, number, note, posting: posting.value, actor });
      if (!resolved.ok) return reply.problem(problemFor(resolved.refusal));
      return schemas.presentException(resolved.value, null);
    },
  );
}

/** In a scope of its own, because here a body may be a file, which is read as it comes. */
function registerCreation(
  server: FastifyInstance,
  context: ReconciliationContext,
  worker: RunWorker,
  settings: ReconciliationRoutesSettings,
): void {
  server.register(async (scope) => {
    scope.addContentTypeParser("text/csv", (_request, payload, done) => done(null, payload));
    scope.post<{ Body: schemas.CreateBody | Readable | null | undefined; Querystring: schemas.CreateQuery }>(
      "/reconciliation/runs",
      {
        config: { bodyMayTakeMs: uploadMayTakeMs },
        schema: {
          summary: "Compare the gateway's settlements of a period with our ledger",
          description:
            "As JSON the settlements are pulled from the gateway. As `text/csv` (up to 256 MiB, streamed) they are a " +
            "report: either with the columns `id,kind,intent_id,source_id,amount,currency,occurred_at` (kind is one " +
            "of charge, refund, dispute, dispute_reversal; amounts are positive decimals in the major unit), or " +
            "Stripe's itemized balance report (`balance_transaction_id`, `reporting_category`, `payment_intent_id`, " +
            "`source_id`, `gross`, `currency`, `created_utc`). Columns may stand in any order and further ones are " +
            "not looked at. A file with a bad line is refused as a whole, with the number of each bad line.",
          tags,
          querystring: schemas.createQuery,
          body: {
            content: {
              "application/json": { schema: schemas.createBody },
              // Of what it is nothing is checked here: it is a stream.
              "text/csv": { schema: { description: "A settlement report with a header line, in UTF-8." } },
            },
          },
          response: { 201: schemas.runSchema, 400: problem, 408: problem, 413: problem, 415: problem, 503: problem },
        },
      },
      async (request, reply) => {
        const begun = await begin(context, request.body, request.query, {
          declaredBytes: Number(request.headers["content-length"] ?? 0),
          limitBytes: settings.fileLimitBytes ?? fileLimitBytes,
        });
        if (!begun.ok) return refuseUpload(reply, begun.refusal, request.body instanceof Readable);
        await within(worker.begin(begun.value), settings.answerWithinMs ?? answerWithinMs);
        const run = await getRun(context, begun.value);
        return run.ok ? reply.code(201).send(schemas.presentRun(run.value)) : reply.problem(problemFor(run.refusal));
      },
    );
  });
}

/** A file that is refused may be half on its way: the connection does not carry another request. */
function refuseUpload(reply: FastifyReply, refusal: HttpRefusal, isUpload: boolean): FastifyReply {
  if (isUpload) reply.header("connection", "close");
  return reply.problem(problemFor(refusal));
}

async function begin(
  context: ReconciliationContext,
  body: schemas.CreateBody | Readable | null | undefined,
  query: schemas.CreateQuery,
  { declaredBytes, limitBytes }: { declaredBytes: number; limitBytes: number },
): Promise<Result<string, HttpRefusal>> {
  if (body === null || body === undefined) return refuse({ type: "report_missing" });
  const isUpload = body instanceof Readable;
  const asked = isUpload ? query : body;
  const period = readPeriod(asked.from, asked.to);
  if (!period.ok) return period;
  const toleranceMs = Number(asked.tolerance_days ?? defaultToleranceDays) * dayMs;
  const request = { period: period.value, toleranceMs };
  if (!isUpload) return await startRun(context, request);
  if (declaredBytes > limitBytes) return refuse({ type: "settlement_file_too_large" });
  try {
    return await receiveFile(context, readUpload(body, uploadMayTakeMs), request, limitBytes);
  } catch (error) {
    if (error instanceof UploadTooSlow) return refuse({ type: "upload_too_slow" });
    if (body.errored !== null) return refuse({ type: "upload_broke_off" });
    throw error;
  }
}

/** Resolves when the work has ended, however it did, or after the given time. */
async function within(work: Promise<void>, mostMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, mostMs);
  });
  await Promise.race([work.catch(() => undefined), timeout]);
  clearTimeout(timer);
}

function registerReads(server: FastifyInstance, context: ReconciliationContext): void {
  server.get<{ Querystring: schemas.ListQuery }>(
    "/reconciliation/runs",
    {
      schema: {
        summary: "List reconciliation runs, newest first",
        tags,
        querystring: schemas.listQuery,
        response: { 200: schemas.runListSchema, 400: problem },
      },
    },
    async (request, reply) => {
      const before = request.query.cursor === undefined ? null : textOf(request.query.cursor);
      if (before !== null && !isUuid(before)) return reply.problem(problemFor({ type: "cursor_malformed" }));
      const { runs, next } = await listRuns(context, { before, limit: Number(request.query.limit ?? 20) });
      return { data: runs.map(schemas.presentRun), next_cursor: next === null ? null : cursorOf(next) };
    },
  );

  server.get<{ Params: { id: string } }>(
    "/reconciliation/runs/:id",
    {
      schema: {
        summary: "Get a reconciliation run and what it has found so far",
        tags,
        params: schemas.runParams,
        response: { 200: schemas.runSchema, 404: problem },
      },
    },
    async (request, reply) => {
      const run = await getRun(context, request.params.id);
      return run.ok ? schemas.presentRun(run.value) : reply.problem(problemFor(run.refusal));
    },
  );

  server.get<{ Params: { id: string }; Querystring: schemas.ExceptionsQuery }>(
    "/reconciliation/runs/:id/exceptions",
    {
      schema: {
        summary: "List what did not agree, in the order of its numbers",
        tags,
        params: schemas.runParams,
        querystring: schemas.exceptionsQuery,
        response: { 200: schemas.exceptionListSchema, 400: problem, 404: problem },
      },
    },
    async (request, reply) => {
      const { reason = null, resolved, cursor, limit = "20" } = request.query;
      const after = cursor === undefined ? 0 : readNumber(textOf(cursor));
      if (after === null) return reply.problem(problemFor({ type: "cursor_malformed" }));
      const isResolved = resolved === undefined ? null : resolved === "true";
      const page = { reason, isResolved, after, limit: Number(limit) };
      const listed = await listExceptions(context, request.params.id, page);
      if (!listed.ok) return reply.problem(problemFor(listed.refusal));
      const { run, exceptions, next } = listed.value;
      const data = exceptions.map((exception) =>
        schemas.presentException(
          exception,
          exception.resolution === null ? suggestionFor(exception, run.gateway) : null,
        ),
      );
      return { data, next_cursor: next === null ? null : cursorOf(String(next)) };
    },
  );
}

/** PostgreSQL's texts have no U+0000, and its JSON no halves of pairs. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\u0000");
}

/** The numbers that PostgreSQL's integer holds; null for everything else. */
function readNumber(text: string): number | null {
  const number = /^[1-9]\d{0,9}$/.test(text) ? Number(text) : 0;
  return number > 0 && number < 2 ** 31 ? number : null;
}

function readPosting(
  posting: schemas.ResolveBody["posting"],
): Result<"none" | "suggested" | PostingLeg[], HttpRefusal> {
  if (typeof posting === "string") return accept(posting);
  return readLegs(
    posting.legs.map(({ account, currency, debit, credit }) => ({
      account,
      currency,
      debit: textOfAmount(debit),
      credit: textOfAmount(credit),
    })),
  );
}

/** What was written, but for zeros at the end: the exact JSON parser lets only such numbers pass. Never an exponent. */
function textOfAmount(amount: string | number | undefined): string | undefined {
  if (typeof amount !== "number") return amount;
  return amount !== 0 && Math.abs(amount) < 1e-6 ? amount.toFixed(20) : String(amount);
}

function textOf(cursor: string): string {
  return Buffer.from(cursor, "base64url").toString("latin1");
}

function cursorOf(text: string): string {
  return Buffer.from(text, "latin1").toString("base64url");
}
