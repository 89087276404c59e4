"""Prints lines for `eval`, so that any shell or script can use what is running."""

import json
import os
import shlex

import buildkitd
import buildx
import layout
import process
import registry


TESTED = ["buildkit-0.12", "buildkit-0.17"]


def syntax():
    """The frontend that was built last, by digest, or None before the first."""
    try:
        digest = json.loads(layout.FRONTEND_RECORD.read_text(encoding="utf-8"))["digest"]
    except (OSError, ValueError, KeyError):
        return None
    return f"{registry.address()}/{layout.FRONTEND_REPOSITORY}@{digest}"


def path():
    """The caller's PATH behind our programs, each folder once."""
    return ":".join(dict.fromkeys([str(layout.BIN), *os.environ.get("PATH", "").split(":")]))


def matrix():
    """The builders that `make test` compares with the main one; only those that are installed."""
    programs = {name: layout.BUILDERS / name / "bin" / "buildkitd" for name in TESTED}
    return " ".join(name for name, program in programs.items() if program.exists())


def variables():
    machine = layout.certificates()
    return {
        # For steps that fetch something: given to them by HARDPAN_CA.
        **({"HARDPAN_TEST_CA": machine} if machine else {}),
        "HARDPAN_BUILDER": buildx.BUILDER,
        "HARDPAN_MATRIX": matrix(),
        "HARDPAN_REGISTRY": registry.address(),
        "HARDPAN_SYNTAX": syntax(),
        "BUILDKIT_HOST": buildkitd.host(buildkitd.MAIN),
        "BUILDX_BUILDER": buildx.BUILDER,
        "BUILDX_CONFIG": str(layout.DOCKER_CONFIG / "buildx"),
        "DOCKER_CONFIG": str(layout.DOCKER_CONFIG),
        "PATH": path(),
    }


def main():
    for name in (registry.NAME, buildkitd.daemon(buildkitd.MAIN)):
        if not process.alive(name):
            layout.fail(f"{name} is not running; start it: make up")
    for name, value in variables().items():
        if value is None:
            layout.say(f"hardpan: {name} is left out: make frontend has not been run yet")
        else:
            print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main()
