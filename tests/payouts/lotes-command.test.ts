import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { createLotesClient, LotesFailure } from "../../src/apps/lotes-client.ts";
import { send } from "../../src/apps/payouts.ts";
import { checkFile } from "../../src/apps/payouts-file.ts";
import { sendPayouts, summaryOf } from "../../src/apps/send-payouts.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { openSite, rowsOf } from "../support/site.ts";
import { createFakePayouts, fund, type ServedLotes, serveLotes } from "./served-lotes.ts";

const header = "id_afiliado,monto,moneda";

let folder: string;
let database: TestDatabase;
let served: ServedLotes;
const gateway = createFakePayouts();
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "marketflow-payouts-"));
  database = await createTestDatabase();
  await fund(database.appUrl, 100_000_000_000n);
  served = await serveLotes({ databaseUrl: database.appUrl, gateway, concurrency: 512 });
});
after(async () => {
  await served.close();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  gateway.outcomeFor = () => undefined;
});

let files = 0;
async function fileOf(...lines: string[]): Promise<string> {
  files += 1;
  const path = join(folder, `pagos-${files}.csv`);
  await writeFile(path, [header, ...lines, ""].join("\n"));
  return path;
}

async function run(path: string, ...args: string[]) {
  let output = "";
  let watched = "";
  const code = await send(
    { partnerPort: 1 },
    [path, "--url", served.address, ...args],
    { write: (text) => (output += text) },
    { isTTY: true, write: (text) => (watched += text) },
  );
  return { code, output, watched };
}

const lotes = async () =>
  Number((await rowsOf(database.ownerUrl, "select count(*) as lotes from payouts.batches"))[0]?.["lotes"]);

describe("marketflow payouts send", () => {
  test("sends a file of any size as lotes of 10,000, shows how far it is, and says 0", async () => {
    const path = await fileOf(
      ...Array.from({ length: 10_300 }, (_, n) => `a_${n},1.25,${n % 2 === 0 ? "USD" : "COP"}`),
    );
    const before = await lotes();
    const { code, output, watched } = await run(path);
    assert.equal(code, 0, watched);
    assert.equal((await lotes()) - before, 2);
    assert.equal(output, "COP  5150 pagos  6437.50  0 failed  0.00\nUSD  5150 pagos  6437.50  0 failed  0.00\n");
    assert.match(watched, /░.*checking the file/);
    assert.match(watched, /█.*10,300 of 10,300 pagos, 0 failed/);
    assert.ok(!existsSync(`${path}.errores.csv`));
  });

  test("sends nothing twice where the file is sent again, however it is written, and says so", async () => {
    const path = await fileOf("again_1,1.50,USD", "again_2,2,EUR");
    await run(path);
    const [before, calls] = [await lotes(), gateway.calls];
    await writeFile(path, `moneda,monto,id_afiliado\r\nUSD,1.5,again_1\r\nEUR,2.00,"again_2"`);
    const { code, output, watched } = await run(path);
    assert.deepEqual([code, await lotes(), gateway.calls], [0, before, calls]);
    assert.match(watched, /sent before/);
    assert.match(output, /EUR {2}1 pagos/);
    assert.equal((await run(path, "--key", "july")).code, 0);
    assert.equal(gateway.calls, calls + 2, "with a key of its own it is another payment");
    await appendFile(path, "\r\nUSD,1,again_3");
    const changed = await run(path, "--key", "july");
    assert.equal(changed.code, 2);
    assert.match(changed.watched, /idempotency_key_reused/);
  });

  test("writes what failed to a file, with the lines of the file that was sent, and says 1", async () => {
    gateway.outcomeFor = (who) =>
      who.startsWith("bad") ? { type: "declined", code: "no", message: "Cuenta, cerrada" } : undefined;
    const path = await fileOf("good,1,USD", "", "bad_1,2.50,USD", '"bad\n2",3,COP', "bad_3,4,USD");
    const { code, output } = await run(path);
    assert.equal(code, 1);
    assert.match(output, /^COP {2}1 pagos {2}3\.00 {2}1 failed {2}3\.00$/m);
    assert.match(output, /^USD {2}3 pagos {2}7\.50 {2}2 failed {2}6\.50$/m);
    assert.match(output, /What failed, and why: .*\.errores\.csv/);
    const id = "[0-9a-f-]{36}";
    assert.match(
      await readFile(`${path}.errores.csv`, "utf8"),
      new RegExp(
        "^linea,id_pago,id_afiliado,monto,moneda,mensaje_error\r\n" +
          `4,${id},bad_1,2.50,USD,"Cuenta, cerrada"\r\n5,${id},"bad\n2",3.00,COP,"Cuenta, cerrada"\r\n` +
          `7,${id},bad_3,4.00,USD,"Cuenta, cerrada"\r\n$`,
      ),
    );
  });

  test("checks all of the file first: names its bad lines, sends nothing, and says 2", async () => {
    const before = await lotes();
    const path = await fileOf(...Array.from({ length: 12_000 }, (_, n) => `a_${n},${n === 11_000 ? "0" : "1"},USD`));
    const { code, watched } = await run(path);
    assert.equal(code, 2);
    assert.match(watched, /nothing of it was sent:\n {2}line 11002, monto: Input should be greater than 0\./);
    assert.equal((await run(join(folder, "none.csv"))).code, 2);
    assert.equal((await run(folder)).code, 2);
    assert.match((await run(await fileOf())).watched, /no pago in the file/);
    assert.equal(await lotes(), before);
  });

  test("says how it is used", async () => {
    for (const args of [[], ["a", "b"], ["a", "--url", "nope"], ["a", "--what"], ["a", "--key", "two words"]]) {
      let said = "";
      const watcher = { write: (text: string) => (said += text) };
      assert.equal(await send({ partnerPort: 1 }, args, watcher, watcher), 2, args.join(" "));
      assert.match(said, /Usage|--key has/, args.join(" "));
    }
  });

  test("writes no bar where nobody watches", async () => {
    let watched = "";
    const path = await fileOf("quiet,1,USD");
    const watcher = { write: (text: string) => (watched += text) };
    const code = await send({ partnerPort: 1 }, [path, "--url", served.address], { write: () => undefined }, watcher);
    assert.deepEqual([code, watched], [0, ""]);
  });
});

