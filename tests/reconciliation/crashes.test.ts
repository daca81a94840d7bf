import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import type { Database } from "../../src/kernel/statement.ts";
import { advanceRun } from "../../src/modules/reconciliation/application/advance-run.ts";
import type { ReconciliationContext } from "../../src/modules/reconciliation/application/context.ts";
import { getRun } from "../../src/modules/reconciliation/application/read-runs.ts";
import { receiveFile } from "../../src/modules/reconciliation/application/receive-file.ts";
import { startRun } from "../../src/modules/reconciliation/application/start-run.ts";
import type { Run } from "../../src/modules/reconciliation/domain/runs.ts";
import { createRunWorker, reconciliationJobs } from "../../src/modules/reconciliation/index.ts";
import { eventually } from "../support/app.ts";
import {
  type Books,
  booked,
  contextOf,
  dayMs,
  fakeGateway,
  fakeLedger,
  openBooks,
  period,
  settled,
} from "./support.ts";

let books: Books;
before(async () => {
  books = await openBooks();
});
after(() => books.close());

afterEach(async () => {
  assert.deepEqual(await books.look("select from reconciliation.lines"), []);
  await books.look("update reconciliation.runs set step = 'done'");
});

const request = { period, toleranceMs: dayMs };

/** Two hundred of each side, of which ten are missing on either and ten differ. */
const theirs = Array.from({ length: 200 }, (_, nth) => settled(`pi_${nth}`, 100n));
const ours = Array.from({ length: 200 }, (_, nth) => booked(`pi_${nth + 10}`, nth < 10 ? 99n : 100n));
const sides = () => ({ gateway: fakeGateway(theirs, 1), ledger: fakeLedger(ours, 60) });

async function begun(context: ReconciliationContext): Promise<string> {
  const started = await startRun(context, request);
  assert.ok(started.ok);
  return started.value;
}

async function runOf(id: string): Promise<Run> {
  const run = await getRun(contextOf(books.pool, {}), id);
  assert.ok(run.ok);
  return run.value;
}

async function assertRight(id: string): Promise<void> {
  const { counts, status } = await runOf(id);
  const { matched, missing_here, missing_at_gateway, amount_differs, gatewayLines, ledgerLines } = counts;
  assert.equal(status, "completed");
  assert.deepEqual([gatewayLines, ledgerLines], [200, 200]);
  assert.deepEqual([matched, missing_here, missing_at_gateway, amount_differs], [180, 10, 10, 10]);
  const [kept] = await books.look("select count(*)::integer as n from reconciliation.exceptions where run_id = $1", [
    id,
  ]);
  assert.deepEqual(kept, { n: 30 });
}

/** A database whose connection breaks at one statement: before it is sent, or after it was committed. */
function breaking(database: Database, at: number, when: "before" | "after"): Database {
  let count = 0;
  return {
    async query(query) {
      count += 1;
      if (count === at && when === "before") throw new Error("the process died before the statement");
      const answer = await database.query(query);
      if (count === at) throw new Error("the process died after the statement");
      return answer;
    },
  };
}

describe("a run whose process dies", () => {
  for (const when of ["before", "after"] as const) {
    it(`${when} any one of its statements counts each line once`, async () => {
      let statements = 0;
      for (let at = 1; ; at += 1) {
        const both = sides();
        const id = await begun(contextOf(books.pool, both));
        const dying = contextOf(breaking(books.pool, at, when), both);
        const died = await finish(dying, id).then(
          () => false,
          () => true,
        );
        await finish(contextOf(books.pool, both), id);
        await assertRight(id);
        if (!died) break;
        statements += 1;
      }
      assert.ok(statements >= 18, `${statements} statements`);
    });
  }

  it("is taken up by another one when its lease is over, and not before", async () => {
    const dying = contextOf(books.pool, sides(), {
      onStep(_id, step) {
        if (step === "match") throw new Error("the process died");
      },
    });
    const id = await begun(dying);
    await assert.rejects(finish(dying, id), /the process died/);
    const worker = createRunWorker(contextOf(books.pool, sides()), assert.fail);
    await worker.takeUp();
    assert.equal((await runOf(id)).status, "running");
    await books.look("update reconciliation.runs set due_at = now() where id = $1", [id]);
    const [job] = reconciliationJobs(contextOf(books.pool, sides()), worker);
    assert.equal(await job?.run(), 0);
    await eventually(
      () => runOf(id),
      ({ status }) => status === "completed",
    );
    await assertRight(id);
    await worker.stop();
  });

  it("fails, and does not go on for ever, where every process dies over it", async () => {
    const failures: unknown[] = [];
    const dying = contextOf(books.pool, sides(), {
      onStep(_id, step) {
        if (step === "ledger") throw new Error("this bug again");
      },
    });
    const worker = createRunWorker(dying, (_id, error) => failures.push(error));
    const id = await begun(dying);
    await worker.begin(id);
    const run = await eventually(
      async () => {
        await worker.takeUp();
        return await runOf(id);
      },
      ({ status }) => status === "failed",
    );
    assert.ok(run.status === "failed");
    assert.equal(run.failure.code, "run_interrupted");
    assert.equal(failures.length, 6);
    await eventually(
      async () => {
        await worker.takeUp();
        return await books.look("select from reconciliation.lines");
      },
      (lines) => lines.length === 0,
    );
    await worker.stop();
  });

  it("in the middle of an upload leaves nothing of the file once its lease is over", async () => {
    async function* pieces() {
      const lines = Array.from({ length: 7_000 }, (_, nth) => `t${nth},charge,pi_${nth},,1,USD,2026-03-10T00:00:00Z\n`);
      yield Buffer.from(`id,kind,intent_id,source_id,amount,currency,occurred_at\n${lines.join("")}`);
      throw new Error("the process died");
    }
    // The discarding fails as well, as it would where the process is gone.
    const dead: Database = {
      query: (query) => (/discardRun/.test(query.name) ? Promise.reject(new Error("dead")) : books.pool.query(query)),
    };
    await assert.rejects(receiveFile(contextOf(dead, {}), pieces(), request, 10_000_000), /the process died/);
    const [standing] = await books.look<{ id: string }>(
      "select id from reconciliation.runs where status = 'receiving'",
    );
    await eventually(
      () => books.look("select from reconciliation.lines where run_id = $1", [standing?.id]),
      (lines) => lines.length === 7_000,
    );
    const found = await getRun(contextOf(books.pool, {}), standing?.id ?? "");
    assert.equal(found.ok, false);
    await books.look("update reconciliation.runs set due_at = now() where id = $1", [standing?.id]);
    const worker = createRunWorker(contextOf(books.pool, {}), assert.fail);
    await worker.takeUp();
    await eventually(
      () => books.look("select from reconciliation.runs where id = $1", [standing?.id]),
      (runs) => runs.length === 0,
    );
    await worker.stop();
  });
});

