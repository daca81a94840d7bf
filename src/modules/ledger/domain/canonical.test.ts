import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { canonicalHeader, canonicalRow, formatHead, parseHead, type SealedRow } from "./canonical.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("the canonical form", () => {
  test("an account is its kind, its id, its texts by length, and whether it has a floor", () => {
    const account: SealedRow = {
      kind: "account",
      id: 65_537n,
      tenant: "t",
      code: "é",
      currency: "USD",
      normalSide: "debit",
      floored: true,
    };
    const expected = [
      "02",
      "0000000000010001",
      "00000001 74",
      "00000002 c3a9",
      "00000003 555344",
      "00000005 6465626974",
      "01",
    ];
    assert.equal(hex(canonicalRow(account)), expected.join("").replaceAll(" ", ""));
  });

  test("a credit is negative, and an entry without an effective time has the length -1 for it", () => {
    const entry: SealedRow = {
      kind: "entry",
      id: 1n,
      leg: 2,
      accountId: 3n,
      version: 4n,
      amount: -5n,
      balance: 6n,
      currency: "JPY",
      postedAt: 7n,
      effectiveAt: null,
    };
    const expected = [
      "04",
      "0000000000000001",
      "0002",
      "0000000000000003",
      "0000000000000004",
      "fffffffffffffffb",
      "0000000000000006",
      "00000003 4a5059",
      "0000000000000007",
      "ffffffff",
    ];
    assert.equal(hex(canonicalRow(entry)), expected.join("").replaceAll(" ", ""));
    assert.match(hex(canonicalRow({ ...entry, effectiveAt: 8n })), /00000008 ?0000000000000008$/);
  });

  test("nothing and an empty text are two things, and a border between texts cannot move", () => {
    const transaction: SealedRow = {
      kind: "transaction",
      id: 1n,
      tenant: "a",
      type: "sale",
      reference: "bc",
      externalId: null,
      postedAt: 0n,
      effectiveAt: null,
    };
    assert.notEqual(hex(canonicalRow(transaction)), hex(canonicalRow({ ...transaction, externalId: "" })));
    const moved = { ...transaction, type: "saleb", reference: "c" };
    assert.notEqual(hex(canonicalRow(transaction)), hex(canonicalRow(moved)));
  });

  test("texts of any length fit", () => {
    const reason = "€".repeat(5_000);
    const bytes = canonicalRow({
      kind: "floor_change",
      id: 1n,
      accountId: 2n,
      floor: -3n,
      reason,
      changedBy: "me",
      changedAt: 4n,
    });
    assert.equal(bytes.length, 1 + 8 + 8 + 8 + 4 + 15_000 + 4 + 2 + 8);
  });

  test("a seal's header has the number of its batches and of its rows", () => {
    const previous = new Uint8Array(32).fill(0xab);
    const bytes = canonicalHeader({ number: 2n, previous, batches: [9n, 10n], sealedAt: 11n, rows: 12 });
    const expected = [
      "0000000000000002",
      "ab".repeat(32),
      "00000002",
      "0000000000000009",
      "000000000000000a",
      "000000000000000b",
      "0000000c",
    ];
    assert.equal(hex(bytes), expected.join(""));
  });
});

describe("a head", () => {
  test("is read as it is written", () => {
    const head = { number: 12n, hash: "0f".repeat(32) };
    assert.equal(formatHead(head), `12:${"0f".repeat(32)}`);
    assert.deepEqual(parseHead(formatHead(head)), head);
    assert.deepEqual(parseHead(` 12:${"0F".repeat(32)}\n`), head);
  });

  test("is nothing else", () => {
    for (const text of ["", "12", `0:${"00".repeat(32)}`, `12:${"00".repeat(31)}`, `-1:${"00".repeat(32)}`]) {
      assert.equal(parseHead(text), undefined, text);
    }
  });
});
