import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { readSimulatorJournal } from "../../src/infrastructure/gateways/simulator/journal.ts";
import { inDatabase } from "../support/database.ts";
import { ask, until } from "../support/processes.ts";
import { openDurableSite, rowsOf, type Site } from "../support/site.ts";

// `node bin/marketflow.mjs --script tests/faults/ledger-soak.ts [--operations N | --short]`: sales, captures, refunds,
// cancellations and disputes at random, over two API processes that are killed at random. In the end the audit must
// find nothing, the clearing accounts must hold what the simulator's journal says, and after one byte of the ledger was
// changed by a superuser the audit must name the row. Ends with 1 and says what is wrong where it is not so.

const faultyServer = join(import.meta.dirname, "faulty-server.ts");
const workersOfPlace = 16;
const settleLimitMs = 120_000;

const { values } = parseArgs({ options: { operations: { type: "string" }, short: { type: "boolean" } } });
const operations = values.short ? 4_000 : Number(values.operations ?? "100000");
if (!Number.isSafeInteger(operations) || operations < 1) throw new Error("--operations must be a whole number");

type Made = { readonly id: string; readonly minor: number; readonly decimals: number };

const currencies = [
  { currency: "USD", decimals: 2 },
  { currency: "JPY", decimals: 0 },
  { currency: "KWD", decimals: 3 },
];
/** Sold, and then disputed by the buyer: lost, and won. */
const disputedMinor = [9_990_110, 9_990_120];

