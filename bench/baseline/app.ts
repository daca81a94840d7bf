import express, { type Express, type NextFunction, type Request, type Response } from "express";
import type { Pool } from "pg";
import type { BillGateway, PaymentGateway } from "../../src/movements/ports.ts";
import { payBill } from "./bills.ts";
import { type Answer, createPayment } from "./payments.ts";
import { receiveWebhook } from "./webhooks.ts";

type BaselineParts = {
  readonly pool: Pool;
  readonly gateway: PaymentGateway;
  readonly bills: BillGateway;
  readonly webhookSecret: string;
};

/** What listens on MarketFlow's two ports. */
export type Baseline = { readonly marketplace: Express; readonly partner: Express };

/**
 * The honest plain server that the scenarios compare with: Express, a pool, and one transaction for each request. It
 * stores the same rows and checks the same things as MarketFlow, as one would write it in an afternoon.
 */
export function createBaseline(parts: BaselineParts): Baseline {
  return { marketplace: createMarketplace(parts), partner: createPartner(parts) };
}

/** What costs time and gives this server nothing (ETags, the X-Powered-By header) is off. */
function createServer(): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  return app;
}

function createMarketplace({ pool, gateway, webhookSecret }: BaselineParts): Express {
  const app = createServer();
  app.get("/health", async (_request, response) => {
    await pool.query("select 1");
    response.json({ status: "healthy", database: "connected" });
  });
  app.post("/payments", express.json({ limit: "1mb" }), async (request, response) => {
    send(response, await createPayment(pool, gateway, request.body));
  });
  app.post("/webhooks/stripe", express.raw({ type: "*/*", limit: "1mb" }), async (request, response) => {
    const signature = request.get("stripe-signature") ?? "";
    send(response, await receiveWebhook(pool, webhookSecret, request.body, signature));
  });
  answerFaults(app);
  return app;
}

function createPartner({ pool, bills }: BaselineParts): Express {
  const app = createServer();
  app.post("/payments", express.json({ limit: "1mb" }), async (request, response) => {
    send(response, await payBill(pool, bills, request.get("idempotency-key"), request.body));
  });
  answerFaults(app);
  return app;
}

function answerFaults(app: Express): void {
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    process.stderr.write(`${String(error)}\n`);
    response.status(500).json({ code: "internal_error" });
  });
}

function send(response: Response, answer: Answer): void {
  response
    .status(answer.status)
    .set(answer.headers ?? {})
    .json(answer.body);
}
