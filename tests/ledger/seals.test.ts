import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { digestOf, readSealedRows } from "../../src/modules/ledger/application/audit/sealed-rows.ts";
import { readHead, sealBatches, sealingJob } from "../../src/modules/ledger/application/seal-batches.ts";
import { sealedKinds } from "../../src/modules/ledger/domain/canonical.ts";
import { audit, fillLedger, openAuditConnection, run, seededRandom, seedOfRun } from "./support.ts";
import { connectAs, openVault, sale, type Vault } from "./vault.ts";

type SealRow = { number: bigint; previous: string; hash: string; batches: string[] };

const seed = seedOfRun();
let vault: Vault;
before(async () => {
  vault = await openVault();
});
after(async () => vault.close());

const seals = () =>
  vault.look<SealRow>(
    `select number, encode(previous, 'hex') as previous, encode(hash, 'hex') as hash, batches
     from ledger.seals order by number`,
  );

describe("sealing", () => {
  test("an empty ledger has no seal and no head", async () => {
    assert.deepEqual(await sealBatches({ database: vault.pool }), { seals: 0, head: undefined, more: false });
    assert.equal(await readHead({ database: vault.pool }), undefined);
  });

  test("each seal has the hash of the one before, and the newest is the head", async () => {
    await vault.post([sale("one", "ana", 1_000n)]);
    const first = await sealBatches({ database: vault.pool });
    await vault.post([sale("two", "ana", 2_000n)]);
    const second = await sealBatches({ database: vault.pool });
    const [one, two] = await seals();
    assert.equal(one?.previous, "00".repeat(32));
    assert.equal(two?.previous, one?.hash);
    assert.deepEqual(first.head, { number: 1n, hash: one?.hash });
    assert.deepEqual(second.head, { number: 2n, hash: two?.hash });
    const head = await readHead({ database: vault.pool });
    assert.equal(head?.hash, two?.hash);
    assert.ok(Math.abs((head?.sealedAt.getTime() ?? 0) - Date.now()) < 60_000);
  });

  test("a batch that is not committed yet comes with a later seal, and holds nobody up", async () => {
    const slow = await connectAs(vault.database.adminUrl);
    await slow.query("begin");
    await slow.query(
      `select ledger.post('test', '{late}', '{late}', '{null}', '{null}', null, '{1,1}',
         '{gateway:late:clearing,platform:suspense}', '{USD,USD}', '{5,-5}')`,
    );
    await vault.post([sale("meanwhile", "ana", 3_000n)]);
    assert.equal((await sealBatches({ database: vault.pool })).seals, 1);
    await slow.query("commit");
    await slow.end();
    assert.equal((await sealBatches({ database: vault.pool })).seals, 1);
    const [late, earlier] = (await seals()).reverse();
    assert.ok(BigInt(late?.batches[0] ?? 0) < BigInt(earlier?.batches.at(-1) ?? 0));
  });

  test("a backlog is sealed in bounded runs, and the sweeper is told that there is more", async () => {
    for (let place = 0; place < 20; place++) await vault.post([sale(`backlog-${place}`, "ana", 100n)]);
    assert.deepEqual(await sealBatches({ database: vault.pool }, 1).then(({ seals, more }) => ({ seals, more })), {
      seals: 16,
      more: true,
    });
    const heads: string[] = [];
    const job = sealingJob({ database: vault.pool }, (head) => heads.push(head));
    assert.equal(await job.run(), 0, "it has caught up");
    assert.equal(heads.length, 1);
    assert.match(heads[0] ?? "", /^\d+:[0-9a-f]{64}$/);
  });

  test("two sealers at once make one chain", async () => {
    for (let place = 0; place < 12; place++) await vault.post([sale(`both-${place}`, "ana", 100n)]);
    await Promise.all([sealBatches({ database: vault.pool }, 2), sealBatches({ database: vault.pool }, 3)]);
    const chain = await seals();
    assert.deepEqual(
      chain.slice(1).map(({ previous }) => previous),
      chain.slice(0, -1).map(({ hash }) => hash),
    );
    const covered = chain.flatMap(({ batches }) => batches);
    assert.equal(new Set(covered).size, covered.length);
  });

  test("the application can neither write seals nor say what is unsealed", async () => {
    const statements = [
      "insert into ledger.seals select number + 1, batches, rows, now(), hash, hash, marks from ledger.seals",
      "update ledger.seals set hash = previous",
      "delete from ledger.seals",
      "truncate ledger.seals",
      "insert into ledger.unsealed values (1)",
      "delete from ledger.unsealed",
    ];
    const application = await connectAs(vault.database.appUrl);
    for (const statement of statements) {
      await assert.rejects(application.query(statement), /permission denied/, statement);
    }
    await application.end();
  });
});

describe("the canonical form", () => {
  test(`every kind of row has the same digest in TypeScript and in the database (seed ${seed})`, async () => {
    await fillLedger(vault, seededRandom(seed), 40, "digests");
    await sealBatches({ database: vault.pool });
    const audited = openAuditConnection(vault.database.adminUrl);
    try {
      const batches = await run<{ id: bigint }>(audited, "select id from ledger.batches order by id");
      const ids = batches.map(({ id }) => id);
      const bySql = await run<{ kind: number; digest: Buffer }>(
        audited,
        "select kind, digest from ledger.digest_rows($1) order by batch_id, kind, id, leg",
        [ids],
      );
      const rows = await readSealedRows(audited, ids);
      const byUs = ids.flatMap((id) => rows.get(id) ?? []);
      assert.deepEqual(new Set(byUs.map(({ kind }) => kind)), new Set(sealedKinds));
      assert.ok(byUs.some((row) => row.kind === "transaction" && row.externalId !== null && row.effectiveAt !== null));
      assert.ok(byUs.some((row) => row.kind === "hold" && row.expiresAt !== null));
      assert.ok(
        byUs.some((row) => row.kind === "entry" && row.postedAt % 1_000n !== 0n),
        "microseconds count",
      );
      assert.deepEqual(
        byUs.map((row) => Buffer.from(digestOf(row)).toString("hex")),
        bySql.map(({ digest }) => digest.toString("hex")),
      );
      assert.deepEqual((await audit(audited)).findings, []);
    } finally {
      await audited.close();
    }
  });
});
