import { randomUUIDv7 } from "node:crypto";
import { statSync } from "node:fs";
import { parseArgs } from "node:util";
import { createPool } from "../infrastructure/postgres/connections.ts";
import { parseCurrency } from "../kernel/currency.ts";
import { type Money, parseAmount, toDecimal } from "../kernel/money.ts";
import { createPostingLane, fundGateway, ownBooks } from "../modules/ledger/index.ts";
import type { Settings } from "../settings.ts";
import { findDatabase } from "./find-database.ts";
import { createLotesClient, LotesFailure } from "./lotes-client.ts";
import { OperatorFault } from "./operator-fault.ts";
import { checkFile, UnusableFile } from "./payouts-file.ts";
import { sendPayouts, summaryOf } from "./send-payouts.ts";

const usage = `Usage: marketflow payouts send <file.csv> [--url http://127.0.0.1:8000] [--key text]
       marketflow payouts fund <amount> <currency> [--reference text]

send checks a CSV with the columns id_afiliado,monto,moneda, sends it to the partner API in lotes of 10,000, and watches
them to their end. The same file again sends nothing twice and shows how far it is; to pay the same again give it
another --key. What failed is in <file.csv>.errores.csv. Exits with 0 where all were paid, with 1 where some failed or
have not ended, with 2 where not all of the file was sent.

fund sets money apart at the gateway for payouts to affiliates. The same --reference again changes nothing.`;

/** `marketflow payouts send` and `marketflow payouts fund`. */
export async function payoutsCommand(settings: Settings, [action, ...args]: readonly string[]): Promise<void> {
  if (action === "send") process.exitCode = await send(settings, args, process.stdout, process.stderr);
  else if (action === "fund") await fund(settings, args);
  else throw new OperatorFault(usage);
}

type Output = { write(text: string): unknown };
type Watcher = Output & { readonly isTTY?: boolean | undefined };

/** Sends a file and returns the exit code. */
export async function send(
  settings: Pick<Settings, "partnerPort">,
  args: readonly string[],
  output: Output,
  watcher: Watcher,
): Promise<number> {
  const bar = createProgress(watcher);
  try {
    const { path, url, key } = readSend(args, settings.partnerPort);
    const bytes = statSync(path, { throwIfNoEntry: false })?.size;
    if (bytes === undefined) throw new OperatorFault(`There is no file ${path}.`);
    const file = await checkFile(path, (read) => bar.show(read / Math.max(1, bytes), "checking the file"));
    const client = createLotesClient({ url, onAway: (reason) => bar.say(`Waiting for ${url}: ${reason}`) });
    const result = await sendPayouts(
      client,
      { path, file, key },
      {
        onProgress: (ended, failed) =>
          bar.show(ended / file.lines, `${count(ended)} of ${count(file.lines)} pagos, ${count(failed)} failed`),
        onReplayed: () => bar.say("This was sent before: nothing is sent twice, and this is how far it is."),
      },
    );
    bar.clear();
    output.write(summaryOf(result));
    return result.failures === 0 && result.open === 0 ? 0 : 1;
  } catch (error) {
    bar.clear();
    watcher.write(`${reasonOf(error)}\n`);
    return 2;
  }
}

type Send = { readonly path: string; readonly url: string; readonly key: string | undefined };

function readSend(args: readonly string[], partnerPort: number): Send {
  const { values, positionals } = parsed(args, { url: { type: "string" }, key: { type: "string" } });
  const { url = `http://127.0.0.1:${partnerPort}`, key } = values;
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0 || !URL.canParse(url)) throw new OperatorFault(usage);
  if (key !== undefined && !/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw new OperatorFault("--key has 1 to 200 visible ASCII characters without spaces.");
  }
  return { path, url, key };
}

/** Why the file was not sent; throws what nobody foresaw. */
function reasonOf(error: unknown): string {
  if (error instanceof LotesFailure || error instanceof OperatorFault) return error.message;
  if (!(error instanceof UnusableFile)) throw error;
  const faults = error.faults.map(({ line, field, detail }) => {
    const where = line === 0 ? "file" : `line ${line}`;
    return `  ${where}${field === null ? "" : `, ${field}`}: ${detail}.`;
  });
  return `The file cannot be paid, and nothing of it was sent:\n${faults.join("\n")}`;
}

function count(number: number): string {
  return number.toLocaleString("en");
}

const barWidth = 30;
/** Where nobody watches a terminal, a line now and then. */
const lineEveryMs = 5_000;

function createProgress(watcher: Watcher) {
  const isTty = watcher.isTTY === true;
  let shownAtMs = performance.now();
  const clear = () => {
    if (isTty) watcher.write("\r\u001b[2K");
  };
  return {
    clear,
    say(sentence: string): void {
      clear();
      watcher.write(`${sentence}\n`);
    },
    show(share: number, text: string): void {
      const done = Math.floor(Math.min(1, share) * barWidth);
      const bar = `${"█".repeat(done)}${"░".repeat(barWidth - done)} ${text}`;
      if (isTty) watcher.write(`\r\u001b[2K${bar}`);
      else if (performance.now() - shownAtMs >= lineEveryMs) {
        shownAtMs = performance.now();
        watcher.write(`${text}\n`);
      }
    },
  };
}

async function fund(settings: Settings, args: readonly string[]): Promise<void> {
  const { values, positionals } = parsed(args, { reference: { type: "string" } });
  const [text, code, ...more] = positionals;
  if (text === undefined || code === undefined || more.length > 0) throw new OperatorFault(usage);
  const amount = amountOf(text, code);
  const { reference = `manual:${randomUUIDv7()}` } = values;
  const { url, stop } = await findDatabase(settings);
  const database = createPool({
    url,
    applicationName: "marketflow payouts",
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
    most: 1,
  });
  const lane = createPostingLane(database, ownBooks, { maxBatch: 1, maxQueued: 1, maxWaitMs: 5_000 });
  try {
    const funded = await fundGateway({ database, tenant: ownBooks, lane }, settings.gateway, amount, reference);
    const what = `${toDecimal(amount)} ${amount.currency} for payouts at ${settings.gateway}`;
    if (!funded.ok) {
      throw new OperatorFault(`Nothing was set apart: ${funded.refusal.type.replaceAll("_", " ")} (${reference}).`);
    }
    const { already, transactionId } = funded.value;
    const done = already ? "Had been set apart before" : "Set apart";
    process.stdout.write(`${done}: ${what}\nreference ${reference}, transaction ${transactionId}\n`);
  } finally {
    await lane.drain();
    await database.close();
    await stop();
  }
}

function amountOf(text: string, code: string): Money {
  const currency = parseCurrency(code);
  if (currency === undefined) throw new OperatorFault(`${code} is no currency: write its ISO 4217 code in capitals.`);
  const amount = parseAmount(text, currency);
  if (!amount.ok) throw new OperatorFault(`${text} ${code}: ${amount.refusal.type.replaceAll("_", " ")}.\n\n${usage}`);
  return amount.value;
}

function parsed<Name extends string>(args: readonly string[], options: Readonly<Record<Name, { type: "string" }>>) {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return { values: values as Partial<Record<Name, string>>, positionals };
  } catch (error) {
    throw new OperatorFault(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`, error);
  }
}
