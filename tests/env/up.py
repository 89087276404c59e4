"""Starts what is not running: the registry, buildkitd, and the buildx builder."""

import buildkitd
import buildx
import layout
import registry


def main():
    with layout.lock("up"):
        registry.up()
        buildkitd.start(buildkitd.MAIN)
        buildx.up()


if __name__ == "__main__":
    main()
