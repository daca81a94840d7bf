import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { InvalidSettings, parseSettings, type Settings } from "../settings.ts";
import { version } from "../version.ts";
import { OperatorFault } from "./operator-fault.ts";

type Command = { readonly summary: string; readonly run: (settings: Settings, args: string[]) => Promise<void> };

/** Each command is loaded only when it is asked for, so that none pays for the others' modules. */
const commands: Readonly<Record<string, Command>> = {
  dev: {
    summary: "the sandbox: embedded database, both APIs, a simulated gateway, no login; loopback only",
    run: async (settings) => (await import("./dev.ts")).dev(settings),
  },
  serve: {
    summary: "both APIs in production form; needs DATABASE_URL and its secrets",
    run: async (settings) => (await import("./serve.ts")).serve(settings),
  },
  relay: {
    summary: "publishes events to Pulsar (PULSAR_URL) and sends webhooks; any number may run",
    run: async (settings) => (await import("./relay.ts")).relay(settings),
  },
  outbox: {
    summary: "what the relay published and did not; `outbox stats | inspect | replay | skip`",
    run: async (settings, args) => (await import("./outbox.ts")).outboxCommand(settings, args),
  },
  consume: {
    summary: "keeps the affiliates' statement from a Pulsar subscription; needs PULSAR_URL",
    run: async (settings) => {
      const [{ consume }, { openConsumer }] = await Promise.all([import("./consume.ts"), import("../app/consumer.ts")]);
      await consume(settings, openConsumer);
    },
  },
  migrate: {
    summary: "brings the schema up to date; `migrate back [number]` takes migrations back",
    run: async (settings, args) => (await import("./migrate.ts")).migrateCommand(settings, args),
  },
  audit: {
    summary: "proves the ledger: zero sums, balances, postings, hash chain; `audit --json --head NUMBER:HASH`",
    run: async (settings, args) => {
      const [{ auditCommand }, { ownBooks }, { paymentChecks }, { billChecks }, { payoutChecks }] = await Promise.all([
        import("./audit.ts"),
        import("../modules/ledger/index.ts"),
        import("../modules/payments/index.ts"),
        import("../modules/bills/index.ts"),
        import("../modules/payouts/index.ts"),
      ]);
      await auditCommand(settings, args, (database) =>
        [paymentChecks, billChecks, payoutChecks].flatMap((checksOf) => checksOf(database, ownBooks)),
      );
    },
  },
  commission: {
    summary: "lists or sets the commission of everybody, a seller or a category",
    run: async (settings, args) => (await import("./commission.ts")).commissionCommand(settings, args),
  },
  floor: {
    summary: "sets the least that may be available in an account, with the owner's login",
    run: async (settings, args) => (await import("./floor.ts")).floorCommand(settings, args),
  },
  reconcile: {
    summary: "compares what the gateway settled, or a CSV of it, with the ledger",
    run: async (settings, args) => (await import("./reconcile.ts")).reconcileCommand(settings, args, openOn),
  },
  payouts: {
    summary: "sends a CSV of payouts to affiliates and watches it; `payouts fund` sets money apart for them",
    run: async (settings, args) => (await import("./payouts.ts")).payoutsCommand(settings, args),
  },
  version: {
    summary: "prints the version",
    run: async () => say(version),
  },
};

/** What a reconciliation works with, on the database of the settings or the sandbox's. */
async function openOn(settings: Settings) {
  const [{ openReconciliation }, { findDatabase }, { openLog }] = await Promise.all([
    import("../app/reconciliation.ts"),
    import("./find-database.ts"),
    import("./run-app.ts"),
  ]);
  const { url, stop } = await findDatabase(settings);
  const complete = { ...settings, databaseUrl: url, stripeWebhookSecret: settings.stripeWebhookSecret ?? "" };
  const { context, close } = await openReconciliation(complete, openLog(settings, "reconcile"));
  return { context, close: () => close().finally(stop) };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function usage(): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`);
  const settings = "Settings come from the environment and from .env; .env.example lists them all.";
  return `Usage: marketflow <command>\n\n${lines.join("\n")}\n\n${settings}`;
}

/** Variables of the environment win over those of `.env`. */
function environment(): Record<string, string | undefined> {
  const file = existsSync(".env") ? parseEnv(readFileSync(".env", "utf8")) : {};
  return { ...file, ...process.env };
}

async function main(): Promise<void> {
  const [name = "help", ...args] = process.argv.slice(2);
  const command = commands[name];
  if (command === undefined) {
    say(usage());
    process.exitCode = ["help", "--help", "-h"].includes(name) ? 0 : 2;
    return;
  }
  await command.run(parseSettings(environment()), args);
}

main().catch((error: unknown) => {
  const expected = error instanceof InvalidSettings || error instanceof OperatorFault;
  process.stderr.write(`${expected ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
