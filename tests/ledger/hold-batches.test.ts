import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { audit, openAuditConnection } from "./support.ts";
import {
  available,
  clearing,
  commission,
  connectAs,
  type Item,
  type Leg,
  openVault,
  postOn,
  refund,
  sale,
  tenant,
  type Vault,
} from "./vault.ts";

let vault: Vault;
before(async () => {
  vault = await openVault();
  // For the sessions that are yet to come, and for this one.
  await vault.look(`alter database ${vault.database.name} set track_functions = 'pl'`);
  await vault.look("set track_functions = 'pl'");
});
after(() => vault.close());

type Wish = readonly [reference: string, seller: string, amount: bigint];
type Exceptions = Record<string, { result: string; id?: string; resolution?: string }> | null;

/** Holds a batch in one call: the ids of what was held or stands, and what was said of each item. */
async function hold(wishes: readonly Wish[], partially = false, books = tenant, look = vault.look) {
  const [row] = await look<{ id: bigint; exceptions: Exceptions }>(
    `select first_id as id, exceptions
     from ledger.hold($1, $2, $3, array_fill('USD'::text, array[$4::integer]), $5::bigint[],
                      array_fill(null::timestamptz, array[$4]), $6)`,
    [
      books,
      wishes.map(([reference]) => reference),
      wishes.map(([, seller]) => available(seller)),
      wishes.length,
      wishes.map(([, , amount]) => amount),
      partially,
    ],
  );
  const exceptionOf = (place: number) => row?.exceptions?.[place + 1];
  return {
    results: wishes.map((_wish, place) => exceptionOf(place)?.result ?? "held"),
    ids: wishes.map((_wish, place) => exceptionOf(place)?.id ?? String((row?.id ?? 0n) + BigInt(place))),
  };
}

async function voidAll(holdIds: readonly string[]): Promise<Exceptions> {
  const [row] = await vault.look<{ exceptions: Exceptions }>(
    "select ledger.void_holds($1, $2::bigint[]) as exceptions",
    [tenant, holdIds],
  );
  return row?.exceptions ?? null;
}

const results = (answers: readonly { result: string }[]) => answers.map(({ result }) => result);
const fund = (seller: string, amount: bigint) => vault.post([sale(`fund-${seller}`, seller, amount)]);
const heldOf = async (seller: string) => (await vault.balances())[`${available(seller)} USD`]?.held;
const availableOf = async (seller: string) => {
  const { credits, debits, held } = (await vault.balances())[`${available(seller)} USD`] ?? assert.fail(seller);
  return credits - debits - held;
};
const isOpen = async (holdId: string | undefined) =>
  (await vault.look("select from ledger.open_holds where hold_id = $1", [holdId])).length === 1;

/** How often a function of the ledger was called while something was done, by either session. */
async function callsOf(name: string, work: () => Promise<unknown>): Promise<number> {
  const count = async () => {
    await vault.look("select pg_stat_force_next_flush()");
    await vault.pool.query({ name: "", text: "select pg_stat_force_next_flush()", values: [] });
    const [row] = await vault.look<{ calls: bigint }>(
      `select coalesce(sum(calls), 0)::bigint as calls from pg_stat_user_functions
       where schemaname = 'ledger' and funcname = $1`,
      [name],
    );
    return Number(row?.calls ?? 0n);
  };
  const before = await count();
  await work();
  return (await count()) - before;
}

afterEach(async () => {
  const database = openAuditConnection(vault.database.appUrl);
  try {
    assert.deepEqual((await audit(database)).findings, []);
  } finally {
    await database.close();
  }
});

