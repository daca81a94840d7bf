import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type ClosableDatabase, createDedicatedConnection } from "../../src/infrastructure/postgres/connections.ts";
import { DatabaseFailure } from "../../src/kernel/statement.ts";
import {
  available,
  clearing,
  connectAs,
  type Item,
  openVault,
  postOn,
  refund,
  sale,
  tenant,
  type Vault,
} from "./vault.ts";

let vault: Vault;
const connections: ClosableDatabase[] = [];
before(async () => {
  vault = await openVault();
});
after(async () => {
  for (const connection of connections) await connection.close();
  await vault.close();
});

/** A session as a lane has one. */
function openLane(): ClosableDatabase {
  const connection = createDedicatedConnection({
    url: vault.database.appUrl,
    applicationName: "lane under test",
    statementTimeoutMs: 15_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
  });
  connections.push(connection);
  return connection;
}

/** Numbers that look random and are the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

function shuffled<Thing>(things: readonly Thing[], below: (limit: number) => number): Thing[] {
  return things
    .map((thing) => ({ thing, at: below(1_000_000) }))
    .sort((left, right) => left.at - right.at)
    .map(({ thing }) => thing);
}

/** What everything must add up to, whoever posted at the same time. */
async function assertBooksAreRight(): Promise<void> {
  const folded = await vault.look(
    `select a.code, a.currency from ledger.balances b
     join ledger.accounts a on a.id = b.account_id
     left join (
       select account_id, sum(amount) filter (where amount > 0) as debits,
              -sum(amount) filter (where amount < 0) as credits,
              count(*) as entries, max(version) as version, min(version) as first
       from ledger.entries group by account_id
     ) e on e.account_id = b.account_id
     where (b.debits, b.credits, b.version) is distinct from
             (coalesce(e.debits, 0), coalesce(e.credits, 0), coalesce(e.entries, 0))
        or e.version <> e.entries or e.first <> 1`,
  );
  assert.deepEqual(folded, [], "balances are the fold of their entries, and versions have no gap");
  const running = await vault.look(
    `select * from (
       select e.account_id, e.version, e.balance, a.sign * sum(e.amount) over w as expected,
              e.posted_at, lag(e.posted_at) over w as before
       from ledger.entries e join ledger.accounts a on a.id = e.account_id
       window w as (partition by e.account_id order by e.version)
     ) e where e.balance <> e.expected or e.posted_at < e.before`,
  );
  assert.deepEqual(running, [], "running balances are right, and posted_at never decreases within an account");
  const unbalanced = await vault.look(
    "select transaction_id from ledger.entries group by transaction_id, currency having sum(amount) <> 0",
  );
  assert.deepEqual(unbalanced, []);
}

