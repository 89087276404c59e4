"""What looking at an image costs: `hardpan inventory` against one `find` over the same files.

    make bench              60,000 files, 650 MB, and a runtime of 120 MB to search for shells; then
                            1,000,000 files
    MILLION=0 make bench    without the million, which takes two minutes to make

Both are started from outside BuildKit, by turns, with everything in the page cache, as files are
that a build has just made. The start of the program is measured on an empty folder. The goals are
about the time that passes: `find` has one thread, the inventory as many as there are processors. On
a machine that others use look at the processor's time, which is shown next to it.
"""

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

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
GOAL_MILLION, GOAL_MEMORY = 10, 200


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


class Cost(NamedTuple):
    """Seconds that passed, seconds of the processors, and the most memory in MiB."""
    wall: float
    processor: float
    memory: float


def cost(command):
    start = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    took = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        layout.fail(f"{command[0]} ended with {child.returncode}")
    return Cost(took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def look(base, layer, out):
    return [BINARY, "inventory", "--base", base, "--layer", layer, "--out", out]


def find(base, layer):
    return ["find", base, layer, "-printf", "%m %U %s %p\\n"]


def compare(base, layer, out, rounds):
    """What find and the inventory cost, the middle of some rounds by turns and the most memory; the
    first round does not count.
    """
    commands = [find(base, layer), look(base, layer, out)]
    all_rounds = [[cost(command) for command in commands] for _ in range(rounds + 1)]
    return [Cost(statistics.median(each.wall for each in costs),
                 statistics.median(each.processor for each in costs),
                 max(each.memory for each in costs))
            for costs in zip(*all_rounds[1:])]


def table(theirs, ours):
    print(f"  {'':<18}  passed  processor   memory")
    for name, each in (("find", theirs), ("hardpan inventory", ours)):
        print(f"  {name:<18} {each.wall:6.2f} s   {each.processor:6.2f} s  {each.memory:4.0f} MiB")
    print(f"  {'ratio':<18} {ours.wall / theirs.wall:6.2f}     "
          f"{ours.processor / theirs.processor:6.2f}")


def verdict(value, goal):
    return f"goal at most {goal}: {'met' if value <= goal else 'not met'}"


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
            start = min(cost(look(empty, empty, out)).wall for _ in range(5))
            theirs, ours = compare(base, layer, out, ROUNDS)
        print(f"looking at 60,000 files, 650 MB and a runtime of 120 MB; {ROUNDS} rounds, by turns")
        table(theirs, ours)
        ratio, beyond = ours.wall / theirs.wall, ours.wall - start
        print(f"  {ratio:.2f} times find  {verdict(ratio, GOAL_RATIO)}")
        print(f"  {beyond:.2f} s beyond the start  {verdict(beyond, GOAL_SECONDS)}")
        if os.environ.get("MILLION") != "0":
            with layout.step("1,000,000 files"):
                fill(layer, MILLION, 1, "q")
                theirs, ours = compare(base, layer, out, 1)
            print(f"looking at {MILLION:,} files more")
            table(theirs, ours)
            print(f"  {ours.wall:.1f} s  {verdict(ours.wall, GOAL_MILLION)}")
            print(f"  {ours.memory:.0f} MiB  {verdict(ours.memory, GOAL_MEMORY)}")


if __name__ == "__main__":
    main()
