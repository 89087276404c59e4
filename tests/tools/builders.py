"""Installs the builders of the matrix (`make builders`): older BuildKits and today's Docker Engine.

    python3 tests/tools/builders.py [NAME…]   only these, such as buildkit-0.17 or engine;
                                              `tested` are those of `make test`

Each comes from a pinned module of its own beside this file, since their requirements differ, and
lands in .hardpan/builders/NAME. Docker Engine wants a newer runc than Debian's, which is built
with libseccomp: the only thing here that is installed rather than unpacked.
"""

import os
import shutil
import subprocess
import sys

import install
from install import layout
import print_env  # noqa: E402  (install has put its folder on the path)

ENGINE = "v2.0.0-beta.24"
CONTAINERD = "v2.4.2"
RUNC = "1.5.2"
CONTAINERD_VERSION = "github.com/containerd/containerd/v2/version.Version"


def buildkit(name, version):
    return {"buildkitd": (name, "github.com/moby/buildkit/cmd/buildkitd",
                          "github.com/moby/buildkit/version.Version", version, ["--version"])}


# The floor, the one that Docker Engine 29 came with, and one below the floor.
BUILDERS = {
    "buildkit-0.12": buildkit("buildkit-0.12", "v0.12.5"),
    "buildkit-0.17": buildkit("buildkit-0.17", "v0.17.3"),
    "buildkit-0.25": buildkit("buildkit-0.25", "v0.25.2"),
    "engine": {
        "dockerd": ("engine", "github.com/moby/moby/v2/cmd/dockerd",
                    "github.com/moby/moby/v2/dockerversion.Version", ENGINE.removeprefix("v"),
                    ["--version"]),
        "containerd": ("engine", "github.com/containerd/containerd/v2/cmd/containerd",
                       CONTAINERD_VERSION, CONTAINERD, ["--version"]),
        "containerd-shim-runc-v2": (
            "engine", "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
            CONTAINERD_VERSION, CONTAINERD, ["-v"]),
        "runc": ("engine", "github.com/opencontainers/runc", "main.version", RUNC, ["--version"]),
    },
}
# It speaks to the kernel in C.
SETTINGS = {"runc": {"CGO_ENABLED": "1", "GOFLAGS": "-buildvcs=false -tags=seccomp"}}


def install_libseccomp():
    """What runc is compiled with."""
    wanted = [package for package, probe in
              {"gcc": ["gcc", "--version"], "pkg-config": ["pkg-config", "--version"],
               "libseccomp-dev": ["pkg-config", "--exists", "libseccomp"]}.items()
              if not shutil.which(probe[0])
              or subprocess.run(probe, capture_output=True, check=False).returncode]
    if not wanted:
        return
    if os.geteuid():
        layout.fail(f"run as root: apt-get install {' '.join(wanted)}")
    with layout.step(f"install {' '.join(wanted)} from Debian's packages"):
        install.apt("install", "-y", "--no-install-recommends", *wanted)


def install_builder(name):
    folder = layout.BUILDERS / name / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    for program, row in BUILDERS[name].items():
        if program == "runc" and not install.says_version(folder / program, row[3], row[4]):
            install_libseccomp()
        install.install_go_program(folder / program, row, **SETTINGS.get(program, {}))


def main():
    names = sys.argv[1:] or list(BUILDERS)
    if names == ["tested"]:
        names = print_env.TESTED
    unknown = [name for name in names if name not in BUILDERS]
    if unknown:
        layout.fail(f"there is no builder {unknown[0]}; there are {', '.join(BUILDERS)}")
    with layout.lock("tools"):
        for name in names:
            install_builder(name)


if __name__ == "__main__":
    main()
