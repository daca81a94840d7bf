import type { FastifyInstance } from "fastify";
import { isUuid } from "../../../kernel/identifiers.ts";
import { decimalText } from "../../../kernel/money.ts";
import { accept, type Result, refuse } from "../../../kernel/result.ts";
import type { BillsContext } from "../application/context.ts";
import { createBill } from "../application/create-bill.ts";
import { type BillFilter, getBill, listBills } from "../application/read-bills.ts";
import { retryPayment } from "../application/retry-bill.ts";
import { billStatuses } from "../domain/bill-payment.ts";
import { type HttpRefusal, problemFor } from "./refusals.ts";
import * as schemas from "./schemas.ts";

export type BillRoutesSettings = {
  /** Whose payments a request may see and make. */
  readonly scopeOf: (request: object) => string;
};

const tags = ["bills"];
const error = schemas.errorSchema;

/** The routes of the bills contract, to its letter. */
export function registerBillRoutes(
  server: FastifyInstance,
  context: BillsContext,
  { scopeOf }: BillRoutesSettings,
): void {
  server.post<{ Body: schemas.CreateBody }>(
    "/payments",
    {
      schema: {
        summary: "Pay a bill",
        description:
          "A key that was seen before gets the payment of its first request as it stands now, with 200 and " +
          "`Idempotency-Replayed: true`, even if the body differs. A payment that the gateway declined is created " +
          "as well, as FAILED; one whose outcome is not known yet is PENDING.",
        tags,
        headers: schemas.keyHeader,
        body: schemas.createBody,
        response: {
          200: schemas.billSchema,
          201: schemas.billSchema,
          400: error,
          409: error,
          422: schemas.missingHeaderSchema,
          503: error,
        },
      },
      // Before the body is judged: a request without a key is told so whatever else is wrong with it.
      preValidation: async (request, reply) => {
        if (request.idempotencyKey !== undefined) return undefined;
        return reply.problem(problemFor({ type: "idempotency_key_missing" }));
      },
    },
    async (request, reply) => {
      const { amount, currency, reference } = request.body;
      const read = {
        reference,
        amount: typeof amount === "string" ? amount : decimalText(amount),
        currency,
        idempotencyKey: request.idempotencyKey ?? "",
      };
      const created = await createBill(context, scopeOf(request), read, request.trace);
      if (!created.ok) return reply.problem(problemFor(created.refusal));
      const { bill, replayed } = created.value;
      if (replayed) reply.header("idempotency-replayed", "true");
      return reply.code(replayed ? 200 : 201).send(schemas.presentBill(bill));
    },
  );

  server.post<{ Params: { payment_id: string } }>(
    "/payments/:payment_id/retry",
    {
      schema: {
        summary: "Retry a FAILED payment",
        description: "Two retries of one payment at the same time make one attempt: the other gets 409.",
        tags,
        params: schemas.idParams,
        response: { 200: schemas.billSchema, 404: error, 409: error, 503: error },
      },
    },
    async (request, reply) => {
      const retried = await retryPayment(context, scopeOf(request), request.params.payment_id, request.trace);
      return retried.ok ? schemas.presentBill(retried.value) : reply.problem(problemFor(retried.refusal));
    },
  );

  registerReads(server, context, { scopeOf });
}

function registerReads(server: FastifyInstance, context: BillsContext, { scopeOf }: BillRoutesSettings): void {
  server.get<{ Querystring: schemas.ListQuery }>(
    "/payments",
    {
      schema: {
        summary: "List payments, newest first",
        description:
          "`total` is exact at the moment of reading, and neither it nor a large `offset` takes longer than the " +
          "first page: both are counted in tallies. Where payments are made meanwhile, `cursor` repeats none.",
        tags,
        querystring: schemas.listQuery,
        response: { 200: schemas.listSchema, 400: error },
      },
    },
    async (request, reply) => {
      const filter = readFilter(request.query);
      if (!filter.ok) return reply.problem(problemFor(filter.refusal));
      const page = await listBills(context, scopeOf(request), filter.value);
      const next = page.next === null ? null : cursorOf(page.next);
      return schemas.presentPage(page, filter.value, request.query.cursor === undefined ? undefined : next);
    },
  );

  server.get<{ Params: { payment_id: string } }>(
    "/payments/:payment_id",
    {
      schema: {
        summary: "Get a payment",
        tags,
        params: schemas.idParams,
        response: { 200: schemas.billSchema, 404: error },
      },
    },
    async (request, reply) => {
      const found = await getBill(context, scopeOf(request), request.params.payment_id);
      return found.ok ? schemas.presentBill(found.value) : reply.problem(problemFor(found.refusal));
    },
  );
}

/** Digits that a double carries exactly. */
const wholeNumber = /^(?:0|[1-9]\d{0,14})$/;

function readFilter(query: schemas.ListQuery): Result<BillFilter, HttpRefusal> {
  const { limit = "20", offset = "0", cursor } = query;
  const status = billStatuses.find((known) => known === query.status) ?? null;
  if (query.status !== undefined && status === null) return refuse({ type: "status_unknown" });
  if (!/^(?:[1-9]\d?|100)$/.test(limit)) return refuse({ type: "limit_out_of_range" });
  if (!wholeNumber.test(offset)) return refuse({ type: "offset_out_of_range" });
  if (cursor !== undefined && query.offset !== undefined) return refuse({ type: "cursor_with_offset" });
  const before = cursor === undefined || cursor === "" ? null : Buffer.from(cursor, "base64url").toString("latin1");
  if (before !== null && !isUuid(before)) return refuse({ type: "cursor_malformed" });
  return accept({ status, limit: Number(limit), offset: Number(offset), before });
}

function cursorOf(id: string): string {
  return Buffer.from(id, "latin1").toString("base64url");
}
