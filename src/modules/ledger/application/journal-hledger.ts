import { allCurrencies } from "../../../kernel/currency.ts";
import { toDecimal } from "../../../kernel/money.ts";
import { kindOf } from "../domain/chart.ts";
import type { Journal, JournalEntry } from "./export-journal.ts";

/**
 * The journal in hledger's format (hledger.org/hledger.html#journal), which `hledger check --strict` accepts: every
 * commodity and account is declared, and all of it is ASCII, which hledger reads under any locale. Debits are
 * positive. The last line is a comment that says that the file is complete. A chunk of text for each page.
 */
export async function* hledgerOf(journal: Journal): AsyncGenerator<string> {
  yield head();
  let lastCode = "";
  for await (const page of journal.accounts()) {
    // An account in several currencies is one account of hledger's; they come one after the other.
    const fresh = page.filter(({ code }, place) => code !== (page[place - 1]?.code ?? lastCode));
    lastCode = page.at(-1)?.code ?? lastCode;
    yield fresh.map(({ code }) => `account ${hledgerAccountOf(code)}  ; type:${typeOf(code)}\n`).join("");
  }
  let lastId = "";
  let transactions = 0;
  for await (const page of journal.entries()) {
    let text = "";
    for (const entry of page) {
      if (entry.transactionId !== lastId) {
        text += headOf(entry);
        lastId = entry.transactionId;
        transactions += 1;
      }
      text += `    ${hledgerAccountOf(entry.code)}  ${toDecimal(entry.amount)} ${entry.amount.currency}\n`;
    }
    yield text;
  }
  yield `\n; complete: ${transactions} transactions\n`;
}

/**
 * The decimal mark first: without it 1.000 would be a thousand to hledger. A commodity's example must have a decimal
 * mark, also where the currency has no decimals.
 */
function head(): string {
  const commodities = allCurrencies().map((currency) => {
    const example = toDecimal({ amountMinor: 1_000n, currency });
    return `commodity ${example}${example.includes(".") ? "" : "."} ${currency}\n`;
  });
  return `; MarketFlow journal\ndecimal-mark .\n\n${commodities.join("")}\n`;
}

function headOf({ transactionId, kind, reference, externalId, postedAt, effectiveAt }: JournalEntry): string {
  const tags = [
    `posted_at:${postedAt}`,
    ...(effectiveAt === null ? [] : [`effective_at:${effectiveAt}`]),
    ...(externalId === null ? [] : [`external_id:${encode(externalId, ":/")}`]),
  ];
  const date = (effectiveAt ?? postedAt).slice(0, 10);
  return `\n${date} * (${transactionId}) ${kind} ${encode(reference, ":/")}  ; ${tags.join(", ")}\n`;
}

/**
 * The name of an account in hledger, whose levels are parted by colons. Only ours are: the id in a code may have colons
 * and anything else, and is written so that it is one level, and different ids are different names.
 */
export function hledgerAccountOf(code: string): string {
  const pattern = kindOf(code)?.pattern ?? "%";
  const [before = "", after] = pattern.split("%");
  if (after === undefined) return code;
  const id = code.slice(before.length, code.length - after.length);
  // A level must not be empty; a lone percent sign stands for no other id.
  return `${before}${id === "" ? "%" : encode(id, "")}${after}`;
}

/** Percent-encodes the UTF-8 of all but letters, digits, dots, underscores, hyphens and what is allowed besides. */
function encode(text: string, allowed: string): string {
  let encoded = "";
  for (const character of text) {
    if (/^[\w.-]$/.test(character) || allowed.includes(character)) encoded += character;
    else for (const byte of Buffer.from(character)) encoded += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** What kind of account it is to hledger: asset, liability, equity, revenue or expense. */
function typeOf(code: string): "A" | "L" | "E" | "R" | "X" {
  if (code === "platform:commission") return "R";
  if (code === "platform:funding") return "E";
  const kind = kindOf(code);
  if (code === "platform:losses" || kind?.pattern === "affiliate:%:paid") return "X";
  return kind?.normalSide === "debit" ? "A" : "L";
}
