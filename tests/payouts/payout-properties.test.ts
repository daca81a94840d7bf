import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { payAffiliate } from "../../src/modules/payouts/application/commands/pay-affiliate.ts";
import { paySellerOut } from "../../src/modules/payouts/application/commands/pay-seller-out.ts";
import { type PayoutsContext, payoutJobs } from "../../src/modules/payouts/index.ts";
import { untraced } from "../../src/movements/index.ts";
import { propertySeed } from "../support/property-seed.ts";
import { createFakeGateway, type FakeGateway, type Plan } from "./fake-gateway.ts";
import { type ServedPayouts, servePayouts } from "./served-payouts.ts";

let served: ServedPayouts;
before(async () => {
  served = await servePayouts();
});
after(() => served.close());

type Kind = "affiliate" | "seller";
type Step =
  | { readonly do: "bring"; readonly kind: Kind; readonly who: number; readonly amount: number }
  | { readonly do: "pay"; readonly kind: Kind; readonly who: number; readonly amount: number; readonly plan: Plan }
  | { readonly do: "repeat"; readonly which: number }
  | { readonly do: "recover"; readonly plan: Plan };

/** Money that payouts are made from: what is on it and what of it is held, in cents. */
type Purse = { balance: number; held: number };
type Wanted = { readonly kind: Kind; readonly who: number; readonly amount: number; readonly key: string };
type Open = Wanted & { readonly purse: Purse; decided: "paid" | undefined };

/** What the books must say after everything that happened, thought out without any of the code under test. */
class Model {
  readonly funding: Purse = { balance: 0, held: 0 };
  readonly sellers: Purse[] = [0, 1].map(() => ({ balance: 0, held: 0 }));
  readonly paid = [0, 0];
  readonly standing = new Map<string, string>();
  open: Open[] = [];

  purse(kind: Kind, who: number): Purse {
    return kind === "affiliate" ? this.funding : (this.sellers[who] as Purse);
  }

  pay(wanted: Wanted, plan: Plan): void {
    const purse = this.purse(wanted.kind, wanted.who);
    if (purse.balance - purse.held < wanted.amount) {
      this.standing.set(wanted.key, "FALLIDO");
      return;
    }
    purse.held += wanted.amount;
    this.#end({ ...wanted, purse, decided: undefined }, plan);
  }

  recover(plan: Plan): void {
    const due = this.open;
    this.open = [];
    for (const payout of due) this.#end(payout, payout.decided === "paid" ? "pay" : plan);
  }

  #end(payout: Open, plan: Plan): void {
    const { purse, amount, kind, who, key } = payout;
    if (plan === "pay") {
      purse.held -= amount;
      purse.balance -= amount;
      if (kind === "affiliate") this.paid[who] = (this.paid[who] ?? 0) + amount;
      this.standing.set(key, "EXITOSO");
    } else if (typeof plan === "object") {
      purse.held -= amount;
      this.standing.set(key, "FALLIDO");
    } else {
      this.open.push({ ...payout, decided: plan === "times out after paying" ? "paid" : undefined });
      this.standing.set(key, "PROCESANDO");
    }
  }
}

let histories = 0;
const cameAcross = new Map<string, number>();

/** One sequence of steps with a gateway and recipients of its own. */
class History {
  readonly #number = ++histories;
  readonly #gateway: FakeGateway = createFakeGateway(`g${this.#number}`);
  readonly #context: PayoutsContext = { ...served.context, gateway: this.#gateway };
  readonly #model = new Model();
  readonly #wanted: Wanted[] = [];

  async take(step: Step): Promise<void> {
    if (step.do === "bring") await this.#bring(step);
    else if (step.do === "recover") await this.#recover(step.plan);
    else if (step.do === "repeat") await this.#repeat(step.which);
    else {
      const wanted = { ...step, key: `h${this.#number}_${this.#wanted.length}` };
      this.#wanted.push(wanted);
      this.#gateway.plan = () => step.plan;
      this.#model.pay(wanted, step.plan);
      assert.equal(await this.#ask(wanted), this.#model.standing.get(wanted.key));
    }
    await this.#compare();
  }

  async #bring({ kind, who, amount }: { kind: Kind; who: number; amount: number }): Promise<void> {
    const [debited, credited] =
      kind === "affiliate"
        ? [`gateway:${this.#gateway.name}:funding`, "platform:funding"]
        : ["platform:losses", `seller:${this.#seller(who)}:available`];
    await served.move("adjustment", debited, credited, BigInt(amount), "USD");
    this.#model.purse(kind, who).balance += amount;
  }

