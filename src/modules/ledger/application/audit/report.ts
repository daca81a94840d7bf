/** Something that is not as it must be. */
export type Finding = {
  readonly check: string;
  /** The row, by what it is called: "entry 123456/2 (account seller:x:available version 7)". */
  readonly where: string;
  /** What is wrong, as a sentence. */
  readonly what: string;
  readonly table?: string;
  /** The row's key in the table. */
  readonly id?: string;
};

/** What a check tells while it runs. */
export type AuditReport = {
  finding(finding: Omit<Finding, "check">): void;
  /** So many more were looked at: entries, payments, … */
  checked(unit: string, count: number): void;
  /** About how many there are to look at, for the progress. */
  expect(count: number): void;
};

/** One check of an audit. It reads the database that it was made with, in pages, so that its memory is bounded. */
export type AuditCheck = { readonly name: string; run(report: AuditReport): Promise<void> };

export type CheckResult = {
  readonly name: string;
  /** How many were looked at, by what they are. */
  readonly checked: Readonly<Record<string, number>>;
  readonly findings: number;
  readonly durationMs: number;
};

/** Who watches an audit: a progress bar, or nobody. */
export type AuditObserver = {
  progress(check: string, done: number, expected: number): void;
  ended(result: CheckResult): void;
};

export type AuditOutcome = {
  readonly checks: readonly CheckResult[];
  /** The first ones; a ledger that was destroyed has more of them than anybody reads. */
  readonly findings: readonly Finding[];
  readonly findingsTotal: number;
  readonly durationMs: number;
};

const findingsKept = 1_000;

/**
 * Runs checks, one after another. They must see one snapshot: the caller gives them a database that is inside of a
 * transaction for it. Throws where the database does, because an audit that saw only a part has said nothing.
 */
export async function runAudit(checks: readonly AuditCheck[], observer?: AuditObserver): Promise<AuditOutcome> {
  const startedMs = performance.now();
  const results: CheckResult[] = [];
  const findings: Finding[] = [];
  let findingsTotal = 0;
  for (const check of checks) {
    const beganMs = performance.now();
    const checked: Record<string, number> = {};
    let done = 0;
    let expected = 0;
    let found = 0;
    await check.run({
      finding(finding) {
        found++;
        if (findings.length < findingsKept) findings.push({ check: check.name, ...finding });
      },
      checked(unit, count) {
        checked[unit] = (checked[unit] ?? 0) + count;
        done += count;
        observer?.progress(check.name, done, Math.max(done, expected));
      },
      expect(count) {
        expected += count;
      },
    });
    findingsTotal += found;
    const result = { name: check.name, checked, findings: found, durationMs: performance.now() - beganMs };
    results.push(result);
    observer?.ended(result);
  }
  return { checks: results, findings, findingsTotal, durationMs: performance.now() - startedMs };
}
