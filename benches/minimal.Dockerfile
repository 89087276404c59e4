# What examples/minimal says, as a Dockerfile: what docker/dockerfile builds in benches/bench.py.
FROM dhi.io/node:24
COPY server.mjs ./
ENTRYPOINT ["node", "server.mjs"]
CMD []
