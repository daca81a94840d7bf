# Two stages: the bundle is made with every tool, and the image holds Node.js, the bundle and the migrations. There is
# no npm package in it: what is needed of them is in the bundle. The embedded PostgreSQL of the sandbox is left out.

FROM node:26-slim AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Not `npm ci`: the lock file lacks optional packages of other platforms, which it refuses. No install script is run:
# the Node.js that works here is the image's own.
RUN npm install --no-save --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/build.ts

FROM node:26-slim AS runtime
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    PARTNER_PORT=8000 \
    MARKETFLOW_HOME=/var/lib/marketflow \
    NODE_COMPILE_CACHE=/var/cache/marketflow
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /opt/yarn* \
 && mkdir -p "$MARKETFLOW_HOME" "$NODE_COMPILE_CACHE" \
 && chown node:node "$MARKETFLOW_HOME" "$NODE_COMPILE_CACHE"
WORKDIR /app
COPY --chown=root:root package.json LICENSE ./
COPY --chown=root:root migrations ./migrations
COPY --chown=root:root openapi ./openapi
COPY --chown=root:root --from=build /build/dist ./dist
USER node
VOLUME /var/lib/marketflow
EXPOSE 3000 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/live`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "--max-semi-space-size=8", "--heap-growing-percent=20", "dist/marketflow.mjs"]
CMD ["serve"]
