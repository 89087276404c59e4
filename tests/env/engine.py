"""A Docker Engine of our own, with a containerd of its own: roots, sockets and configuration lie
below .hardpan, and nothing of the machine's network is changed.

It has no bridge and no iptables rules. Steps that need the network take the machine's
(`--network host`), and containers are started without one and asked from within.
"""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import layout
import leftovers
import process

REMAPPED = "nobody:nogroup"
RANGES = "nobody:1000000000:65536\n"

# name: what of its configuration says where images are kept
STORES = {
    "engine-containerd": {"features": {"containerd-snapshotter": True}},
    "engine-overlay2": {"features": {"containerd-snapshotter": False},
                        "storage-driver": "overlay2"},
    # What root in a container is, is nobody outside.
    "engine-userns": {"features": {"containerd-snapshotter": False},
                      "storage-driver": "overlay2", "userns-remap": REMAPPED},
}
PROGRAMS = layout.BUILDERS / "engine" / "bin"
STOP_SECONDS = 15

CONTAINERD = """version = 3
root = "{root}"
state = "{state}"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images",
                    "io.containerd.cri.v1.runtime", "io.containerd.nri.v1.nri"]
[grpc]
  address = "{socket}"
[ttrpc]
  address = "{socket}.ttrpc"
"""


def root(name):
    return layout.BUILDERS / f"{name}-root"


def socket(name):
    return layout.socket_folder() / f"{name}.sock"


def containerd_socket(name):
    return layout.socket_folder() / f"{name}-c.sock"


def host(name):
    return f"unix://{socket(name)}"


def environment():
    path = f"{PROGRAMS}:{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin"
    env = {key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")}
    return {**env, "PATH": path, "DOCKER_CONFIG": str(layout.DOCKER_CONFIG)}


def docker(name, *arguments, **options):
    env = {**environment(), "DOCKER_HOST": host(name)}
    return subprocess.run(["docker", *map(str, arguments)], env=env, capture_output=True,
                          text=True, check=False, timeout=60, **options)


def is_remapped(name):
    return "userns-remap" in STORES[name]


def configuration(name):
    # Where ids are mapped, dockerd starts a containerd in its own mount namespace.
    theirs = {} if is_remapped(name) else {"containerd": str(containerd_socket(name))}
    return {
        "data-root": str(root(name) / "docker"),
        "exec-root": str(root(name) / "exec"),
        "pidfile": str(root(name) / "docker.pid"),
        "hosts": [host(name)],
        "group": "root",
        "containerd-namespace": "hardpan",
        "containerd-plugins-namespace": "hardpan-plugins",
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "bridge": "none", "iptables": False, "ip6tables": False, "ip-forward": False,
        "userland-proxy": False,
        **theirs, **STORES[name],
    }


def command(name, config):
    """dockerd; where ids are mapped, with ranges for them that the machine need not have."""
    dockerd = [PROGRAMS / "dockerd", "--config-file", config]
    if not is_remapped(name):
        return dockerd
    ranges = root(name) / "ranges"
    layout.write_atomically(ranges, RANGES)
    script = 'for file in /etc/subuid /etc/subgid; do mount --bind "$0" $file; done; exec "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, ranges, *dockerd]


def start_containerd(name):
    daemon = f"{name}-containerd"
    config = root(name) / "containerd.toml"
    layout.write_atomically(config, CONTAINERD.format(
        root=root(name) / "containerd", state=root(name) / "state",
        socket=containerd_socket(name)))
    child = process.start(daemon, [PROGRAMS / "containerd", "--config", config],
                          env=environment())
    process.wait_until(daemon, child, containerd_socket(name).exists)


def start(name):
    """Starts containerd and dockerd; how clients reach them."""
    if os.geteuid():
        layout.fail("Docker Engine needs root here: run make as root")
    if not (PROGRAMS / "dockerd").exists():
        layout.fail(f"{name} is not installed: run `make builders`")
    if not shutil.which("docker"):
        layout.fail("Docker Engine is asked by its client: install docker (the client is enough)")
    layout.socket_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    root(name).mkdir(parents=True, exist_ok=True)
    config = root(name) / "daemon.json"
    layout.write_atomically(config, json.dumps(configuration(name)))
    with layout.step(f"start {name}"):
        if not is_remapped(name):
            start_containerd(name)
        child = process.start(name, command(name, config), env=environment())
        process.wait_until(name, child, lambda: docker(name, "version").returncode == 0)
    return {"DOCKER_HOST": host(name), "BUILDX_BUILDER": "default"}


def shims(name):
    """What containerd left running: each was started for our socket."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if words[0].endswith("containerd-shim-runc-v2") and str(containerd_socket(name)) in words:
            yield int(folder.name)


def stop(name):
    """Ends both and removes all that they kept; True if they were running."""
    if process.alive(name):
        found = docker(name, "ps", "--all", "--quiet").stdout.split()
        if found:
            docker(name, "rm", "--force", *found)
    running = process.stop(name, STOP_SECONDS)
    for pid in list(shims(name)):
        subprocess.run(["kill", "-KILL", str(pid)], check=False)
    process.stop(f"{name}-containerd", STOP_SECONDS)
    remove(root(name))
    for path in layout.socket_folder().glob(f"{name}*.sock*"):
        path.unlink(missing_ok=True)
    return running


def remove(folder):
    """A mount may be in use for a moment after its daemon has ended."""
    for _ in range(20):
        leftovers.remove_below(folder)
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)
    layout.fail(f"{folder} could not be removed")
