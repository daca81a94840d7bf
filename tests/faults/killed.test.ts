import assert from "node:assert/strict";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { type Fault, magicAmounts } from "../../src/infrastructure/gateways/simulator/magic-amounts.ts";
import { ask, mustAsk, type Server, until } from "../support/processes.ts";
import { runsOf } from "../support/property-seed.ts";
import { openSite, type Site, type StoredPayment } from "../support/site.ts";

// The process is killed with SIGKILL at each step of a payment, with each outcome of the gateway. Afterwards every
// payment must end in the right state, and the simulator's journal is the witness of what was charged.

const crashingServer = join(import.meta.dirname, "crashing-server.ts");

/** The limit from the restart until everything is right. */
const recoveryLimitMs = 30_000;

const settings = {
  GATEWAY_TIMEOUT_MS: "500",
  ACCEPT_LEASE_MS: "1500",
  SIMULATOR_PAY_AFTER_MS: "50",
};

type End = { readonly status: "succeeded" | "failed" | "pending"; readonly charges: 0 | 1 };

const paid: End = { status: "succeeded", charges: 1 };
const unpaid: End = { status: "failed", charges: 0 };

/** How a payment must end for what the gateway does, wherever the process was killed. */
const ends = {
  none: paid,
  declined: unpaid,
  declined_later: unpaid,
  error_before: unpaid,
  error_after: paid,
  timeout_before: unpaid,
  timeout_after_charge: paid,
  late_success: paid,
  // Only the process that is killed cannot reach the gateway: a gateway that nobody ever reaches ends nothing.
  not_sent: paid,
  never_paid: { status: "pending", charges: 0 },
} as const satisfies Partial<Record<Fault | "none", End>>;

type Outcome = keyof typeof ends;

/**
 * So divided that no process sees five faults of the gateway, which would open the circuit for half a minute: recovery
 * calls three times for what the gateway never hears of.
 */
const mixes: readonly Readonly<Partial<Record<Outcome, number>>>[] = [
  { none: 8, declined: 3, late_success: 3, error_before: 1, error_after: 1 },
  { none: 8, declined_later: 3, never_paid: 2, timeout_before: 1, timeout_after_charge: 1, not_sent: 2 },
];

// They mostly wait, so more of them than there are cores may do so at once.
suite("a process that is killed", { concurrency: 4 }, () => {
  test("with webhooks on their way leaves every payment to succeed", async (t) => {
    const site = await openSite({ ...settings, SIMULATOR_PAY_AFTER_MS: "0" });
    t.after(() => site.close());
    const first = await site.startApi({ script: crashingServer }, { CRASH_STEP: "settled", CRASH_PAYMENTS: "300" });
    await Promise.all(bodiesOf({ none: 400 }).map((body) => ask(`${first.address}/payments`, body)));
    assert.equal((await first.exited).signal, "SIGKILL");
    const second = await site.startApi("dev");
    await expectEnds(site, second, { none: (await site.payments()).length });
  });

  for (const [step, moment, elsewhere] of [
    ["accepted", "between accept and call", 1],
    ["called", "between call and settle", 2],
    ["settled", "after settle", 1],
  ] as const) {
    for (const mix of mixes.slice(0, runsOf(mixes.length, elsewhere))) {
      test(`${moment} leaves every payment to end right: ${Object.keys(mix).join(", ")}`, async (t) => {
        await killAndRestart(t, step, mix);
      });
    }
  }
});

async function killAndRestart(t: TestContext, step: string, mix: (typeof mixes)[number]): Promise<void> {
  const site = await openSite(settings);
  t.after(() => site.close());
  const bodies = bodiesOf(mix);
  // Where the answer of the gateway is final it is settled, otherwise postponed: both are "after".
  const crash = { CRASH_STEP: step, CRASH_PAYMENTS: String(bodies.length) };
  const first = await site.startApi({ script: crashingServer }, crash);
  const answers = await Promise.all(bodies.map((body) => ask(`${first.address}/payments`, body)));
  assert.equal((await first.exited).signal, "SIGKILL", first.output());

  const before = await site.payments();
  assert.equal(before.length, bodies.length, "every payment was accepted");
  if (step !== "settled") assert.ok(before.every(({ openAttempts }) => openAttempts === 1));
  if (step === "accepted") assert.equal(site.intents(), 0, "the gateway has heard of none");
  if (step === "called") assert.ok(answers.every((answer) => answer === null));

  const second = await site.startApi("dev");
  await expectEnds(site, second, mix);
  await expectReplays(second, bodies, before);
}

/** Keys say what is to become of the payment. */
function bodiesOf(
  mix: (typeof mixes)[number],
): { amount: string; currency: string; reference: string; idempotency_key: string }[] {
  return Object.entries(mix).flatMap(([outcome, count]) =>
    Array.from({ length: count }, (_, n) => ({
      amount: amountOf(outcome as Outcome),
      currency: "USD",
      reference: outcome,
      idempotency_key: `${outcome}-${n}`,
    })),
  );
}

function amountOf(outcome: Outcome): string {
  if (outcome === "not_sent") return "12.50";
  const magic = magicAmounts.find(({ fault }) => fault === outcome);
  if (magic === undefined) return "12.50";
  return `${magic.amountMinor / 100n}.${String(magic.amountMinor % 100n).padStart(2, "0")}`;
}

function endOf({ key }: StoredPayment): End {
  return ends[key.replace(/-\d+$/, "") as Outcome];
}

async function expectEnds(site: Site, server: Server, mix: (typeof mixes)[number]): Promise<void> {
  const count = Object.values(mix).reduce((sum, n) => sum + n, 0);
  const isRight = (payment: StoredPayment) => payment.status === endOf(payment).status && payment.openAttempts === 0;
  const waiting = async () => (await site.payments()).filter((payment) => !isRight(payment));
  await until("every payment has ended", recoveryLimitMs, async () => (await waiting()).length === 0).catch(
    async (error: unknown) => {
      assert.fail(`${String(error)}\n${JSON.stringify(await waiting(), null, 1)}\n${server.output()}`);
    },
  );

  const payments = await site.payments();
  assert.equal(payments.length, count);
  const charged = Map.groupBy(site.charges(), ({ paymentId }) => paymentId);
  for (const payment of payments) {
    const { id, key, attempts, eventVersions, version } = payment;
    assert.equal(charged.get(id)?.length ?? 0, endOf(payment).charges, `charges of ${key}`);
    assert.equal(attempts, 1, `attempts of ${key}`);
    assert.deepEqual(
      eventVersions,
      Array.from({ length: version }, (_, n) => n + 1),
      `events of ${key}`,
    );
  }
  assert.ok(
    [...charged.keys()].every((id) => payments.some((payment) => payment.id === id)),
    "no charge is unknown",
  );
}

/** Whoever asked before the crash asks again, and gets the payment of then. */
async function expectReplays(
  server: Server,
  bodies: ReturnType<typeof bodiesOf>,
  before: readonly StoredPayment[],
): Promise<void> {
  for (const body of bodies) {
    const { status, headers, body: payment } = await mustAsk(`${server.address}/payments`, body);
    assert.equal(status, 200, body.idempotency_key);
    assert.equal(headers.get("idempotency-replayed"), "true");
    assert.equal(payment["id"], before.find(({ key }) => key === body.idempotency_key)?.id);
  }
}
