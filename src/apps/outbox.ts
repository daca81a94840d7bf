import { userInfo } from "node:os";
import { parseArgs } from "node:util";
import { createPool } from "../infrastructure/postgres/connections.ts";
import { isUuid } from "../kernel/identifiers.ts";
import type { Database } from "../kernel/statement.ts";
import {
  type InspectedEvent,
  inspectEvents,
  listParkedStreams,
  type OutboxReport,
  type ParkedReport,
  releaseStreams,
  reportOutbox,
} from "../modules/events/index.ts";
import type { Settings } from "../settings.ts";
import { findDatabase } from "./find-database.ts";
import { OperatorFault } from "./operator-fault.ts";

const usage = `Usage: marketflow outbox stats | inspect <stream or position> | replay <stream or --all>
                        | skip <stream> --reason "why"

stats    what the relay has published and has not, by category and by lane, and which streams are parked
inspect  the events of a stream, or the one at a position, and what became of each
replay   publishes a parked stream from the refused event on, or all of them
skip     passes the refused event of a parked stream over and publishes what follows; the reason is kept
--json   the same as JSON`;

/** What a person can read; the JSON of a list has no more either. */
const mostShown = 1_000;

type Output = { write(text: string): unknown };

/** `marketflow outbox` shows what the relay does, and decides about what it could not publish. */
export async function outboxCommand(
  settings: Settings,
  args: readonly string[],
  output: Output = process.stdout,
): Promise<void> {
  const asked = readArguments(args);
  const { url, stop } = await findDatabase(settings);
  const database = createPool({
    url,
    applicationName: "marketflow outbox",
    statementTimeoutMs: 30_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
    most: 1,
  });
  try {
    output.write(await answer(database, asked));
  } finally {
    await database.close();
    await stop();
  }
}

type Asked =
  | { readonly action: "stats"; readonly json: boolean }
  | { readonly action: "inspect"; readonly what: { stream: string } | { position: bigint }; readonly json: boolean }
  | {
      readonly action: "release";
      readonly stream: string | undefined;
      readonly reason?: string;
      readonly json: boolean;
    };

function readArguments(args: readonly string[]): Asked {
  const { values, positionals } = parse(args);
  const [action, what = "", ...more] = positionals;
  const { json, all, reason } = values;
  const stream = isUuid(what.toLowerCase()) ? what.toLowerCase() : undefined;
  const isPlain = more.length === 0 && !all && reason === undefined;
  if (action === "stats" && what === "" && isPlain) return { action, json };
  if (action === "inspect" && isPlain) {
    if (stream !== undefined) return { action, what: { stream }, json };
    if (/^\d{1,18}$/.test(what)) return { action, what: { position: BigInt(what) }, json };
  }
  if (action === "replay" && more.length === 0 && reason === undefined && all === (what === "")) {
    if (all || stream !== undefined) return { action: "release", stream, json };
  }
  if (action === "skip" && more.length === 0 && !all && stream !== undefined && reason?.trim()) {
    return { action: "release", stream, reason: reason.trim(), json };
  }
  throw new OperatorFault(usage);
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        all: { type: "boolean", default: false },
        reason: { type: "string" },
      },
    });
  } catch (error) {
    throw new OperatorFault(usage, error);
  }
}

async function answer(database: Database, asked: Asked): Promise<string> {
  if (asked.action === "stats") {
    const [report, parked] = await Promise.all([
      reportOutbox(database),
      listParkedStreams(database, { limit: mostShown }),
    ]);
    return asked.json ? jsonOf({ ...report, parked }) : statsText(report, parked);
  }
  if (asked.action === "inspect") {
    const events = await inspectEvents(database, asked.what, mostShown);
    if (events.length === 0) throw new OperatorFault("There is no such event in the log.");
    return asked.json ? `[\n${events.map(eventJson).join(",\n")}\n]\n` : eventsText(events);
  }
  const { stream, reason } = asked;
  const released = await releaseStreams(database, { stream, actor: operator(), skipReason: reason });
  if (released.length === 0 && stream !== undefined) {
    throw new OperatorFault(`${stream} is not parked, or it is released already.`);
  }
  if (asked.json) return jsonOf({ released });
  const streams = released.length === 1 ? "1 stream is" : `${released.length} streams are`;
  return `${streams} released; the relay publishes what was withheld within seconds.\n`;
}

/** Who is at the keyboard; a container may run as a user that has no name. */
function operator(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}

/** The data is put in as the text that it is: a double could not carry every amount. */
function eventJson({ data, ...event }: InspectedEvent): string {
  return `${JSON.stringify(event, numbersOf).slice(0, -1)},"data":${data}}`;
}

function jsonOf(value: unknown): string {
  return `${JSON.stringify(value, numbersOf, 2)}\n`;
}

const numbersOf = (_key: string, item: unknown) => (typeof item === "bigint" ? Number(item) : item);

function statsText({ categories, lanes, drawn, oldestPending }: OutboxReport, parked: readonly ParkedReport[]): string {
  const pending = categories.reduce((sum, category) => sum + category.pending, 0);
  const age = oldestPending === null ? "" : `, the oldest for ${ageOf(oldestPending)}`;
  const blocks = [
    table(
      ["category", "total", "published", "pending", "parked", "skipped"],
      categories.map((row) => [row.category, row.total, row.published, row.pending, row.parked, row.skipped]),
    ),
    table(
      ["lane", "position", "published", "parked", "moved", "owner"],
      lanes.map((row) => [
        row.lane,
        row.position,
        row.published,
        row.parked,
        row.movedAt === null ? "never" : `${ageOf(row.movedAt)} ago`,
        row.ownerPid ?? "nobody",
      ]),
    ),
    `${pending} events are pending${age}. The log has drawn position ${drawn}.\n`,
  ];
  if (parked.length > 0) {
    blocks.push(
      table(
        ["parked stream", "event", "version", "withheld", "since", "reason"],
        parked.map((row) => [
          row.stream,
          row.type,
          row.version,
          row.withheld,
          `${ageOf(row.parkedAt)} ago`,
          row.releasedAt === null ? row.reason : `${row.reason} (released by ${row.releasedBy})`,
        ]),
      ),
    );
  }
  return blocks.join("\n");
}

function eventsText(events: readonly InspectedEvent[]): string {
  return events
    .map(({ position, category, stream, version, type, data, recordedAt, state, skipped }) => {
      const why = skipped === null ? "" : ` by ${skipped.actor}: ${skipped.reason} (it was ${skipped.refusal})`;
      const head = `${position}  ${recordedAt.toISOString()}  ${category} ${stream} version ${version}  ${type}`;
      return `${head}  ${state}${why}\n  ${data}\n`;
    })
    .join("");
}

function ageOf(at: Date): string {
  const seconds = Math.max(0, Math.round((Date.now() - at.getTime()) / 1_000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

/** Texts to the left, numbers to the right. */
function table(head: readonly string[], rows: readonly (readonly (string | number | bigint)[])[]): string {
  const widths = head.map((title, place) => Math.max(title.length, ...rows.map((row) => `${row[place] ?? ""}`.length)));
  const line = (cells: readonly (string | number | bigint)[]) =>
    cells
      .map((cell, place) => {
        const isText = typeof rows[0]?.[place] === "string";
        return isText ? `${cell}`.padEnd(widths[place] ?? 0) : `${cell}`.padStart(widths[place] ?? 0);
      })
      .join("  ")
      .trimEnd();
  return `${[head, ...rows].map(line).join("\n")}\n`;
}
