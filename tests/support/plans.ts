import assert from "node:assert/strict";
import { after, before } from "node:test";
import { type ClosableDatabase, createDedicatedConnection } from "../../src/infrastructure/postgres/connections.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";

/** A step of a plan, as `explain (format json)` has it. */
export type PlanNode = { readonly [key: string]: unknown; readonly Plans?: readonly PlanNode[] };

export type LanePlans = {
  nodesOf(text: string): Promise<PlanNode[]>;
  /** The plan as PostgreSQL prints it. */
  textOf(text: string): Promise<string>;
  rowsOf(text: string): Promise<unknown[]>;
};

/** The plans that a lane's session makes on an empty database, whose statistics know nothing. For a whole test file. */
export function lanePlans(): LanePlans {
  let database: TestDatabase;
  let connection: ClosableDatabase;
  before(async () => {
    database = await createTestDatabase();
    connection = createDedicatedConnection({
      url: database.appUrl,
      applicationName: "plans",
      statementTimeoutMs: 5_000,
      connectTimeoutMs: 5_000,
      onIdleError: () => undefined,
    });
  });
  after(async () => {
    await connection.close();
    await database.drop();
  });
  const rowsOf = async (text: string) => (await connection.query({ name: "", text, values: [] })).rows;
  return {
    rowsOf,
    async textOf(text) {
      const rows = (await rowsOf(`explain (generic_plan, costs off) ${text}`)) as { "QUERY PLAN": string }[];
      return rows.map((row) => row["QUERY PLAN"]).join("\n");
    },
    async nodesOf(text) {
      const explained = await rowsOf(`explain (generic_plan, format json) ${text}`);
      const [row] = explained as { "QUERY PLAN": [{ Plan: PlanNode }] }[];
      assert.ok(row);
      const nodes: PlanNode[] = [];
      const walk = (node: PlanNode): void => {
        nodes.push(node);
        for (const inner of node.Plans ?? []) walk(inner);
      };
      walk(row["QUERY PLAN"][0].Plan);
      return nodes;
    },
  };
}

/** Each scan with its table, and whether it reads by a condition on an index or the whole of it. */
export function scansOf(nodes: readonly PlanNode[]): string[] {
  return nodes
    .filter((node) => node["Relation Name"] !== undefined && String(node["Node Type"]).endsWith("Scan"))
    .map((node) => {
      const index = node["Index Cond"] === undefined ? "whole" : "by key";
      return `${node["Node Type"]} ${node["Relation Name"]} ${index}`;
    })
    .sort();
}
