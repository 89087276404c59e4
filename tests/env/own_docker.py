"""A Docker that the user has already: whether there is one, and how the demo uses it.

Nothing of it is changed but what is asked for: an image under the demo's own name, and build cache.
What buildx notes down goes to a folder of ours, contexts and builders are only read, and the
container and its volumes are removed.
"""

import json
import os
import shutil
import subprocess
import tarfile

import contract
import layout

IMAGE = "hardpan-demo/medplum-server:latest"
SECONDS = 60


class Docker:
    """An engine on this machine, reached through its socket."""

    def __init__(self, host, info):
        self.host = host
        self.name = f"Docker Engine {info['ServerVersion']} at {host}"
        self.store = info["Driver"]

    def environment(self):
        """The user's own, logins included, with everything that chooses a builder taken out."""
        env = {key: value for key, value in os.environ.items()
               if not key.startswith(("BUILDX_", "BUILDKIT_"))}
        return {**env, "DOCKER_HOST": self.host,
                "BUILDX_CONFIG": str(layout.DOCKER_CONFIG / "own-buildx")}

    def run(self, *arguments, check=True):
        return subprocess.run(["docker", *map(str, arguments)], env=self.environment(),
                              capture_output=True, text=True, check=check, timeout=SECONDS)

    def build_command(self):
        """`docker buildx build`, or our buildx where the user has none."""
        has_plugin = not self.run("buildx", "version", check=False).returncode
        buildx = ["docker", "buildx"] if has_plugin else [layout.BIN / "buildx"]
        return [*buildx, "build", "--builder", "default"]

    def read(self, folder):
        """Config and layers of the image, as files."""
        archive = folder / "image.tar"
        self.run("save", "--output", archive, IMAGE)
        with tarfile.open(archive) as tar:
            tar.extractall(folder / "image", filter="data")
        [entry] = json.loads((folder / "image" / "manifest.json").read_text(encoding="utf-8"))
        config = (folder / "image" / entry["Config"]).read_text(encoding="utf-8")
        return json.loads(config), [folder / "image" / layer for layer in entry["Layers"]]


def find():
    """The engine to use, or a sentence that says why there is none."""
    if os.environ.get("DOCKER") == "none":
        return "DOCKER=none"
    if not shutil.which("docker"):
        return "there is no docker client"
    done = subprocess.run(["docker", "info", "--format", "{{json .}}"], capture_output=True,
                          text=True, check=False, timeout=SECONDS)
    if done.returncode:
        return "no Docker Engine answers"
    info = json.loads(done.stdout)
    host = os.environ.get("DOCKER_HOST") or subprocess.run(
        ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"],
        capture_output=True, text=True, check=True, timeout=SECONDS).stdout.strip()
    if not host.startswith("unix://"):
        return f"the Docker Engine is on another machine ({host}), which cannot reach ours"
    if info.get("OSType") != "linux" or info.get("Architecture") != "x86_64":
        return "the Docker Engine is not for linux/amd64"
    return Docker(host, info)


class Container(contract.Running):
    """The image under the runtime contract, by `docker run`; gone when the block ends."""

    def __init__(self, docker, args=(), writable=()):
        super().__init__()
        self.docker = docker
        entrypoint = [f"--entrypoint={args[0]}"] if args else []
        volumes = [f"--mount=type=volume,dst={path}" for path in writable]
        self.command = ["run", "--detach", "--network=none", "--read-only", "--tmpfs=/tmp",
                        "--cap-drop=ALL", "--security-opt=no-new-privileges", *volumes,
                        *entrypoint, IMAGE, *args[1:]]
        self.refused = ""
        self.id = ""

    def __enter__(self):
        done = self.docker.run(*self.command, check=False)
        self.id = done.stdout.strip()
        self.refused = done.stderr.strip() if done.returncode else ""
        return self

    def __exit__(self, *_error):
        if self.id:
            self.docker.run("rm", "--force", "--volumes", self.id, check=False)

    def inspect(self, what):
        return self.docker.run("inspect", "--format", what, self.id).stdout.strip()

    def pid(self):
        return int(self.inspect("{{.State.Pid}}"))

    def words(self):
        done = self.docker.run("logs", self.id, check=False)
        return self.refused + done.stdout + done.stderr

    def has_ended(self):
        return self.inspect("{{.State.Running}}") != "true"

    def kill(self, signal):
        self.docker.run("kill", "--signal", signal, self.id)

    def wait(self, seconds):
        if self.refused:
            return 127
        done = subprocess.run(["docker", "wait", self.id], env=self.docker.environment(),
                              capture_output=True, text=True, check=True, timeout=seconds)
        return int(done.stdout)