describe("two processes with one run", () => {
  it("count each line once", async () => {
    const both = sides();
    const id = await begun(contextOf(books.pool, both));
    const contexts = Array.from({ length: 4 }, () => contextOf(books.pool, both));
    await Promise.all(contexts.map((context) => finish(context, id)));
    await finish(contextOf(books.pool, both), id);
    await assertRight(id);
  });

  it("take up different runs", async () => {
    const worker = createRunWorker(contextOf(books.pool, sides()), assert.fail);
    const other = createRunWorker(contextOf(books.pool, sides()), assert.fail);
    const ids = [await begun(contextOf(books.pool, sides())), await begun(contextOf(books.pool, sides()))];
    await books.look("update reconciliation.runs set due_at = now()");
    await Promise.all([worker.takeUp(), other.takeUp()]);
    await Promise.all([worker.stop(), other.stop()]);
    const tries = await books.look("select tries from reconciliation.runs where id = any($1) and due_at > now()", [
      ids,
    ]);
    assert.ok(tries.length <= 2);
    for (const id of ids) await finish(contextOf(books.pool, sides()), id);
    for (const id of ids) await assertRight(id);
  });

  it("leave a run that is not over to others when they stop", async () => {
    const both = sides();
    const id = await begun(contextOf(books.pool, both));
    const stopping: Promise<void>[] = [];
    const context = contextOf(books.pool, both, {
      onStep(_id, step) {
        if (step === "ledger" && stopping.length === 0) stopping.push(worker.stop());
      },
    });
    const worker = createRunWorker(context, assert.fail);
    await worker.begin(id);
    await Promise.all(stopping);
    const [left] = await books.look("select status, due_at <= now() as due from reconciliation.runs where id = $1", [
      id,
    ]);
    assert.deepEqual(left, { status: "running", due: true });
    await finish(contextOf(books.pool, both), id);
    await assertRight(id);
  });
});

describe("a gateway that cannot be reached", () => {
  it("is asked again where the last page ended", async () => {
    const both = sides();
    const context = contextOf(books.pool, both);
    const id = await begun(context);
    let waits = 0;
    for (let steps = 0; steps < 40; steps += 1) {
      both.gateway.failNext(steps % 2);
      const result = await advanceRun(context, id);
      if (result === "postponed") waits += 1;
      if (result === "ended") break;
    }
    assert.ok(waits >= 2, `${waits} waits`);
    await assertRight(id);
  });

  it("fails the run after six tries with the reason, keeps none of its lines, and another run goes well", async () => {
    const both = sides();
    const context = contextOf(books.pool, both);
    const id = await begun(context);
    assert.equal(await advanceRun(context, id), "advanced");
    both.gateway.failNext(6);
    const results: string[] = [];
    while (results.at(-1) !== "ended") results.push(await advanceRun(context, id));
    assert.deepEqual(results, [...Array(5).fill("postponed"), "advanced", "ended"]);
    const run = await runOf(id);
    assert.ok(run.status === "failed");
    assert.deepEqual(run.failure, { code: "gateway_timeout", message: "The gateway did not answer." });
    const again = await begun(context);
    await finish(context, again);
    await assertRight(again);
  });
});

async function finish(context: ReconciliationContext, id: string): Promise<void> {
  while ((await advanceRun(context, id)) === "advanced");
}
