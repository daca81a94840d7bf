import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { curl, hasCurl } from "../support/partner.ts";
import { type Answer, type Server, until } from "../support/processes.ts";
import { createNamespace, sharedPulsar, withoutPulsar } from "../support/pulsar.ts";
import { type PythonMessage, readWithPython, withoutPythonClient } from "../support/pulsar-python.ts";
import { openSite, type Site } from "../support/site.ts";

// What the contract says about the events of pagos, seen from outside: curl makes them, `marketflow relay` publishes
// them to a real Pulsar, and Pulsar's own Python client reads them.

const faultlessServer = join(import.meta.dirname, "../faults/faulty-server.ts");
const skip = withoutPulsar || withoutPythonClient;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

describe("a published pago", { skip }, () => {
  let site: Site;
  let server: Server;
  let topic: string;
  let messages: readonly PythonMessage[];
  const paid = { id_afiliado: "afiliado_123", monto: 100.5, moneda: "USD" };
  /** The simulated gateway declines this amount. */
  const declined = { id_afiliado: "afiliado/ñ 7", monto: 99_900.1, moneda: "EUR" };
  const answers: Record<string, unknown>[] = [];

  before(async () => {
    if (!hasCurl) console.error("NO CURL: the pagos are made by fetch");
    const pulsar = await sharedPulsar();
    topic = `persistent://${await createNamespace(pulsar.webUrl)}/pagos-events`;
    site = await openSite({ LOG_LEVEL: "info", FAULTS: "0" });
    await site.fund();
    const settings = { PULSAR_URL: pulsar.url, PULSAR_WEB_URL: pulsar.webUrl, PULSAR_TOPIC: topic };
    const relay = site.startWorker("relay", settings);
    server = await site.startApi({ script: faultlessServer });
    for (const pago of [paid, declined]) answers.push(await payByCurl(pago));
    await relay;
    await until("both are published", 20_000, async () => (await statistics())["eventos_procesados"] === 2);
    assert.deepEqual(await statistics(), { total_eventos: 2, eventos_procesados: 2, eventos_pendientes: 0 });
    messages = await readWithPython({ url: pulsar.url, topic, count: 2, timeoutMs: 30_000 });
  });
  after(() => site?.close());

  async function statistics(): Promise<Answer["body"]> {
    return (await curl(`${server.partner}/pagos/outbox/estadisticas`)).body;
  }

  async function payByCurl(pago: object): Promise<Record<string, unknown>> {
    const headers = ["Content-Type: application/json"];
    const { status, body } = await curl(`${server.partner}/pagos/`, { headers, data: JSON.stringify(pago) });
    assert.equal(status, 200, JSON.stringify(body));
    return body as Record<string, unknown>;
  }

  /** Checks what only the event itself knows, and returns the whole message without it. */
  async function seen(pago: Record<string, unknown>) {
    const message = messages.find(({ payload }) => payload.includes(String(pago["id_pago"])));
    assert.ok(message !== undefined, `no message of ${pago["id_pago"]}`);
    const { event_id: id, timestamp, ...event } = JSON.parse(message.payload) as Record<string, unknown>;
    const { body: stored } = await curl(`${server.partner}/pagos/${pago["id_pago"]}`);
    assert.match(String(id), uuid);
    assert.match(String(timestamp), time);
    assert.equal(Date.parse(String(timestamp)), Date.parse(String(stored["fecha_procesamiento"])));
    assert.equal(message.properties["event_id"], id);
    assert.equal(message.topic.replace(/-partition-\d$/, ""), topic);
    return { key: message.key, event };
  }

  it("is a PagoExitoso with exactly the contract's fields, and its key is the affiliate", async () => {
    const [pago = {}] = answers;
    assert.equal(pago["estado"], "EXITOSO");
    const { id_pago, referencia_pago } = pago;
    assert.deepEqual(await seen(pago), {
      key: "afiliado_123",
      event: { event_type: "PagoExitoso", data: { id_pago, ...paid, referencia_pago } },
    });
  });

  it("is a PagoFallido with the gateway's reason where the gateway declines it", async () => {
    const [, pago = {}] = answers;
    assert.equal(pago["estado"], "FALLIDO");
    const { id_pago, referencia_pago } = pago;
    assert.deepEqual(await seen(pago), {
      key: "afiliado/ñ 7",
      event: {
        event_type: "PagoFallido",
        data: { id_pago, ...declined, referencia_pago, mensaje_error: "Fondos insuficientes" },
      },
    });
  });
});
