/** What a statement needs of a database: a connection, a pool or a transaction. */
export interface Database {
  query(query: { name: string; text: string; values: unknown[] }): Promise<{ rows: unknown[] }>;
}

/**
 * Why a statement failed.
 * - `unavailable`: there was no answer: no connection, a lost one, a deadline.
 * - `busy`: the database gave up on it for others' sake (deadlock, serialization, lock timeout) and rolled it back.
 * - `rejected`: the database refused the data (a constraint, a value it cannot hold) and rolled it back.
 */
export type DatabaseFailureKind = "unavailable" | "busy" | "rejected";

/** Thrown by a {@link Database} whatever driver stands behind it. */
export class DatabaseFailure extends Error {
  readonly kind: DatabaseFailureKind;
  /** False where it is certain that nothing was committed; true where the answer was lost after sending. */
  readonly mayHaveCommitted: boolean;
  /** The name of the constraint that the data broke, where it is one. */
  readonly constraint: string | null;

  constructor(
    kind: DatabaseFailureKind,
    mayHaveCommitted: boolean,
    message: string,
    cause?: unknown,
    constraint: string | null = null,
  ) {
    super(message, { cause });
    this.name = "DatabaseFailure";
    this.kind = kind;
    this.mayHaveCommitted = mayHaveCommitted;
    this.constraint = constraint;
  }
}

type ParameterLocation = { a: number; b: number };

/** The part of PgTyped's intermediate form that running a statement needs. */
type StatementSource = {
  statement: string;
  params: { name: string; locs: ParameterLocation[] }[];
};

/**
 * One SQL statement of a `persistence.sql` file, typed by PgTyped and run as a named prepared statement, so that
 * PostgreSQL parses and plans it once for each connection. The generated `*.queries.ts` files construct these.
 */
export class PreparedStatement<Parameters, Row> {
  readonly name: string;
  readonly text: string;
  readonly #parameterNames: string[];

  constructor(name: string, source: StatementSource) {
    this.name = name;
    this.#parameterNames = source.params.map((parameter) => parameter.name);
    const places = source.params
      .flatMap((parameter, index) => parameter.locs.map((loc) => ({ ...loc, text: `$${index + 1}` })))
      .sort((left, right) => left.a - right.a);
    let text = "";
    let from = 0;
    for (const place of places) {
      text += source.statement.slice(from, place.a) + place.text;
      from = place.b;
    }
    this.text = text + source.statement.slice(from);
  }

  async run(parameters: Parameters, database: Database): Promise<Row[]> {
    const values = this.#parameterNames.map((name) => (parameters as Record<string, unknown>)[name]);
    const { rows } = await database.query({ name: this.name, text: this.text, values });
    return rows as Row[];
  }
}
