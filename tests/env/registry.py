"""The private registry: plain HTTP on a loopback port that is chosen once and then kept."""

import http.client
import json
import socket

import layout
import process

NAME = "registry"
PORT_FILE = layout.STATE / "registry.port"

CONFIG = """version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {data}}}
  delete: {{enabled: true}}
  maintenance: {{uploadpurging: {{enabled: false}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def any_free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def port():
    """The port in use, or None before the first start."""
    try:
        return int(PORT_FILE.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def address():
    return f"127.0.0.1:{port()}"


def healthy():
    try:
        connection = http.client.HTTPConnection(address(), timeout=2)
        connection.request("GET", "/v2/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False


def digest(repository, reference):
    """The digest behind a name, or None if the registry has no such image."""
    connection = http.client.HTTPConnection(address(), timeout=10)
    connection.request("HEAD", f"/v2/{repository}/manifests/{reference}", headers={
        "Accept": "application/vnd.oci.image.index.v1+json, "
                  "application/vnd.oci.image.manifest.v1+json"})
    answer = connection.getresponse()
    return answer.headers["Docker-Content-Digest"] if answer.status == 200 else None


def get(path):
    """Status and body of something in the registry."""
    connection = http.client.HTTPConnection(address(), timeout=60)
    connection.request("GET", path, headers={
        "Accept": "application/vnd.oci.image.index.v1+json, "
                  "application/vnd.oci.image.manifest.v1+json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def up():
    """Starts the registry unless it runs and answers."""
    if process.alive(NAME) and healthy():
        return
    process.stop(NAME)
    if not port() or not is_free(port()):
        layout.write_atomically(PORT_FILE, str(any_free_port()))
    layout.REGISTRY_DATA.mkdir(parents=True, exist_ok=True)
    config = layout.RUN / "registry.yml"
    layout.write_atomically(config, CONFIG.format(data=json.dumps(str(layout.REGISTRY_DATA)),
                                                  port=port()))
    with layout.step(f"start the registry on {address()}"):
        child = process.start(NAME, [layout.BIN / "docker-registry", "serve", config],
                              env={"PATH": "/usr/bin:/bin", "OTEL_TRACES_EXPORTER": "none"})
        process.wait_until(NAME, child, healthy)