describe("four lanes", () => {
  test("post to the same hot accounts, and open new ones, without ever deadlocking", async () => {
    const lanes = [1, 2, 3, 4].map(() => openLane());
    const untilMs = performance.now() + 6_000;
    const failures: unknown[] = [];
    const posted = await Promise.all(
      lanes.map(async (lane, place) => {
        const below = numbers(place + 1);
        let count = 0;
        for (let batch = 0; batch < 60 && performance.now() < untilMs; batch++) {
          const items = Array.from({ length: 24 }, (_, n) => {
            // Half of the sellers are everybody's, the others are opened now, by several lanes at once.
            const seller = below(2) === 0 ? `hot-${below(8)}` : `new-${batch}-${below(30)}`;
            const item = sale(`lane-${place}-${batch}-${n}`, seller, BigInt(100 + below(900)), 25n);
            const spent = below(4) === 0 ? refund(`${item.reference}-back`, seller, 1n) : undefined;
            const legs = shuffled(item.legs, below);
            return spent === undefined ? [{ ...item, legs }] : [{ ...item, legs }, spent];
          });
          // References that every lane posts, each in an order of its own.
          const shared = Array.from({ length: 6 }, (_, n) => sale(`shared-${batch}-${n}`, `hot-${n}`, 10n));
          const all = shuffled([...items.flat(), ...shared], below);
          count += await countPosted(lane, all, failures);
        }
        return count;
      }),
    );
    assert.deepEqual(failures, []);
    const [row] = await vault.look<{ count: bigint }>("select count(*) from ledger.transactions where tenant = $1", [
      tenant,
    ]);
    const total = posted.reduce((sum, count) => sum + count, 0);
    assert.equal(row?.count, BigInt(total));
    assert.ok(total > 500, `${total} were posted`);
    await assertBooksAreRight();
  });

  test("post one reference once, whichever of them comes first", async () => {
    const lanes = [1, 2, 3, 4].map(() => openLane());
    const references = Array.from({ length: 64 }, (_, n) => `race-${n}`);
    const answers = await Promise.all(
      lanes.map((lane, place) => {
        const inTheirOrder = shuffled(references, numbers(place + 7));
        return postOn(
          lane,
          inTheirOrder.map((reference) => sale(reference, "race", 10n)),
        );
      }),
    );
    const ids = answers.flat().map(({ id }) => id);
    const results = answers.flat().map(({ result }) => result);
    assert.equal(results.filter((result) => result === "posted").length, 64);
    assert.equal(results.filter((result) => result === "already_posted").length, 192);
    assert.equal(new Set(ids).size, 64);
    assert.deepEqual((await vault.balances())[`${available("race")} USD`]?.credits, 640n);
  });

  test("that share references and no account never deadlock, and one of them posts each", async () => {
    const lanes = [1, 2, 3, 4].map(() => openLane());
    for (let round = 0; round < 10; round++) {
      const references = Array.from({ length: 100 }, (_, n) => `apart-${round}-${n}`);
      const answers = await Promise.all(
        lanes.map((lane, place) => {
          const legs = [[`bills:out-${place}`, 1n] as const, [`bills:in-${place}`, -1n] as const];
          const inTheirOrder = shuffled(references, numbers(round * 10 + place));
          return postOn(
            lane,
            inTheirOrder.map((reference) => ({ reference, legs })),
          );
        }),
      );
      const results = answers.flat().map(({ result }) => result);
      assert.equal(results.filter((result) => result === "posted").length, 100);
      assert.equal(results.filter((result) => result === "reference_conflict").length, 300);
    }
  });

  test("open the same accounts at once, each once", async () => {
    const lanes = [1, 2, 3, 4].map(() => openLane());
    for (let round = 0; round < 10; round++) {
      const sellers = Array.from({ length: 20 }, (_, n) => `opened-${round}-${n}`);
      await Promise.all(
        lanes.map((lane, place) => {
          const inTheirOrder = shuffled(sellers, numbers(place + 3));
          return postOn(
            lane,
            inTheirOrder.map((seller) => sale(`open-${place}-${seller}`, seller, 10n)),
          );
        }),
      );
    }
    const opened = Object.entries(await vault.balances()).filter(([code]) => code.startsWith("seller:opened-"));
    assert.equal(opened.length, 200);
    assert.ok(opened.every(([, { credits, version }]) => credits === 40n && version === 4n));
  });
});

/** Posts a batch, again where it could not go through beside the others, and counts what it posted. */
async function countPosted(lane: ClosableDatabase, items: readonly Item[], failures: unknown[]): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      const answers = await postOn(lane, items);
      return answers.filter(({ result }) => result === "posted").length;
    } catch (error) {
      const code = error instanceof DatabaseFailure ? (error.cause as { code?: string }).code : undefined;
      // A judgement that somebody else's commit overtook is made again, as lanes do; a deadlock must never be.
      if (code === "40001" && tries < 20) continue;
      failures.push(error);
      return 0;
    }
  }
}

