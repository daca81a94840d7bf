import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder, runToEnd } from "./install.ts";

const version = "3.13.0";
const needsPython = "Pulsar's Python client needs python3 with pip (Debian: python3-pip)";

/** Where Pulsar's own Python client is, or is to be: it is compiled for one version of Python. Null without python3. */
function clientFolder(): string | null {
  const script = "import sys; print('%d.%d' % sys.version_info[:2])";
  const { status, stdout } = spawnSync("python3", ["-c", script], { encoding: "utf8" });
  return status === 0 ? join(cacheFolder(), `pulsar-client-${version}-python-${stdout.trim()}`) : null;
}

/** Why the Python client cannot run here without fetching anything, in one sentence, or null. */
export function whyNoPythonClient(): string | null {
  const folder = clientFolder();
  if (folder === null) return needsPython;
  return existsSync(folder) ? null : "Pulsar's Python client is not fetched (npm run pulsar -- --fetch does that)";
}

/** Sees to it that the Python client is in the cache and returns its folder. Throws, in a sentence, where it cannot. */
export async function installPythonClient(): Promise<string> {
  const folder = clientFolder();
  if (folder === null) throw new Error(needsPython);
  if (existsSync(folder)) return folder;
  await mkdir(cacheFolder(), { recursive: true });
  const making = await mkdtemp(`${folder}-`);
  try {
    const pip = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--target", making];
    await runToEnd("python3", [...pip, `pulsar-client==${version}`], needsPython);
    await rename(making, folder).catch((error: NodeJS.ErrnoException) => {
      // Somebody else was faster, with the same.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return folder;
}
