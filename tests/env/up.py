"""Starts what is not running: the registry, emulation, buildkitd, and the buildx builder."""

import buildkitd
import buildx
import emulation
import layout
import registry


def main():
    with layout.lock("up"):
        registry.up()
        emulation.up()
        buildkitd.start(buildkitd.MAIN)
        buildx.up()


if __name__ == "__main__":
    main()
