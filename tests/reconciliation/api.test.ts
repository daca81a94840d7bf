import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Answer, eventually, get, post } from "../support/app.ts";
import { type Served, serve } from "./served.ts";
import { type Books, booked, fakeGateway, fakeLedger, openBooks, settled } from "./support.ts";

const header = "id,kind,intent_id,source_id,amount,currency,occurred_at";
const csv = { "content-type": "text/csv; charset=utf-8" };
const theirs = [settled("pi_1", 1000n), settled("pi_2", 2000n), settled("re_1", 300n, { kind: "refund" })];
const ours = [booked("pi_1", 1000n), booked("pi_2", 1999n), booked("dp_1", 400n, { kind: "dispute" })];
const march10 = { from: "2026-03-10T00:00:00Z", to: "2026-03-11T00:00:00Z" };

let books: Books;
let served: Served;
const ledger = fakeLedger(ours);
before(async () => {
  books = await openBooks();
  served = await serve(books, { gateway: fakeGateway(theirs), ledger }, { fileLimitBytes: 100_000 });
});
after(async () => {
  await served.close();
  await books.close();
});

function pull(body: object = { source: "gateway", ...march10 }): Promise<Answer> {
  return post(served.address, "/reconciliation/runs", body);
}

function upload(text: string, query = ""): Promise<Answer> {
  return post(served.address, `/reconciliation/runs${query}`, text, csv);
}

function invalid({ status, body }: Answer, code: string, statusCode = 400): string {
  assert.equal(status, statusCode, JSON.stringify(body));
  assert.equal(body.code, code);
  assert.match(body.detail, /\.$/);
  return JSON.stringify(body.errors ?? "");
}

