# One image per service, and one for the operator's tool:
#
#     docker build --target job-generator -t millrace/job-generator .
#     docker build --target worker        -t millrace/worker .
#     docker build --target cli           -t millrace/cli .

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src

# The dependencies alone, built against empty crates: this layer lasts until Cargo.lock changes.
# (Cache mounts would do it more simply, but docker-compose 1.29 builds without BuildKit.)
COPY Cargo.toml Cargo.lock ./
COPY shared/Cargo.toml shared/
COPY job-generator/Cargo.toml job-generator/
COPY worker/Cargo.toml worker/
COPY cli/Cargo.toml cli/
COPY sandbox/Cargo.toml sandbox/
RUN for crate in shared job-generator worker cli sandbox; do \
        mkdir $crate/src && touch $crate/src/lib.rs && echo 'fn main() {}' > $crate/src/main.rs; \
    done \
    && cargo build --release --locked -p job-generator -p worker -p cli \
    && rm -r */src

# Cargo goes by modification times, and these files are older than what was just built.
COPY . .
RUN find . -name '*.rs' -exec touch {} + \
    && SQLX_OFFLINE=true cargo build --release --locked -p job-generator -p worker -p cli \
    && mkdir /out \
    && cp target/release/job-generator target/release/worker target/release/millrace /out/ \
    && strip /out/*


FROM debian:bookworm-slim AS base
# The HTTPS client has no certificates of its own.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home millrace
USER millrace


# What both services have: the admin port, and a look at it. There is no curl in this image, but bash
# can open a connection.
FROM base AS service
ENV ADMIN_ADDRESS=0.0.0.0:9090 LOG_FORMAT=json
EXPOSE 9090
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/9090 && printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]


FROM service AS job-generator
COPY --from=build /out/job-generator /usr/local/bin/
ENV API_ADDRESS=0.0.0.0:8080
EXPOSE 8080
ENTRYPOINT ["job-generator"]


FROM service AS worker
COPY --from=build /out/worker /usr/local/bin/
ENTRYPOINT ["worker"]


# `docker run millrace/cli migrate`, and whatever else `millrace --help` lists.
FROM base AS cli
COPY --from=build /out/millrace /usr/local/bin/
ENTRYPOINT ["millrace"]
