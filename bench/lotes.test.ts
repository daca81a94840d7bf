import assert from "node:assert/strict";
import { test } from "node:test";
import { loteOf } from "./lotes.ts";

test("a lote has one pago for each affiliate", () => {
  const { pagos } = JSON.parse(loteOf(1_000)) as { pagos: { id_afiliado: string; monto: number; moneda: string }[] };
  assert.equal(new Set(pagos.map(({ id_afiliado }) => id_afiliado)).size, 1_000);
  assert.ok(pagos.every(({ monto, moneda }) => monto >= 100.5 && monto <= 199.5 && moneda === "USD"));
});
