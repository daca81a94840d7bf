import Type, { type Static, type TObject, type TProperties, type TSchema } from "typebox";

/** What events are about: the log's column `category`. Each has a topic of its own. */
export const categories = ["pago", "payment", "bill", "payout", "ledger"] as const;
export type Category = (typeof categories)[number];

/** One type of event: what it says, and when it is said. */
export type EventDefinition<Name extends string = string, Data extends TObject = TObject> = {
  readonly type: Name;
  readonly category: Category;
  /** Of `data`. Fields may be added under the same version; any other change is a new type with a higher one. */
  readonly version: number;
  /** What has happened, in a few words. */
  readonly summary: string;
  /** In which moment it is said, and what it leaves open. */
  readonly happens: string;
  /** What `data` holds when it leaves, exactly. */
  readonly data: Data;
  readonly example: Static<Data>;
};

/** A definition that keeps its name's and its data's types, and whose example the compiler compares with its data. */
export function defineEvent<const Name extends string, Data extends TObject>(
  definition: EventDefinition<Name, Data>,
): EventDefinition<Name, Data> {
  return definition;
}

/** An object that has these fields and no others. */
export function exactly<Fields extends TProperties>(fields: Fields): TObject<Fields> {
  return Type.Object(fields, { additionalProperties: false });
}

export function nullable<Schema extends TSchema>(schema: Schema) {
  return Type.Union([schema, Type.Null()]);
}

/** An id of ours. */
export function id(description: string) {
  return Type.String({ format: "uuid", description });
}

/** A text that somebody chose, or a gateway. */
export function text(description: string) {
  return Type.String({ description });
}

/** An amount of the currency's major unit, as a text, so that no reader makes a float of it. */
export function amount(description: string) {
  return Type.String({ pattern: String.raw`^\d+(\.\d+)?$`, description });
}

/** An amount of the currency's minor unit, as a text. */
export function minorUnits(description: string) {
  return Type.String({ pattern: String.raw`^\d+$`, description });
}

export const currency = Type.String({ pattern: "^[A-Z]{3}$", description: "The ISO 4217 code." });

/** A moment, as all of our documents write it. */
export function moment(description: string) {
  return Type.String({ format: "date-time", description: `${description} RFC 3339, UTC.` });
}
