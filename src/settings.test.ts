import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { parseEnv } from "node:util";
import { exampleEnvironment, InvalidSettings, parseSettings, type Settings, secretsOf } from "./settings.ts";

type Environment = Readonly<Record<string, string>>;

function faultsOf(environment: Environment): readonly string[] {
  try {
    parseSettings(environment);
  } catch (error) {
    assert.ok(error instanceof InvalidSettings, String(error));
    for (const fault of error.faults) assert.ok(error.message.includes(fault));
    return error.faults;
  }
  assert.fail(`accepted ${JSON.stringify(environment)}`);
}

describe("settings", () => {
  test("have a usable value where nothing is said", () => {
    const settings = parseSettings({});
    const { nodeEnv, host, port, gateway, gatewayTimeoutMs, traceSampleRatio, home } = settings;
    assert.deepEqual(
      { nodeEnv, host, port, gateway, gatewayTimeoutMs, traceSampleRatio },
      {
        nodeEnv: "development",
        host: "127.0.0.1",
        port: 3000,
        gateway: "simulator",
        gatewayTimeoutMs: 8_000,
        traceSampleRatio: 0.1,
      },
    );
    assert.equal(home, resolve(".marketflow"));
    assert.equal(settings.databaseUrl, undefined);
    assert.equal(settings.stripeWebhookSecret, undefined);
  });

  test("are read from their variables, without the spaces around them", () => {
    const settings = parseSettings({
      PORT: " 0 ",
      MARKETFLOW_HOME: "/var/lib/marketflow",
      DATABASE_URL: "postgresql://app@db/marketflow",
      REDIS_URL: "rediss://cache:6380",
      STRIPE_WEBHOOK_SECRET: "whsec_sandbox",
      OTEL_TRACES_SAMPLER_ARG: ".5",
      SIMULATOR_BUYER: "absent",
      UNKNOWN_TO_US: "x",
    });
    const expected: Partial<Settings> = {
      port: 0,
      home: "/var/lib/marketflow",
      databaseUrl: "postgresql://app@db/marketflow",
      redisUrl: "rediss://cache:6380",
      stripeWebhookSecret: "whsec_sandbox",
      traceSampleRatio: 0.5,
      simulatorBuyer: "absent",
    };
    assert.deepEqual({ ...settings, ...expected }, settings);
    assert.equal("UNKNOWN_TO_US" in settings, false);
  });

  test("that are empty or blank count as not said", () => {
    const variables = [...exampleEnvironment().matchAll(/^# ([A-Z_]+)=/gm)].map(([, variable]) => variable ?? "");
    assert.ok(variables.length >= 20);
    for (const nothing of ["", "  "]) {
      assert.deepEqual(parseSettings(Object.fromEntries(variables.map((name) => [name, nothing]))), parseSettings({}));
    }
  });

  test("all faults are named at once, each with its variable, what it should be and what it was", () => {
    const faults = faultsOf({
      NODE_ENV: "prod",
      PORT: "65536",
      LOG_LEVEL: "loud",
      DATABASE_URL: "mysql://app:hunter2@db/x",
      GATEWAY_TIMEOUT_MS: "49",
      STRIPE_WEBHOOK_SECRET: "hunter2",
      OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318",
      OTEL_TRACES_SAMPLER_ARG: "1.5",
    });
    assert.deepEqual(faults, [
      'NODE_ENV must be one of development, production, test, not "prod"',
      'PORT must be a port from 0 to 65535, not "65536"',
      'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, not "loud"',
      "DATABASE_URL must be an address that begins with postgres:// or postgresql://",
      'GATEWAY_TIMEOUT_MS must be a whole number from 50 to 60000, not "49"',
      "STRIPE_WEBHOOK_SECRET must be a secret that begins with whsec_",
      'OTEL_EXPORTER_OTLP_ENDPOINT must be an address that begins with http:// or https://, not "collector:4318"',
      'OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, not "1.5"',
    ]);
  });

  test("numbers are plain digits within their bounds", () => {
    for (const PORT of ["-1", "1.5", "1e3", "0x50", "80a", "+80", "٨٠", "99999999999", "NaN"]) {
      assert.deepEqual(faultsOf({ PORT }), [`PORT must be a port from 0 to 65535, not "${PORT}"`]);
    }
    for (const OTEL_TRACES_SAMPLER_ARG of ["-0.1", "1e-1", "2", "1.", ".", "NaN", "0,1"]) {
      assert.equal(faultsOf({ OTEL_TRACES_SAMPLER_ARG }).length, 1, OTEL_TRACES_SAMPLER_ARG);
    }
    for (const [text, ratio] of Object.entries({ "0": 0, "1": 1, "1.0": 1, "0.25": 0.25, ".25": 0.25 })) {
      assert.equal(parseSettings({ OTEL_TRACES_SAMPLER_ARG: text }).traceSampleRatio, ratio);
    }
  });

  test("numbers of the partner API have the fallbacks and the bounds of its contracts", () => {
    const { idempotencyTtlSeconds, maxRetries, retrySuccessProbability, ...settings } = parseSettings({});
    assert.deepEqual([idempotencyTtlSeconds, maxRetries, retrySuccessProbability], [86_400, 3, 0.5]);
    const { pasarelaLatencyMs, pasarelaFailureRate, payoutConcurrency, partnerPort } = settings;
    assert.deepEqual([pasarelaLatencyMs, pasarelaFailureRate, payoutConcurrency, partnerPort], [0, 0, 512, 8_000]);
    const beyond = {
      IDEMPOTENCY_TTL_SECONDS: ["0", "31536001"],
      MAX_RETRIES: ["0", "101"],
      RETRY_SUCCESS_PROBABILITY: ["-1", "1.01"],
      PASARELA_LATENCY_MS: ["60001"],
      PASARELA_FAILURE_RATE: ["2"],
      PAYOUT_CONCURRENCY: ["0", "10001"],
    };
    for (const [variable, values] of Object.entries(beyond)) {
      for (const value of values) assert.equal(faultsOf({ [variable]: value }).length, 1, `${variable}=${value}`);
    }
  });

  test("choices are exact, so that a slip does not choose something else", () => {
    assert.equal(faultsOf({ GATEWAY: "Stripe" }).length, 1);
    assert.equal(faultsOf({ NODE_ENV: "Production" }).length, 1);
  });
});

describe("a setting with two names", () => {
  test("ENVIRONMENT is NODE_ENV, and both may be set where they say the same", () => {
    assert.equal(parseSettings({ ENVIRONMENT: "production" }).nodeEnv, "production");
    assert.equal(parseSettings({ ENVIRONMENT: "test", NODE_ENV: "test" }).nodeEnv, "test");
    assert.equal(parseSettings({ NODE_ENV: "test" }).nodeEnv, "test");
    assert.deepEqual(faultsOf({ ENVIRONMENT: "production", NODE_ENV: "development" }), [
      "ENVIRONMENT must be what NODE_ENV is, where both are set",
    ]);
    assert.equal(faultsOf({ ENVIRONMENT: "staging" }).length, 1);
  });

  test("DEBUG makes the log say more where LOG_LEVEL says nothing", () => {
    for (const DEBUG of ["true", "1"]) assert.equal(parseSettings({ DEBUG }).logLevel, "debug");
    for (const DEBUG of ["false", "0"]) assert.equal(parseSettings({ DEBUG }).logLevel, "info");
    assert.equal(parseSettings({ DEBUG: "true", LOG_LEVEL: "warn" }).logLevel, "warn");
    assert.deepEqual(faultsOf({ DEBUG: "yes" }), ['DEBUG must be true or false, not "yes"']);
  });

  test("REDIS_HOST and REDIS_PORT are a REDIS_URL where there is none", () => {
    assert.equal(parseSettings({}).redisUrl, undefined);
    assert.equal(parseSettings({ REDIS_PORT: "6380" }).redisUrl, undefined);
    assert.equal(parseSettings({ REDIS_HOST: "cache" }).redisUrl, "redis://cache:6379");
    assert.equal(parseSettings({ REDIS_HOST: "::1", REDIS_PORT: "6380" }).redisUrl, "redis://[::1]:6380");
    assert.equal(parseSettings({ REDIS_HOST: "cache", REDIS_URL: "redis://other" }).redisUrl, "redis://other");
    assert.equal(faultsOf({ REDIS_HOST: "user:secret@cache" }).length, 1);
  });
});

describe("Stripe as the gateway", () => {
  const secrets = { STRIPE_SECRET_KEY: "sk_test_1234", STRIPE_WEBHOOK_SECRET: "whsec_1234" };

  test("needs both of its secrets", () => {
    const missing = (variable: string) => `${variable} must be set where GATEWAY=stripe`;
    assert.deepEqual(faultsOf({ GATEWAY: "stripe" }), [missing("STRIPE_SECRET_KEY"), missing("STRIPE_WEBHOOK_SECRET")]);
    for (const variable of ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"]) {
      assert.deepEqual(faultsOf({ ...secrets, GATEWAY: "stripe", [variable]: " " }), [missing(variable)]);
    }
    assert.equal(parseSettings({ ...secrets, GATEWAY: "stripe" }).gateway, "stripe");
  });

  test("names its missing secrets beside the other faults, so that one start finds them all", () => {
    assert.deepEqual(faultsOf({ GATEWAY: "stripe", PORT: "no", STRIPE_WEBHOOK_SECRET: "hunter2" }), [
      'PORT must be a port from 0 to 65535, not "no"',
      "STRIPE_WEBHOOK_SECRET must be a secret that begins with whsec_",
      "STRIPE_SECRET_KEY must be set where GATEWAY=stripe",
    ]);
  });

  test("the simulator needs none", () => {
    assert.equal(parseSettings({ GATEWAY: "simulator" }).stripeSecretKey, undefined);
  });
});

describe("secrets", () => {
  const given = {
    DATABASE_URL: "postgres://app:hunter22@db/x",
    DATABASE_OWNER_URL: "postgres://owner:hunter23@db/x",
    REDIS_URL: "redis://:hunter24@cache",
    STRIPE_SECRET_KEY: "sk_test_hunter25",
    STRIPE_WEBHOOK_SECRET: "whsec_hunter26",
  };

  test("are all known, so that logs can be kept free of them", () => {
    assert.deepEqual(secretsOf(parseSettings(given)).sort(), Object.values(given).sort());
    assert.deepEqual(secretsOf(parseSettings({})), []);
  });

  test("never stand in the message, however wrong they are", () => {
    for (const variable of ["DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "STRIPE_WEBHOOK_SECRET"]) {
      for (const value of ["hunter2", "ftp://user:hunter2@host", "whsec hunter2", "\u0000hunter2"]) {
        const faults = faultsOf({ [variable]: value, PORT: "no" });
        assert.equal(faults.length, 2, variable);
        assert.ok(!faults.join("\n").includes("hunter2"), faults.join("\n"));
        assert.ok(faults.some((fault) => fault.startsWith(`${variable} must be `)));
      }
    }
  });
});

describe(".env.example", () => {
  test("is what the table of settings says", () => {
    const file = readFileSync(new URL("../.env.example", import.meta.url), "utf8");
    assert.equal(file, exampleEnvironment(), "run `npm run generate:env`");
  });

  test("says nothing as it is, and the fallbacks where its lines are taken in", () => {
    assert.deepEqual({ ...parseEnv(exampleEnvironment()) }, {});
    const lines = exampleEnvironment().replace(/^# ([A-Z_]+=.*)$/gm, "$1");
    const environment: Record<string, string> = {};
    for (const [variable, value] of Object.entries(parseEnv(lines))) environment[variable] = value ?? "";
    assert.ok(Object.keys(environment).length >= 20);
    assert.deepEqual(parseSettings(environment), parseSettings({}));
  });
});