  /** A payout that was asked for before is as it stands, whatever the gateway would do now. */
  async #repeat(which: number): Promise<void> {
    const wanted = this.#wanted[which % Math.max(1, this.#wanted.length)];
    if (wanted !== undefined) assert.equal(await this.#ask(wanted), this.#model.standing.get(wanted.key));
  }

  async #recover(plan: Plan): Promise<void> {
    this.#gateway.plan = () => plan;
    this.#model.recover(plan);
    await served.letLeasesPass();
    const jobs = payoutJobs(this.#context, {
      resumeTrace: () => untraced,
      onFailure(_id, error) {
        throw error;
      },
      onDue: () => undefined,
    });
    for (const job of jobs) await job.run();
  }

  async #ask({ kind, who, amount, key }: Wanted): Promise<string> {
    const command = kind === "affiliate" ? payAffiliate : paySellerOut;
    const recipientId = kind === "affiliate" ? this.#affiliate(who) : this.#seller(who);
    const decimal = (amount / 100).toFixed(2);
    const request = { recipientId, amount: decimal, currency: "USD", idempotencyKey: key };
    const asked = await command(this.#context, "default", request, untraced);
    const became = asked.ok ? asked.value.payout.status : "FALLIDO";
    cameAcross.set(became, (cameAcross.get(became) ?? 0) + 1);
    return became;
  }

  async #compare(): Promise<void> {
    const { funding, sellers, paid, open } = this.#model;
    const { name } = this.#gateway;
    await expectPurse(`gateway:${name}:funding`, funding);
    for (const who of [0, 1]) {
      await expectPurse(`seller:${this.#seller(who)}:available`, sellers[who] as Purse);
      await expectPurse(`affiliate:${this.#affiliate(who)}:paid`, { balance: paid[who] ?? 0, held: 0 });
    }
    const attempts = this.#gateway.payments.map(({ attemptId }) => attemptId);
    assert.equal(new Set(attempts).size, attempts.length, "nothing is paid twice");
    const succeeded = [...this.#model.standing.values()].filter((status) => status === "EXITOSO").length;
    const unseen = open.filter(({ decided }) => decided === "paid").length;
    assert.equal(attempts.length, succeeded + unseen);
  }

  #affiliate(who: number): string {
    return `a${this.#number}_${who}`;
  }

  #seller(who: number): string {
    return `s${this.#number}_${who}`;
  }
}

async function expectPurse(code: string, { balance, held }: Purse): Promise<void> {
  assert.deepEqual(await served.balanceOf(code), { balance: BigInt(balance), held: BigInt(held) }, code);
}

const kinds = fc.constantFrom<Kind>("affiliate", "seller");
const who = fc.integer({ min: 0, max: 1 });
const amount = fc.integer({ min: 1, max: 30 });
const plans = fc.constantFrom<Plan>(
  "pay",
  "pay",
  { decline: "No." },
  "times out after paying",
  "times out before paying",
  "is not reached",
);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("bring"), kind: kinds, who, amount }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("pay"), kind: kinds, who, amount, plan: plans }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("repeat"), which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("recover"), plan: plans }) },
) as fc.Arbitrary<Step>;

test("balances, holds and payments are those of the model after every step", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 30 }), async (sequence) => {
      const history = new History();
      for (const step of sequence) await history.take(step);
    }),
    { numRuns: 25, seed: propertySeed },
  );
  assert.deepEqual(await served.audit(), []);
  for (const status of ["EXITOSO", "FALLIDO", "PROCESANDO"]) assert.ok((cameAcross.get(status) ?? 0) > 10, status);
});
