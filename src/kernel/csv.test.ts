import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type CsvRecord, createCsvParser, csvField, quotedWhereNeeded } from "./csv.ts";

/** Everything a parser says to a file that comes in these pieces. */
function parse(...pieces: string[]): { records: CsvRecord[]; fault: { line: number; detail: string } | null } {
  const parser = createCsvParser();
  const records: CsvRecord[] = [];
  for (const piece of pieces) {
    const pushed = parser.push(piece);
    records.push(...pushed.records);
    if (pushed.fault !== null) return { records, fault: pushed.fault };
  }
  const ended = parser.end();
  return { records: [...records, ...ended.records], fault: ended.fault };
}

function fieldsOf(...pieces: string[]): (readonly string[])[] {
  const { records, fault } = parse(...pieces);
  assert.equal(fault, null);
  return records.map(({ fields }) => fields);
}

describe("a CSV file", () => {
  test("has fields between commas, in lines that end with CRLF or LF", () => {
    assert.deepEqual(fieldsOf("a,b,c\r\n1,,3\n,,\n"), [
      ["a", "b", "c"],
      ["1", "", "3"],
      ["", "", ""],
    ]);
  });

  test("may end without a line break, also after a comma or a quote", () => {
    assert.deepEqual(fieldsOf("a,b"), [["a", "b"]]);
    assert.deepEqual(fieldsOf("a,"), [["a", ""]]);
    assert.deepEqual(fieldsOf('a,"b"'), [["a", "b"]]);
    assert.deepEqual(fieldsOf(""), []);
  });

  test("quotes what holds commas, quotes and line breaks", () => {
    assert.deepEqual(fieldsOf('"a,b","say ""hi""","two\r\nlines",""\n'), [["a,b", 'say "hi"', "two\r\nlines", ""]]);
  });

  test("is counted in its own lines, also where fields have line breaks and lines are empty", () => {
    const { records } = parse('h\n"1\n2"\n\n\r\nx\n');
    assert.deepEqual(
      records.map(({ line, fields }) => [line, fields[0]]),
      [
        [1, "h"],
        [2, "1\n2"],
        [6, "x"],
      ],
    );
  });

  const broken: [string, string, number, RegExp][] = [
    ["a quote that is never closed", 'a,b\n1,"2\n3,4\n', 2, /never closed/],
    ["a quote in the middle of a field", 'a,b\n1,2"3\n', 2, /quote stands in a field/],
    ["characters after a closing quote", 'a,b\n1,2\n"3"4,5\n', 3, /follow a closing quote/],
    ["lines that end with CR alone", "a,b\r1,2\r", 1, /CR alone/],
    ["CR at the very end", "a,b\r", 1, /CR alone/],
  ];
  for (const [what, text, line, detail] of broken) {
    test(`is refused with ${what}`, () => {
      const { fault } = parse(text);
      assert.equal(fault?.line, line);
      assert.match(fault?.detail ?? "", detail);
    });
  }

  test("does not fill the memory where a quote is never closed", () => {
    const { fault } = parse('a\n"', ...Array.from({ length: 200 }, () => "x".repeat(1_000)));
    assert.equal(fault?.line, 2);
    assert.match(fault?.detail ?? "", /longer than 65536/);
  });

  test("is read as it was written, whatever is in it and in whatever pieces it comes", () => {
    const field = fc.oneof(
      fc.string({ maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('"', ",", "\n", "\r", "a", "é", "𝄞"), maxLength: 6 }),
    );
    const file = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 8 });
    fc.assert(
      fc.property(file, fc.boolean(), fc.array(fc.nat(200), { maxLength: 6 }), (rows, quotesAll, cuts) => {
        const written = rows
          .map((fields) => fields.map((text) => (quotesAll || /[",\r\n]/.test(text) ? quoted(text) : text)).join(","))
          .join("\r\n");
        const places = cuts.filter((cut) => cut < written.length).sort((left, right) => left - right);
        const pieces = [...places, written.length].map((end, nth) =>
          written.slice(nth === 0 ? 0 : places[nth - 1], end),
        );
        assert.deepEqual(fieldsOf(...pieces), rows);
      }),
      { numRuns: 2_000 },
    );
  });
});

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

describe("a field that is written", () => {
  test("is quoted where it must be, and reads as what it was", () => {
    const texts = ["plain", "a,b", 'say "so"', "two\nlines", "", "=1+1", "é"];
    assert.deepEqual(fieldsOf(`${texts.map(quotedWhereNeeded).join(",")}\n`), [texts]);
  });

  test("is no formula to a spreadsheet, and taking the apostrophe away gives what it was", () => {
    for (const text of ["=1+1", "+1", "-1", "@x", "'x", "\tx", "＝1"]) assert.equal(csvField(text), `'${text}`);
    assert.equal(csvField("=a,b"), `"'=a,b"`);
    assert.equal(csvField("1-2=x"), "1-2=x");
  });
});
