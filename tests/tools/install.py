"""Installs what the tests need and what is missing, and verifies its versions.

Go programs come from the pinned modules beside this file, the rest from Debian's
packages. Everything lands in .hardpan/bin, except mmdebstrap, which is not relocatable, and
what many machines have anyway (`INSTALLED`).
The registry and runc are unpacked, not installed: installing docker-registry would start
a service on the user's machine.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "env"))
import emulation  # noqa: E402
import layout  # noqa: E402

HERE = Path(__file__).resolve().parent
BUILDKIT = "v0.34.2"
BUILDX = "v0.38.2"

# program: (module folder, package, variable that carries the version, version, how it says it)
GO_PROGRAMS = {
    "buildkitd": ("buildkit", "github.com/moby/buildkit/cmd/buildkitd",
                  "github.com/moby/buildkit/version.Version", BUILDKIT, ["--version"]),
    "buildctl": ("buildkit", "github.com/moby/buildkit/cmd/buildctl",
                 "github.com/moby/buildkit/version.Version", BUILDKIT, ["--version"]),
    "dockerfile-frontend": ("buildkit",
                            "github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend",
                            "main.Version", BUILDKIT, ["--version"]),
    "buildx": ("buildx", "github.com/docker/buildx/cmd/buildx",
               "github.com/docker/buildx/version.Version", BUILDX, ["version"]),
}
UNPACKED = {"runc": "runc", "docker-registry": "docker-registry"}
# Only tests of other platforms need it: without it they are skipped, and say so.
EMULATOR = (emulation.QEMU, "qemu-user-static")
# jq and curl are what commands of the documentation call.
INSTALLED = {"mmdebstrap": "mmdebstrap", "dpkg-deb": "dpkg", "git": "git", "tar": "tar",
             "jq": "jq", "curl": "curl"}
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def run(command, **options):
    """Runs a command quietly; its output is shown only if it does not succeed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, text=True, check=False, **options)
    if done.returncode:
        layout.say(done.stdout[-4000:])
        raise subprocess.CalledProcessError(done.returncode, command)
    return done.stdout


def says_version(program, version, arguments):
    try:
        done = subprocess.run([program, *arguments], capture_output=True,
                              text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    words = (done.stdout + done.stderr).split()
    return version in [word.rstrip(",") for word in words]


def install_go_program(program, row, **settings):
    """Builds a program of a pinned module, unless it is there in its version. `program` is where
    it goes; its name is that of its package."""
    module, package, variable, version, arguments = row
    if says_version(program, version, arguments):
        return
    if not shutil.which("go"):
        layout.fail("Go 1.26.8 or newer is needed to build BuildKit and buildx: https://go.dev/dl")
    # One setting for all, so that they share what is compiled, and none needs a C compiler.
    env = {**os.environ, "GOBIN": str(program.parent), "CGO_ENABLED": "0",
           "GOFLAGS": "-buildvcs=false", **settings}
    flags = f"-s -w -X {variable}={version}"
    with layout.step(f"build {program.name} {version}"):
        try:
            run(["go", "install", "-trimpath", "-ldflags", flags, package],
                cwd=HERE / module, env=env)
        except subprocess.CalledProcessError:
            layout.fail(f"{program.name} {version} could not be built; the reason is above "
                        "(Go 1.26.8 or newer and the Go module proxy are needed)")
    if not says_version(program, version, arguments):
        layout.fail(f"{program} does not say that it is {version}")


def apt(*arguments, **options):
    """apt-get, with the package lists fetched once if a package is not known."""
    command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *arguments]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return run(command, env=env, **options)
    except subprocess.CalledProcessError:
        run(["apt-get", "-qq", "update"])
        return run(command, env=env, **options)


def unpack_package(program, package):
    if (layout.BIN / program).exists():
        return
    (layout.BIN / program).unlink(missing_ok=True)  # a link to what was removed
    found = shutil.which(program)
    if found:
        (layout.BIN / program).symlink_to(found)
        return
    with layout.step(f"unpack {package} from Debian's packages"), \
            tempfile.TemporaryDirectory(dir=layout.STATE) as folder:
        apt("download", package, cwd=folder)
        archive = next(Path(folder).glob("*.deb"))
        run(["dpkg-deb", "--extract", archive, f"{folder}/root"])
        binary = next(path for path in Path(folder).rglob(f"*bin/{program}") if path.is_file())
        shutil.copy2(binary, layout.BIN / program)


def install_packages():
    if not shutil.which("apt-get"):
        layout.fail("this set-up uses Debian's packages (apt-get), which this system does not have")
    wanted = [package for name, package in INSTALLED.items() if not shutil.which(name)]
    if not KEYRING.exists():
        wanted.append("debian-archive-keyring")
    try:
        if wanted:
            if os.geteuid():
                layout.fail(f"run as root: apt-get install {' '.join(wanted)}")
            with layout.step(f"install {' '.join(wanted)} from Debian's packages"):
                apt("install", "-y", "--no-install-recommends", *wanted)
        for program, package in UNPACKED.items():
            unpack_package(program, package)
    except subprocess.CalledProcessError as error:
        layout.fail(f"Debian's packages could not be had: {' '.join(map(str, error.cmd))}")


def unpack_emulator():
    """QEMU, unless the machine runs arm64 programs already."""
    if emulation.is_native() or emulation.registered():
        return
    try:
        unpack_package(*EMULATOR)
    except (OSError, subprocess.CalledProcessError):
        layout.say(f"hardpan: {EMULATOR[1]} could not be had from Debian's packages")


def add_rust_target(target):
    if not shutil.which("cargo"):
        layout.fail("Rust is needed to build hardpan: https://rustup.rs")
    query = ["rustc", "--print", "target-libdir", "--target", target]
    folder = subprocess.run(query, cwd=layout.ROOT, capture_output=True, text=True, check=False)
    if folder.returncode == 0 and Path(folder.stdout.strip()).is_dir():
        return
    if not shutil.which("rustup"):
        layout.fail(f"this Rust has no target {target}, and no rustup to add it: "
                    "https://rustup.rs")
    with layout.step(f"add the Rust target {target}"):
        try:
            run(["rustup", "target", "add", target], cwd=layout.ROOT)
        except subprocess.CalledProcessError:
            layout.fail(f"rustup could not add the target {target}; the reason is above")


def link_buildx_plugin():
    """`docker buildx` finds it under a DOCKER_CONFIG of ours; the user's is not touched."""
    plugin = layout.DOCKER_CONFIG / "cli-plugins" / "docker-buildx"
    plugin.parent.mkdir(parents=True, exist_ok=True)
    if not plugin.exists():
        plugin.unlink(missing_ok=True)
        plugin.symlink_to("../../bin/buildx")


def main():
    with layout.lock("tools"):
        layout.BIN.mkdir(parents=True, exist_ok=True)
        for target in (layout.MUSL, layout.ARM64_RUST):
            add_rust_target(target)
        install_packages()
        unpack_emulator()
        for program, row in GO_PROGRAMS.items():
            install_go_program(layout.BIN / program, row)
        link_buildx_plugin()


if __name__ == "__main__":
    main()
