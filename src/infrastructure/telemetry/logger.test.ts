import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { createLogger } from "./logger.ts";

const options = { serviceVersion: "1.2.3", process: "test", secrets: ["configured-secret"] } as const;

function captured(logLevel: "info" | "warn" = "info") {
  const lines: string[] = [];
  const logger = createLogger({ ...options, logLevel, destination: { write: (line) => void lines.push(line) } });
  return { lines, logger };
}

describe("logger", () => {
  test("writes one line of JSON with level, time, service and version", () => {
    const { lines, logger } = captured();
    logger.info({ paymentId: "p1" }, "settled");
    assert.equal(lines.length, 1);
    const { time, pid, ...rest } = JSON.parse(lines[0] ?? "");
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(pid, process.pid);
    assert.deepEqual(rest, {
      level: "info",
      service: "marketflow",
      version: "1.2.3",
      process: "test",
      paymentId: "p1",
      message: "settled",
    });
    assert.ok(lines[0]?.endsWith("\n"));
  });

  test("writes nothing below its level", () => {
    const { lines, logger } = captured("warn");
    logger.info("quiet");
    logger.warn("loud");
    assert.equal(lines.length, 1);
  });

  test("never writes a secret, neither as a field nor in an error, its cause or a child's bindings", () => {
    const { lines, logger } = captured();
    const cause = Object.assign(new Error("password=x at postgres://app:hunter22@db/x"), {
      headers: { cookie: "hunter22" },
    });
    logger.error({ error: new Error("configured-secret was refused: sk_test_hunter22", { cause }) }, "failed");
    logger
      .child({ req: { headers: { authorization: "Basic hunter22", "stripe-signature": "t=1,v1=hunter22" } } })
      .info("asked");
    logger.info("whsec_hunter22");
    assert.equal(lines.length, 3);
    const everything = lines.join("");
    assert.ok(!everything.includes("hunter22"), everything);
    assert.ok(!everything.includes("configured-secret"), everything);
    for (const line of lines) JSON.parse(line);
  });

  test("an uncaught exception loses no line that was logged before it", () => {
    const module = JSON.stringify(new URL("./logger.ts", import.meta.url).href);
    const program = `
      const { createLogger } = await import(${module});
      const logger = createLogger({ serviceVersion: "1", process: "crash", secrets: [], logLevel: "info" });
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (let line = 0; line < 50; line += 1) logger.info({ line }, "before the crash");
      throw new Error("on purpose");`;
    const { stdout, status } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
    });
    assert.equal(status, 1);
    assert.equal(stdout.trimEnd().split("\n").length, 50);
  });
});
