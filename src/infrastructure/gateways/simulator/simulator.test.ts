import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { parseCurrency } from "../../../kernel/currency.ts";
import type { CreateIntentRequest, GatewayOutcome } from "../../../movements/ports.ts";
import { readSimulatorJournal } from "./journal.ts";
import { disputeClosedAfterMs, disputedAfterMs, magicAmounts } from "./magic-amounts.ts";
import { createSimulator, type Simulator, type SimulatorOptions } from "./simulator.ts";

const currency = parseCurrency("USD");
assert(currency !== undefined);

let home: string;
let path: string;
let simulator: Simulator | undefined;

function start(change: Partial<SimulatorOptions> = {}): Simulator {
  simulator = createSimulator({ path, latencyMs: 0, payAfterMs: 0, buyer: "absent", webhook: null, ...change });
  return simulator;
}

function aRequest(paymentId: string, amountMinor = 1000n, attempt = 1): CreateIntentRequest {
  assert(currency !== undefined);
  const amount = { amountMinor, currency };
  return { attemptId: `${paymentId}-${attempt}`, paymentId, amount, capture: "automatic", reference: null };
}

const journalOf = (paymentId: string) =>
  readSimulatorJournal(path).flatMap((line) => (line.paymentId === paymentId ? [line.kind] : []));

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 5000;
  while (!condition()) {
    assert(Date.now() < end, "it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Lets the buyer pay, and says which intent it was. */
async function paid(gateway: Simulator, paymentId: string, amountMinor?: bigint): Promise<string> {
  const outcome = await gateway.createIntent(aRequest(paymentId, amountMinor), 1000);
  assert(outcome.type === "succeeded");
  await until(() => gateway.chargesOf(paymentId).length === 1);
  return outcome.intent.id;
}

const codeOf = (outcome: GatewayOutcome) => (outcome.type === "succeeded" ? "succeeded" : outcome.code);

describe("the simulated gateway", () => {
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "marketflow-simulator-"));
    path = join(home, "simulator.db");
  });
  afterEach(async () => {
    await simulator?.close();
    rmSync(home, { recursive: true });
  });

  it("does what the table of magic amounts says", async () => {
    const gateway = start({ buyer: "pays" });
    const expected = {
      declined: ["card_declined", 0],
      declined_later: ["succeeded", 0],
      error_before: ["gateway_error", 0],
      error_after: ["gateway_error", 1],
      timeout_before: ["gateway_timeout", 0],
      timeout_after: ["gateway_timeout", 1],
      timeout_after_charge: ["gateway_timeout", 1],
      late_success: ["succeeded", 0],
      not_sent: ["gateway_unreachable", 0],
      never_paid: ["succeeded", 0],
      disputed_lost: ["succeeded", 1],
      disputed_won: ["succeeded", 1],
      refund_declined: ["succeeded", 1],
      refund_timeout_after: ["succeeded", 1],
    } as const;
    const outcomes = await Promise.all(
      magicAmounts.map(({ amountMinor, fault }) => gateway.createIntent(aRequest(fault, amountMinor), 100)),
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const [n, { fault, meaning }] of magicAmounts.entries()) {
      const outcome = outcomes[n];
      assert(outcome !== undefined);
      assert.deepEqual([codeOf(outcome), gateway.chargesOf(fault).length], expected[fault], meaning);
    }
  });

  it("can witness a payment that is charged twice, by two attempts", async () => {
    const gateway = start({ buyer: "pays" });
    await Promise.all([1, 2].map((attempt) => gateway.createIntent(aRequest("twice", 1000n, attempt), 1000)));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(gateway.chargesOf("twice").length, 2);
    assert.deepEqual(
      readSimulatorJournal(path).map(({ kind, paymentId, amountMinor }) => ({ kind, paymentId, amountMinor })),
      [1, 2].map(() => ({ kind: "charge", paymentId: "twice", amountMinor: 1000n })),
    );
  });

  it("keeps a journal that nobody can change", async () => {
    const gateway = start({ buyer: "pays" });
    await gateway.createIntent(aRequest("p", 9_990_060n), 10);
    const database = new DatabaseSync(path, { timeout: 5000 });
    assert.throws(() => database.exec("delete from journal"), /append-only/);
    assert.throws(() => database.exec("update journal set amount = 1"), /append-only/);
    database.close();
    assert.equal(gateway.chargesOf("p").length, 1);
  });

  it("has booked what it answered, when its process is killed right after", { timeout: 20_000 }, async () => {
    const source = `
      import { createSimulator } from ${JSON.stringify(new URL("./simulator.ts", import.meta.url).href)};
      const path = ${JSON.stringify(path)};
      const gateway = createSimulator({ path, latencyMs: 0, payAfterMs: 0, buyer: "absent", webhook: null });
      const amount = { amountMinor: 9990060n, currency: "USD" };
      for (let n = 0; n < 20; n++) {
        const ids = { attemptId: "p" + n + "-1", paymentId: "p" + n };
        await gateway.createIntent({ ...ids, amount, capture: "automatic", reference: null }, 1);
        process.stdout.write(n + "\\n");
      }
      process.kill(process.pid, "SIGKILL");`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", source]);
    const answered: string[] = [];
    child.stdout.on("data", (chunk: Buffer) => answered.push(...chunk.toString().trim().split("\n")));
    const [, signal] = await once(child, "close");
    assert.equal(signal, "SIGKILL");
    assert.equal(answered.length, 20);
    assert.equal(readSimulatorJournal(path).length, 20);
    const finding = await start().findIntent({ ...aRequest("p19"), intentId: null, acceptedAt: new Date() }, 1000);
    assert.equal(finding.type === "found" && finding.intent.status, "succeeded");
  });

  it("takes as long as it is told, and no longer than the deadline", async () => {
    const gateway = start({ latencyMs: 60 });
    const startedAt = performance.now();
    assert.equal((await gateway.createIntent(aRequest("slow"), 1000)).type, "succeeded");
    assert(performance.now() - startedAt >= 55);
    gateway.setLatency(60_000);
    assert.equal(codeOf(await gateway.createIntent(aRequest("slower"), 50)), "gateway_timeout");
    gateway.setLatency(0);
    const finding = await gateway.findIntent({ ...aRequest("slower"), intentId: null, acceptedAt: new Date() }, 50);
    assert.equal(finding.type, "found");
  });

  it("pays by its own clock", async () => {
    let now = 1_000_000;
    const gateway = start({ buyer: "pays", payAfterMs: 60_000, clock: () => now });
    await gateway.createIntent(aRequest("p"), 1000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(gateway.chargesOf("p").length, 0);
    now += 60_000;
    await new Promise((resolve) => setTimeout(resolve, 1100));
    assert.equal(gateway.chargesOf("p").length, 1);
  });

  it("opens and closes a dispute by its own clock, and what was won can be given back", async () => {
    let now = 1_000_000;
    const gateway = start({ buyer: "pays", clock: () => now });
    const intentId = await paid(gateway, "p", 9_990_120n);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    assert.deepEqual(journalOf("p"), ["charge"]);
    now += disputedAfterMs;
    await until(() => journalOf("p").length === 2);
    const amount = { amountMinor: 9_990_120n, currency: currency as NonNullable<typeof currency> };
    const refund = { attemptId: "r-1", paymentId: "p", refundId: "r", intentId, amount };
    assert.equal((await gateway.createRefund(refund, 1000)).type, "declined");
    now += disputeClosedAfterMs - 1;
    await new Promise((resolve) => setTimeout(resolve, 1100));
    assert.deepEqual(journalOf("p"), ["charge", "dispute"]);
    now += 1;
    await until(() => journalOf("p").length === 3);
    assert.equal((await gateway.createRefund(refund, 1000)).type, "succeeded");
    assert.deepEqual(journalOf("p"), ["charge", "dispute", "dispute_reversal", "refund"]);
    assert.equal(gateway.refundsOf("p").length, 1);
  });

  it("disputes only what refunds have left, and what was captured", async () => {
    const gateway = start({ buyer: "pays" });
    const intentId = await paid(gateway, "p");
    const part = { amountMinor: 400n, currency: currency as NonNullable<typeof currency> };
    const refund = { attemptId: "r-1", paymentId: "p", refundId: "r", intentId, amount: part };
    assert.equal((await gateway.createRefund(refund, 1000)).type, "succeeded");
    await gateway.dispute("p", "lost");
    assert.deepEqual(
      readSimulatorJournal(path).map(({ kind, amountMinor }) => [kind, amountMinor]),
      [
        ["charge", 1000n],
        ["refund", 400n],
        ["dispute", 600n],
      ],
    );
    await assert.rejects(gateway.dispute("p", "won"), /nothing is left/);
    await assert.rejects(gateway.dispute("nobody's", "won"), /nothing is left/);
  });

  it("disputes a payment that was captured later only then", async () => {
    const gateway = start({ buyer: "pays" });
    const request = { ...aRequest("p", 9_990_110n), capture: "manual" } as const;
    const outcome = await gateway.createIntent(request, 1000);
    assert(outcome.type === "succeeded");
    await new Promise((resolve) => setTimeout(resolve, disputedAfterMs + 200));
    assert.deepEqual(journalOf("p"), []);
    const capture = { ...request, attemptId: "p-2", intentId: outcome.intent.id };
    assert.equal((await gateway.captureIntent(capture, 1000)).type, "succeeded");
    await until(() => journalOf("p").length === 2);
    assert.deepEqual(journalOf("p"), ["charge", "dispute"]);
  });

  it("shows every call to the hook that makes it fail", async () => {
    const seen: string[] = [];
    const gateway = start({
      faults({ operation }) {
        seen.push(operation);
        return "not_sent";
      },
    });
    const { attemptId, paymentId, amount } = aRequest("p");
    const ids = { attemptId, paymentId, intentId: "pi_1", amount };
    await gateway.captureIntent(ids, 1000);
    await gateway.createRefund({ ...ids, refundId: "r" }, 1000);
    await gateway.findRefund({ ...ids, gatewayRefundId: null }, 1000);
    await gateway.listSettlements({ from: new Date(0), to: new Date(1), cursor: null }, 1000);
    assert.deepEqual(seen, ["capture", "refund", "find_refund", "settlements"]);
  });

  it("resolves what is waiting when it is closed, and sends nothing any more", async () => {
    const gateway = start();
    const waiting = gateway.createIntent(aRequest("p", 9_990_050n), 60_000);
    await gateway.close();
    assert.equal(codeOf(await waiting), "gateway_timeout");
    assert.equal(codeOf(await gateway.createIntent(aRequest("q"), 1000)), "gateway_closed");
    const search = { ...aRequest("q"), intentId: null, acceptedAt: new Date() };
    assert.equal((await gateway.findIntent(search, 1000)).type, "unreachable");
    await gateway.close();
  });

  it("gives the intents of another book other ids", async () => {
    const ids: unknown[] = [];
    for (const name of ["one.db", "two.db"]) {
      const gateway = start({ path: join(home, name) });
      const outcome = await gateway.createIntent(aRequest("p"), 1000);
      ids.push(outcome.type === "succeeded" && outcome.intent.id);
      await gateway.close();
    }
    assert.notEqual(ids[0], ids[1]);
    assert.match(String(ids[0]), /^pi_sim_/);
  });
});