describe("POST /reconciliation/runs", () => {
  it("pulls the period from the gateway, and answers with the whole result where it is small", async () => {
    const { status, body } = await pull();
    assert.equal(status, 201);
    const { id, created_at, completed_at, ...rest } = body;
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.ok(new Date(completed_at) >= new Date(created_at));
    assert.deepEqual(rest, {
      status: "completed",
      gateway: "simulator",
      source: "gateway",
      from: "2026-03-10T00:00:00.000Z",
      to: "2026-03-11T00:00:00.000Z",
      tolerance_days: 3,
      counts: {
        gateway_lines: 3,
        ledger_lines: 3,
        ignored_lines: 0,
        matched: 1,
        missing_here: 1,
        missing_at_gateway: 1,
        amount_differs: 1,
        currency_differs: 0,
        duplicate_at_gateway: 0,
        duplicate_here: 0,
        exceptions: 3,
        resolved: 0,
      },
      failure: null,
    });
    assert.deepEqual((await get(served.address, `/reconciliation/runs/${id}`)).body, body);
  });

  it("takes a report as text/csv, whose period is what its lines span or what the query says", async () => {
    const file = `${header}\r\nt1,charge,pi_1,,10.00,USD,2026-03-10T12:00:00Z\r\n`;
    const spanned = await upload(file);
    assert.equal(spanned.status, 201);
    assert.deepEqual([spanned.body.source, spanned.body.counts.matched], ["file", 1]);
    assert.equal(spanned.body.to, "2026-03-10T12:00:00.001Z");
    const asked = await upload(file, `?from=${march10.from}&to=${march10.to}&tolerance_days=0`);
    assert.deepEqual([asked.body.counts.matched, asked.body.counts.missing_at_gateway], [1, 2]);
    assert.equal(asked.body.tolerance_days, 0);
  });

  it("takes a report under a byte order mark", async () => {
    const { status } = await upload(`\ufeff${header}\nt1,charge,pi_1,,10.00,USD,2026-03-10T12:00:00Z\n`);
    assert.equal(status, 201);
  });

  it("refuses a file with the number of each bad line and what to do, and keeps nothing of it", async () => {
    const [before] = await books.look("select count(*) from reconciliation.runs");
    const answer = await upload(
      [
        header,
        "t1,charge,pi_1,,10.00,USD,2026-03-10T12:00:00Z",
        "t2,charge,pi_2,,x,USD,2026-03-10T12:00:00Z",
        "t3,fee,,,1,USD,2026",
      ].join("\n"),
    );
    const errors = invalid(answer, "settlement_file_invalid");
    assert.match(errors, /"line 3","detail":"amount must be an amount of USD/);
    assert.match(errors, /"line 4","detail":"kind must be one of/);
    invalid(await upload(header), "settlement_file_invalid");
    assert.deepEqual(await books.look("select count(*) from reconciliation.runs"), [before]);
    assert.deepEqual(await books.look("select from reconciliation.lines"), []);
  });

  it("refuses a file over the limit with 413, whether its length is told or not", async () => {
    const large = `${header}\n${"t1,charge,pi_1,,10.00,USD,2026-03-10T12:00:00Z\n".repeat(4_000)}`;
    invalid(await upload(large), "body_too_large", 413);
    async function* pieces() {
      for (let at = 0; at < large.length; at += 10_000) yield Buffer.from(large.slice(at, at + 10_000));
    }
    const init = { method: "POST", headers: csv, body: ReadableStream.from(pieces()), duplex: "half" } as RequestInit;
    const untold = await fetch(`${served.address}/reconciliation/runs`, init);
    assert.equal(untold.status, 413);
  });

  it("refuses what is no period, no source and no body", async () => {
    invalid(await pull({ source: "gateway" }), "invalid_request");
    invalid(await pull({ source: "elsewhere", ...march10 }), "invalid_request");
    assert.match(invalid(await pull({ source: "gateway", from: "x", to: march10.to }), "invalid_request"), /from/);
    for (const from of ["2026-03-10", "-271820-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "March 10"]) {
      assert.match(invalid(await pull({ source: "gateway", from, to: march10.to }), "invalid_request"), /from/);
    }
    const turned = { source: "gateway", from: march10.to, to: march10.from };
    assert.match(invalid(await pull(turned), "invalid_request"), /from must be before to/);
    invalid(await pull({ source: "gateway", ...march10, more: 1 }), "invalid_request");
    invalid(await post(served.address, "/reconciliation/runs"), "invalid_request");
    invalid(await upload(header, "?from=2026-03-10T00:00:00Z"), "invalid_request");
    invalid(
      await post(served.address, "/reconciliation/runs", "a", { "content-type": "text/plain" }),
      "unsupported_media_type",
      415,
    );
  });

  it("takes text/csv on this route only", async () => {
    const answer = await post(served.address, "/reconciliation/runs/x/exceptions/1/resolve", "a,b", csv);
    invalid(answer, "unsupported_media_type", 415);
  });

  it("answers with a run that is still under way where it takes longer", async () => {
    const gateway = fakeGateway([settled("pi_1", 1000n)]);
    gateway.failNext(5);
    const slow = await serve(books, { gateway, ledger }, { answerWithinMs: 0 });
    const { status, body } = await post(slow.address, "/reconciliation/runs", { source: "gateway", ...march10 });
    assert.deepEqual([status, body.status, body.completed_at], [201, "running", null]);
    await slow.close();
  });
});

describe("GET /reconciliation/runs", () => {
  it("lists runs, newest first, page by page", async () => {
    const made = [await pull(), await pull(), await pull()].map(({ body }) => body.id);
    const first = await get(served.address, "/reconciliation/runs?limit=2");
    assert.deepEqual(
      first.body.data.map(({ id }: { id: string }) => id),
      [made[2], made[1]],
    );
    const second = await get(served.address, `/reconciliation/runs?limit=2&cursor=${first.body.next_cursor}`);
    assert.equal(second.body.data[0].id, made[0]);
    invalid(await get(served.address, "/reconciliation/runs?cursor=AAAA"), "invalid_request");
  });

  it("answers 404 for a run that is not there", async () => {
    for (const id of ["x", "00000000-0000-0000-0000-000000000000"]) {
      invalid(await get(served.address, `/reconciliation/runs/${id}`), "reconciliation_run_not_found", 404);
      invalid(await get(served.address, `/reconciliation/runs/${id}/exceptions`), "reconciliation_run_not_found", 404);
    }
  });
});

describe("GET /reconciliation/runs/{id}/exceptions", () => {
  it("tells what both sides have, what is suggested, and filters by reason and by what is resolved", async () => {
    const { id } = (await pull()).body;
    const path = `/reconciliation/runs/${id}/exceptions`;
    const all = await get(served.address, path);
    assert.equal(all.body.data.length, 3);
    assert.equal(all.body.next_cursor, null);
    const [missing] = (await get(served.address, `${path}?reason=missing_here`)).body.data;
    assert.deepEqual(missing, {
      number: missing.number,
      reason: "missing_here",
      kind: "refund",
      gateway_id: "re_1",
      gateway: { lines: 1, amount: 3, currency: "USD", occurred_at: "2026-03-10T12:00:00.000Z", ids: [theirs[2]?.id] },
      ledger: { lines: 0, amount: null, currency: null, occurred_at: null, ids: [] },
      at_border: false,
      suggested_posting: {
        legs: [
          { account: "gateway:simulator:clearing", currency: "USD", credit: 3 },
          { account: "platform:suspense", currency: "USD", debit: 3 },
        ],
      },
      resolution: null,
    });
    const paged = await get(served.address, `${path}?limit=2`);
    const rest = await get(served.address, `${path}?limit=2&cursor=${paged.body.next_cursor}`);
    assert.deepEqual([...paged.body.data, ...rest.body.data], all.body.data);
    assert.equal((await get(served.address, `${path}?resolved=true`)).body.data.length, 0);
    assert.equal((await get(served.address, `${path}?resolved=false`)).body.data.length, 3);
    invalid(await get(served.address, `${path}?reason=unknown`), "invalid_request");
    invalid(await get(served.address, `${path}?cursor=zzz`), "invalid_request");
  });
});

describe("POST /reconciliation/runs/{id}/exceptions/{n}/resolve", () => {
  async function exceptionOf(reason: string): Promise<{ path: string; run: string }> {
    const { id } = (await pull()).body;
    const { data } = (await get(served.address, `/reconciliation/runs/${id}/exceptions?reason=${reason}`)).body;
    const run = `/reconciliation/runs/${id}`;
    return { run, path: `${run}/exceptions/${data[0].number}/resolve` };
  }
  const resolve = (path: string, body: object) => post(served.address, path, body);

  it("resolves with a note and no posting, once", async () => {
    const { path, run } = await exceptionOf("missing_here");
    const { status, body } = await resolve(path, { note: "the bank says so", posting: "none" });
    assert.equal(status, 200);
    const { resolved_at, ...resolution } = body.resolution;
    assert.ok(Math.abs(Date.now() - Date.parse(resolved_at)) < 60_000);
    assert.deepEqual(resolution, {
      note: "the bank says so",
      posting: "none",
      transaction_id: null,
      resolved_by: "operator",
    });
    invalid(await resolve(path, { note: "again", posting: "suggested" }), "exception_already_resolved", 409);
    assert.equal((await get(served.address, run)).body.counts.resolved, 1);
    assert.equal((await get(served.address, `${run}/exceptions?resolved=true`)).body.data.length, 1);
  });

  it("of ten at once resolves one", async () => {
    const { path } = await exceptionOf("missing_at_gateway");
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, nth) =>
        resolve(path, { note: `by ${nth}`, posting: nth % 2 ? "none" : "suggested" }),
      ),
    );
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    for (const { status, body } of answers.filter((answer) => answer.status !== 200)) {
      assert.equal(status, 409);
      assert.match(body.code, /^exception_(already|being)_resolved$/);
    }
    assert.deepEqual(await books.look("select from reconciliation.open_resolutions"), []);
  });

  it("posts the legs it is given", async () => {
    const { path } = await exceptionOf("amount_differs");
    const legs = [
      { account: "gateway:simulator:clearing", currency: "USD", debit: 0.01 },
      { account: "platform:losses", currency: "USD", credit: "0.01" },
    ];
    const { status, body } = await resolve(path, { note: "a cent", posting: { legs } });
    assert.equal(status, 200);
    assert.equal(body.resolution.posting, "custom");
    const draft = [...ledger.posted.values()].at(-1);
    assert.equal(`transaction of ${draft?.reference}`, body.resolution.transaction_id);
    assert.deepEqual(
      draft?.legs.map(({ account, amount }) => [account, amount.amountMinor]),
      [
        ["gateway:simulator:clearing", 1n],
        ["platform:losses", -1n],
      ],
    );
  });

  it("refuses legs that are none, a missing note, and what is not there", async () => {
    const { path, run } = await exceptionOf("missing_here");
    const leg = { account: "platform:losses", currency: "USD" };
    const legs = (...given: object[]) => resolve(path, { note: "x", posting: { legs: given } });
    assert.match(
      invalid(await legs({ ...leg, debit: 1 }, leg), "invalid_request"),
      /legs\/1.*either a debit or a credit/,
    );
    assert.match(invalid(await legs({ ...leg, debit: "1.005" }, leg), "invalid_request"), /legs\/0.*decimals/);
    assert.match(invalid(await legs({ ...leg, debit: 1, currency: "XXX" }, leg), "invalid_request"), /currency/);
    invalid(await legs({ ...leg, debit: 1 }), "invalid_request");
    for (const text of ["\u0000", "\ud800"]) {
      invalid(await resolve(path, { note: `x${text}`, posting: "none" }), "invalid_request");
      invalid(await legs({ ...leg, debit: 1, account: `seller:${text}:available` }, leg), "invalid_request");
    }
    invalid(await resolve(path, { posting: "none" }), "invalid_request");
    invalid(await resolve(path, { note: "", posting: "none" }), "invalid_request");
    invalid(await resolve(path, { note: "x", posting: "other" }), "invalid_request");
    for (const n of ["99", "0", "x", "99999999999"]) {
      const there = await resolve(`${run}/exceptions/${n}/resolve`, { note: "x", posting: "none" });
      invalid(there, "exception_not_found", 404);
    }
    const nowhere = await resolve("/reconciliation/runs/x/exceptions/1/resolve", { note: "x", posting: "none" });
    invalid(nowhere, "exception_not_found", 404);
  });

  it("suggests nothing for duplicates", async () => {
    const file = `${header}\n${"t1,charge,pi_1,,10.00,USD,2026-03-10T12:00:00Z\n".repeat(2)}`;
    const { id } = (await upload(file)).body;
    const path = `/reconciliation/runs/${id}/exceptions`;
    const [duplicate] = (await get(served.address, path)).body.data;
    assert.deepEqual([duplicate.reason, duplicate.suggested_posting], ["duplicate_at_gateway", null]);
    const answer = await resolve(`${path}/${duplicate.number}/resolve`, { note: "x", posting: "suggested" });
    invalid(answer, "posting_not_suggested", 422);
  });
});

it("the application can add to what was found and resolved, and change none of it", async () => {
  for (const table of ["exceptions", "resolutions", "corrections"]) {
    for (const statement of [
      `update reconciliation.${table} set run_id = run_id`,
      `delete from reconciliation.${table}`,
    ]) {
      const query = { name: "", text: statement, values: [] };
      await assert.rejects(books.pool.query(query), /permission denied/);
    }
  }
  await eventually(
    () => books.look("select from reconciliation.lines"),
    (lines) => lines.length === 0,
  );
});
