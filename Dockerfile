# The image has the tree of the tarball and nothing else: Node, its libraries, the program. There is no shell and no package manager.
# The newest line of Node with long-term support, by the schedule of https://github.com/nodejs/Release: 26, since 2026-10-28. The Debian under it
# is the one whose libraries are shipped.
# A tag moves: for a build that can be repeated give the digest of the image that was tested, --build-arg NODE_IMAGE=node:26-bookworm-slim@sha256:...
ARG NODE_IMAGE=node:26-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json LICENSE ./
RUN npm ci
COPY deploy deploy
COPY src src
RUN npm run build:tarball -- --image /image

FROM scratch
COPY --from=build /image/ /
ENV PATH=/usr/local/bin
# How the C library keeps memory; see deploy/tarball/kube-register.
ENV MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=8192 MALLOC_TOP_PAD_=0 MALLOC_TRIM_THRESHOLD_=65536
# The first line of the program has the other bound: it can have only one.
ENV NODE_OPTIONS=--max-semi-space-size=8
# A number, so that Kubernetes' runAsNonRoot can tell that it is not root.
USER 1000
EXPOSE 10271
# Asks the daemon whether it is wedged. It knows where it listens from the variable alone, not from a flag.
# --init is advised, for a PID 1 that has not got as far as to hear signals is not ended by any.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/opt/kube-register/lib/node", "-e", "\
  const listen = process.env.KUBE_REGISTER_LISTEN || '[::]:10271';\
  const colon = listen.lastIndexOf(':');\
  const host = listen.slice(0, colon);\
  const hosts = host === '[::]' ? ['127.0.0.1', '[::1]'] : [host === '0.0.0.0' ? '127.0.0.1' : host];\
  const ask = (url) => fetch(url + listen.slice(colon) + '/healthz').then((answer) => answer.ok || Promise.reject());\
  const askTls = (host) => (process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0', ask('https://' + host));\
  const askBoth = (host) => ask('http://' + host).catch(() => askTls(host));\
  if (listen !== 'off') Promise.any(hosts.map(askBoth)).then(() => process.exit(0), () => process.exit(1));"]
ENTRYPOINT ["/usr/local/bin/kube-register"]
