"""A buildkitd of our own: its root, sockets and configuration lie below .hardpan.

    tests/env/buildkitd start NAME              an empty one beside the first; prints its BUILDKIT_HOST
    tests/env/buildkitd start NAME unemulated   one that runs nothing of other processors
    tests/env/buildkitd stop NAME               ends it and removes its root
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import layout
import leftovers
import process
import registry

MAIN = "main"
# Named in full, so that a nearly full disk does not make the daemon drop what a test counts on.
CONFIG = """root = "{root}"
insecure-entitlements = ["network.host"]
[grpc]
  address = ["unix://{socket}"]
[otel]
  socketPath = "{otel}"
[cdi]
  disabled = true
[worker.oci]
  enabled = true
  binary = "{runc}"{more}
  gc = true
  reservedSpace = "10GB"
  maxUsedSpace = "20GB"
  minFreeSpace = "1GB"
[worker.containerd]
  enabled = false
[registry."{registry}"]
  http = true
[registry."ghcr.io"]
  mirrors = ["{registry}/ghcr"]
[registry."docker.io"]
  mirrors = ["{registry}/hub"]
"""
# In a user namespace of its own it is not the machine's root, and overlays have fewer rights there.
UNEMULATED = '\n  rootless = true\n  snapshotter = "overlayfs"'


# Gives the stand-ins under the names of the real bases.
BASES = """[registry."dhi.io"]
  mirrors = ["{registry}/dhi"]
"""


def daemon(name):
    return f"buildkitd-{name}"


def root(name):
    return layout.STATE / "buildkit" / name


def socket(name):
    return layout.socket_folder() / f"{name}.sock"


def otel_socket(name):
    return layout.socket_folder() / f"{name}-otel.sock"


def host(name):
    return f"unix://{socket(name)}"


def environment():
    """What the machine says of proxies and certificates, with our own programs first."""
    path = f"{layout.BIN}:{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin"
    return {**os.environ, "PATH": path, "DOCKER_CONFIG": str(layout.DOCKER_CONFIG)}


def healthy(name):
    command = [layout.BIN / "buildctl", "--addr", host(name), "--timeout", "5",
               "debug", "workers"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=10)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def start(name, program=layout.BIN / "buildkitd", mirrors_bases=True, unemulated=False):
    """Starts a daemon unless it runs, answers and has today's configuration."""
    if os.geteuid():
        layout.fail("buildkitd and runc need root here: run make as root")
    folder = layout.socket_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    template = CONFIG + BASES * mirrors_bases
    text = template.format(root=root(name), socket=socket(name), otel=otel_socket(name),
                           runc=layout.BIN / "runc", registry=registry.address(),
                           more=UNEMULATED if unemulated else "")
    inputs = hashlib.sha256(text.encode()).hexdigest()
    record = process.alive(daemon(name))
    if record and record["inputs"] == inputs and healthy(name):
        return
    process.stop(daemon(name))
    leftovers.remove_below(root(name))
    root(name).mkdir(parents=True, exist_ok=True)
    config = layout.RUN / f"{daemon(name)}.toml"
    layout.write_atomically(config, text)
    with layout.step(f"start {daemon(name)}"):
        wrapper = [sys.executable, Path(__file__).with_name("unemulated.py")]
        command = [*(wrapper if unemulated else []), program, "--config", config]
        # What a daemon that is killed leaves mounted in its folder of temporary files is below its
        # root, and so taken away with the rest.
        scratch = root(name) / "tmp"
        scratch.mkdir(exist_ok=True)
        child = process.start(daemon(name), command, inputs=inputs,
                              env={**environment(), "TMPDIR": str(scratch)})
        process.wait_until(daemon(name), child, lambda: healthy(name))


def stop(name):
    """Ends a daemon and all that it left running or mounted."""
    running = process.stop(daemon(name))
    leftovers.remove_below(root(name))
    socket(name).unlink(missing_ok=True)
    otel_socket(name).unlink(missing_ok=True)
    return running


def main():
    if sys.argv[1:2] + sys.argv[3:] not in (["start"], ["start", "unemulated"], ["stop"]):
        layout.fail("usage: tests/env/buildkitd start|stop NAME [unemulated]")
    name = sys.argv[2]
    if not re.fullmatch("[a-z0-9-]{1,20}", name) or name == MAIN:
        layout.fail(f"a second daemon's name is 1 to 20 of a-z, 0-9 and -, and not '{MAIN}'")
    with layout.lock(daemon(name)):
        stop(name)
        shutil.rmtree(root(name), ignore_errors=True)
        if sys.argv[1] == "start":
            start(name, unemulated="unemulated" in sys.argv[3:])
            print(host(name))


if __name__ == "__main__":
    main()