const site = await openDurableSite({
  GATEWAY_TIMEOUT_MS: "500",
  ACCEPT_LEASE_MS: "1500",
  SIMULATOR_PAY_AFTER_MS: "20",
  LOG_LEVEL: "info",
});
const made: Made[] = [];
const answered = new Map<string, number>();
let done = 0;
try {
  const beganMs = performance.now();
  const deaths = await Promise.all([liveAndDie(), liveAndDie()]);
  const tookS = (performance.now() - beganMs) / 1000;
  say(`${done} operations in ${tookS.toFixed(0)} s, killed ${deaths.join(" and ")} times`);
  say(JSON.stringify([...answered]));
  await check(site);
} finally {
  await site.close();
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** One place for an API process: starts it, loads it, kills it, and again, until enough was done. Counts the kills. */
async function liveAndDie(): Promise<number> {
  for (let deaths = 0; ; deaths++) {
    const server = await site.startApi({ script: faultyServer }, { FAULTS: String(Math.floor(Math.random() * 4)) });
    let alive = true;
    const workers = Array.from({ length: workersOfPlace }, async () => {
      while (alive && done < operations) {
        done += 1;
        const [name, status] = await operate(server.address);
        const what = `${name} ${status}`;
        answered.set(what, (answered.get(what) ?? 0) + 1);
        if (status === 0 || status === 503) await sleep(20);
      }
    });
    await Promise.race([Promise.all(workers), sleep(1_500 + Math.random() * 4_000)]);
    const isOver = done >= operations;
    alive = false;
    await (isOver ? server.stop() : server.kill());
    await Promise.all(workers);
    if (isOver) return deaths;
  }
}

/** Something that a marketplace does; returns its name and the status of the answer, 0 where none came. */
async function operate(address: string): Promise<[string, number]> {
  const chance = Math.random();
  const payment = made[Math.floor(Math.random() * made.length)];
  if (payment === undefined || chance < 0.5) return ["sale", await sell(address, chance)];
  const path = `${address}/payments/${payment.id}`;
  if (chance < 0.9) {
    const amount = Math.random() < 0.2 ? {} : { amount: partOf(payment) };
    return ["refund", (await ask(`${path}/refunds`, { ...amount, idempotency_key: randomUUID() }))?.status ?? 0];
  }
  if (chance < 0.96) {
    const amount = Math.random() < 0.5 ? {} : { amount: partOf(payment) };
    return ["capture", (await ask(`${path}/capture`, amount))?.status ?? 0];
  }
  return ["cancel", (await ask(`${path}/cancel`, {}))?.status ?? 0];
}

async function sell(address: string, chance: number): Promise<number> {
  const { currency, decimals } = currencies[Math.floor(Math.random() * currencies.length)] ?? {
    currency: "USD",
    decimals: 2,
  };
  const isDisputed = chance < 0.005;
  const minor = isDisputed ? (disputedMinor[done % 2] ?? 0) : 1 + Math.floor(Math.random() * 100_000);
  const seller = Math.floor(Math.random() * 40);
  const answer = await ask(`${address}/payments`, {
    amount: decimal(minor, decimals),
    currency,
    idempotency_key: randomUUID(),
    ...(seller === 0 ? {} : { seller_id: `seller-${seller}` }),
    ...(chance > 0.45 ? { capture: false } : {}),
  });
  if (answer !== null && answer.status === 201) made.push({ id: String(answer.body["id"]), minor, decimals });
  return answer?.status ?? 0;
}

function partOf({ minor, decimals }: Made): string {
  return decimal(1 + Math.floor(Math.random() * minor * 0.6), decimals);
}

function decimal(minor: number, decimals: number): string {
  const digits = String(minor).padStart(decimals + 1, "0");
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

async function check(on: Site): Promise<void> {
  const server = await on.startApi("serve");
  const tookMs = await until("nothing is under way", settleLimitMs, () => isQuiet(on));
  say(`nothing under way ${Math.round(tookMs)} ms after the last start`);
  await server.stop();
  await checkClearing(on);
  const clean = await audit(on);
  assert.deepEqual([clean.exit, clean.document.findings_total], [0, 0], JSON.stringify(clean.document, null, 1));
  const checked = clean.document.checks.map(({ name, checked }) => ({ [name]: checked }));
  say(`the audit finds nothing: ${JSON.stringify(checked)}`);
  await checkTampering(on, clean.document.head);
}

/** As the superuser, in the site's database. */
async function look(on: Site, text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return await rowsOf(inDatabase(on.adminUrl, "marketflow"), text, values);
}

/** No attempt is open, no refund pending, no dispute open, no event waits, and everything is sealed. */
async function isQuiet(on: Site): Promise<boolean> {
  const [row] = await look(
    on,
    `select (select count(*) from payments.attempts where state <> 'succeeded' and state <> 'declined')
          + (select count(*) from payments.refunds where status = 'pending')
          + (select count(*) from payments.disputes where status = 'open')
          + (select count(*) from payments.webhook_inbox where processed_at is null)
          + (select count(*) from payments.payments where status = 'pending' and capture = 'automatic')
          + (select count(*) from ledger.unsealed) as busy`,
  );
  return Number(row?.["busy"]) === 0;
}

/** The clearing accounts hold what the simulator took in less what it gave back: an independent witness. */
async function checkClearing(on: Site): Promise<void> {
  const sums = new Map<string, bigint>();
  for (const { kind, currency, amountMinor } of readSimulatorJournal(join(on.home, "simulator.db"))) {
    const sign = kind === "charge" || kind === "dispute_reversal" ? 1n : kind === "cancel" ? 0n : -1n;
    sums.set(currency, (sums.get(currency) ?? 0n) + sign * amountMinor);
  }
  const rows = await look(
    on,
    `select a.currency, b.debits - b.credits as balance
     from ledger.accounts a join ledger.balances b on b.account_id = a.id
     where a.code = 'gateway:simulator:clearing'`,
  );
  assert.ok(rows.length > 0);
  for (const { currency, balance } of rows) {
    assert.equal(String(balance), String(sums.get(String(currency))), `clearing in ${currency}`);
  }
}

type Audited = {
  readonly exit: number | null;
  readonly document: {
    readonly head: string;
    readonly findings_total: number;
    readonly findings: readonly { readonly where: string }[];
    readonly checks: readonly { readonly name: string; readonly checked: object }[];
  };
};

async function audit(on: Site, ...more: string[]): Promise<Audited> {
  const child = on.run(["audit", "--json", ...more], { DATABASE_URL: on.appUrl, MARKETFLOW_HOME: on.home });
  const { code } = await child.exited;
  const text = child.output();
  const document = JSON.parse(text.slice(text.indexOf("{\n"), text.lastIndexOf("}") + 1));
  return { exit: code, document };
}

/** One byte, by somebody who can do everything: the audit names the row. */
async function checkTampering(on: Site, head: string): Promise<void> {
  const [entry] = await look(
    on,
    "select transaction_id, leg, account_id, version from ledger.entries order by random() limit 1",
  );
  const where = "where account_id = $1 and version = $2";
  const key = [entry?.["account_id"], entry?.["version"]];
  await look(
    on,
    `do $$ begin
       perform set_config('session_replication_role', 'replica', true);
       update ledger.entries set amount = amount # 1 where account_id = ${key[0]} and version = ${key[1]};
     end $$`,
  );
  assert.equal((await look(on, `select from ledger.entries ${where}`, key)).length, 1);
  const found = await audit(on, "--head", head);
  const name = `${entry?.["transaction_id"]}/${entry?.["leg"]}`;
  assert.equal(found.exit, 1);
  const named = found.document.findings.find((finding) => finding.where.includes(name));
  assert.ok(named, `${name} is not named by ${JSON.stringify(found.document.findings, null, 1)}`);
  say(`one byte changed: the audit says "${named.where}" among ${found.document.findings_total} findings`);
}
