"""One builder of the matrix, with an empty cache; its programs are those of `make builders`.

    tests/env/builder start NAME   starts it; prints how to reach it, as NAME=VALUE lines
    tests/env/builder stop NAME    ends it and removes all that it kept
    tests/env/builder list         their names

A BuildKit is reached through a buildx builder of its own, a Docker Engine as `docker buildx build`
does it where nothing was set up: by the driver `docker`.
"""

import shutil
import subprocess
import sys

import buildkitd
import buildx
import engine
import layout

# name: the folder of its buildkitd below .hardpan/builders, or None for the main one
BUILDKITS = {"buildkit-0.34": None, "buildkit-0.25": "buildkit-0.25",
             "buildkit-0.17": "buildkit-0.17", "buildkit-0.12": "buildkit-0.12"}
ENGINES = list(engine.STORES)


def config(name):
    return layout.BUILDERS / f"{name}-buildx"


def start_buildkit(name):
    folder = BUILDKITS[name]
    program = layout.BUILDERS / folder / "bin" / "buildkitd" if folder else layout.BIN / "buildkitd"
    if not program.exists():
        layout.fail(f"{name} is not installed: run `make builders`")
    buildkitd.start(name, program)
    host = buildkitd.host(name)
    env = {**buildx.environment(), "BUILDX_CONFIG": str(config(name))}
    command = [layout.BIN / "buildx", "create", "--name", name, "--driver", "remote", host]
    subprocess.run(command, env=env, check=True, capture_output=True, timeout=60)
    return {"BUILDKIT_HOST": host, "BUILDX_BUILDER": name}


def start(name):
    found = start_buildkit(name) if name in BUILDKITS else engine.start(name)
    for key, value in {**found, "BUILDX_CONFIG": config(name)}.items():
        print(f"{key}={value}")


def stop(name):
    if name in BUILDKITS:
        buildkitd.stop(name)
        shutil.rmtree(buildkitd.root(name), ignore_errors=True)
    else:
        engine.stop(name)
    shutil.rmtree(config(name), ignore_errors=True)


def main():
    names = [*BUILDKITS, *ENGINES]
    if sys.argv[1:] == ["list"]:
        print("\n".join(names))
        return
    if len(sys.argv) != 3 or sys.argv[1] not in ("start", "stop") or sys.argv[2] not in names:
        layout.fail(f"usage: tests/env/builder start|stop NAME; names are {', '.join(names)}")
    name = sys.argv[2]
    with layout.lock(f"builder-{name}"):
        stop(name)
        if sys.argv[1] == "start":
            start(name)


if __name__ == "__main__":
    main()
