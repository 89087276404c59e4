"""Starts a program that cannot run anything of another processor, whatever the machine can.

Since Linux 6.7 a user namespace has programs for foreign formats (binfmt_misc) of its own. In a new
one there are none: an arm64 program ends with "exec format error", as on a machine without QEMU.

    python3 unemulated.py PROGRAM ARGUMENT…
"""

import ctypes
import os
import sys
from pathlib import Path

import emulation

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
# Two lines for everybody: programs take one line for no user namespace at all.
EVERYBODY = "0 0 65536\n65536 65536 4294901759\n"
LIBC = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def map_users_of(process, ready, mapped):
    """Only a process outside of a namespace may say who is who inside."""
    os.read(ready, 1)
    for kind in ("uid", "gid"):
        Path(f"/proc/{process}/{kind}_map").write_text(EVERYBODY, encoding="ascii")
    os.write(mapped, b"x")


def main():
    ready, say_ready = os.pipe()
    mapped, say_mapped = os.pipe()
    process = os.getpid()
    child = os.fork()
    if not child:
        map_users_of(process, ready, say_mapped)
        os._exit(0)
    check(LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNS), "user namespace")
    os.write(say_ready, b"x")
    os.read(mapped, 1)
    os.waitpid(child, 0)
    os.setgid(0)
    os.setuid(0)
    kind = b"binfmt_misc"
    check(LIBC.mount(kind, bytes(emulation.BINFMT), kind, 0, None), "binfmt_misc (Linux 6.7)")
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
