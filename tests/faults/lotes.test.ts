import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { readSimulatorJournal } from "../../src/infrastructure/gateways/simulator/journal.ts";
import { eventually, get, post } from "../support/app.ts";
import type { Server } from "../support/processes.ts";
import { runsOf } from "../support/property-seed.ts";
import { openSite, rowsOf, type Site } from "../support/site.ts";

// A lote of 10,000 lines (3,000 where not every service is required) whose process is killed with SIGKILL three times
// while it pays. The simulator's journal is the witness of who was paid, and the audit of what our books say.

const lines = runsOf(10_000, 3_000);
/** Killed once so many have ended. */
const killedAt = [0.1, 0.4, 0.7].map((share) => share * lines);

const settings = {
  PASARELA_LATENCY_MS: "5",
  GATEWAY_TIMEOUT_MS: "500",
  ACCEPT_LEASE_MS: "700",
  // Slow enough to be seen before it is over: at most 4,800 a second.
  PAYOUT_CONCURRENCY: "24",
  PARTNER_PORT: "0",
  LOG_LEVEL: "warn",
};

type Lote = {
  readonly estado: string;
  readonly porcentaje: number;
  readonly por_estado: Readonly<Record<string, number>>;
};

test("a lote whose process is killed three times ends with every affiliate paid once", async (t) => {
  const site = await openSite(settings);
  t.after(() => site.close());
  let server = await site.startApi("dev");
  const pagos = Array.from({ length: lines }, (_, n) => ({
    id_afiliado: `afiliado_${n}`,
    monto: 1 + (n % 500) / 4,
    moneda: "COP",
  }));
  const { status, body } = await post(server.partner, "/pagos/lotes", { pagos });
  assert.equal(status, 202, JSON.stringify(body));
  const path = `/pagos/lotes/${body.id_lote}`;

  let abandoned = 0;
  for (const ended of killedAt) {
    const lote = await eventually(
      () => progress(server, path),
      ({ por_estado: { EXITOSO = 0 } }) => EXITOSO >= ended,
      20_000,
    );
    assert.equal(lote.estado, "PROCESANDO", "it was killed while it paid");
    await server.kill();
    const [left] = await rowsOf(site.ownerUrl, "select count(*)::integer as begun from payouts.under_way");
    abandoned += Number(left?.["begun"]);
    server = await site.startApi("dev");
  }
  assert.ok(abandoned > 0, "it died with payouts under way");
  const lote = await eventually(
    () => progress(server, path),
    ({ estado }) => estado === "TERMINADO",
    30_000,
  );
  assert.deepEqual(lote.por_estado, { PENDIENTE: 0, PROCESANDO: 0, EXITOSO: lines, FALLIDO: 0 });
  assert.equal(lote.porcentaje, 100);

  const paid = journal(site);
  assert.equal(paid.length, lines, "the gateway paid each line once");
  assert.equal(new Set(paid.map(({ recipient }) => recipient)).size, lines);
  const owed = new Map(pagos.map(({ id_afiliado, monto }) => [id_afiliado, BigInt(Math.round(monto * 100))]));
  assert.ok(paid.every(({ recipient, amountMinor }) => owed.get(recipient ?? "") === amountMinor));

  const books = await rowsOf(
    site.ownerUrl,
    `select a.code, (b.debits - b.credits)::text as paid from ledger.balances b
     join ledger.accounts a on a.id = b.account_id where a.code like 'affiliate:%:paid'`,
  );
  assert.equal(books.length, lines);
  for (const { code, paid } of books) {
    assert.equal(BigInt(String(paid)), owed.get(String(code).replace(/^affiliate:|:paid$/g, "")), String(code));
  }
  await server.stop();
  const { DATABASE_URL = "" } = site.environment;
  const audit = site.run(["audit"], { DATABASE_URL, MARKETFLOW_HOME: site.home });
  assert.equal((await audit.exited).code, 0, audit.output());
  assert.ok(audit.output().includes(`${lines.toLocaleString("en")} payouts: 0 findings`), audit.output());
});

async function progress(server: Server, path: string): Promise<Lote> {
  const answer = await get(server.partner, path);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body as Lote;
}

function journal({ home }: Site) {
  return readSimulatorJournal(join(home, "simulator.db")).filter(({ kind }) => kind === "payout");
}
