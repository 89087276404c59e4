"""An image started as it runs in production: the runtime contract, by runc or otherwise.

Its numeric user, read-only root, /tmp and the writable paths only, no capabilities, no new
privileges, a network of its own.
"""

import contextlib
import ctypes
import http.client
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
from pathlib import Path

CLONE_NEWNET = 0x40000000
START_SECONDS = 30
STOP_SECONDS = 10


def unpack(layers, root):
    """Flattens gzipped layers into a folder; images of hardpan remove nothing of their base."""
    for layer in layers:
        with tarfile.open(layer) as archive:
            for member in archive:
                place = root / member.name
                if place.is_symlink() or place.is_file():
                    place.unlink()
                archive.extract(member, root, numeric_owner=True)


def user_of(config):
    """The numbers of the image's user; a name would be a defect."""
    uid, gid = config["config"]["User"].split(":")
    return int(uid), int(gid)


def mount(at, kind, *options):
    return {"destination": at, "type": kind, "source": kind, "options": list(options)}


def specification(root, config, args, writable):
    uid, gid = user_of(config)
    run = config["config"]
    none = {name: [] for name in ("bounding", "effective", "permitted", "inheritable", "ambient")}
    binds = [{"destination": path, "type": "bind", "source": str(root / path.lstrip("/")),
              "options": ["bind", "rw"]} for path in writable]
    return {
        "ociVersion": "1.0.2",
        "process": {"user": {"uid": uid, "gid": gid}, "args": args, "env": run["Env"],
                    "cwd": run.get("WorkingDir") or "/", "capabilities": none,
                    "noNewPrivileges": True},
        "root": {"path": str(root), "readonly": True},
        "mounts": [mount("/proc", "proc"),
                   mount("/dev", "tmpfs", "nosuid", "mode=755", "size=65536k"),
                   mount("/tmp", "tmpfs", "nosuid", "nodev", "mode=1777"), *binds],
        "linux": {"namespaces": [{"type": kind} for kind in
                                 ("pid", "ipc", "uts", "mount", "network")]},
    }


class Running:
    """Something that runs under the contract: what the kernel says of it, and what it answers."""

    def pid(self):
        raise NotImplementedError

    def words(self):
        """What it has written so far."""
        raise NotImplementedError

    def has_ended(self):
        raise NotImplementedError

    def kill(self, signal):
        raise NotImplementedError

    def wait(self, seconds):
        """Waits for its end: the exit code."""
        raise NotImplementedError

    def status(self):
        """What the kernel says of its first process."""
        lines = Path(f"/proc/{self.pid()}/status").read_text(encoding="ascii").splitlines()
        return dict(line.split(":", 1) for line in lines)

    def mount_options(self, path):
        for line in Path(f"/proc/{self.pid()}/mountinfo").read_text(encoding="utf-8").splitlines():
            fields = line.split()
            if fields[4] == path:
                return fields[5].split(",")
        return []

    def get(self, port, path):
        """Asks from within its network: status and body."""
        found = []
        with open(f"/proc/{self.pid()}/ns/net", "rb") as network:
            # A thread of its own, since its network is not changed back.
            thread = threading.Thread(target=self._get, args=(network.fileno(), port, path, found))
            thread.start()
            thread.join()
        if isinstance(found[0], Exception):
            raise found[0]
        return found[0]

    @staticmethod
    def _get(network, port, path, found):
        try:
            if ctypes.CDLL(None, use_errno=True).setns(network, CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", path)
            answer = connection.getresponse()
            found.append((answer.status, answer.read()))
        except (OSError, http.client.HTTPException) as error:
            found.append(error)

    def wait_for(self, port, path):
        """Asks until it answers; gives the seconds that it took."""
        start = time.monotonic()
        while time.monotonic() - start < START_SECONDS:
            with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
                self.get(port, path)
                return time.monotonic() - start
            if self.has_ended():
                break
            time.sleep(0.05)
        raise RuntimeError(f"no answer on port {port}: {self.words()[-2000:]}")

    def stop(self, signal):
        """Sends the stop signal: exit code and seconds."""
        start = time.monotonic()
        self.kill(signal)
        return self.wait(STOP_SECONDS), time.monotonic() - start


class Container(Running):
    """One container of runc; gone when the block ends."""

    def __init__(self, root, config, args=None, writable=()):
        super().__init__()
        self.name = f"hardpan-demo-{os.getpid()}-{time.monotonic_ns()}"
        self.bundle = Path(tempfile.mkdtemp(prefix="hardpan-demo-"))
        run = config["config"]
        args = args or [*(run.get("Entrypoint") or []), *(run.get("Cmd") or [])]
        document = specification(root, config, args, writable)
        (self.bundle / "config.json").write_text(json.dumps(document), encoding="utf-8")
        self.log = open(self.bundle / "log", "w+b")  # pylint: disable=consider-using-with
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["runc", "run", "--bundle", self.bundle, "--pid-file", self.bundle / "pid", self.name],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        return self

    def __exit__(self, *_error):
        subprocess.run(["runc", "delete", "--force", self.name], capture_output=True, check=False)
        self.process.wait(timeout=STOP_SECONDS)
        self.log.close()
        shutil.rmtree(self.bundle, ignore_errors=True)

    def pid(self):
        return int((self.bundle / "pid").read_text(encoding="ascii"))

    def words(self):
        return (self.bundle / "log").read_text(encoding="utf-8", errors="replace")

    def has_ended(self):
        return self.process.poll() is not None

    def kill(self, signal):
        subprocess.run(["runc", "kill", self.name, signal], check=True, capture_output=True)

    def wait(self, seconds):
        return self.process.wait(timeout=seconds)
