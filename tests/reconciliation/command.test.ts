import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { OperatorFault } from "../../src/apps/operator-fault.ts";
import { readArguments, reconcile } from "../../src/apps/reconcile.ts";
import { type Books, booked, contextOf, fakeGateway, fakeLedger, openBooks, settled } from "./support.ts";

const march10 = ["--from", "2026-03-10T00:00:00Z", "--to", "2026-03-11T00:00:00Z"];
const gateway = fakeGateway([settled("pi_1", 1000n), settled("pi_2", 2050n)]);

let books: Books;
let folder: string;
before(async () => {
  books = await openBooks();
  folder = await mkdtemp(join(tmpdir(), "marketflow-reconcile-"));
});
after(async () => {
  await books.close();
  await rm(folder, { recursive: true, force: true });
});

async function run(args: string[], ours = [booked("pi_1", 1000n), booked("pi_2", 2000n)]) {
  let output = "";
  let watched = "";
  const code = await reconcile(
    contextOf(books.pool, { gateway, ledger: fakeLedger(ours) }),
    readArguments(args),
    { write: (text) => (output += text) },
    { isTTY: true, write: (text) => (watched += text) },
  );
  return { code, output, watched };
}

describe("marketflow reconcile", () => {
  it("pulls a period from the gateway, prints what it found, and says 1 where that is something", async () => {
    const { code, output, watched } = await run(march10);
    assert.equal(code, 1);
    assert.match(output, /Reconciliation of simulator, 2026-03-10T00:00:00.000Z to 2026-03-11/);
    assert.match(output, /^matched +1$/m);
    assert.match(output, /^amount differs +1$/m);
    assert.match(output, /^1 +amount differs +charge +pi_2 +20\.50 USD +20\.00 USD$/m);
    assert.match(watched, /░/);
    assert.match(watched, /comparing, 4 lines/);
  });

  it("says 0 where everything agrees", async () => {
    const { code, output } = await run(march10, [booked("pi_1", 1000n), booked("pi_2", 2050n)]);
    assert.equal(code, 0);
    assert.match(output, /^matched +2$/m);
  });

  it("reads a file, or says which of its lines are bad", async () => {
    const good = join(folder, "good.csv");
    const header = "id,kind,intent_id,source_id,amount,currency,occurred_at";
    await writeFile(good, `${header}\nt,charge,pi_1,,10.00,USD,2026-03-10T12:00:00Z\n`);
    assert.equal((await run([good], [booked("pi_1", 1000n)])).code, 0);
    const bad = join(folder, "bad.csv");
    await writeFile(bad, `${header}\nt,charge,pi_1,,10.00,USD,never\n`);
    await assert.rejects(run([bad]), /line 2: occurred_at must be a time/);
    await assert.rejects(run([join(folder, "none.csv")]), /There is no file/);
  });

  it("says how it is used", () => {
    for (const args of [["--from", "x"], ["--unknown"], ["a", "b"], ["--tolerance-days", "x"], march10.slice(0, 2)]) {
      assert.throws(() => readArguments(args), OperatorFault);
    }
  });
});
