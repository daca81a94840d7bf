import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { type Answer, post } from "./app.ts";

/** Pays a bill at the partner listener; a key of its own where none is given. */
export async function payBill(
  partner: string,
  amount: number,
  key: string = randomUUID(),
  more: object = {},
): Promise<Answer> {
  const body = { reference: "FAC-12345", amount, currency: "MXN", ...more };
  return await post(partner, "/payments", body, { "idempotency-key": key });
}

/** Pays an affiliate out at the partner listener. */
export async function payAffiliate(
  partner: string,
  more: object = {},
  headers: Record<string, string> = {},
): Promise<Answer> {
  return await post(partner, "/pagos/", { id_afiliado: "afiliado_123", monto: 100.5, moneda: "USD", ...more }, headers);
}

/** Whether requests of {@link curl} are made by the real program. */
export const hasCurl = (process.env["PATH"] ?? "")
  .split(delimiter)
  .some((folder) => folder !== "" && existsSync(join(folder, "curl")));

export type CurlOptions = {
  /** As `-H` takes them ("Idempotency-Key: pago-001"). */
  readonly headers?: readonly string[];
  /** The body to the letter, as `-d` takes it; makes the request a POST. */
  readonly data?: string;
  readonly method?: string;
};

const timeoutMs = 20_000;
const run = promisify(execFile);

/** What somebody gets who copies a request out of the contract into a terminal; by fetch where there is no curl. */
export async function curl(url: string, { headers = [], data, method }: CurlOptions = {}): Promise<Answer> {
  const verb = method ?? (data === undefined ? "GET" : "POST");
  if (!hasCurl) {
    const body = data === undefined ? {} : { body: data };
    const response = await fetch(url, { method: verb, headers: headers.map(headerOf), ...body });
    return answerOf(response.status, response.headers, await response.text());
  }
  const args = ["-sS", "-i", "--http1.1", "-X", verb, url, ...headers.flatMap((line) => ["-H", line])];
  if (data !== undefined) args.push("-d", data);
  const { stdout } = await run("curl", args, { timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 });
  const end = stdout.indexOf("\r\n\r\n");
  const [first = "", ...lines] = stdout.slice(0, end).split("\r\n");
  return answerOf(Number(first.split(" ")[1]), new Headers(lines.map(headerOf)), stdout.slice(end + 4));
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function answerOf(status: number, headers: Headers, text: string): Answer {
  const isJson = headers.get("content-type")?.includes("json");
  return { status, headers, body: isJson ? JSON.parse(text) : text };
}
