# One node of cjs-proxy. Build: docker build -t cjs-proxy .
# Run: docker run -p 8080:8080 -e CJS_PROXY_DRIVER=redis://redis:6379 cjs-proxy
FROM node:20-bookworm-slim AS build
WORKDIR /app
# First what changes seldom, so that the layer with the packages is kept. The sources are compiled below, not by `prepare`.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.mjs ./scripts/
COPY src ./src
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY config ./config
# An account without rights that the image of Node has. Ports from 1024 need none.
USER node
EXPOSE 8080 8443
# Only the address that is listened on; which one, the configuration says.
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s \
  CMD ["node", "-e", "require('node:http').get({port: 9090, path: '/ready'}, (r) => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
ENV CJS_PROXY_HTTP_BIND=0.0.0.0 CJS_PROXY_HTTP_PORT=8080 CJS_PROXY_ADMIN_PORT=9090
# Node itself is process 1, so that signals reach it.
ENTRYPOINT ["node", "dist/bin/cjs-proxy.js"]
