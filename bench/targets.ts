/** What the load process can ask for. */
export type TargetName = "payment" | "bill" | "pago";

/** One kind of request: where it goes, what it says, and what a right answer is. */
export type Target = {
  readonly listener: "marketplace" | "partner";
  /** The status of an answer that counts. */
  readonly acknowledged: number;
  /**
   * Makes the maker of whole requests. All of a run's are equally long, because the changing part of the key is always
   * of {@link keyDigits}: what does not change is made once.
   */
  requests(port: number, keySuffix: string): (changing: string) => string;
  /** Whether a body is what was asked for: a server that is fast because it answers nonsense must not pass. */
  isRight(body: Readonly<Record<string, unknown>>): boolean;
};

/** How long the changing part of a key is. */
export const keyDigits = 8;

const uuidV7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

function isNow(time: unknown): boolean {
  return Math.abs(Date.parse(String(time)) - Date.now()) < 60_000;
}

function headOf(path: string, port: number, length: number): string {
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n`;
  return `${head}Content-Length: ${length}\r\n`;
}

/** The requests by name: a marketplace's payment, a bill, a pago to one of 4,096 affiliates. */
export const targets: Readonly<Record<TargetName, Target>> = {
  payment: {
    listener: "marketplace",
    acknowledged: 201,
    requests(port, keySuffix) {
      const start = '{"amount":1000.00,"currency":"USD","idempotency_key":"';
      const end = `${keySuffix}"}`;
      const before = `${headOf("/payments", port, start.length + keyDigits + end.length)}\r\n${start}`;
      return (changing) => before + changing + end;
    },
    isRight: (payment) =>
      uuidV7.test(String(payment.id)) &&
      String(payment.stripe_payment_intent_id).startsWith("pi_") &&
      payment.amount === 1000 &&
      payment.currency === "USD" &&
      payment.status === "pending" &&
      isNow(payment.created_at),
  },
  bill: {
    listener: "partner",
    acknowledged: 201,
    requests(port, keySuffix) {
      const body = '{"reference":"FAC-12345","amount":500,"currency":"MXN"}';
      const before = `${headOf("/payments", port, body.length)}Idempotency-Key: `;
      const after = `${keySuffix}\r\n\r\n${body}`;
      return (changing) => before + changing + after;
    },
    isRight: (bill) =>
      uuidV7.test(String(bill.payment_id)) &&
      bill.reference === "FAC-12345" &&
      bill.amount === 500 &&
      bill.currency === "MXN" &&
      bill.status === "SUCCESS" &&
      bill.retries === 0 &&
      isNow(bill.created_at),
  },
  pago: {
    listener: "partner",
    acknowledged: 200,
    requests(port, keySuffix) {
      const bodyStart = '{"id_afiliado":"afiliado_';
      const bodyEnd = '","monto":100.50,"moneda":"USD"}';
      const length = bodyStart.length + affiliateDigits + bodyEnd.length;
      const before = `${headOf("/pagos", port, length)}Idempotency-Key: `;
      const between = `${keySuffix}\r\n\r\n${bodyStart}`;
      return (changing) => before + changing + between + changing.slice(0, affiliateDigits) + bodyEnd;
    },
    isRight: (pago) =>
      uuidV7.test(String(pago.id_pago)) &&
      String(pago.id_afiliado).startsWith("afiliado_") &&
      pago.monto === 100.5 &&
      pago.moneda === "USD" &&
      pago.estado === "EXITOSO" &&
      String(pago.referencia_pago).startsWith("ref_") &&
      isNow(pago.fecha_creacion),
  },
};

const affiliateDigits = 3;
