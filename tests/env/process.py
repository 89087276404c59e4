"""Daemons that outlive the command that starts them, each with a record of who it is.

A process id alone may belong to somebody else by now. A record also holds when the process
started and in which boot, and nothing is signalled unless all three still agree.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import layout

# A build that hangs keeps buildkitd from going by itself; what it leaves is cleared away then.
TERM_SECONDS = 3


def boot_id():
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def start_ticks(pid):
    """When a process started, in clock ticks since boot; None if there is none, or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name in parentheses may hold blanks and parentheses.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def record_path(name):
    return layout.RUN / f"{name}.pid.json"


def recorded_names():
    return sorted(path.name.removesuffix(".pid.json") for path in layout.RUN.glob("*.pid.json"))


def read_record(name):
    try:
        return json.loads(record_path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def alive(name):
    """The record of a daemon that still runs, or None."""
    record = read_record(name)
    if not record or record["boot"] != boot_id():
        return None
    return record if start_ticks(record["pid"]) == record["ticks"] else None


def start(name, command, env=None, inputs=""):
    """Starts a daemon in a session of its own; its output goes to .hardpan/log/NAME.log."""
    layout.LOG.mkdir(parents=True, exist_ok=True)
    with open(layout.LOG / f"{name}.log", "ab") as log:
        # pylint: disable=consider-using-with  # it outlives us
        child = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log,
                                 stderr=log, cwd=layout.STATE, env=env, start_new_session=True)
    record = {"pid": child.pid, "ticks": start_ticks(child.pid), "boot": boot_id(),
              "command": list(map(str, command)), "inputs": inputs}
    layout.write_atomically(record_path(name), json.dumps(record))
    return child


def wait_until(name, child, healthy, seconds=30):
    """Waits until a daemon that was just started answers."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if healthy():
            return
        if child.poll() is not None:
            break
        time.sleep(0.05)
    log = layout.LOG / f"{name}.log"
    layout.say(log.read_text(encoding="utf-8", errors="replace")[-2000:])
    stop(name)
    layout.fail(f"{name} did not start; its log is {log}")


def gone(name, seconds):
    deadline = time.monotonic() + seconds
    while alive(name):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def stop(name, seconds=TERM_SECONDS):
    """Ends a recorded daemon with its process group; True if it was running."""
    record = alive(name)
    if record:
        os.kill(record["pid"], signal.SIGTERM)
        if not gone(name, seconds):
            os.killpg(record["pid"], signal.SIGKILL)
            gone(name, TERM_SECONDS)
    record_path(name).unlink(missing_ok=True)
    return bool(record)
