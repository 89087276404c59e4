"""arm64 programs on another processor: QEMU, registered with the kernel by us if nobody else did.

Nothing is installed: the program comes out of Debian's qemu-user-static (tests/tools), the kernel
is told of it under a name of our own, and `make stop` takes that back. Without it, tests that run
arm64 programs say so and pass.
"""

import contextlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

import layout

BINFMT = Path("/proc/sys/fs/binfmt_misc")
NAME = "hardpan-aarch64"
QEMU = "qemu-aarch64-static"
# The first bytes of an arm64 ELF program, and which of them count; as QEMU's own binfmt.d has it.
MAGIC = bytes.fromhex("7f454c460201010000000000000000000200b700")
MASK = bytes.fromhex("ffffffffffffff00fffffffffffffffffeffffff")


def is_native():
    return platform.machine() in ("aarch64", "arm64")


def registered():
    """The entry that runs arm64 programs in any root file system, or None."""
    for entry in BINFMT.glob("*"):
        with contextlib.suppress(OSError):
            lines = entry.read_text(encoding="ascii", errors="replace").split("\n")
            flags = "".join(line[len("flags:"):] for line in lines if line.startswith("flags:"))
            # F: the kernel opened the program when it was registered, outside of any container.
            if "enabled" in lines and f"magic {MAGIC.hex()}" in lines and "F" in flags:
                return entry.name
    return None


def mount():
    """Makes the kernel's list visible; gives what is missing, or nothing."""
    if (BINFMT / "register").exists():
        return ""
    if not BINFMT.is_dir() and shutil.which("modprobe"):
        subprocess.run(["modprobe", "binfmt_misc"], capture_output=True, check=False)
    done = subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT],
                          capture_output=True, text=True, check=False)
    return f"binfmt_misc cannot be mounted: {done.stderr.strip()}" if done.returncode else ""


def register():
    """Tells the kernel of our QEMU; gives what is missing, or nothing."""
    program = layout.BIN / QEMU
    if not program.exists():
        return f"there is no {QEMU}"
    line = f":{NAME}:M::{escape(MAGIC)}:{escape(MASK)}:{program}:F"
    try:
        (BINFMT / "register").write_bytes(line.encode("ascii"))
    except OSError as error:
        return f"the kernel does not take {QEMU}: {error.strerror}"
    return ""


def escape(data):
    return "".join(f"\\x{byte:02x}" for byte in data)


def up():
    """Sees to it that arm64 programs run here, or says aloud why they do not."""
    if is_native() or registered():
        return
    problem = "that takes root" if os.geteuid() else mount() or register()
    if problem and not registered():
        layout.say(f"hardpan: arm64 programs cannot be run here: {problem}; tests that need them "
                   "are skipped (docs/platforms.md says how to set QEMU up)")


def down():
    """Takes back what `up` of this checkout registered."""
    with contextlib.suppress(OSError):
        if str(layout.BIN) in (BINFMT / NAME).read_text(encoding="utf-8"):
            (BINFMT / NAME).write_bytes(b"-1")
