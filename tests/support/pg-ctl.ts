import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { chooseAccount, commandAs } from "../../src/infrastructure/postgres/embedded-account.ts";
import { locateBinaries } from "../../src/infrastructure/postgres/embedded-binaries.ts";

/** pg_ctl as an operator would call it: as the account that owns the data. Rejects where it takes over a minute. */
export async function pgCtl(dataDir: string, ...args: string[]): Promise<void> {
  const binaries = await locateBinaries();
  const account = await chooseAccount(dirname(dataDir), dataDir, binaries);
  const log = join(dataDir, "pg_ctl.log");
  const command = commandAs(account, binaries.pgCtl, [...args, "-D", dataDir, "-l", log, "-w", "-s"]);
  await promisify(execFile)(command.file, [...command.args], { ...command.ids, cwd: "/", timeout: 60_000 });
}