describe("a batch of holds", () => {
  test("that every account has enough for is held as it is, and no item is looked at by itself", async () => {
    await fund("whole-a", 100n);
    await fund("whole-b", 5n);
    const wishes: Wish[] = [
      ["whole-1", "whole-a", 60n],
      ["whole-2", "whole-b", 5n],
      ["whole-3", "whole-a", 40n],
    ];
    const calls = await callsOf("judge_holds", async () => {
      assert.deepEqual((await hold(wishes)).results, ["held", "held", "held"]);
    });
    assert.equal(calls, 0);
    assert.deepEqual([await heldOf("whole-a"), await heldOf("whole-b")], [100n, 5n]);
  });

  test("of more than there is takes what fits in its order, each account by itself", async () => {
    await fund("short-a", 100n);
    await fund("short-b", 5n);
    const wishes: Wish[] = [
      ["short-1", "short-a", 70n],
      ["short-2", "short-a", 31n],
      ["short-3", "short-b", 6n],
      ["short-4", "short-a", 30n],
      ["short-5", "short-b", 5n],
    ];
    const calls = await callsOf("judge_holds", async () => {
      const refused = "insufficient_funds";
      assert.deepEqual((await hold(wishes)).results, ["held", refused, refused, "held", "held"]);
    });
    assert.equal(calls, 1);
    assert.deepEqual([await heldOf("short-a"), await heldOf("short-b")], [100n, 5n]);
  });

  test("of one minor unit more than there is does not take it", async () => {
    await fund("one-more", 10n);
    const wishes: Wish[] = [
      ["one-more-1", "one-more", 5n],
      ["one-more-2", "one-more", 6n],
    ];
    assert.deepEqual((await hold(wishes)).results, ["held", "insufficient_funds"]);
    assert.equal(await heldOf("one-more"), 5n);
  });

  for (const [what, room] of [
    ["there is enough for all", 1_000n],
    ["there is not enough for all", 40n],
  ] as const) {
    const name = `again-${room}`;
    test(`has what stands and what is new, where ${what}`, async () => {
      await fund(name, room);
      const { ids } = await hold([[`${name}-1`, name, 10n]]);
      const again = await hold([
        [`${name}-2`, name, 20n],
        [`${name}-1`, name, 10n],
        [`${name}-1`, name, 10n],
        [`${name}-1`, name, 11n],
        [`${name}-3`, name, 10n],
      ]);
      assert.deepEqual(again.results, ["held", "already_held", "already_held", "reference_conflict", "held"]);
      assert.deepEqual(again.ids.slice(1, 4), [ids[0], ids[0], ids[0]]);
      assert.equal(await heldOf(name), 40n);
    });

    test(`with a new reference twice fails, and nothing is held, where ${what}`, async () => {
      const twice: Wish[] = [
        [`${name}-4`, name, 1n],
        [`${name}-5`, name, room === 40n ? 0n : 1n],
        [`${name}-4`, name, 1n],
      ];
      if (room === 40n) await vault.post([sale(`${name}-more`, name, 2n)]);
      const before = await heldOf(name);
      await assert.rejects(hold(twice), { code: "23505" });
      assert.equal(await heldOf(name), before);
    });
  }

  test("that takes what there is takes less where there is less", async () => {
    await fund("partly", 100n);
    const wishes: Wish[] = [
      ["partly-1", "partly", 80n],
      ["partly-2", "partly", 80n],
      ["partly-3", "partly", 80n],
    ];
    assert.deepEqual((await hold(wishes, true)).results, ["held", "held", "nothing_held"]);
    const amounts = await vault.look("select amount from ledger.holds where reference like 'partly-%' order by id");
    assert.deepEqual(amounts, [{ amount: 80n }, { amount: 20n }]);
    assert.deepEqual((await hold([["partly-1", "partly", 5n]], true)).results, ["already_held"]);
  });

  test("of nothing, or of less than nothing, is refused or fails, however much there is", async () => {
    await fund("nothing", 100n);
    const beside: Wish = ["nothing-1", "nothing", 10n];
    assert.deepEqual((await hold([beside, ["nothing-2", "nothing", 0n]])).results, ["held", "nothing_held"]);
    await assert.rejects(
      hold([
        ["nothing-3", "nothing", 10n],
        ["nothing-4", "nothing", -10n],
      ]),
      { code: "23514" },
    );
    assert.equal(await heldOf("nothing"), 10n);
  });

  test("waits for another session that holds under the same reference, and finds its hold", async () => {
    await fund("waits", 100n);
    const other = await connectAs(vault.database.adminUrl);
    try {
      await other.query("begin");
      const look: Vault["look"] = async (text, values = []) => (await other.query(text, values)).rows;
      const first = await hold([["waits-1", "waits", 10n]], false, tenant, look);
      const waiting = hold([
        ["waits-2", "waits", 20n],
        ["waits-1", "waits", 10n],
      ]);
      await other.query("select pg_sleep(0.2)");
      await other.query("commit");
      const second = await waiting;
      assert.deepEqual(second.results, ["held", "already_held"]);
      assert.equal(second.ids[1], first.ids[0]);
    } finally {
      await other.end();
    }
    assert.equal(await heldOf("waits"), 30n);
  });
});

