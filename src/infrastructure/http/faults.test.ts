import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DatabaseFailure } from "../../kernel/statement.ts";
import { LaneRefusal } from "../../movements/ports.ts";
import { UnusableJson } from "./exact-json.ts";
import { problemOf } from "./faults.ts";
import type { Problem } from "./problems.ts";

function codeOf(error: unknown): [number, string] {
  const { status, code } = problemOf(error);
  return [status, code];
}

function inBrief({ errors }: Problem) {
  return errors?.map(({ pointer, detail }) => ({ pointer, detail }));
}

function frameworkError(statusCode: number): Error {
  return Object.assign(new Error(`framework ${statusCode}`), { statusCode, code: "FST_ERR_SOMETHING" });
}

function invalid(...validation: Record<string, unknown>[]): Error {
  return Object.assign(new Error("body is not valid"), {
    statusCode: 400,
    code: "FST_ERR_VALIDATION",
    validation: validation.map((fault) => ({ instancePath: "", schemaPath: "#", params: {}, ...fault })),
  });
}

describe("the answer to a fault", () => {
  test("of unusable JSON is 400 and points to the key, where there is one", () => {
    assert.deepEqual(problemOf(new UnusableJson("Write the number without an exponent.", "amount")), {
      status: 400,
      code: "invalid_request",
      detail: "Write the number without an exponent.",
      errors: [
        {
          pointer: "/amount",
          detail: "Write the number without an exponent.",
          place: "body",
          type: "json_invalid",
        },
      ],
    });
    assert.equal(problemOf(new UnusableJson("The body is empty.")).errors?.[0]?.pointer, "", "all of the body");
  });

  test("of an overloaded or stopping server is 503, says that nothing was done, and when to try again", () => {
    for (const [reason, code] of [
      ["full", "overloaded"],
      ["waited_too_long", "overloaded"],
      ["closed", "shutting_down"],
    ] as const) {
      const problem = problemOf(new LaneRefusal("accept", reason));
      assert.deepEqual([problem.status, problem.code, problem.retryAfterSeconds], [503, code, 1]);
      assert.match(problem.detail, /Nothing was done/);
    }
  });

  test("of a database that is away is 503, and says truly whether something may have been done", () => {
    const untouched = problemOf(new DatabaseFailure("unavailable", false, "ECONNREFUSED 10.0.0.7"));
    assert.deepEqual([untouched.status, untouched.code, untouched.retryAfterSeconds], [503, "database_unavailable", 1]);
    assert.match(untouched.detail, /Nothing was done/);
    const lost = problemOf(new DatabaseFailure("unavailable", true, "ECONNRESET 10.0.0.7"));
    assert.deepEqual([lost.status, lost.code, lost.retryAfterSeconds], [503, "database_unavailable", 1]);
    assert.match(lost.detail, /may have been done.*same idempotency key/);
    assert.doesNotMatch(lost.detail, /Nothing was done/);
    assert.deepEqual(codeOf(new DatabaseFailure("busy", false, "deadlock")), [503, "database_unavailable"]);
    for (const problem of [untouched, lost]) assert.ok(!JSON.stringify(problem).includes("10.0.0.7"));
  });

  test("of data that the database refused is a bug of ours, because we should have refused it", () => {
    const failure = new DatabaseFailure("rejected", false, "violates check constraint payments_amount_check");
    assert.deepEqual(codeOf(failure), [500, "internal_error"]);
    assert.ok(!JSON.stringify(problemOf(failure)).includes("constraint"));
  });

  test("of the framework keeps its status and has our code", () => {
    assert.deepEqual(codeOf(frameworkError(413)), [413, "body_too_large"]);
    assert.deepEqual(codeOf(frameworkError(415)), [415, "unsupported_media_type"]);
    assert.deepEqual(codeOf(frameworkError(408)), [408, "request_timeout"]);
    assert.deepEqual(codeOf(frameworkError(503)), [503, "shutting_down"]);
    assert.deepEqual(codeOf(frameworkError(400)), [400, "invalid_request"]);
    assert.deepEqual(codeOf(frameworkError(500)), [500, "internal_error"]);
    assert.deepEqual(codeOf(frameworkError(502)), [500, "internal_error"]);
  });

  test("that nobody expected is 500 and says nothing of the inside, whatever was thrown", () => {
    const thrown = [new Error("secret"), new TypeError("secret"), "secret", { secret: 1 }, undefined, null, 42];
    for (const error of thrown) {
      assert.deepEqual(codeOf(error), [500, "internal_error"]);
      assert.ok(!JSON.stringify(problemOf(error)).includes("secret"));
    }
  });

  test("that another library threw is 500 even where it has a status of its own", () => {
    const error = Object.assign(new Error("Invalid API key provided: sk_test_secret"), { statusCode: 401 });
    assert.deepEqual(codeOf(error), [500, "internal_error"]);
    assert.ok(!JSON.stringify(problemOf(error)).includes("secret"));
  });
});

