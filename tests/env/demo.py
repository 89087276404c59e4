"""The last step of `make demo`: builds examples/medplum-server, takes the image apart, starts it
under the runtime contract, asks it, and prints what was seen. Every number is read from the image
or from the running process.

    DOCKER=none      the private BuildKit even if there is a Docker Engine
    BASES=dhi.io     the real Docker Hardened Images instead of the stand-ins; wants a login
    ARGS=…           more arguments for the build, such as --network=host
"""

import functools
import json
import os
import shlex
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import buildkitd
import buildx
import contract
import layout
import own_docker
import print_env
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
CONNECT_SECONDS = 10


def certificates():
    """What a build needs behind a proxy that signs with a company's own authority."""
    file = layout.certificates()
    return ["--build-arg", "HARDPAN_CA=ca", "--secret", f"id=ca,src={file}"] if file else []


def show(*command):
    """A command as a person would type it."""
    words = [os.path.relpath(word, layout.ROOT) if str(word).startswith(str(layout.ROOT)) else word
             for word in map(str, command)]
    print(f"\n$ {shlex.join(words)}", flush=True)


def run(*command, env=None):
    """Runs a command in front of the user; the seconds that it took."""
    show(*command)
    start = time.monotonic()
    done = subprocess.run(list(map(str, command)), check=False, timeout=BUILD_SECONDS, env=env,
                          stdout=sys.stderr, cwd=layout.ROOT)
    if done.returncode:
        layout.fail("that did not succeed; its own words are above")
    return time.monotonic() - start