describe("a batch of transactions that post holds", () => {
  /** Payouts that take just what was held for them. */
  async function covered(name: string, amounts: readonly bigint[]): Promise<Item[]> {
    await fund(
      name,
      amounts.reduce((sum, amount) => sum + amount, 0n),
    );
    const { ids, results: held } = await hold(amounts.map((amount, n) => [`${name}-hold-${n}`, name, amount] as const));
    assert.ok(held.every((result) => result === "held"));
    return amounts.map((amount, n) => refund(`${name}-${n}`, name, amount, { holdId: ids[n] }));
  }

  test("which take just what was held is not judged, also beside what has no hold", async () => {
    const items = await covered("exact", [10n, 20n, 30n]);
    const calls = await callsOf("judge", async () => {
      const answers = await vault.post([...items.slice(0, 2), sale("exact-new", "exact", 7n), ...items.slice(2)]);
      assert.deepEqual(results(answers), ["posted", "posted", "posted", "posted"]);
    });
    assert.equal(calls, 0);
    const balance = (await vault.balances())[`${available("exact")} USD`];
    assert.deepEqual(balance, { debits: 60n, credits: 67n, held: 0n, version: 5n });
    const resolved = await vault.look<{ reference: string }>(
      `select t.reference from ledger.hold_resolutions r join ledger.transactions t on t.id = r.transaction_id
       join ledger.holds h on h.id = r.hold_id where h.reference like 'exact-hold-%' order by h.reference`,
    );
    assert.deepEqual(
      resolved,
      items.map(({ reference }) => ({ reference })),
    );
  });

  test("one of which takes more than it holds refuses that one", async () => {
    const [first, second] = await covered("over", [10n, 20n]);
    const legs: Leg[] = [
      [available("over"), 21n],
      [clearing, -21n],
    ];
    const calls = await callsOf("judge", async () => {
      const answers = await vault.post([first as Item, { ...(second as Item), legs }]);
      assert.deepEqual(results(answers), ["posted", "hold_exceeded"]);
    });
    assert.equal(calls, 1);
    assert.equal(await heldOf("over"), 20n);
  });

  test("two of which name one hold posts the first", async () => {
    const [first, second] = await covered("shared", [10n, 10n]);
    const same = { ...(second as Item), holdId: first?.holdId };
    assert.deepEqual(results(await vault.post([first as Item, same])), ["posted", "hold_resolved"]);
    assert.equal(await heldOf("shared"), 10n);
  });

  for (const [what, third] of [
    ["and another nothing, does not take the other's", false],
    ["beside others that are right, is refused", true],
  ] as const) {
    test(`one of which takes twice what it holds, ${what}`, async () => {
      const name = `greedy-${third}`;
      const [first, second] = await covered(name, [10n, 10n]);
      await vault.post([sale(`${name}-more`, name, 10n)]);
      const twice: Leg[] = [
        [available(name), 10n],
        [available(name), 10n],
        [clearing, -20n],
      ];
      const none: Leg[] = [
        [clearing, 1n],
        [commission, -1n],
      ];
      const other = third ? (second as Item) : { ...(second as Item), legs: none };
      assert.deepEqual(results(await vault.post([{ ...(first as Item), legs: twice }, other])), [
        "hold_exceeded",
        "posted",
      ]);
      assert.equal(await heldOf(name), 10n);
    });
  }

  test("one of which takes as much as it holds from somebody else is refused", async () => {
    const [first, second] = await covered("elsewhere", [10n, 10n]);
    await fund("robbed", 5n);
    const legs: Leg[] = [
      [available("robbed"), 10n],
      [clearing, -10n],
    ];
    assert.deepEqual(results(await vault.post([first as Item, { ...(second as Item), legs }])), [
      "posted",
      "insufficient_funds",
    ]);
    assert.deepEqual([await availableOf("robbed"), await heldOf("elsewhere")], [5n, 10n]);
  });

  test("beside one without a hold that is not covered refuses that one, and takes nobody's hold for it", async () => {
    const [first] = await covered("beside", [10n, 10n]);
    assert.deepEqual(results(await vault.post([first as Item, refund("beside-bare", "beside", 10n)])), [
      "posted",
      "insufficient_funds",
    ]);
    assert.equal(await heldOf("beside"), 10n);
  });

  test("with another tenant's hold refuses that one", async () => {
    const [first] = await covered("tenants", [10n]);
    await vault.post([sale("fund-tenants", "tenants", 10n)], "another tenant");
    const theirs = await hold([["tenants-theirs", "tenants", 10n]], false, "another tenant");
    const stolen = refund("tenants-stolen", "tenants", 10n, { holdId: theirs.ids[0] });
    assert.deepEqual(results(await vault.post([stolen, first as Item])), ["hold_unknown", "posted"]);
    assert.ok(await isOpen(theirs.ids[0]));
  });

  test("one of which has a reference that stands leaves that one's hold open", async () => {
    const items = await covered("stands", [10n, 20n, 30n]);
    await vault.post([sale("stands-1", "stands", 3n)]);
    const calls = await callsOf("judge", async () => {
      assert.deepEqual(results(await vault.post(items)), ["posted", "reference_conflict", "posted"]);
    });
    assert.equal(calls, 0);
    assert.equal(await heldOf("stands"), 20n);
    assert.ok(await isOpen(items[1]?.holdId));
    assert.deepEqual(results(await vault.post(items)), ["already_posted", "reference_conflict", "already_posted"]);
  });

  test("with a new reference twice fails, and nothing is posted", async () => {
    const [first, second] = await covered("double", [10n, 20n]);
    const before = await vault.dump();
    await assert.rejects(vault.post([first as Item, { ...(second as Item), reference: "double-0" }]), {
      message: /has a reference twice/,
    });
    assert.deepEqual(await vault.dump(), before);
  });

  test("waits for another session that posts one of the references, and posts the others", async () => {
    const items = await covered("races", [10n, 20n]);
    const other = await connectAs(vault.database.appUrl);
    try {
      await other.query("begin");
      const inSession = {
        query: (query: { text: string; values: unknown[] }) => other.query(query.text, query.values),
      };
      const legs: Leg[] = [
        ["bills:a", 1n],
        ["bills:b", -1n],
      ];
      await postOn(inSession, [{ reference: "races-1", legs }]);
      const waiting = vault.post(items);
      await other.query("select pg_sleep(0.2)");
      await other.query("commit");
      assert.deepEqual(results(await waiting), ["posted", "reference_conflict"]);
    } finally {
      await other.end();
    }
    assert.ok(await isOpen(items[1]?.holdId));
    assert.equal(await heldOf("races"), 20n);
  });
});

describe("a batch of holds that is voided", () => {
  test("frees those that are open, each once, and says what became of the others", async () => {
    await fund("voids", 100n);
    const { ids } = await hold([1n, 2n, 4n, 8n].map((amount) => [`voids-${amount}`, "voids", amount] as const));
    const [one, two, four, eight] = ids as [string, string, string, string];
    await vault.post([refund("voids-posted", "voids", 2n, { holdId: two })]);
    assert.deepEqual(await voidAll([four, two, four, "1", one]), {
      2: { result: "hold_resolved", resolution: "posted" },
      4: { result: "hold_unknown" },
    });
    assert.equal(await heldOf("voids"), 8n);
    assert.equal(await voidAll([eight]), null);
    assert.deepEqual(await voidAll([eight, one]), {
      1: { result: "hold_resolved", resolution: "voided" },
      2: { result: "hold_resolved", resolution: "voided" },
    });
    assert.equal(await availableOf("voids"), 98n);
  });

  test("is none where nobody is asked for", async () => {
    assert.equal(await voidAll([]), null);
  });
});
