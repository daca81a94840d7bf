import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type Database, DatabaseFailure, PreparedStatement } from "./statement.ts";

type Query = Parameters<Database["query"]>[0];
type Source = ConstructorParameters<typeof PreparedStatement>[1];

/** Finds `:name` in a statement as the generated files record it; the colon is not part of the name's place. */
function sourceOf(statement: string, ...names: string[]): Source {
  const params = names.map((name) => ({
    name,
    locs: [...statement.matchAll(new RegExp(`:${name}\\b`, "g"))].map(({ index }) => ({
      a: index,
      b: index + name.length + 1,
    })),
  }));
  return { statement, params };
}

function recording(rows: unknown[]): { database: Database; queries: Query[] } {
  const queries: Query[] = [];
  const database: Database = {
    async query(query) {
      queries.push(query);
      return { rows };
    },
  };
  return { database, queries };
}

describe("a prepared statement", () => {
  test("numbers its parameters in their order and keeps the rest of the text", () => {
    const source = sourceOf("select a from t where b = :b and c = :c;", "b", "c");
    assert.equal(new PreparedStatement("find", source).text, "select a from t where b = $1 and c = $2;");
  });

  test("gives a parameter that is used several times one number", () => {
    const source = sourceOf("select :b::text is null or x = :a or y = :b or z = :a", "a", "b");
    const statement = new PreparedStatement("find", source);
    assert.equal(statement.text, "select $2::text is null or x = $1 or y = $2 or z = $1");
  });

  test("leaves a text without parameters as it is", () => {
    assert.equal(new PreparedStatement("count", sourceOf("select count(*) from t")).text, "select count(*) from t");
  });

  test("numbers beyond nine, and names that begin alike, do not disturb each other", () => {
    const names = Array.from({ length: 12 }, (_, index) => `p${index + 1}`);
    const statement = new PreparedStatement("many", sourceOf(names.map((name) => `:${name}`).join(", "), ...names));
    assert.equal(statement.text, "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12");
  });

  test("passes each value once, at its number, with its name and text, and returns the rows", async () => {
    const statement = new PreparedStatement<{ id: string; limit: number; gone: null }, { id: string }>(
      "find",
      sourceOf("select :id where :gone is null limit :limit offset :limit", "id", "limit", "gone"),
    );
    const { database, queries } = recording([{ id: "x" }]);
    assert.deepEqual(await statement.run({ limit: 5, gone: null, id: "x" }, database), [{ id: "x" }]);
    assert.deepEqual(queries, [
      { name: "find", text: "select $1 where $3 is null limit $2 offset $2", values: ["x", 5, null] },
    ]);
  });

  test("an array is one value, so that the text does not depend on how many items there are", async () => {
    const statement = new PreparedStatement<{ ids: string[] }, never>("all", sourceOf("select unnest(:ids)", "ids"));
    const { database, queries } = recording([]);
    await statement.run({ ids: ["a", "b", "c"] }, database);
    assert.deepEqual(queries[0]?.values, [["a", "b", "c"]]);
  });

  test("lets the database's failure through", async () => {
    const failure = new DatabaseFailure("busy", false, "deadlock");
    const statement = new PreparedStatement("find", sourceOf("select 1"));
    await assert.rejects(statement.run({}, { query: () => Promise.reject(failure) }), (error) => error === failure);
  });

  test("for any mix of texts and parameters, putting the names back gives the text as it was written", () => {
    const name = fc.constantFrom("a", "ab", "abc", "b", "ids");
    const piece = fc.oneof(fc.constantFrom(" select ", "::uuid[], ", "(", ")\n", " '$' "), name);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const isName = (text: string) => /^[a-z]+$/.test(text);
        const names = [...new Set(pieces.filter(isName))];
        const written = pieces.map((text) => (isName(text) ? `:${text} ` : text)).join("");
        const { text } = new PreparedStatement("any", sourceOf(written, ...names));
        assert.equal(
          text.replace(/\$(\d+)/g, (_, number) => `:${names[Number(number) - 1]}`),
          written,
        );
      }),
    );
  });
});

describe("a database failure", () => {
  test("carries its kind, whether it may have committed, and its cause", () => {
    const cause = new Error("ECONNRESET");
    const failure = new DatabaseFailure("unavailable", true, "the connection broke", cause);
    assert.ok(failure instanceof Error);
    assert.equal(failure.name, "DatabaseFailure");
    assert.equal(failure.kind, "unavailable");
    assert.equal(failure.mayHaveCommitted, true);
    assert.equal(failure.message, "the connection broke");
    assert.equal(failure.cause, cause);
  });
});
