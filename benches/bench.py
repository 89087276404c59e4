"""What an unchanged build costs: hardpan against an empty frontend and docker/dockerfile.

    make bench              30 rounds
    ROUNDS=100 make bench   more of them, on a machine that others use

All three are images of one static binary in the same registry and build the same thing with nothing
changed, through `buildctl --frontend gateway.v0`. They take turns, so that what else happens on the
machine hits all of them. The least a frontend can take is the start of its container: that is what
the empty one shows.
"""

import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "env"))

import layout  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "30"))
WARM_UP = 3
TIME_LIMIT = 60
EXAMPLE = ROOT / "examples" / "minimal"
OURS, EMPTY, DOCKER = "hardpan", "empty frontend", "docker/dockerfile"
GOALS = {EMPTY: 1.15, DOCKER: 0.8}
GOAL_BYTES = 2_000_000
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def needed(name):
    value = os.environ.get(name)
    if not value:
        layout.fail(f'{name} is not set: run `make bench`, or eval "$(make -s env)" first')
    return value


def publish(binary, name):
    """Publishes a static binary as a frontend image, as frontend.Dockerfile makes one; its name
    with its digest.
    """
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy2(binary, Path(folder) / "hardpan")
        answer = Path(folder) / "answer.json"
        command = ["buildctl", "build", "--progress=plain", "--frontend=dockerfile.v0",
                   "--opt=filename=frontend.Dockerfile", f"--local=dockerfile={ROOT}",
                   "--opt=context:binary=local:binary", f"--local=binary={folder}",
                   f"--local=context={folder}", f"--metadata-file={answer}",
                   f"--output=type=image,name={name},push=true,oci-mediatypes=true"]
        run(command, f"{name} could not be published")
        return f"{name}@{json.loads(answer.read_text())['containerimage.digest']}"


def empty_frontend():
    """The empty frontend as an image: its name with its digest."""
    command = ["cargo", "build", "--release", "--locked", "--bin", "empty-frontend",
               "--target", layout.MUSL]
    if subprocess.run(command, cwd=ROOT, check=False, stdout=2).returncode:
        layout.fail("the empty frontend could not be built; the compiler's words are above")
    binary = ROOT / "target" / layout.MUSL / "release" / "empty-frontend"
    return publish(binary, f"{needed('HARDPAN_REGISTRY')}/bench/empty-frontend")


def contenders():
    """Name → the reference of a frontend image and the file that it builds."""
    address = needed("HARDPAN_REGISTRY")
    dockerfile = get("hub/docker/dockerfile", "1")[0]
    return {
        OURS: (needed("HARDPAN_SYNTAX"), EXAMPLE / "hardpan.yaml"),
        EMPTY: (empty_frontend(), EXAMPLE / "hardpan.yaml"),
        DOCKER: (f"{address}/hub/docker/dockerfile@{dockerfile}",
                 ROOT / "benches" / "minimal.Dockerfile"),
    }


def run(command, complaint):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=TIME_LIMIT)
    if done.returncode:
        layout.say(done.stdout[-4000:])
        layout.fail(complaint)


def build(reference, file):
    """Builds once and gives the seconds that the client took."""
    command = ["buildctl", "build", "--progress=plain", "--frontend=gateway.v0",
               f"--opt=source={reference}", f"--opt=filename={file.name}",
               f"--local=context={EXAMPLE}", f"--local=dockerfile={file.parent}"]
    start = time.monotonic()
    run(command, f"{file.name} could not be built with {reference}")
    return time.monotonic() - start


def measure(images):
    """Seconds of each round, by name; the order changes from round to round."""
    names = list(images)
    times = {name: [] for name in names}
    for turn in range(WARM_UP + ROUNDS):
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            took = build(*images[name])
            if turn >= WARM_UP:
                times[name].append(took)
    return times


def get(repository, reference):
    """The digest and the content of a manifest or index."""
    connection = http.client.HTTPConnection(needed("HARDPAN_REGISTRY"), timeout=10)
    path = f"/v2/{repository}/manifests/{reference}"
    connection.request("GET", path, headers={"Accept": f"{INDEX}, {MANIFEST}"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        layout.fail(f"the registry answers {answer.status} for {path}")
    return answer.headers["Docker-Content-Digest"], json.loads(body)


def compressed_size(reference):
    """Bytes that a builder pulls: config and layers of one platform."""
    repository, digest = reference.split("/", 1)[1].split("@")
    _, manifest = get(repository, digest)
    if "manifests" in manifest:
        _, manifest = get(repository, manifest["manifests"][0]["digest"])
    return manifest["config"]["size"] + sum(layer["size"] for layer in manifest["layers"])


def spread(values):
    """Median, and what eight of ten lie between."""
    ordered = statistics.quantiles(values, n=10)
    return statistics.median(values), ordered[0], ordered[-1]


def verdict(value, goal):
    return f"goal at most {goal}: {'met' if value <= goal else 'MISSED'}"


def report(images, times):
    print(f"unchanged build of examples/minimal, output discarded; {ROUNDS} rounds, by turns")
    print(f"  {'':<18}   median  (8 of 10 between)")
    for name in images:
        median, low, high = (1000 * value for value in spread(times[name]))
        print(f"  {name:<18} {median:5.0f} ms  ({low:.0f} to {high:.0f})")
    for name, goal in GOALS.items():
        ratio = statistics.median(times[OURS]) / statistics.median(times[name])
        pairs = [ours / theirs for ours, theirs in zip(times[OURS], times[name])]
        _, low, high = spread(pairs)
        print(f"  {OURS} / {name}: {ratio:.2f}  (by round {low:.2f} to {high:.2f})  "
              f"{verdict(ratio, goal)}")
    print("frontend image, compressed")
    for name, (reference, _) in images.items():
        size = compressed_size(reference)
        goal = f"  {verdict(size / 1e6, GOAL_BYTES / 1e6)}" if name == OURS else ""
        print(f"  {name:<18} {size / 1e6:5.2f} MB{goal}")


def main():
    images = contenders()
    with layout.step(f"{WARM_UP + ROUNDS} rounds of {len(images)} builds"):
        times = measure(images)
    report(images, times)


if __name__ == "__main__":
    main()
