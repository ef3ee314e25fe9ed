# One image for the operator and the recorder agent: `docker build .` (or buildah bud, or podman build).
# The last stage starts from nothing: it holds Node, ffmpeg, ffprobe, the core utilities, what these load, and two bundles.
# No package manager, no setuid program; everything runs as user 10001 on a read-only root file system (/tmp and the
# volumes are all that is written to).

# Any Debian; the build stages install from its package sources.
ARG BASE=docker.io/library/debian:bookworm-slim

# The locked npm packages. Debian's npm is used once, to fetch the Node that package-lock.json names; the rest uses that.
FROM ${BASE} AS dependencies
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates npm \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY package.json package-lock.json ./
COPY scripts/bootstrap.mjs ./scripts/
RUN node scripts/bootstrap.mjs

FROM dependencies AS bundles
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build --silent

# ffmpeg and ffprobe from the source of Debian's own package, with the parts that a recorder uses. Debian's binary loads
# 190 libraries: 0.1 s of CPU and 48 MB for the start of each camera, and 250 MB of image. This one needs 5 ms and 8 MB.
FROM ${BASE} AS media
WORKDIR /build
COPY deploy/image/build-ffmpeg.sh ./
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      dpkg-dev gcc libc6-dev libgnutls28-dev make pkg-config \
 && sh build-ffmpeg.sh /usr/local/bin \
 && apt-get clean && rm -rf /var/lib/apt/lists/*

FROM media AS runtime
COPY --from=dependencies /build/node_modules/node-linux-*/bin/node /usr/local/bin/node
COPY deploy/image/collect-closure.sh /
RUN strip --strip-unneeded /usr/local/bin/node \
 && mkdir -p /root.d/usr/bin /root.d/usr/sbin /root.d/usr/lib /root.d/usr/lib64 /root.d/etc /root.d/app \
 && for folder in bin sbin lib lib64; do ln -s usr/$folder /root.d/$folder; done \
 && sh /collect-closure.sh /root.d /usr/local/bin/node /usr/local/bin/ffmpeg /usr/local/bin/ffprobe /bin/sh /bin/grep \
      /usr/bin/fallocate /usr/bin/findmnt /usr/bin/flock /usr/bin/ionice /usr/bin/setpriv /usr/bin/setsid \
      $(dpkg -L coreutils findutils | grep -E '^(/usr)?/bin/[a-z]') \
 && mkdir -m 1777 /root.d/tmp \
 && echo 'root:x:0:0:root:/:/usr/sbin/nologin' > /root.d/etc/passwd \
 && echo 'understudy:x:10001:10001:understudy:/tmp:/usr/sbin/nologin' >> /root.d/etc/passwd \
 && printf 'root:x:0:\nunderstudy:x:10001:\n' > /root.d/etc/group \
 && echo 'hosts: files dns' > /root.d/etc/nsswitch.conf \
 && cp -L /etc/os-release /root.d/etc/os-release

FROM scratch
COPY --from=runtime /root.d/ /
COPY --from=bundles /build/dist/ /app/
LABEL org.opencontainers.image.title="Understudy" \
      org.opencontainers.image.description="Operator and recorder agent that keep surveillance cameras recording" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/usr/local/bin:/usr/bin:/bin HOME=/tmp TZ=UTC
WORKDIR /tmp
USER 10001:10001
ENTRYPOINT ["node"]
CMD ["/app/operator.js"]
