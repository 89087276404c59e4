"""The last step of `make demo`: builds examples/medplum-server, takes the image apart, starts it
under the runtime contract, asks it, and prints what was seen. Every number is read from the image
or from the running process.
"""

import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import contract
import layout
import registry

NAME = "medplum-server"
EXAMPLE = layout.ROOT / "examples" / NAME
REPOSITORY = f"demo/{NAME}"
PORT = 8103
WRITABLE = ["/usr/src/medplum/binary"]
ATTESTED = "unknown"
SHELLS = {"sh", "bash", "dash", "ash", "zsh", "ksh", "busybox", "toybox"}
MANAGERS = {"apt", "apt-get", "dpkg", "apk", "npm", "npx", "yarn", "corepack"}
BUILD_SECONDS = 600


def docker():
    return ["docker", "buildx"] if shutil.which("docker") else ["buildx"]


def show(*command):
    """A command as a person would type it."""
    words = [os.path.relpath(word, layout.ROOT) if str(word).startswith(str(layout.ROOT)) else word
             for word in map(str, command)]
    print(f"\n$ {shlex.join(words)}", flush=True)


def run(*command):
    show(*command)
    subprocess.run(list(map(str, command)), check=True, timeout=BUILD_SECONDS, stdout=sys.stderr,
                   cwd=layout.ROOT)


def build():
    """Builds and pushes; gives the digest of what was pushed and the seconds."""
    name = f"{registry.address()}/{REPOSITORY}:latest"
    with tempfile.TemporaryDirectory(prefix="hardpan-demo-") as folder:
        answer = Path(folder) / "metadata.json"
        command = [*docker(), "build", "--builder", os.environ["HARDPAN_BUILDER"],
                   "-f", EXAMPLE / "hardpan.yaml", "-t", name, "--push", EXAMPLE]
        show(*command)
        start = time.monotonic()
        subprocess.run([*map(str, command), f"--metadata-file={answer}"], check=True,
                       timeout=BUILD_SECONDS, cwd=layout.ROOT)
        seconds = time.monotonic() - start
        digest = json.loads(answer.read_text(encoding="utf-8"))["containerimage.digest"]
    return digest, seconds


def fetch(reference):
    """One manifest, config or layer of the image that was pushed."""
    for kind in ("manifests", "blobs"):
        status, body = registry.get(f"/v2/{REPOSITORY}/{kind}/{reference}")
        if status == 200:
            return body
    raise RuntimeError(f"the registry does not give {reference}")


def pull(digest, folder):
    """Reads the image back: manifest, config and the files of its layers."""
    manifest = json.loads(fetch(digest))
    if "manifests" in manifest:
        own = [one for one in manifest["manifests"]
               if one.get("platform", {}).get("architecture") != ATTESTED]
        manifest = json.loads(fetch(own[0]["digest"]))
    config = json.loads(fetch(manifest["config"]["digest"]))
    layers = []
    for number, layer in enumerate(manifest["layers"]):
        layers.append(folder / f"layer-{number}")
        layers[-1].write_bytes(fetch(layer["digest"]))
    return manifest, config, layers


def look(root, uid):
    """What an auditor would count in the root file system."""
    found = {"files": 0, "programs": 0, "shells": [], "managers": [], "set-id": 0, "writable": []}
    for folder, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = Path(folder) / name
            data = path.lstat()
            if stat.S_ISLNK(data.st_mode):
                continue
            if data.st_uid == uid and data.st_mode & stat.S_IWUSR:
                found["writable"].append("/" + str(path.relative_to(root)))
            if not stat.S_ISREG(data.st_mode):
                continue
            found["files"] += 1
            if data.st_mode & 0o111:
                found["programs"] += 1
                found["set-id"] += bool(data.st_mode & (stat.S_ISUID | stat.S_ISGID))
                found["shells"] += [name] * (name in SHELLS)
                found["managers"] += [name] * (name in MANAGERS)
    return found


