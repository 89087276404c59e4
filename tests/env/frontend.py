"""Builds hardpan and its frontend image, and publishes it under the name that specs write.

HARDPAN_BINARY=FILE takes a binary that is there instead of building one.
"""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import buildkitd
import layout
import process
import registry

CONTEXT = layout.STATE / "frontend"
RELEASE = layout.ROOT / "target" / layout.MUSL / "release" / "hardpan"
TAG = "1"


def binary():
    """The static binary to publish, built if nobody gave one."""
    given = os.environ.get("HARDPAN_BINARY")
    if given:
        return Path(given)
    if not (layout.ROOT / "Cargo.toml").exists():
        layout.fail("there is no Cargo.toml here; HARDPAN_BINARY=FILE publishes another binary")
    start = time.monotonic()
    command = ["cargo", "build", "--release", "--locked", "--bin", "hardpan",
               "--target", layout.MUSL]
    if subprocess.run(command, cwd=layout.ROOT, check=False, stdout=2).returncode:
        layout.fail("hardpan could not be built; the compiler's words are above")
    layout.say(f"  {layout.clock(time.monotonic() - start)}  ✓ cargo build ({layout.MUSL})")
    return RELEASE


def published(inputs):
    """Whether the registry already holds what these inputs give."""
    try:
        record = json.loads(layout.FRONTEND_RECORD.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    # By digest and by tag: somebody may have published over the tag.
    return record.get("inputs") == inputs and \
        registry.digest(layout.FRONTEND_REPOSITORY, TAG) == record["digest"]


def publish():
    """Builds the image by BuildKit and pushes it; gives its digest."""
    name = f"{registry.address()}/{layout.FRONTEND_REPOSITORY}:{TAG}"
    answer = CONTEXT / "metadata.json"
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "0")
    command = [
        layout.BIN / "buildctl", "--addr", buildkitd.host(buildkitd.MAIN), "build",
        "--progress=plain", "--frontend=dockerfile.v0",
        f"--local=context={layout.ROOT}", f"--local=dockerfile={layout.ROOT}",
        "--opt=filename=frontend.Dockerfile", "--opt=platform=linux/amd64",
        "--opt=context:binary=local:binary", f"--local=binary={CONTEXT / 'binary'}",
        f"--opt=build-arg:SOURCE_DATE_EPOCH={epoch}", f"--metadata-file={answer}",
        # Only BuildKit pulls this image, and ours reads zstd since long before the floor.
        f"--output=type=image,name={name},push=true,oci-mediatypes=true,rewrite-timestamp=true,"
        "compression=zstd,compression-level=22,force-compression=true",
    ]
    done = subprocess.run(command, env=buildkitd.environment(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        layout.say(done.stdout[-4000:])
        layout.fail("the frontend image could not be built; BuildKit's words are above")
    return json.loads(answer.read_text(encoding="utf-8"))["containerimage.digest"]


def main():
    with layout.lock("frontend"):
        if not process.alive(buildkitd.daemon(buildkitd.MAIN)):
            layout.fail("buildkitd is not running; start it: make up")
        found = binary()
        inputs = layout.hash_files([found, layout.ROOT / "frontend.Dockerfile"],
                                   registry.address(), os.environ.get("SOURCE_DATE_EPOCH", ""))
        if published(inputs):
            return
        with layout.step(f"publish the frontend as ghcr.io/hardpan/hardpan:{TAG}"):
            (CONTEXT / "binary").mkdir(parents=True, exist_ok=True)
            shutil.copy2(found, CONTEXT / "binary" / "hardpan")
            digest = publish()
        layout.write_atomically(layout.FRONTEND_RECORD,
                                json.dumps({"inputs": inputs, "digest": digest}))


if __name__ == "__main__":
    main()