describe("the answer to a request that does not fit its schema", () => {
  test("names every field with a pointer and what it should be", () => {
    const error = invalid(
      { keyword: "required", params: { missingProperty: "amount" } },
      { keyword: "additionalProperties", params: { additionalProperty: "amout" } },
      { keyword: "enum", instancePath: "/status", params: { allowedValues: ["pending", "failed"] } },
      { keyword: "type", instancePath: "/currency", params: { type: "string" } },
      { keyword: "type", instancePath: "/amount", params: { type: ["number", "string"] } },
      { keyword: "maxLength", instancePath: "/reference", message: "must NOT have more than 255 characters" },
    );
    const problem = problemOf(error);
    assert.deepEqual([problem.status, problem.code], [400, "invalid_request"]);
    assert.deepEqual(inBrief(problem), [
      { pointer: "/amount", detail: "amount is missing." },
      { pointer: "/amout", detail: "amout is not a field here. Leave it out." },
      { pointer: "/status", detail: "status must be one of pending, failed." },
      { pointer: "/currency", detail: "currency must be of type string." },
      { pointer: "/amount", detail: "amount must be of type number or string." },
      { pointer: "/reference", detail: "reference must NOT have more than 255 characters." },
    ]);
    assert.equal(problem.detail, "amount is missing.");
    assert.deepEqual(
      problem.errors?.map(({ type }) => type),
      ["missing", "extra_forbidden", "enum", "string_type", "float_type", "string_too_long"],
    );
  });

  test("speaks of the body where the fault is no field's", () => {
    const [fault] = problemOf(invalid({ keyword: "type", params: { type: "object" } })).errors ?? [];
    assert.equal(fault?.detail, "The body must be of type object.");
    const nested = invalid({ keyword: "required", instancePath: "/a", params: { missingProperty: "b" } });
    assert.deepEqual(inBrief(problemOf(nested)), [{ pointer: "/a/b", detail: "a/b is missing." }]);
  });

  test("says where the fault stands", () => {
    const fault = { keyword: "required", params: { missingProperty: "limit" } };
    for (const [context, place] of Object.entries({ body: "body", querystring: "query", params: "path" })) {
      const error = Object.assign(invalid(fault), { validationContext: context });
      assert.equal(problemOf(error).errors?.[0]?.place, place);
    }
  });

  test("says once of a value that fits none of several types which they are", () => {
    const at = (schemaPath: string, keyword: string, params: object = {}) => ({
      keyword,
      schemaPath,
      params,
      instancePath: "/amount",
    });
    const union = "#/properties/amount/anyOf";
    const types = [
      at(`${union}/0/type`, "type", { type: "number" }),
      at(`${union}/1/type`, "type", { type: "string" }),
    ];
    assert.deepEqual(inBrief(problemOf(invalid(...types, at(union, "anyOf")))), [
      { pointer: "/amount", detail: "amount must be of type number or string." },
    ]);
    const longer = at(`${union}/1/maxLength`, "maxLength", { limit: 64 });
    const kept = problemOf(invalid(types[0] ?? {}, longer, at(union, "anyOf"))).errors;
    assert.deepEqual(
      kept?.map(({ type }) => type),
      ["float_type", "string_too_long", "value_error"],
    );
  });

  test("points with the escapes of RFC 6901 to a key that has a slash", () => {
    const [fault] =
      problemOf(invalid({ keyword: "additionalProperties", params: { additionalProperty: "a/b~" } })).errors ?? [];
    assert.equal(fault?.pointer, "/a~1b~0");
  });

  test("always has a sentence, even without any fault named", () => {
    assert.equal(problemOf(invalid()).detail, "The request is not valid.");
  });
});
