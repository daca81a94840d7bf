import { createPool } from "../infrastructure/postgres/connections.ts";
import { type Currency, parseCurrency } from "../kernel/currency.ts";
import { fromStoredDecimal, type Money, toDecimal } from "../kernel/money.ts";
import { ownBooks, setFloor } from "../modules/ledger/index.ts";
import type { Settings } from "../settings.ts";
import { OperatorFault } from "./operator-fault.ts";

const usage =
  'Usage: marketflow floor ACCOUNT CURRENCY AMOUNT --reason "why", such as: seller:42:available USD -100.00';

/**
 * `marketflow floor` sets the least that may be available in an account: below zero where a seller may owe, above it
 * where a reserve is to stay. Only the owner of the schemas can (DATABASE_OWNER_URL), and the reason is kept.
 */
export async function floorCommand(settings: Settings, args: readonly string[]): Promise<void> {
  const url = settings.databaseOwnerUrl ?? settings.databaseUrl;
  if (url === undefined) {
    throw new OperatorFault("Set DATABASE_OWNER_URL: PostgreSQL as the role that owns the schemas.");
  }
  const [account, code, amount, flag, reason, ...more] = args;
  const currency = parseCurrency(code ?? "");
  const isComplete = account !== undefined && amount !== undefined && flag === "--reason" && more.length === 0;
  if (!isComplete || currency === undefined || reason === undefined || !/^-?\d{1,12}(\.\d{1,3})?$/.test(amount)) {
    throw new OperatorFault(usage);
  }
  const floor = amountOf(amount, currency);
  const database = createPool({
    url,
    applicationName: "marketflow floor",
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 5_000,
    onIdleError: () => undefined,
    most: 1,
  });
  try {
    await setFloor({ database, tenant: ownBooks }, account, floor, reason);
  } catch (error) {
    throw new OperatorFault(`The floor stays as it was: ${error instanceof Error ? error.message : error}`, error);
  } finally {
    await database.close();
  }
  process.stdout.write(`${account} may go down to ${toDecimal(floor)} ${currency}\n`);
}

function amountOf(text: string, currency: Currency): Money {
  try {
    return fromStoredDecimal(text, currency);
  } catch (error) {
    throw new OperatorFault(`${text} has more decimals than ${currency} has.`, error);
  }
}
