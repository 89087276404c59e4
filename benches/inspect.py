"""What looking at an image costs: `hardpan inventory` against one `find` over the same files.

    make bench                  60,000 files, 650 MB, and a runtime of 120 MB to search for shells
    MILLION=1 make bench        and 1,000,000 files

Both are started from outside BuildKit, by turns, with everything in the page cache, as files are
that a build has just made. The start of the program is measured on an empty folder.
"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "env"))

import layout  # noqa: E402

BINARY = Path(os.environ.get(
    "HARDPAN_BINARY", ROOT / "target" / layout.MUSL / "release" / "hardpan"))
ROUNDS = int(os.environ.get("ROUNDS", "10"))
SUFFIXES = ("js", "js", "js", "d.ts", "json", "md", "map")
MEAN_SIZE = 10_800
RUNTIME_SIZE = 120_000_000
GOAL_RATIO, GOAL_SECONDS = 1.5, 0.5
MILLION = 1_000_000
GOAL_MILLION, GOAL_MEMORY = 10, 200 << 10


def write_program(path, size):
    """Something that is searched to its end as a program, and is none; in pieces, since what this
    program has in memory would be taken for what its children have.
    """
    block = random.Random(1).randbytes(1 << 20)
    with path.open("wb") as file:
        file.write(b"\x7fELF\x02\x01\x01")
        for _ in range(size >> 20):
            file.write(block)
    path.chmod(0o755)


def fill(folder, files, size, name="p"):
    """A dependency tree as npm makes one: many packages with a few folders each."""
    chance = random.Random(1)
    content = b"x" * (64 * size)
    for number in range(files):
        if number % 8 == 0:
            package = folder / f"app/node_modules/{name}{number // 40}/d{number // 8 % 5}"
            package.mkdir(parents=True)
        file = f"f{number % 8}.{chance.choice(SUFFIXES)}"
        length = int(chance.expovariate(1 / size)) if size > 1 else size
        (package / file).write_bytes(content[:length])


def seconds(command):
    """Wall-clock seconds, and the most memory in KiB."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    took = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        layout.fail(f"{command[0]} ended with {child.returncode}")
    return took, usage.ru_maxrss


def look(base, layer, out):
    return [BINARY, "inventory", "--base", base, "--layer", layer, "--out", out]


def find(base, layer):
    return ["find", base, layer, "-printf", "%m %U %s %p\\n"]


def compare(base, layer, out, rounds):
    """Medians of find, of the inventory, and the most memory; once before that nothing counts."""
    ours, theirs, memory = [], [], 0
    for turn in range(rounds + 1):
        theirs.append(seconds(find(base, layer))[0])
        took, used = seconds(look(base, layer, out))
        ours.append(took)
        memory = max(memory, used)
        if turn == 0:
            ours, theirs = [], []
    return statistics.median(theirs), statistics.median(ours), memory


def verdict(value, goal):
    return f"goal at most {goal}: {'met' if value <= goal else 'MISSED'}"


def main():
    if not BINARY.exists():
        layout.fail("there is no binary: run `make frontend` first")
    with tempfile.TemporaryDirectory() as place:
        base, layer, out, empty = (Path(place) / name for name in ("base", "layer", "out", "empty"))
        for folder in (base / "usr/bin", layer, out, empty):
            folder.mkdir(parents=True)
        with layout.step("60,000 files"):
            fill(layer, 60_000, MEAN_SIZE)
            write_program(base / "usr/bin/node", RUNTIME_SIZE)
            start = min(seconds(look(empty, empty, out))[0] for _ in range(5))
            theirs, ours, memory = compare(base, layer, out, ROUNDS)
        print(f"looking at 60,000 files, 650 MB and a runtime of 120 MB; {ROUNDS} rounds, by turns")
        print(f"  find                {1000 * theirs:5.0f} ms")
        print(f"  hardpan inventory   {1000 * ours:5.0f} ms, {memory >> 10} MiB")
        print(f"  ratio {ours / theirs:.2f}  {verdict(ours / theirs, GOAL_RATIO)}")
        beyond = ours - start
        print(f"  {beyond:.2f} s beyond the start  {verdict(beyond, GOAL_SECONDS)}")
        if os.environ.get("MILLION"):
            with layout.step("1,000,000 files"):
                fill(layer, MILLION, 1, "q")
                theirs, ours, memory = compare(base, layer, out, 1)
            print(f"looking at {MILLION:,} files more")
            print(f"  find {theirs:.1f} s, hardpan inventory {ours:.1f} s  "
                  f"{verdict(ours, GOAL_MILLION)}")
            print(f"  {memory >> 10} MiB  {verdict(memory, GOAL_MEMORY)} KiB")


if __name__ == "__main__":
    main()
