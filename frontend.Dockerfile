# The image behind `# syntax=ghcr.io/hardpan/hardpan:1`: one static binary, nothing else.
#
# From source:              docker buildx build -f frontend.Dockerfile .
# Behind a company's proxy: … --secret id=ca,src=BUNDLE   (certificates that Cargo trusts)
# From a binary:            … --build-context binary=FOLDER   (FOLDER/hardpan, static, for linux)

FROM dhi.io/rust:1-dev AS build
WORKDIR /build
ENV CARGO_HOME=/cargo
COPY . .
# Without the musl target (DHI's image has none) a static glibc binary does as well: the
# frontend resolves no names and loads no plug-ins.
RUN --mount=type=cache,id=hardpan-cargo,target=/cargo/registry \
    --mount=type=cache,id=hardpan-target,target=/build/target \
    --mount=type=secret,id=ca,target=/run/ca.pem <<'SCRIPT'
set -eu
[ ! -f /run/ca.pem ] || export CARGO_HTTP_CAINFO=/run/ca.pem
machine=$(uname -m)
target=$machine-unknown-linux-musl
if [ ! -d "$(rustc --print target-libdir --target "$target")" ]; then
    target=$machine-unknown-linux-gnu
    export RUSTFLAGS="-C target-feature=+crt-static"
fi
cargo build --release --locked --bin hardpan --target "$target"
cp "target/$target/release/hardpan" /hardpan
SCRIPT

# A named context "binary" takes the place of this stage; the one above is not built then.
FROM scratch AS binary
COPY --from=build --chmod=0755 /hardpan /hardpan

FROM scratch
COPY --from=binary --chmod=0755 /hardpan /hardpan
LABEL org.opencontainers.image.title="hardpan" \
      org.opencontainers.image.description="BuildKit frontend: from a short spec to a proven image on Docker Hardened Images" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://github.com/hardpan/hardpan"
# BuildKit reads these before it starts the frontend: no network, and what it may be asked.
LABEL moby.buildkit.frontend.network.none="true" \
      moby.buildkit.frontend.caps="moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests,moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring,moby.buildkit.frontend.contexts.zstd"
ENTRYPOINT ["/hardpan", "frontend"]
