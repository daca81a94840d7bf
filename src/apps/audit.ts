import { parseArgs } from "node:util";
import { type ClosableDatabase, createDedicatedConnection } from "../infrastructure/postgres/connections.ts";
import type { Database } from "../kernel/statement.ts";
import {
  type AuditCheck,
  type AuditObserver,
  type AuditOutcome,
  type ChainOptions,
  formatHead,
  ledgerChecks,
  parseHead,
  readHead,
  runAudit,
} from "../modules/ledger/index.ts";
import type { Settings } from "../settings.ts";
import { findDatabase } from "./find-database.ts";
import { OperatorFault } from "./operator-fault.ts";

const usage = "Usage: marketflow audit [--head NUMBER:HASH] [--from-seal NUMBER] [--json]";

/** A page takes some 50 ms; what takes this long waits for something. */
const statementTimeoutMs = 120_000;
const connectTimeoutMs = 5_000;

/** What the audit exits with: a script must be able to tell a wrong ledger from an audit that did not happen. */
const auditExit = { clean: 0, findings: 1, failed: 2 } as const;

/**
 * `marketflow audit` proves the ledger, beside live traffic, on one snapshot. The document (--json) or the findings go
 * to standard output, the progress to standard error. Exits with 0 where everything is right, 1 where something was
 * found, and 2 where it could not run. `furtherChecks` are those of modules that post to the ledger.
 */
export async function auditCommand(
  settings: Settings,
  args: readonly string[],
  furtherChecks: (database: Database) => readonly AuditCheck[] = () => [],
): Promise<void> {
  try {
    const { json, ...chain } = optionsOf(args);
    const { url, stop } = await findDatabase(settings);
    try {
      const { outcome, head } = await auditDatabase(url, chain, furtherChecks, progressOn(process.stderr));
      process.stdout.write(json ? `${JSON.stringify(documentOf(outcome, head), undefined, 2)}\n` : told(outcome, head));
      process.exitCode = outcome.findingsTotal === 0 ? auditExit.clean : auditExit.findings;
    } finally {
      await stop();
    }
  } catch (error) {
    const message = error instanceof OperatorFault ? error.message : `The audit could not run: ${messageOf(error)}`;
    process.stderr.write(`${message}\n`);
    process.exitCode = auditExit.failed;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function optionsOf(args: readonly string[]): ChainOptions & { readonly json: boolean } {
  let values: { head?: string; "from-seal"?: string; json?: boolean };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: { head: { type: "string" }, "from-seal": { type: "string" }, json: { type: "boolean" } },
    }));
  } catch (error) {
    throw new OperatorFault(`${messageOf(error)}\n${usage}`);
  }
  const head = values.head === undefined ? undefined : parseHead(values.head);
  if (values.head !== undefined && head === undefined) {
    throw new OperatorFault(`--head takes what an earlier audit printed, NUMBER:HASH, not ${values.head}.\n${usage}`);
  }
  const fromSeal = values["from-seal"];
  if (fromSeal !== undefined && !/^[1-9]\d{0,17}$/.test(fromSeal)) {
    throw new OperatorFault(`--from-seal takes the number of a seal, not ${fromSeal}.\n${usage}`);
  }
  return {
    json: values.json ?? false,
    ...(head === undefined ? {} : { head }),
    ...(fromSeal === undefined ? {} : { fromSeal: BigInt(fromSeal) }),
  };
}

type HeadText = { readonly text: string; readonly sealedAt: Date } | undefined;

/** Runs every check in one read-only transaction that sees one snapshot, on a connection of its own. */
async function auditDatabase(
  url: string,
  chain: ChainOptions,
  furtherChecks: (database: Database) => readonly AuditCheck[],
  observer: AuditObserver,
): Promise<{ outcome: AuditOutcome; head: HeadText }> {
  const database: ClosableDatabase = createDedicatedConnection({
    url,
    applicationName: "marketflow audit",
    statementTimeoutMs,
    connectTimeoutMs,
    // Whatever the connection suffers fails the statement that comes next, and the audit with it.
    onIdleError: () => undefined,
  });
  try {
    const begin = "begin isolation level repeatable read read only";
    await database.query({ name: "", text: begin, values: [] });
    const head = await readHead({ database });
    const outcome = await runAudit([...ledgerChecks(database, chain), ...furtherChecks(database)], observer);
    await database.query({ name: "", text: "commit", values: [] });
    return { outcome, head: head === undefined ? undefined : { text: formatHead(head), sealedAt: head.sealedAt } };
  } finally {
    await database.close();
  }
}

/** The machine's form; `jq -r .head` is what `--head` takes later. */
function documentOf(outcome: AuditOutcome, head: HeadText): object {
  return {
    result: outcome.findingsTotal === 0 ? "clean" : "findings",
    head: head?.text ?? null,
    sealed_at: head?.sealedAt.toISOString() ?? null,
    duration_ms: Math.round(outcome.durationMs),
    checks: outcome.checks.map(({ name, checked, findings, durationMs }) => ({
      name,
      checked,
      findings,
      duration_ms: Math.round(durationMs),
    })),
    findings_total: outcome.findingsTotal,
    findings: outcome.findings,
  };
}

function told(outcome: AuditOutcome, head: HeadText): string {
  const findings = outcome.findings.map(({ check, where, what }) => `${check}: ${where} ${what}\n`).join("");
  const unnamed = outcome.findingsTotal - outcome.findings.length;
  const more = unnamed === 0 ? "" : `… and ${unnamed} more\n`;
  const result = outcome.findingsTotal === 0 ? "Nothing is wrong." : `${outcome.findingsTotal} findings.`;
  const headLine = head === undefined ? "Nothing is sealed yet." : `The head of the chain is ${head.text}.`;
  return `${findings}${more}${result} ${headLine}\n`;
}

const barWidth = 24;
const redrawMs = 100;

/** A bar where somebody watches, and a line for each check that ended otherwise. */
function progressOn(stream: NodeJS.WriteStream): AuditObserver {
  let drawnMs = 0;
  return {
    progress(check, done, expected) {
      if (!stream.isTTY || performance.now() - drawnMs < redrawMs) return;
      drawnMs = performance.now();
      const share = expected === 0 ? 1 : Math.min(1, done / expected);
      const bar = "█".repeat(Math.round(share * barWidth)).padEnd(barWidth, "░");
      stream.write(
        `\r\u001b[K${check.padEnd(14)}${bar} ${Math.floor(share * 100)} % of ${expected.toLocaleString("en")}`,
      );
    },
    ended({ name, checked, findings, durationMs }) {
      const counts = Object.entries(checked).map(([unit, count]) => `${count.toLocaleString("en")} ${unit}`);
      const seconds = `${(durationMs / 1_000).toFixed(1)} s`;
      const line = `${name.padEnd(14)}${counts.join(", ") || "nothing there"}: ${findings} findings, ${seconds}\n`;
      stream.write(stream.isTTY ? `\r\u001b[K${line}` : line);
    },
  };
}