def chosen_bases():
    """The registry of the real bases, after looking whether it can be used; None: the stand-ins."""
    bases = os.environ.get("BASES", "").strip("/")
    if not bases:
        return None
    host = bases.split("/")[0]
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        config = {}
    if not ({host} & {*config.get("auths", {}), *config.get("credHelpers", {})}):
        layout.fail(f"BASES={bases} needs a login: docker login {host} (a free account will do); "
                    "`make demo` alone takes stand-ins")
    name, _, port = host.partition(":")
    try:
        socket.create_connection((name, int(port or 443)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        layout.fail(f"{host} cannot be reached ({error}); `make demo` alone takes stand-ins")
    return f"{bases}/"


def spec_arguments():
    return ["-f", EXAMPLE / "hardpan.yaml", *certificates(),
            *shlex.split(os.environ.get("ARGS", ""))]


def build_privately(bases):
    """Builds by the private BuildKit and pushes; what was pushed, and the seconds."""
    env = {**os.environ, **{key: value for key, value in print_env.variables().items() if value}}
    builder = buildx.BUILDER
    arguments = []
    if bases:
        # Logins are the client's; the daemon is one that takes the names as they are.
        env["DOCKER_CONFIG"] = os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
        builder = real_builder()
        arguments = ["--build-arg", f"HARDPAN_REGISTRY={bases}"]
    program = ["docker", "buildx"] if shutil.which("docker") and not bases \
        else [layout.BIN / "buildx"]
    name = f"{registry.address()}/{REPOSITORY}:latest"
    with tempfile.TemporaryDirectory(prefix="hardpan-demo-") as folder:
        answer = Path(folder) / "metadata.json"
        seconds = run(*program, "build", "--builder", builder, *spec_arguments(), *arguments,
                      f"--metadata-file={answer}", "-t", name, "--push", EXAMPLE, env=env)
        digest = json.loads(answer.read_text(encoding="utf-8"))["containerimage.digest"]
    return digest, seconds


def real_builder():
    """A buildkitd without the mirror that gives stand-ins for dhi.io."""
    name = "real-bases"
    with layout.lock(f"builder-{name}"):
        buildkitd.start(name, mirrors_bases=False)
        buildx.buildx("rm", "--force", name)
        buildx.buildx("create", "--name", name, "--driver", "remote", buildkitd.host(name))
    return name


def build_by(docker, bases):
    """Builds by the user's Docker Engine, which has no mirror: it is told where everything is."""
    registry_of_bases = bases or f"{registry.address()}/dhi/"
    seconds = run(*docker.build_command(), *spec_arguments(),
                  "--build-arg", f"BUILDKIT_SYNTAX={print_env.syntax()}",
                  "--build-arg", f"HARDPAN_REGISTRY={registry_of_bases}",
                  "-t", own_docker.IMAGE, EXAMPLE, env=docker.environment())
    return docker.run("image", "inspect", "--format", "{{.Id}}", own_docker.IMAGE).stdout.strip(), \
        seconds


def fetch(reference):
    """One manifest, config or layer of the image that was pushed."""
    for kind in ("manifests", "blobs"):
        status, body = registry.get(f"/v2/{REPOSITORY}/{kind}/{reference}")
        if status == 200:
            return body
    raise RuntimeError(f"the registry does not give {reference}")


def pull(digest, folder):
    """Reads the image back: config and the files of its layers."""
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
    return config, layers


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


def base_layers(config):
    """How many of the layers are those of the stand-in, byte for byte."""
    status, body = registry.get("/v2/dhi/node/manifests/24")
    base = json.loads(body) if status == 200 else {}
    if "manifests" in base:
        digest = base["manifests"][0]["digest"]
        base = json.loads(registry.get(f"/v2/dhi/node/manifests/{digest}")[1])
    if "config" not in base:
        return 0
    base = json.loads(registry.get(f"/v2/dhi/node/blobs/{base['config']['digest']}")[1])
    theirs, ours = base["rootfs"]["diff_ids"], config["rootfs"]["diff_ids"]
    return len(theirs) if ours[:len(theirs)] == theirs else 0


def start_and_ask(container, config):
    """Lines of what was seen of the running image. `container` makes one."""
    lines = []
    with container(writable=WRITABLE) as app:
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
    with container(args=["sh", "-c", "id"]) as shell:
        code = shell.wait(30)
        is_gone = "executable file not found" in shell.words()
        lines.append("`sh -c id` in the same image: " + (
            "cannot start, there is no sh" if is_gone else f"exit code {code}, {shell.words()!r}"))
    return lines


def tell(built, root, image, seen):
    """What was counted and seen, as lines."""
    digest, seconds = built
    config, layers = image
    uid, gid = contract.user_of(config)
    found = look(root, uid)
    size = sum(layer.stat().st_size for layer in layers) / 1e6
    of_base = base_layers(config)
    of = f"{of_base} of dhi.io/node:24 untouched, {len(layers) - of_base} of the app" if of_base \
        else "those of dhi.io/node:24 first"
    print(f"\nWhat was built in {seconds:.1f} s, read back and started:")
    for line in [
            f"{digest}, {size:.0f} MB",
            f"{len(layers)} layers: {of}",
            f"config: user {uid}:{gid}, entrypoint {shlex.join(config['config']['Entrypoint'])}",
            f"{found['files']} files, {found['programs']} of them executable; "
            f"shells: {len(found['shells'])}, package managers: {len(found['managers'])}, "
            f"set-id programs: {found['set-id']}",
            f"its user owns: {', '.join(sorted(found['writable'])) or 'nothing'}",
            *seen]:
        print(f"  {line}")


def main():
    os.environ["PATH"] = print_env.path()
    bases = chosen_bases()
    docker = own_docker.find()
    is_own = isinstance(docker, own_docker.Docker)
    print("One real app, from its spec to a running, inspected image, by "
          + (f"your {docker.name} ({docker.store})." if is_own
             else f"a BuildKit of this checkout ({docker})."))
    run(EXAMPLE / "pack")
    built = build_by(docker, bases) if is_own else build_privately(bases)
    with tempfile.TemporaryDirectory(prefix="hardpan-demo-") as name:
        folder = Path(name)
        root = folder / "rootfs"
        root.mkdir()
        config, layers = docker.read(folder) if is_own else pull(built[0], folder)
        contract.unpack(layers, root)
        start = functools.partial(own_docker.Container, docker) if is_own \
            else functools.partial(contract.Container, root, config)
        seen = start_and_ask(start, config)
        tell(built, root, (config, layers), seen)
    if is_own:
        print(f"\nIt stays as {own_docker.IMAGE}, and its build cache; nothing else was changed."
              f"\nRemove it: docker image rm {own_docker.IMAGE}"
              "\nEnd ours:  make stop")
        return
    program = "docker buildx" if shutil.which("docker") else "buildx"
    print("\nGo on:  eval \"$(make -s env)\""
          f"\n        {program} build --builder $HARDPAN_BUILDER "
          "-f examples/minimal/hardpan.yaml examples/minimal"
          "\nEnd it: make stop")


if __name__ == "__main__":
    main()
