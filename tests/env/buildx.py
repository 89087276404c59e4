"""The buildx builder "hardpan", kept in a DOCKER_CONFIG of ours; the user's is never read."""

import json
import os
import subprocess

import buildkitd
import layout

BUILDER = "hardpan"


def environment():
    env = {key: value for key, value in os.environ.items()
           if not key.startswith(("BUILDX_", "BUILDKIT_", "DOCKER_"))}
    return {**env, "DOCKER_CONFIG": str(layout.DOCKER_CONFIG),
            "BUILDX_CONFIG": str(layout.DOCKER_CONFIG / "buildx")}


def endpoint():
    """Where the builder points today, or None if there is none."""
    path = layout.DOCKER_CONFIG / "buildx" / "instances" / BUILDER
    try:
        return json.loads(path.read_text(encoding="utf-8"))["Nodes"][0]["Endpoint"]
    except (OSError, ValueError, LookupError):
        return None


def buildx(*arguments):
    return subprocess.run([layout.BIN / "buildx", *arguments], env=environment(),
                          capture_output=True, text=True, check=False, timeout=60)


def up():
    """Creates the builder, or points it at today's socket."""
    wanted = buildkitd.host(buildkitd.MAIN)
    if endpoint() == wanted:
        return
    with layout.step(f"create the buildx builder '{BUILDER}'"):
        buildx("rm", "--force", BUILDER)
        done = buildx("create", "--name", BUILDER, "--driver", "remote", "--use", wanted)
        if done.returncode:
            layout.say(done.stderr)
            layout.fail(f"buildx could not create the builder '{BUILDER}'")
