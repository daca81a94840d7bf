import { isAbsolute, resolve } from "node:path";

/** One setting: what it is for, what it may be, and what it is when nothing is said. */
type Setting<Value, Fallback extends string | null = string | null> = {
  readonly variable: string;
  readonly meaning: string;
  readonly fallback: Fallback;
  readonly secret?: true;
  /** Returns the value, or throws a RangeError that says what it should be ("a port from 0 to 65535"). */
  readonly parse: (text: string) => Value;
};

function text(value: string): string {
  return value;
}

function oneOf<const Choice extends string>(...choices: Choice[]): (value: string) => Choice {
  return (value) => {
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw new RangeError(`one of ${choices.join(", ")}`);
    return choice;
  };
}

function wholeNumber(least: number, most: number, what = "a whole number"): (value: string) => number {
  return (value) => {
    const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= least && number <= most)) throw new RangeError(`${what} from ${least} to ${most}`);
    return number;
  };
}

const port = wholeNumber(0, 65_535, "a port");

function url(...protocols: string[]): (value: string) => string {
  return (value) => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    if (parsed === undefined || !protocols.includes(parsed.protocol)) {
      throw new RangeError(`an address that begins with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`);
    }
    return value;
  };
}

function ratio(value: string): number {
  const number = /^[01](\.\d+)?$|^0?\.\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= 0 && number <= 1)) throw new RangeError("a number from 0 to 1");
  return number;
}

