import type { Database } from "../../../../kernel/statement.ts";
import { findOpenings } from "../../persistence/vault.queries.ts";
import type { AuditCheck } from "./report.ts";

/** That the vault is closed: its triggers are on, its constraints hold, and the application can only do what it may. */
export function checkVault(database: Database): AuditCheck {
  return {
    name: "vault",
    async run(report) {
      for (const opening of await findOpenings.run(undefined, database)) report.finding(opening);
      report.checked("locks", 1);
    },
  };
}
