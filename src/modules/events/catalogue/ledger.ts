import Type from "typebox";
import { defineEvent, exactly, moment } from "./definition.ts";

const digest = (description: string) => Type.String({ pattern: "^[0-9a-f]{64}$", description });

/** What happens to the books as a whole. */
export const ledgerEvents = [
  defineEvent({
    category: "ledger",
    version: 1,
    type: "ledger.sealed",
    summary: "Batches of postings were sealed",
    happens:
      "In the commit of the seal. Whoever keeps these has the head of the hash chain outside of the database: " +
      "`marketflow audit` says whether the rows still lead to it.",
    data: exactly({
      seal: Type.Integer({ minimum: 1, description: "The seal's number: one more than that of the seal before." }),
      hash: digest("SHA-256 over the seal before and all rows of the batches, in hex."),
      previous_hash: digest("The hash of the seal before, in hex; zeros for the first."),
      batches: Type.Integer({ minimum: 0, description: "How many batches it covers." }),
      sealed_at: moment("When it was sealed."),
    }),
    example: {
      seal: 1204,
      hash: "9f2c1d0b7a6e5f4c3b2a19088f7e6d5c4b3a291807f6e5d4c3b2a1908f7e6d5c",
      previous_hash: "4b3a291807f6e5d4c3b2a1908f7e6d5c9f2c1d0b7a6e5f4c3b2a19088f7e6d5c",
      batches: 17,
      sealed_at: "2026-03-14T09:26:53.589Z",
    },
  }),
] as const;