def base_layers(manifest):
    """How many of the layers are those of the base, byte for byte."""
    status, body = registry.get("/v2/dhi/node/manifests/24")
    base = json.loads(body) if status == 200 else {}
    if "manifests" in base:
        digest = base["manifests"][0]["digest"]
        base = json.loads(registry.get(f"/v2/dhi/node/manifests/{digest}")[1])
    theirs = [layer["digest"] for layer in base.get("layers", [])]
    ours = [layer["digest"] for layer in manifest["layers"]]
    return len(theirs) if ours[:len(theirs)] == theirs else 0


def start_and_ask(root, config):
    """Lines of what was seen of the running image."""
    lines = []
    with contract.Container(root, config, writable=WRITABLE) as app:
        seconds = app.wait_for(PORT, "/healthcheck")
        status = {name: value.split() for name, value in app.status().items()}
        lines.append(f"runs as uid {status['Uid'][0]}, gid {status['Gid'][0]}; capabilities "
                     f"{int(status['CapEff'][0], 16):#x} of {int(status['CapBnd'][0], 16):#x}; "
                     f"no new privileges: {'yes' if status['NoNewPrivs'] == ['1'] else 'NO'}")
        root_is = "read-only" if "ro" in app.mount_options("/") else "WRITABLE"
        lines.append(f"root file system {root_is}; writable: /tmp and {', '.join(WRITABLE)}")
        lines.append(f"answered {seconds:.1f} s after its start")
        for path in ("/healthcheck", "/fhir/R4/metadata"):
            code, body = app.get(PORT, path)
            told = json.loads(body)
            kind = told.get("resourceType", "")
            more = f"{kind} of {len(told['rest'][0]['resource'])} resource types" if kind \
                else ", ".join(f"{name}: {value}" for name, value in told.items())
            lines.append(f"GET {path} → {code}, {more}")
        code, seconds = app.stop(config["config"].get("StopSignal") or "SIGTERM")
        lines.append(f"stopped with exit code {code} after {seconds * 1000:.0f} ms")
    with contract.Container(root, config, args=["sh", "-c", "id"]) as shell:
        code = shell.process.wait(timeout=30)
        is_gone = "executable file not found" in shell.words()
        lines.append("`sh -c id` in the same image: " + (
            "cannot start, there is no sh" if is_gone else f"exit code {code}, {shell.words()!r}"))
    return lines


def main():
    print("One real app, from its spec to a running, inspected image.")
    run(EXAMPLE / "pack")
    digest, seconds = build()
    with tempfile.TemporaryDirectory(prefix="hardpan-demo-") as name:
        folder = Path(name)
        root = folder / "rootfs"
        root.mkdir()
        manifest, config, layers = pull(digest, folder)
        contract.unpack(layers, root)
        uid, gid = contract.user_of(config)
        found = look(root, uid)
        seen = start_and_ask(root, config)
        size = sum(layer["size"] for layer in manifest["layers"]) / 1e6
    of_base = base_layers(manifest)
    print(f"\nWhat was built in {seconds:.1f} s, read back from the registry and started:")
    for line in [
            f"{digest}, {size:.0f} MB",
            f"{len(layers)} layers: {of_base} of dhi.io/node:24 untouched, "
            f"{len(layers) - of_base} of the app",
            f"config: user {uid}:{gid}, entrypoint {shlex.join(config['config']['Entrypoint'])}",
            f"{found['files']} files, {found['programs']} of them executable; "
            f"shells: {len(found['shells'])}, package managers: {len(found['managers'])}, "
            f"set-id programs: {found['set-id']}",
            f"its user owns: {', '.join(sorted(found['writable'])) or 'nothing'}",
            *seen]:
        print(f"  {line}")
    print("\nGo on:  eval \"$(make -s env)\""
          f"\n        {' '.join(docker())} build --builder $HARDPAN_BUILDER "
          "-f examples/minimal/hardpan.yaml examples/minimal"
          "\nEnd it: make stop")


if __name__ == "__main__":
    main()
