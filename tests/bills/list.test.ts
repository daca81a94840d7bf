import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { listBills, listBillsOfStatus } from "../../src/modules/bills/persistence/reading.queries.ts";
import { bill, overLimit, type ServedBills, serveBills } from "./served-bills.ts";

let served: ServedBills;
before(async () => {
  served = await serveBills({ random: () => 0.9 });
});
after(() => served.close());

/** Walks all pages by cursor. */
async function walk(query: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const { status, body } = await served.read(`/payments?${query}&cursor=${cursor}`);
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body), ["payments", "total", "limit", "offset", "next_cursor"]);
    ids.push(...body.payments.map((payment: { payment_id: string }) => payment.payment_id));
    cursor = body.next_cursor;
  }
  return ids;
}

describe("the list of payments", () => {
  it("is empty where there are none", async () => {
    const empty = { payments: [], total: 0, limit: 20, offset: 0 };
    assert.deepEqual((await served.read("/payments")).body, empty);
    assert.deepEqual((await served.read("/payments?status=FAILED&limit=10&offset=7")).body, {
      ...empty,
      limit: 10,
      offset: 7,
    });
  });

  it("shows what the contract says, newest first, by status, limit and offset", async () => {
    const made: { payment_id: string; status: string }[] = [];
    for (let place = 0; place < 25; place++) {
      const { body } = await served.create(place % 5 === 0 ? overLimit : bill, randomUUID());
      made.unshift(body);
    }
    const { body } = await served.read("/payments");
    assert.deepEqual(body, { payments: made.slice(0, 20), total: 25, limit: 20, offset: 0 });
    const { body: page } = await served.read("/payments?limit=3&offset=4");
    assert.deepEqual(page, { payments: made.slice(4, 7), total: 25, limit: 3, offset: 4 });
    const failed = made.filter(({ status }) => status === "FAILED");
    const { body: ofStatus } = await served.read("/payments?status=FAILED&limit=2&offset=1");
    assert.deepEqual(ofStatus, { payments: failed.slice(1, 3), total: 5, limit: 2, offset: 1 });
    const { body: beyond } = await served.read("/payments?offset=25");
    assert.deepEqual(beyond, { payments: [], total: 25, limit: 20, offset: 25 });
  });

  it("counts what moves from one status to another, before and after it is tallied", async () => {
    const totals = async () => {
      const seen: Record<string, number> = {};
      for (const status of ["PENDING", "SUCCESS", "FAILED", "EXHAUSTED"]) {
        seen[status] = (await served.read(`/payments?status=${status}`)).body.total;
      }
      return seen;
    };
    const { body } = await served.read("/payments?status=FAILED&limit=1");
    const id = body.payments[0].payment_id;
    for (let retry = 0; retry < 3; retry++) await served.retry(id);
    const expected = { PENDING: 0, SUCCESS: 20, FAILED: 4, EXHAUSTED: 1 };
    assert.deepEqual(await totals(), expected);
    await served.runJob("tally bills");
    assert.deepEqual(await served.look("select from bills.changes"), []);
    assert.deepEqual(await totals(), expected);
    assert.deepEqual((await served.audit()).findings, []);
  });

  it("is walked by cursor to its end, once each", async () => {
    const { body } = await served.read("/payments?limit=100");
    const all = body.payments.map((payment: { payment_id: string }) => payment.payment_id);
    assert.deepEqual(await walk("limit=4"), all);
    assert.deepEqual(await walk("limit=25"), all);
    const { body: ofStatus } = await served.read("/payments?limit=100&status=SUCCESS");
    assert.deepEqual(
      await walk("limit=7&status=SUCCESS"),
      ofStatus.payments.map((payment: { payment_id: string }) => payment.payment_id),
    );
  });
});

