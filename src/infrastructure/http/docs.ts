import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FastifyInstance, type FastifyReply, fastify } from "fastify";

/** The reference may run its own script and style and call this server; nothing else, and nothing from elsewhere. */
const contentSecurityPolicy =
  "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; " +
  "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

export type DocsOptions = {
  /** The version that the served document tells; that of the file where nothing is said. */
  readonly version?: string;
  /** Also serves `/redoc`: the same reference, to be read only. */
  readonly redoc?: boolean;
};

const script = "/docs/js/scalar.js";

/**
 * `/openapi.json`, and `/docs`: Scalar's interactive reference with its own assets. The document is a file that
 * `npm run generate` writes from the routes' schemas, so that a server need not build it; it is served under
 * this title.
 */
export function registerDocs(
  server: FastifyInstance,
  title: string,
  documentName: string,
  options: DocsOptions = {},
): void {
  const hidden = { schema: { hide: true } };
  let document: Promise<string> | undefined;
  let reference: Promise<FastifyInstance> | undefined;

  async function answer(url: string, reply: FastifyReply): Promise<FastifyReply> {
    reference ??= createReference(title);
    const { statusCode, headers, payload } = await (await reference).inject({ method: "GET", url });
    return reply
      .code(statusCode)
      .type(String(headers["content-type"] ?? "text/plain"))
      .header("content-security-policy", contentSecurityPolicy)
      .serializer(String)
      .send(payload);
  }

  server.get("/openapi.json", hidden, async (_request, reply) => {
    document ??= readDocument(documentName, title, options.version);
    return reply
      .type("application/json; charset=utf-8")
      .serializer(String)
      .send(await document);
  });
  server.get("/docs", hidden, (_request, reply) => answer("/docs/", reply));
  server.get(script, hidden, (_request, reply) => answer(script, reply));
  if (options.redoc) server.get("/redoc", hidden, (_request, reply) => answer("/redoc/", reply));
}

async function readDocument(name: string, title: string, version: string | undefined): Promise<string> {
  const text = await readFile(installedFile(join("openapi", name)), "utf8");
  const document = JSON.parse(text) as { info: object };
  return JSON.stringify({
    ...document,
    info: { ...document.info, title, ...(version === undefined ? {} : { version }) },
  });
}

/** Scalar brings 4 MB of script inside its module, so it is loaded by the first reader and not by every start. */
async function createReference(title: string): Promise<FastifyInstance> {
  const { default: scalar } = await import("@scalar/fastify-api-reference");
  const inner = fastify();
  const configuration = {
    url: "/openapi.json",
    cdn: script,
    pageTitle: title,
    // Nothing that leaves this server: no fonts, telemetry, assistants or hosted tools of Scalar's.
    withDefaultFonts: false,
    telemetry: false,
    showDeveloperTools: "never" as const,
    hideClientButton: true,
    agent: { disabled: true },
    mcp: { disabled: true },
  };
  await inner.register(scalar, { routePrefix: "/docs", configuration });
  await inner.register(scalar, {
    routePrefix: "/redoc",
    configuration: { ...configuration, hideTestRequestButton: true },
  });
  await inner.ready();
  return inner as unknown as FastifyInstance;
}

/** Files of the package lie at its root: three folders up from here, or one up from `dist/` in a build. */
function installedFile(name: string): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const found = [join(here, "..", name), join(here, "..", "..", "..", name)].find((place) => existsSync(place));
  if (found === undefined) throw new Error(`${name} is not among the files of this installation`);
  return found;
}
