import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";

/** The reference may run its own script and style and call this server; nothing else, and nothing from elsewhere. */
const contentSecurityPolicy =
  "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; " +
  "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

/**
 * `/openapi.json`, and `/docs`: Scalar's interactive reference with its own assets. The document is a file that
 * `npm run generate` writes from the routes' schemas, so that a server need not build it.
 */
export function registerDocs(server: FastifyInstance, title: string, documentName: string): void {
  const hidden = { schema: { hide: true } };
  let document: Promise<string> | undefined;
  let reference: Promise<FastifyInstance> | undefined;

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    reference ??= createReference(title);
    const { statusCode, headers, payload } = await (await reference).inject({ method: "GET", url: request.url });
    if (headers.location !== undefined) reply.header("location", "/docs/");
    return reply
      .code(statusCode)
      .type(String(headers["content-type"] ?? "text/plain"))
      .header("content-security-policy", contentSecurityPolicy)
      .serializer(String)
      .send(payload);
  }

  server.get("/openapi.json", hidden, async (_request, reply) => {
    document ??= readFile(installedFile(join("openapi", documentName)), "utf8");
    return reply
      .type("application/json; charset=utf-8")
      .serializer(String)
      .send(await document);
  });
  server.get("/docs", hidden, answer);
  server.get("/docs/*", hidden, answer);
}

/** Scalar brings 4 MB of script inside its module, so it is loaded by the first reader and not by every start. */
async function createReference(title: string): Promise<FastifyInstance> {
  const { default: scalar } = await import("@scalar/fastify-api-reference");
  const inner = fastify();
  await inner.register(scalar, {
    routePrefix: "/docs",
    configuration: {
      url: "/openapi.json",
      pageTitle: title,
      // Nothing that leaves this server: no fonts, telemetry, assistants or hosted tools of Scalar's.
      withDefaultFonts: false,
      telemetry: false,
      showDeveloperTools: "never",
      hideClientButton: true,
      agent: { disabled: true },
      mcp: { disabled: true },
    },
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
