"""Where everything of ours lives, one lock for each job, and the progress lines.

Progress goes to stderr: stdout belongs to whoever asked (`make env` is read by `eval`).
"""

import contextlib
import fcntl
import hashlib
import os
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Resolved, since the paths of containers and mounts are.
STATE = (ROOT / ".hardpan").resolve()
BIN = STATE / "bin"
LOG = STATE / "log"
RUN = STATE / "run"
DOCKER_CONFIG = STATE / "docker"
REGISTRY_DATA = STATE / "registry"
# Builders besides the main one: a folder of programs for each version, and a root for each.
BUILDERS = STATE / "builders"
FRONTEND_RECORD = RUN / "frontend.json"

# The name that Dockerfiles and specs write, and where the mirror finds it.
FRONTEND_REPOSITORY = "ghcr/hardpan/hardpan"
MUSL = "x86_64-unknown-linux-musl"
# What the stand-in for rust:1-dev can compile for besides the machine itself.
ARM64_RUST = "aarch64-unknown-linux-gnu"

# How a machine says that it trusts others than its system does, in the order that is asked.
CERTIFICATES = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE",
                "GIT_SSL_CAINFO", "CARGO_HTTP_CAINFO", "PIP_CERT")

# sun_path holds 108 bytes, and daemons append suffixes to the names they are given.
SOCKET_PATH_LIMIT = 90
HEARTBEAT_SECONDS = 20


def socket_folder():
    """A folder whose sockets have short enough names, wherever the checkout is."""
    if len(str(RUN)) + len("/a-daemon-of-some-name.sock") <= SOCKET_PATH_LIMIT:
        return RUN
    name = hashlib.sha256(str(STATE).encode()).hexdigest()[:12]
    return Path("/tmp") / f"hardpan-{name}"


def certificates():
    """The certificates that this machine is told to trust, behind a company's proxy; or None."""
    named = [os.environ.get(name, "") for name in CERTIFICATES]
    return next((path for path in named if path and Path(path).is_file()), None)


def say(text):
    print(text, file=sys.stderr, flush=True)


def fail(message):
    """Ends the program with one sentence for the person at the terminal."""
    say(f"hardpan: {message}")
    raise SystemExit(1)


def clock(seconds):
    return f"{seconds:7.1f} s"


@contextlib.contextmanager
def step(name):
    """Says what is being done, that it is still being done, and how long it took."""
    start = time.monotonic()
    done = threading.Event()

    def heartbeat():
        while not done.wait(HEARTBEAT_SECONDS):
            say(f"  {clock(time.monotonic() - start)}  … {name}")

    threading.Thread(target=heartbeat, daemon=True).start()
    say(f"           →  {name}")
    try:
        yield
    except BaseException:
        say(f"  {clock(time.monotonic() - start)}  ✗ {name}")
        raise
    finally:
        done.set()
    say(f"  {clock(time.monotonic() - start)}  ✓ {name}")


@contextlib.contextmanager
def lock(name):
    """Lets one process at a time do a job; a second one waits and says so."""
    STATE.mkdir(exist_ok=True)
    with open(STATE / f"{name}.lock", "w", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"hardpan: waiting for another '{name}' of this checkout")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def hash_files(paths, *extra):
    """One hash over the contents of files and over what else decides a result."""
    digest = hashlib.sha256()
    for path in sorted(map(Path, paths)):
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    for text in extra:
        digest.update(f"\0{text}".encode())
    return digest.hexdigest()


def write_atomically(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