describe("a server that is away", () => {
  /** A server that answers with 503 so often, and then as the real one. */
  async function flaky(failures: number): Promise<{ url: string; close: () => void }> {
    let left = failures;
    const server: Server = createServer((request, response) => {
      left -= 1;
      if (left >= 0) return void (left % 2 === 0 ? request.socket.destroy() : response.writeHead(503).end());
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", async () => {
        const { method = "GET", headers } = request;
        const body = method === "POST" ? { body: Buffer.concat(chunks) } : {};
        const key = String(headers["idempotency-key"] ?? "");
        const answer = await fetch(served.address + request.url, {
          method,
          headers: { "content-type": "application/json", ...(key === "" ? {} : { "idempotency-key": key }) },
          ...body,
        });
        response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
        response.end(Buffer.from(await answer.arrayBuffer()));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
  }

  async function sendTo(url: string, path: string, patienceMs: number): Promise<string[]> {
    const said: string[] = [];
    const client = createLotesClient({ url, onAway: (reason) => said.push(reason), patienceMs, firstWaitMs: 5 });
    const file = await checkFile(path, () => undefined);
    const options = { onProgress: () => undefined, onReplayed: () => said.push("replayed"), pollMs: 5 };
    const { open, failures } = await sendPayouts(client, { path, file, key: undefined }, options);
    assert.deepEqual([open, failures], [0, 0]);
    return said;
  }

  test("is waited for, and nothing is paid twice", async () => {
    const server = await flaky(9);
    const path = await fileOf("flaky_1,1,USD", "flaky_2,2,USD");
    const said = await sendTo(server.url, path, 60_000);
    server.close();
    assert.ok(said.length >= 1);
    const paid = [...gateway.paid.values()].filter(({ recipient }) => recipient.startsWith("flaky"));
    assert.equal(paid.length, 2);
  });

  test("is not waited for longer than patience lasts", async () => {
    const path = await fileOf("patient,1,USD");
    await assert.rejects(sendTo("http://127.0.0.1:1", path, 100), (error) => {
      assert.ok(error instanceof LotesFailure);
      assert.match(error.message, /was away for/);
      return true;
    });
  });

  test("that goes away once it has all of the file is no reason to send it again", async () => {
    gateway.latencyMs = 300;
    const path = await fileOf("lost,1,USD");
    const file = await checkFile(path, () => undefined);
    const real = createLotesClient({ url: served.address, onAway: () => undefined });
    const gone = { ...real, progress: () => Promise.reject(new LotesFailure("It was away.")) };
    const quiet = { onProgress: () => undefined, onReplayed: () => undefined, pollMs: 1 };
    const result = await sendPayouts(gone, { path, file, key: undefined }, quiet);
    gateway.latencyMs = 1;
    assert.deepEqual([result.open, result.lostSight], [1, "It was away."]);
    assert.match(summaryOf(result), /It was away\.\n1 pagos have not ended yet/);
  });

  test("leaves what has not ended to the server where nothing changes for long", async () => {
    gateway.outcomeFor = () => ({ type: "unknown", code: "gateway_timeout", message: "?" });
    const path = await fileOf("stuck,1,USD");
    const file = await checkFile(path, () => undefined);
    const client = createLotesClient({ url: served.address, onAway: () => undefined });
    const quiet = { onProgress: () => undefined, onReplayed: () => undefined, pollMs: 10, stalledAfterMs: 200 };
    const result = await sendPayouts(client, { path, file, key: undefined }, quiet);
    assert.deepEqual([result.open, result.failures], [1, 0]);
  });
});

describe("marketflow payouts fund", () => {
  test("sets money apart at the gateway, once for each reference", async (t) => {
    const site = await openSite();
    t.after(() => site.close());
    const { DATABASE_URL = "" } = site.environment;
    const run = async (...args: string[]) => {
      const child = site.run(["payouts", "fund", ...args], { DATABASE_URL, MARKETFLOW_HOME: site.home });
      const { code } = await child.exited;
      return { code, output: child.output() };
    };
    const july = await run("1000.50", "USD", "--reference", "july");
    assert.deepEqual([july.code, july.output.split("\n")[0]], [0, "Set apart: 1000.50 USD for payouts at simulator"]);
    assert.match((await run("1000.50", "USD", "--reference", "july")).output, /^Had been set apart before/);
    const other = await run("999", "USD", "--reference", "july");
    assert.deepEqual([other.code, /reference conflict/.test(other.output)], [1, true]);
    assert.equal((await run("1", "USD")).code, 0);
    for (const args of [["-1", "USD"], ["1.005", "USD"], ["1", "usd"], ["1"], ["1", "USD", "x"], []]) {
      const { code, output } = await run(...args);
      assert.equal(code, 1, args.join(" "));
      assert.match(output, /Usage|no currency/, args.join(" "));
    }
    const funded = await rowsOf(
      site.ownerUrl,
      "select (b.debits - b.credits)::text as money from ledger.balances b " +
        "join ledger.accounts a on a.id = b.account_id where a.code = 'gateway:simulator:funding'",
    );
    assert.deepEqual(funded, [{ money: "100150" }]);
  });
});
