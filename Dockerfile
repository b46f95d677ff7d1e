# The image of rekeyd: Node, and the program bundled to a few files. It builds with BuildKit and with the legacy builder:
#   docker build -t rekeyd .
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No install script is needed for the build, so none is run.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node packaging/bundle.ts image /opt/rekeyd
# With the flags of packaging/rekeyd.sh, or what is kept here would never be found.
RUN node packaging/warm.ts /opt/rekeyd --disable-proto=delete --max-semi-space-size=4

FROM ${NODE_IMAGE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="rekeyd" \
      org.opencontainers.image.description="Keeps client secrets fresh: rotates, delivers, proves, deletes what was replaced" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.documentation="docs/operations.md" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

COPY packaging/rekeyd.sh /usr/local/bin/rekeyd
COPY packaging/config config/rekeyd.schema.json /etc/rekeyd/
# What installs software has no place beside secrets. Folders for a volume belong to the user, so that a new one does too; the
# state's is open to group 0, in which OpenShift runs whatever user it makes up. Modes of what was copied are not left to the
# umask of whoever made the checkout.
RUN chmod 0755 /usr/local/bin/rekeyd \
 && chmod -R a+rX /etc/rekeyd \
 && rm -rf /usr/local/lib/node_modules /opt/yarn* /usr/local/include \
      /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg \
 && install -d -m 0770 -o 65532 -g 0 /var/lib/rekeyd \
 && install -d -m 0750 -o 65532 -g 65532 /delivered \
 && install -d -m 0755 /etc/rekeyd /run/secrets
COPY --from=build /opt/rekeyd /opt/rekeyd

ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=2 \
    REKEYD_CONFIG=/etc/rekeyd/rekeyd.yaml
USER 65532:65532
WORKDIR /var/lib/rekeyd
EXPOSE 8080 8082
ENTRYPOINT ["/usr/local/bin/rekeyd"]
CMD ["run"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 \
  CMD ["/usr/local/bin/rekeyd", "health"]