describe("floors hold while many spend at once", () => {
  test("of 100 payments out of an account that can bear 10, exactly 10 go through", async () => {
    await vault.post([sale("bear", "bear", 1_000n)]);
    const lanes = Array.from({ length: 10 }, () => openLane());
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        postOn(lanes[n % 10] as ClosableDatabase, [refund(`bear-${n}`, "bear", 100n)]),
      ),
    );
    const results = answers.flat().map(({ result }) => result);
    assert.equal(results.filter((result) => result === "posted").length, 10);
    assert.equal(results.filter((result) => result === "insufficient_funds").length, 90);
    const balance = (await vault.balances())[`${available("bear")} USD`];
    assert.deepEqual(balance, { debits: 1_000n, credits: 1_000n, held: 0n, version: 11n });
  });

  test("of 100 holds on an account that can bear 10, exactly 10 are made", async () => {
    await vault.post([sale("hold", "hold", 1_000n)]);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        vault.pool.query({
          name: "",
          text: "select exceptions from ledger.hold($1, array[$2], array[$3], '{USD}', '{100}', '{null}', false)",
          values: [tenant, `hold-${n}`, available("hold")],
        }),
      ),
    );
    const made = answers.filter(({ rows }) => (rows as { exceptions: unknown }[])[0]?.exceptions === null);
    assert.equal(made.length, 10);
    assert.equal((await vault.balances())[`${available("hold")} USD`]?.held, 1_000n);
  });

  test("one hold is posted by one of those who try at once, or voided by one, never both", async () => {
    await vault.post([sale("once", "once", 10_000n)]);
    const lanes = [1, 2, 3, 4].map(() => openLane());
    for (let round = 0; round < 10; round++) {
      const holdId = await vault.hold(`once-${round}`, available("once"), 100n);
      const outcomes = await Promise.all([
        ...lanes.map((lane, place) => postOn(lane, [refund(`once-${round}-${place}`, "once", 100n, { holdId })])),
        vault.pool.query({
          name: "",
          text: "select ledger.void_holds($1, array[$2]::bigint[]) as exceptions",
          values: [tenant, holdId],
        }),
      ]);
      const postings = outcomes.slice(0, 4).flat() as { result: string }[];
      const posted = postings.filter(({ result }) => result === "posted").length;
      const voided = (outcomes[4] as { rows: { exceptions: unknown }[] }).rows[0]?.exceptions === null ? 1 : 0;
      assert.equal(posted + voided, 1, JSON.stringify(outcomes));
      assert.equal(postings.filter(({ result }) => result === "hold_resolved").length, 4 - posted);
    }
    const balance = (await vault.balances())[`${available("once")} USD`];
    assert.equal(balance?.held, 0n);
  });
});

describe("a session that is killed", () => {
  test("in the middle of a batch leaves nothing, and holds nobody up", async () => {
    await vault.post([sale("killed-0", "killed", 10n)]);
    const before = await vault.dump();
    const session = await connectAs(vault.database.appUrl);
    await session.query("begin");
    const inSession = {
      query: (query: { text: string; values: unknown[] }) => session.query(query.text, query.values),
    };
    const items = Array.from({ length: 50 }, (_, n) => sale(`killed-${n + 1}`, `killed-new-${n}`, 10n, 1n));
    assert.equal((await postOn(inSession, items)).filter(({ result }) => result === "posted").length, 50);
    const [row] = (await session.query("select pg_backend_pid() as pid")).rows;
    const waiting = vault.post([sale("after-the-kill", "killed", 10n)]);
    await vault.look("select pg_sleep(0.2)");
    await vault.look("select pg_terminate_backend($1)", [row.pid]);
    assert.deepEqual(
      (await waiting).map(({ result }) => result),
      ["posted"],
    );
    await session.end().catch(() => undefined);
    const after = await vault.dump();
    const added = (after["transactions"]?.split("\n").length ?? 0) - (before["transactions"]?.split("\n").length ?? 0);
    assert.equal(added, 1);
    assert.equal(after["accounts"], before["accounts"]);
    assert.deepEqual(
      (await vault.post(items)).filter(({ result }) => result !== "posted"),
      [],
    );
  });
});

test("after all of it the books are right", async () => {
  await assertBooksAreRight();
  const [row] = await vault.look<{ clearing: bigint }>(
    `select b.version as clearing from ledger.balances b join ledger.accounts a on a.id = b.account_id
     where a.code = $1 and a.currency = 'USD' and a.tenant = $2`,
    [clearing, tenant],
  );
  assert.ok((row?.clearing ?? 0n) > 1_000n);
});
