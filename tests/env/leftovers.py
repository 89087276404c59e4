"""What a builder that was killed may leave: containers of runc, and mounts, below a folder."""

import json
import re
import subprocess
from pathlib import Path

import layout

RUNC_STATE = Path("/run/runc")


def is_below(path, folder):
    return path == str(folder) or path.startswith(f"{folder}/")


def containers_below(folder):
    """Containers of runc whose bundle is in the folder: a name alone says nothing of its owner."""
    for state in RUNC_STATE.glob("*/state.json"):
        try:
            config = json.loads(state.read_text(encoding="utf-8"))["config"]
        except (OSError, ValueError, KeyError):
            continue
        bundles = [label.removeprefix("bundle=") for label in config.get("labels") or []
                   if label.startswith("bundle=")]
        if any(is_below(path, folder) for path in [config.get("rootfs", ""), *bundles]):
            yield state.parent.name


def mounts_below(folder):
    """Mount points in the folder, the innermost first."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    points = [re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), line.split()[4])
              for line in lines]
    return sorted((point for point in points if is_below(point, folder)), reverse=True)


def remove_below(folder):
    """Ends the containers and takes away the mounts of a builder that no longer runs."""
    for name in list(containers_below(folder)):
        subprocess.run([layout.BIN / "runc", "delete", "--force", name],
                       capture_output=True, check=False, timeout=30)
    for point in mounts_below(folder):
        subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)
