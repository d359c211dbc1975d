# The image of both roles: docker run … tourniquet bot, docker run … tourniquet worker. Tests hold it to what src/ imports.
FROM node:26-slim AS dependencies
WORKDIR /app
COPY .npmrc package.json package-lock.json ./
# Without scripts: msgpackr-extract, the only one that has one, brings its binary for this platform as a package.
RUN npm ci --omit=dev --ignore-scripts

FROM node:26-slim
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tourniquet" \
      org.opencontainers.image.description="Stops a leaked Kubernetes service account token, from Slack, and proves it stopped." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE manifest.yml ./
COPY commands ./commands
COPY src ./src
# Nobody, who owns no file here; a number, so that Kubernetes can see that it is not root.
USER 65532:65532
# Alerts to the bot; health and metrics of the worker, and of the bot as the chart sets it.
EXPOSE 8080 8081 8082
# For the ports that are the default. Kubernetes has its own probes and does not look at this.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["node", "--eval", "const alive = async (port) => { const { ok } = await fetch('http://127.0.0.1:' + port + '/healthz'); if (!ok) throw new Error(); }; Promise.any([8080, 8081].map(alive)).then(() => process.exit(0), () => process.exit(1));"]
# No shell in between, so that SIGTERM reaches the process, which then finishes what is running. TypeScript runs as it is.
ENTRYPOINT ["node", "src/main.ts"]
