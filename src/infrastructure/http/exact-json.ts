/** What is wrong with a body that is not usable JSON: where (a key, if known) and a sentence that says what to do. */
export class UnusableJson extends Error {
  readonly key: string | undefined;

  constructor(message: string, key?: string) {
    super(message);
    this.name = "UnusableJson";
    this.key = key;
  }
}

/** Every decimal of up to 15 significant digits survives a double (IEEE 754: 53 bits of mantissa). */
const safeLength = 15;

/**
 * Parses JSON, and refuses what JSON.parse would change without a word: numbers that a double cannot carry exactly
 * (9007199254740993, 1000.000000000000000001), numbers with an exponent (1e3 is nobody's way to write an amount), and
 * keys that reach for an object's prototype. The numbers that pass are exact: `String(value)` is what was written,
 * but for zeros at its end. Relies on the source text of JSON.parse's reviver (ECMAScript 2026).
 */
export function parseExactJson(text: string): unknown {
  if (text.length === 0) throw new UnusableJson("The body is empty. Send a JSON object.");
  try {
    return JSON.parse(text, refuseInexact as (key: string, value: unknown) => unknown);
  } catch (error) {
    // The stack ends where a body is nested thousands of levels deep.
    if (error instanceof RangeError) throw new UnusableJson("The body is nested too deeply. Send a flat object.");
    if (!(error instanceof SyntaxError)) throw error;
    throw new UnusableJson(
      "The body is not valid JSON. Check quotes, commas and brackets; NaN and Infinity are not JSON.",
    );
  }
}

function refuseInexact(key: string, value: unknown, context: { source: string }): unknown {
  if (key === "__proto__" || key === "constructor") {
    throw new UnusableJson(`The key "${key}" is not allowed. Leave it out.`, key);
  }
  if (typeof value !== "number") return value;
  const { source } = context;
  if (source.length <= safeLength && !/[eE]/.test(source)) return value;
  if (/[eE]/.test(source)) throw new UnusableJson("Write the number without an exponent.", key);
  const written = source.includes(".") ? source.replace(/\.?0+$/, "") : source;
  if (written !== plainText(value)) {
    throw new UnusableJson("The number has more digits than JSON can carry exactly. Send it as a string.", key);
  }
  return value;
}

function plainText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
