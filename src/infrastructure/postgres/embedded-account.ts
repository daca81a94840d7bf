import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { promisify } from "node:util";
import type { PostgresBinaries } from "./embedded-binaries.ts";
import { EmbeddedPostgresFailure } from "./embedded-failure.ts";

const run = promisify(execFile);

/** Who runs PostgreSQL: ourselves, or, where we are root, an unprivileged account. */
export type Account =
  | { readonly type: "ourselves" }
  /** `prefix` is put before every command; it is empty where switching user and group is all that is needed. */
  | { readonly type: "unprivileged"; readonly uid: number; readonly gid: number; readonly prefix: readonly string[] };

/** The command line and spawn options that run a program as an account. */
export type AccountCommand = {
  readonly file: string;
  readonly args: readonly string[];
  readonly ids: { readonly uid?: number; readonly gid?: number };
};

export function commandAs(account: Account, program: string, args: readonly string[]): AccountCommand {
  if (account.type === "ourselves") return { file: program, args, ids: {} };
  const [file, ...before] = account.prefix;
  if (file === undefined) return { file: program, args, ids: { uid: account.uid, gid: account.gid } };
  return { file, args: [...before, program, ...args], ids: {} };
}

/**
 * Chooses who runs PostgreSQL, which refuses to run as root: as root it is the owner of the data that is there, or
 * `nobody`. Where that account cannot reach the binaries or the home (a clone in a folder that is closed to everybody
 * but root), the one capability to pass closed folders is left to it through setpriv, and no other.
 * Throws {@link EmbeddedPostgresFailure} `cannot_drop_root` that says what to do.
 */
export async function chooseAccount(home: string, dataDir: string, binaries: PostgresBinaries): Promise<Account> {
  if (process.getuid?.() !== 0) return { type: "ourselves" };
  const ids = (await ownerOf(dataDir)) ?? (await idsOfNobody());
  const plain: Account = { type: "unprivileged", ...ids, prefix: [] };
  if (await canReach(plain, home, binaries)) return plain;
  const reaching: Account = { type: "unprivileged", ...ids, prefix: setprivCommand(ids) };
  if (await canReach(reaching, home, binaries)) return reaching;
  throw new EmbeddedPostgresFailure(
    "cannot_drop_root",
    `PostgreSQL does not run as root, and the account with user id ${ids.uid} cannot reach ${binaries.postgres} and ` +
      `${home}. Start MarketFlow as an ordinary user, or open the folders above both to all users (chmod o+x), or ` +
      "install setpriv (util-linux).",
  );
}

async function ownerOf(dataDir: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const { uid, gid } = await stat(dataDir);
    return uid === 0 ? undefined : { uid, gid };
  } catch {
    return undefined;
  }
}

async function idsOfNobody(): Promise<{ uid: number; gid: number }> {
  const accounts = await readFile("/etc/passwd", "utf8").catch(() => "");
  const [, uid, gid] = /^nobody:[^:]*:(-?\d+):(-?\d+):/m.exec(accounts) ?? [];
  if (uid === undefined || gid === undefined) {
    const message =
      "PostgreSQL does not run as root, and there is no account `nobody`. Start MarketFlow as an ordinary user.";
    throw new EmbeddedPostgresFailure("cannot_drop_root", message);
  }
  // macOS writes the ids of nobody as negative numbers.
  return { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
}

/**
 * no_setuid_fixup matters: access(2), by which PostgreSQL looks for its own programs, drops the capabilities of a
 * process whose real user is not root unless that bit is set.
 */
function setprivCommand(ids: { uid: number; gid: number }): string[] {
  return [
    "setpriv",
    `--reuid=${ids.uid}`,
    `--regid=${ids.gid}`,
    "--clear-groups",
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
    "--securebits=+no_setuid_fixup",
  ];
}

/** Tries it instead of reading permission bits: access lists and security modules have a say too. */
async function canReach(account: Account, home: string, binaries: PostgresBinaries): Promise<boolean> {
  await access(binaries.postgres, constants.X_OK);
  const script = 'cd -- "$1" && cat -- "$2" >/dev/null && exec "$3" --version';
  const command = commandAs(account, "/bin/sh", ["-c", script, "sh", home, binaries.sampleFile, binaries.postgres]);
  try {
    await run(command.file, [...command.args], { ...command.ids, cwd: "/", timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
}
