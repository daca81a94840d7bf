import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createPool } from "../../src/infrastructure/postgres/connections.ts";
import { sealBatches } from "../../src/modules/ledger/application/seal-batches.ts";
import { connectAs, openVault, sale, type Vault } from "./vault.ts";

let vault: Vault;
before(async () => {
  vault = await openVault();
});
after(async () => vault.close());

const stream = "00000000-0000-8000-8000-6c6564676572";

const told = () =>
  vault.look<{ version: number; type: string; data: Record<string, unknown>; stream: string }>(
    `select stream, stream_version as version, type, data from events.log where category = 'ledger' order by position`,
  );

const sealed = () =>
  vault.look<{ number: bigint; hash: string; previous: string; batches: number; sealedAt: Date }>(
    `select number, encode(hash, 'hex') as hash, encode(previous, 'hex') as previous,
            cardinality(batches) as batches, date_trunc('milliseconds', sealed_at) as "sealedAt"
     from ledger.seals order by number`,
  );

/** Each seal has its event, the events are in the seals' order, and say what the seals say. */
async function assertAllTold(): Promise<number> {
  const seals = await sealed();
  assert.deepEqual(
    await told(),
    seals.map(({ number, hash, previous, batches, sealedAt }) => ({
      stream,
      version: Number(number),
      type: "ledger.sealed",
      data: {
        seal: Number(number),
        hash,
        previous_hash: previous,
        batches,
        sealed_at: sealedAt.toISOString(),
      },
    })),
  );
  return seals.length;
}

test("a seal is told in the commit that makes it, with the head that proves it", async () => {
  await vault.post([sale("one", "ana", 1_000n)]);
  await sealBatches({ database: vault.pool });
  assert.equal(await assertAllTold(), 1);
  for (const reference of ["two", "three"]) await vault.post([sale(reference, "ana", 1_000n)]);
  await sealBatches({ database: vault.pool });
  assert.equal(await assertAllTold(), 2);
  await sealBatches({ database: vault.pool });
  assert.equal(await assertAllTold(), 2, "nothing to seal, nothing to tell");
});

test("a seal that is taken back is not told", async () => {
  await vault.post([sale("back", "ana", 1_000n)]);
  const session = await connectAs(vault.database.appUrl);
  await session.query("begin");
  await session.query("select number from ledger.seal(64)");
  await session.query("rollback");
  await session.end();
  await assertAllTold();
  await sealBatches({ database: vault.pool });
  await assertAllTold();
});

test("many that seal at the same time tell each seal once, in the order of the chain", async () => {
  const pools = Array.from({ length: 3 }, () =>
    createPool({
      url: vault.database.appUrl,
      applicationName: "sealers",
      statementTimeoutMs: 20_000,
      connectTimeoutMs: 5_000,
      onIdleError: () => undefined,
      most: 1,
    }),
  );
  const before = await assertAllTold();
  let posting = true;
  const sealers = pools.map(async (database) => {
    while (posting) await sealBatches({ database }, 2);
    await sealBatches({ database }, 2);
  });
  for (let n = 0; n < 40; n++) await vault.post([sale(`busy-${n}`, "ana", 100n)]);
  posting = false;
  await Promise.all(sealers);
  for (const pool of pools) await pool.close();
  assert.ok((await assertAllTold()) > before + 10);
});

test("nobody but the ledger tells a seal of its own accord", async () => {
  const session = await connectAs(vault.database.appUrl);
  await assert.rejects(session.query("select ledger.tell_seal(s) from ledger.seals s limit 1"), { code: "42501" });
  await session.end();
});
