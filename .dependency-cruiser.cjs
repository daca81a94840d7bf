/**
 * Who may import whom. Each rule is seen firing on the planted tree in tests/architecture/planted, and the number of
 * files that were read is compared with the files on disk, so that the rules cannot pass by reading nothing.
 */

/** Which modules a module may use, through their index.ts; identity's is open to every http and jobs layer besides. */
const moduleOrder = {
  identity: [],
  catalog: [],
  ledger: [],
  events: [],
  cart: ["catalog"],
  payments: ["ledger", "events"],
  bills: ["ledger", "events"],
  payouts: ["ledger", "events"],
  orders: ["catalog", "cart", "payments"],
  webhooks: ["events"],
  reconciliation: ["ledger", "events", "payments"],
};

const test = "\\.test\\.ts$";
const kernel = "^src/kernel/";
const layer = (name) => `^src/modules/([^/]+)/${name}(/|\\.)`;
const edge = "^src/modules/[^/]+/(?:http|jobs)(/|\\.)";
const own = (...names) => `^src/modules/$1/(${names.join("|")})(/|\\.)`;

const forbid = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

const orderRules = Object.entries(moduleOrder).map(([name, allowed]) =>
  forbid(
    `module-order-${name}`,
    allowed.length === 0 ? `${name} imports no module` : `${name} uses ${allowed.join(" and ")} and no other module`,
    { path: `^src/modules/${name}/`, pathNot: [test, edge] },
    { path: "^src/modules/", pathNot: `^src/modules/(${[name, ...allowed].join("|")})/` },
  ),
);

module.exports = {
  forbidden: [
    forbid("kernel-imports-nothing", "the kernel is pure", { path: kernel, pathNot: test }, { pathNot: kernel }),
    forbid(
      "movements-import-the-kernel",
      "the pipeline knows no module and no infrastructure",
      { path: "^src/movements/", pathNot: test },
      { path: "^src/", pathNot: ["^src/movements/", kernel] },
    ),
    forbid(
      "domain-is-pure",
      "a domain knows itself and the kernel: no npm, no Node",
      { path: layer("domain"), pathNot: test },
      { pathNot: [own("domain"), kernel] },
    ),
    forbid(
      "persistence-knows-the-domain",
      "persistence knows its own domain and the kernel",
      { path: layer("persistence"), pathNot: test },
      { pathNot: [own("persistence", "domain"), kernel] },
    ),
    forbid(
      "catalogue-is-definitions",
      "a catalogue of schemas knows itself, the kernel and TypeBox",
      { path: layer("catalogue"), pathNot: test },
      { pathNot: [own("catalogue"), kernel, "node_modules/typebox/"] },
    ),
    forbid(
      "application-knows-no-edge",
      "a use case knows its own layers below it, the kernel, movements and other modules' doors: no npm",
      { path: layer("application"), pathNot: test },
      {
        dependencyTypesNot: ["core"],
        pathNot: [
          own("application", "persistence", "catalogue", "domain", "ports"),
          kernel,
          "^src/movements/",
          "^src/modules/[^/]+/index\\.ts$",
        ],
      },
    ),
    forbid(
      "edge-knows-the-application",
      "http and jobs know their own application and domain, the kernel, and the doors of movements and identity",
      { path: layer("(?:http|jobs)"), pathNot: test },
      {
        path: "^src/",
        pathNot: [
          own("http", "jobs", "application", "catalogue", "domain"),
          kernel,
          "^src/movements/",
          "^src/modules/identity/index\\.ts$",
        ],
      },
    ),
    forbid(
      "module-behind-its-door",
      "a module is entered by its index.ts",
      { path: "^src/(?:modules/([^/]+)|movements|infrastructure)/", pathNot: test },
      { path: "^src/modules/", pathNot: ["^src/modules/$1/", "^src/modules/[^/]+/(?:index|ports)\\.ts$"] },
    ),
    forbid(
      "movements-behind-its-door",
      "movements is entered by its index.ts, or by ports.ts",
      { path: "^src/", pathNot: ["^src/movements/", "^src/app(?:\\.ts$|/)", test] },
      { path: "^src/movements/", pathNot: "^src/movements/(?:index|ports)\\.ts$" },
    ),
    forbid(
      "infrastructure-knows-ports",
      "an adapter knows its own folder, the kernel and ports.ts files",
      { path: "^src/infrastructure/([^/]+)/", pathNot: test },
      { path: "^src/", pathNot: ["^src/infrastructure/$1/", kernel, "/ports\\.ts$", "^src/infrastructure/telemetry/"] },
    ),
    forbid(
      "telemetry-for-the-http-edge",
      "adapters report through what they are given; only the HTTP edge knows spans and instruments itself",
      { path: "^src/infrastructure/", pathNot: ["^src/infrastructure/(?:http|telemetry)/", test] },
      { path: "^src/infrastructure/telemetry/" },
    ),
    forbid(
      "app-for-apps-and-tests",
      "only apps and tests import the composition root",
      { path: "^src/", pathNot: ["^src/apps/", "^src/app(?:\\.ts$|/)", test] },
      { path: "^src/app(?:\\.ts$|/)" },
    ),
    forbid(
      "apps-are-imported-by-nobody",
      "apps are where a process begins",
      { path: "^src/", pathNot: ["^src/apps/", test] },
      { path: "^src/apps/" },
    ),
    forbid(
      "settings-for-the-composition",
      "settings are parsed by apps and used by app.ts; everybody else is given values",
      { path: "^src/", pathNot: ["^src/apps/", "^src/app(?:\\.ts$|/)", "^src/settings(\\.test)?\\.ts$", test] },
      { path: "^src/settings\\.ts$" },
    ),
    forbid(
      "source-knows-no-tool",
      "what ships does not import tests, bench, scripts or ops",
      { path: "^src/", pathNot: test },
      { path: "^(?:tests|bench|scripts|ops)/" },
    ),
    forbid(
      "no-development-dependency",
      "what ships uses dependencies only",
      { path: "^src/", pathNot: test },
      { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
    ),
    forbid("no-circle", "a circle has no first part to read", {}, { circular: true }),
    forbid("resolves", "what is imported exists", {}, { couldNotResolve: true }),
    ...orderRules,
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "default"] },
    skipAnalysisNotInRules: false,
  },
};