function flag(value: string): boolean {
  if (value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw new RangeError("true or false");
}

function hostName(value: string): string {
  if (!/^[\w.-]+$|^[0-9a-f:.]+$/i.test(value)) throw new RangeError("a host's name or address");
  return value;
}

function topicName(value: string): string {
  if (!/^(persistent:\/\/[\w.=:-]+\/[\w.=:-]+\/)?[\w.=:-]+$/.test(value)) {
    throw new RangeError("a topic's name, or persistent://tenant/namespace/topic");
  }
  return value;
}

function startingWith(prefix: string): (value: string) => string {
  return (value) => {
    if (!value.startsWith(prefix) || value.length < prefix.length + 4) {
      throw new RangeError(`a secret that begins with ${prefix}`);
    }
    return value;
  };
}

function setting<Value, const Fallback extends string | null>(
  variable: string,
  fallback: Fallback,
  parse: (text: string) => Value,
  meaning: string,
  secret?: true,
): Setting<Value, Fallback> {
  return { variable, fallback, parse, meaning, ...(secret === undefined ? {} : { secret }) };
}

const environments = oneOf("development", "production", "test");
const postgresUrl = url("postgres:", "postgresql:");

/** Every setting there is, in the order in which `.env.example` shows them. */
const settingsTable = {
  nodeEnv: setting("NODE_ENV", "development", environments, "production refuses the sandbox"),
  environment: setting("ENVIRONMENT", null, environments, "another name of NODE_ENV; set one of them"),
  appName: setting("APP_NAME", "MarketFlow partner API", text, "the title of the partner API's documentation"),
  appVersion: setting("APP_VERSION", null, text, "the version in that documentation; unset: MarketFlow's own"),
  host: setting("HOST", "127.0.0.1", text, "the address the listeners bind; the sandbox takes only loopback"),
  port: setting("PORT", "3000", port, "the marketplace API's port; 0 takes any free one"),
  partnerPort: setting("PARTNER_PORT", "8000", port, "the partner API's port; 0 takes any free one"),
  home: setting(
    "MARKETFLOW_HOME",
    ".marketflow",
    text,
    "where the sandbox keeps its database and the simulator its journal",
  ),
  logLevel: setting(
    "LOG_LEVEL",
    "info",
    oneOf("fatal", "error", "warn", "info", "debug", "trace", "silent"),
    "how much is logged",
  ),
  debug: setting("DEBUG", "false", flag, "true logs at the level debug where LOG_LEVEL is not set"),
  databaseUrl: setting(
    "DATABASE_URL",
    null,
    postgresUrl,
    "PostgreSQL as the application's role; unset: an embedded one",
    true,
  ),
  databaseOwnerUrl: setting(
    "DATABASE_OWNER_URL",
    null,
    postgresUrl,
    "PostgreSQL as the role that owns the schemas, for migrations; unset: DATABASE_URL",
    true,
  ),
  redisUrl: setting("REDIS_URL", null, url("redis:", "rediss:"), "Redis; unset: REDIS_HOST, or memory", true),
  redisHost: setting("REDIS_HOST", null, hostName, "Redis by its host, where REDIS_URL is not set"),
  redisPort: setting("REDIS_PORT", "6379", port, "the port of Redis at REDIS_HOST"),
  gateway: setting("GATEWAY", "simulator", oneOf("simulator", "stripe"), "who moves the money"),
  gatewayTimeoutMs: setting(
    "GATEWAY_TIMEOUT_MS",
    "8000",
    wholeNumber(50, 60_000),
    "how long one call to the gateway may take, in milliseconds",
  ),
  stripeSecretKey: setting(
    "STRIPE_SECRET_KEY",
    null,
    text,
    "Stripe's secret key (sk_… or rk_…); needed where GATEWAY=stripe",
    true,
  ),
  stripeWebhookSecret: setting(
    "STRIPE_WEBHOOK_SECRET",
    null,
    startingWith("whsec_"),
    "the secret that signs webhooks; the sandbox's is whsec_sandbox",
    true,
  ),
  stripeApiBase: setting("STRIPE_API_BASE", null, url("http:", "https:"), "another host for Stripe's API, for tests"),
  simulatorLatencyMs: setting(
    "SIMULATOR_LATENCY_MS",
    "0",
    wholeNumber(0, 60_000),
    "how long the simulated gateway takes for each call, in milliseconds",
  ),
  simulatorPayAfterMs: setting(
    "SIMULATOR_PAY_AFTER_MS",
    "50",
    wholeNumber(0, 600_000),
    "how long the simulated buyer takes to pay, in milliseconds",
  ),
  simulatorBuyer: setting(
    "SIMULATOR_BUYER",
    "pays",
    oneOf("pays", "absent"),
    "whether the simulated buyer pays what was created",
  ),
  idempotencyTtlSeconds: setting(
    "IDEMPOTENCY_TTL_SECONDS",
    "86400",
    wholeNumber(1, 31_536_000),
    "how long a bill payment's idempotency key is kept, in seconds",
  ),
  maxRetries: setting("MAX_RETRIES", "3", wholeNumber(1, 100), "after how many failed retries a bill is EXHAUSTED"),
  retrySuccessProbability: setting(
    "RETRY_SUCCESS_PROBABILITY",
    "0.5",
    ratio,
    "how often the retry of a bill succeeds at the simulated gateway, from 0 to 1",
  ),
  pasarelaLatencyMs: setting(
    "PASARELA_LATENCY_MS",
    "0",
    wholeNumber(0, 60_000),
    "how long the simulated gateway takes for a payout, in milliseconds",
  ),
  pasarelaFailureRate: setting(
    "PASARELA_FAILURE_RATE",
    "0",
    ratio,
    "how often the simulated gateway declines a payout, from 0 to 1",
  ),
  payoutConcurrency: setting(
    "PAYOUT_CONCURRENCY",
    "512",
    wholeNumber(1, 10_000),
    "how many payouts of batches a process has at the gateway at once",
  ),
  pulsarUrl: setting(
    "PULSAR_URL",
    null,
    url("pulsar:", "pulsar+ssl:"),
    "Apache Pulsar (pulsar://localhost:6650); unset: events go to this process's own subscribers",
  ),
  pulsarWebUrl: setting(
    "PULSAR_WEB_URL",
    null,
    url("http:", "https:"),
    "Pulsar's admin API (http://localhost:8080), by which partitioned topics are made; unset: they must be there",
  ),
  pulsarTopic: setting(
    "PULSAR_TOPIC",
    "pagos-events",
    topicName,
    "the topic of the pagos' events, short or as persistent://tenant/namespace/topic; the others are beside it",
  ),
  pulsarSubscription: setting(
    "PULSAR_SUBSCRIPTION",
    "aeropartners-consumer",
    text,
    "the subscription that `marketflow consume` reads the topic with",
  ),
  pulsarToken: setting("PULSAR_TOKEN", null, text, "the token that Pulsar knows us by", true),
  pulsarPartitions: setting(
    "PULSAR_PARTITIONS",
    "8",
    wholeNumber(1, 1_000),
    "how many partitions a topic is made with: that many consumers can share it",
  ),
  webhooksAllowPrivate: setting(
    "WEBHOOKS_ALLOW_PRIVATE",
    null,
    flag,
    "true lets webhooks go to private addresses and over plain http; unset: only in the sandbox",
  ),
  operationsPort: setting(
    "OPERATIONS_PORT",
    null,
    port,
    "where `relay` and `consume` answer /health and /metrics; 0 takes any free port; unset: nowhere",
  ),
  otlpEndpoint: setting(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    null,
    url("http:", "https:"),
    "an OpenTelemetry collector (OTLP over HTTP); unset: no traces",
  ),
  traceSampleRatio: setting("OTEL_TRACES_SAMPLER_ARG", "0.1", ratio, "the share of requests that are traced"),
  acceptLeaseMs: setting(
    "ACCEPT_LEASE_MS",
    "10000",
    wholeNumber(100, 600_000),
    "after how long recovery takes over a payment that nobody settled, in milliseconds",
  ),
  shutdownTimeoutMs: setting(
    "SHUTDOWN_TIMEOUT_MS",
    "10000",
    wholeNumber(100, 600_000),
    "how long a stop waits for what is under way, in milliseconds",
  ),
} as const;

type SettingsTable = typeof settingsTable;

type Given = {
  readonly [Name in keyof SettingsTable]:
    | ReturnType<SettingsTable[Name]["parse"]>
    | (SettingsTable[Name]["fallback"] extends null ? undefined : never);
};

/**
 * The settings by name; what has no fallback and was not set is undefined. What only says another setting in another
 * way (`ENVIRONMENT`, `DEBUG`, `REDIS_HOST`) has become that one.
 */
export type Settings = Omit<Given, "environment" | "debug" | "redisHost" | "redisPort">;

/** Thrown with every fault of the settings at once; its message never contains a secret's value. */
export class InvalidSettings extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The settings are not usable:\n${faults.map((fault) => `  - ${fault}`).join("\n")}`);
    this.name = "InvalidSettings";
    this.faults = faults;
  }
}

/**
 * Reads the settings from environment variables. An empty variable counts as not set.
 * Throws {@link InvalidSettings} that names every fault, with the variable and what it should be.
 */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { variable, fallback, parse, secret }] of Object.entries<Setting<unknown>>(settingsTable)) {
    const given = environment[variable]?.trim() || fallback;
    if (given === null || given === undefined) continue;
    try {
      values[name] = parse(given);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      faults.push(`${variable} must be ${error.message}${secret ? "" : `, not "${given}"`}`);
    }
  }
  const given = values as Given;
  const isSet = (name: keyof SettingsTable) => Boolean(environment[settingsTable[name].variable]?.trim());
  if (isSet("nodeEnv") && isSet("environment") && given.nodeEnv !== given.environment) {
    faults.push("ENVIRONMENT must be what NODE_ENV is, where both are set");
  }
  const settings = resolved(given, isSet("logLevel"));
  if (settings.gateway === "stripe") faults.push(...faultsOfStripe(environment));
  if (settings.acceptLeaseMs <= settings.gatewayTimeoutMs) {
    const { acceptLeaseMs: lease, gatewayTimeoutMs: timeout } = settings;
    faults.push(`ACCEPT_LEASE_MS must be more than GATEWAY_TIMEOUT_MS (${timeout}), not ${lease}: calls end first`);
  }
  if (faults.length > 0) throw new InvalidSettings(faults);
  return { ...settings, home: isAbsolute(settings.home) ? settings.home : resolve(settings.home) };
}

/** Says everything in one way: the contracts of the partner API have names of their own for some settings. */
function resolved(given: Given, logLevelIsSet: boolean): Settings {
  const { environment, debug, redisHost, redisPort, ...settings } = given;
  const address = redisHost?.includes(":") ? `[${redisHost}]` : redisHost;
  const redisUrl = settings.redisUrl ?? (address === undefined ? undefined : `redis://${address}:${redisPort}`);
  return {
    ...settings,
    nodeEnv: environment ?? settings.nodeEnv,
    logLevel: debug && !logLevelIsSet ? "debug" : settings.logLevel,
    redisUrl,
  };
}

function faultsOfStripe(environment: Readonly<Record<string, string | undefined>>): string[] {
  return [settingsTable.stripeSecretKey, settingsTable.stripeWebhookSecret]
    .filter(({ variable }) => !environment[variable]?.trim())
    .map(({ variable }) => `${variable} must be set where GATEWAY=stripe`);
}

/** The secrets among the settings, so that logs can be kept free of them. */
export function secretsOf(settings: Settings): string[] {
  return Object.entries<Setting<unknown>>(settingsTable)
    .filter(([, { secret }]) => secret)
    .map(([name]) => settings[name as keyof Settings])
    .filter((value) => typeof value === "string");
}

/** The text of `.env.example`: every setting with its meaning and its fallback, all commented out. */
export function exampleEnvironment(): string {
  const lines = Object.values<Setting<unknown>>(settingsTable).map(
    ({ variable, meaning, fallback }) => `# ${meaning}\n# ${variable}=${fallback ?? ""}\n`,
  );
  const title = "# Every setting of MarketFlow. A line that is commented out shows what holds when nothing is said.";
  return `${title}\n\n${lines.join("\n")}`;
}
