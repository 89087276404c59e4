"""Refuses to begin a test run on a disk that will be full before its end.

Without this, hundreds of builds fail one by one, and few of them say why.
"""

import os
import shutil
from pathlib import Path

import layout

GB = 10**9
# What a run adds below the checkout, measured: compiled tests, and what BuildKit keeps.
FIRST = 10 * GB
LATER = 3 * GB


def compiled():
    """Whether tests were compiled here before."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or layout.ROOT / "target")
    return (target / "debug" / "deps").is_dir()


def main():
    needed = LATER if compiled() else FIRST
    free = shutil.disk_usage(layout.STATE).free
    if free < needed:
        layout.fail(f"a test run needs {needed / GB:.0f} GB of disk, and {free / GB:.1f} GB are free "
                    f"at {layout.STATE}")


if __name__ == "__main__":
    main()