describe("the list of 200,000 payments, of three scopes and all statuses, over half a day", () => {
  before(async () => {
    await served.look("truncate bills.payments, bills.changes, bills.tallies");
    // From 2024, in bursts: some buckets hold thousands, most hold a few, and many hold none.
    await served.look(`
      insert into bills.payments (
        id, scope, reference, amount_minor, currency, status, retries, gateway, attempt, gateway_reference, created_at,
        updated_at
      )
      select (lpad(to_hex(1704067200000 + (case when n % 4 = 0 then n * 216 else (n / 50000) * 10800000 + n % 9000 end)
               ), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid,
             case when n % 20 = 0 then 'other' when n % 20 = 1 then 'third' else 'default' end,
             'FAC-' || n, 50000, 'MXN', s.status, 0, 'simulator', 1, case when s.status = 'SUCCESS' then 'b' end,
             now(), now()
      from generate_series(1, 200000) n
      cross join lateral (select case when n % 97 = 2 then 'FAILED' when n % 19997 = 3 then 'EXHAUSTED'
        when n % 50021 = 4 then 'PENDING' else 'SUCCESS' end) s (status)`);
    await served.look(`
      insert into bills.changes (scope, bucket, pending, success, failed, exhausted)
      select scope, bills.bucket_of(id), count(*) filter (where status = 'PENDING'),
             count(*) filter (where status = 'SUCCESS'), count(*) filter (where status = 'FAILED'),
             count(*) filter (where status = 'EXHAUSTED')
      from bills.payments group by 1, 2, (id::text < '018cc' || repeat('f', 9))`);
    await served.look("analyze bills.payments");
  });

  const offsets = [0, 1, 19, 999, 1_000, 50_000, 99_999, 150_000, 179_980, 179_999, 180_000, 500_000];

  async function isAsCounted(status: string | null, offset: number): Promise<void> {
    const naive = await served.look<{ payment_id: string }>(
      `select id as payment_id from bills.payments where scope = 'default' and ($1::text is null or status = $1)
       order by id desc offset $2 limit 20`,
      [status, offset],
    );
    const [count] = await served.look<{ total: number }>(
      `select count(*)::integer as total from bills.payments
       where scope = 'default' and ($1::text is null or status = $1)`,
      [status],
    );
    const query = `offset=${offset}${status === null ? "" : `&status=${status}`}`;
    const { body } = await served.read(`/payments?${query}`);
    assert.deepEqual(
      body.payments.map((payment: { payment_id: string }) => payment.payment_id),
      naive.map(({ payment_id }) => payment_id),
      query,
    );
    assert.equal(body.total, count?.total, query);
  }

  /** A few of them, where counting each would take seconds. */
  async function someAreAsCounted(): Promise<void> {
    for (const offset of [19, 99_999]) await isAsCounted(null, offset);
    for (const status of ["FAILED", "PENDING"]) await isAsCounted(status, 1);
  }

  async function allAreAsCounted(): Promise<void> {
    for (const offset of offsets) {
      await isAsCounted(null, offset);
      await isAsCounted("SUCCESS", offset);
    }
    for (const offset of [0, 1, 500, 1_800]) await isAsCounted("FAILED", offset);
    for (const status of ["PENDING", "EXHAUSTED"]) for (const offset of [0, 3, 9]) await isAsCounted(status, offset);
  }

  it("has every page and total that counting finds, before, while and after they are tallied", async () => {
    await someAreAsCounted();
    await served.look(`with taken as (
        delete from bills.changes where ctid = any (array(select ctid from bills.changes limit 200)) returning *
      )
      insert into bills.tallies
      select scope, level, bucket >> (7 * level), sum(pending), sum(success), sum(failed), sum(exhausted)
      from taken cross join generate_series(0, 2) as l (level) group by 1, 2, 3`);
    await allAreAsCounted();
    for (let round = 0; round < 30; round++) await served.runJob("tally bills");
    assert.deepEqual(await served.look("select from bills.changes"), []);
    await allAreAsCounted();
    const levels = await served.look<{ rows: number }>(
      "select count(*)::integer as rows from bills.tallies where scope = 'default' group by level order by level",
    );
    assert.ok((levels[0]?.rows ?? 0) > 1_000 && (levels[2]?.rows ?? 0) <= 2, JSON.stringify(levels));
  });

  it("is walked in the order of an index, and sorts nothing", async () => {
    const planOf = async (text: string) => {
      const query = { name: "", text: `explain (generic_plan, costs off) ${text}`, values: [] };
      const { rows } = await served.context.database.query(query);
      return (rows as { "QUERY PLAN": string }[]).map((row) => row["QUERY PLAN"].trim()).join("\n");
    };
    const all = await planOf(listBills.text);
    assert.match(all, /Index Scan Backward using payments_pkey on payments\nIndex Cond: \(id < LEAST\(f.below/);
    const ofStatus = await planOf(listBillsOfStatus.text);
    assert.match(ofStatus, /Index Scan Backward using payments_of_status on payments\nIndex Cond: .* AND /);
    assert.doesNotMatch(ofStatus, /Filter/);
    assert.doesNotMatch(all + ofStatus, /Sort|Bitmap|Seq Scan/);
  });

  it("reads a few pages of the table for a page in its middle, and counts no payment", async () => {
    const cost = async (parameters: string) => {
      const [row] = await served.look<{ "QUERY PLAN": [{ Plan: Record<string, number> }] }>(
        `explain (analyze, buffers, format json) ${parameters}`,
      );
      const plan = row?.["QUERY PLAN"][0].Plan ?? {};
      return (plan["Shared Hit Blocks"] ?? 0) + (plan["Shared Read Blocks"] ?? 0);
    };
    const page = (status: string, skip: number) => `
      select f.total, p.* from bills.locate('default', ${status}, ${skip}) f
      left join lateral (
        select * from bills.payments where ${
          status === "null"
            ? "scope = 'default' and id < f.below"
            : `(scope, status) >= ('default', ${status}) and (scope, status, id) < ('default', ${status}, f.below)`
        } order by ${status === "null" ? "" : "scope desc, status desc,"} id desc limit 20 offset f.skipped
      ) p on true`;
    const naive = await cost("select * from bills.payments order by id desc limit 20 offset 150000");
    const near = await cost(page("null", 0));
    const far = await cost(page("null", 150_000));
    const rare = await cost(page("'FAILED'", 1_500));
    assert.ok(naive > 2_000, `naive ${naive}`);
    assert.ok(near < 300 && far < naive / 5 && rare < 1_000, JSON.stringify({ naive, near, far, rare }));
  });
});
