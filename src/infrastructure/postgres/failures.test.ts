import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DatabaseFailure } from "../../kernel/statement.ts";
import { failureOf } from "./failures.ts";

function errorWith(code: string): Error {
  return Object.assign(new Error(`told ${code}`), { code });
}

function judged(code: string, sent: boolean): [DatabaseFailure["kind"], boolean] {
  const error = errorWith(code);
  const failure = failureOf(error, sent);
  assert.ok(failure instanceof DatabaseFailure, `${code} is not a failure of the database`);
  assert.equal(failure.cause, error);
  assert.ok(failure.message.includes(`told ${code}`));
  return [failure.kind, failure.mayHaveCommitted];
}

describe("an error of PostgreSQL", () => {
  test("about the data is a rejection, and was rolled back", () => {
    for (const code of ["23505", "23503", "23514", "23502", "23P01", "22003", "22P02", "22P05", "22021"]) {
      assert.deepEqual(judged(code, true), ["rejected", false], code);
    }
  });

  test("for others' sake is busy, and was rolled back", () => {
    for (const code of ["40001", "40P01", "55P03"]) assert.deepEqual(judged(code, true), ["busy", false], code);
  });

  test("about resources, connections or a deadline is an outage that rolled the statement back", () => {
    for (const code of ["53100", "57014", "57P03", "58030", "08006", "08P01", "25006", "0A000"]) {
      assert.deepEqual(judged(code, true), ["unavailable", false], code);
    }
  });

  test("that ended the session is an outage after which the commit may have gone through, if it was sent", () => {
    for (const code of ["57P01", "57P02", "57P05"]) {
      assert.deepEqual(judged(code, true), ["unavailable", true], code);
      assert.deepEqual(judged(code, false), ["unavailable", false], code);
    }
  });

  test("that is a bug of ours stays what it is, so that nobody tries it again", () => {
    for (const code of ["42601", "42P01", "42501", "42703", "XX000", "P0001", "26000"]) {
      const error = errorWith(code);
      assert.equal(failureOf(error, true), error, code);
    }
  });
});

describe("an error of the network or the driver", () => {
  test("is an outage; whether it may have committed depends on whether the statement was sent", () => {
    for (const code of ["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN", "ERR_SOCKET"]) {
      assert.deepEqual(judged(code, true), ["unavailable", true], code);
      assert.deepEqual(judged(code, false), ["unavailable", false], code);
    }
  });

  test("without a code is an outage as well", () => {
    for (const sent of [true, false]) {
      const failure = failureOf(new Error("Connection terminated unexpectedly"), sent);
      assert.ok(failure instanceof DatabaseFailure);
      assert.deepEqual([failure.kind, failure.mayHaveCommitted], ["unavailable", sent]);
    }
  });
});

describe("what is not an error of the database", () => {
  test("is returned as it is", () => {
    const failure = new DatabaseFailure("busy", false, "busy");
    for (const thrown of [failure, "text", undefined, null, 42, { code: "23505" }]) {
      assert.equal(failureOf(thrown, true), thrown);
    }
  });
});
