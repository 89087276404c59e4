"""Root file systems from Debian trixie: unpacked packages for runtime images, installed ones
for -dev images.

A runtime image has no shell to run maintainer scripts, and must not have one: its packages
are unpacked, and what is not wanted of the closure is left out, as DHI's own definitions do.
"""

import hashlib
import re
import shutil
import subprocess
import tarfile

import layout
import tree

SUITE = "trixie"
CACHE = layout.STATE / "cache"

# In the closure of what is wanted, but only for maintainer scripts or for people at a shell.
NEVER_IN_RUNTIME = {
    "debconf", "dpkg", "install-info", "iproute2", "mawk", "openssl", "openssl-provider-legacy",
    "perl-base", "readline-common", "debianutils",
}
# Help for people, and scripts that would need a shell.
UNWANTED = re.compile(
    r"usr/share/(?:doc/(?!.*copyright$).+/.+|man|info|locale|lintian|doc-base|bash-completion|"
    r"bug|apport)(?:/|$)|etc/(?:init\.d|cron|logrotate|ufw|update-motd|skel)")
SCRIPTS = {"usr/sbin/update-ca-certificates", "usr/sbin/tzconfig", "usr/bin/tzselect"}
# What a machine leaves in a root file system that was installed on it. Compiled Python differs
# from run to run, and would be stale: every file gets another time stamp.
TRACES = re.compile(
    r"(?:.*/)?__pycache__(?:/|$)|dev/.|proc/.|sys/.|run/.|tmp/.|var/(?:log|tmp)/.|"
    r"var/cache/(?:apt|debconf|ldconfig)/.|var/lib/apt/lists/.|"
    r"etc/(?:hostname|resolv\.conf|machine-id|hosts|fstab)$|"
    r"etc/dpkg/dpkg\.cfg\.d/99mmdebstrap|etc/apt/apt\.conf\.d/99mmdebstrap|"
    r"etc/(?:passwd|group|shadow|gshadow|subuid|subgid)-$|var/lib/dpkg/.*-old$")


def mmdebstrap(variant, packages, archive, *options, architecture="amd64"):
    """Runs mmdebstrap into a tar, once for each set of packages."""
    if archive.exists():
        return
    archive.parent.mkdir(parents=True, exist_ok=True)
    fresh = archive.with_suffix(".tmp")
    fresh.unlink(missing_ok=True)
    command = ["mmdebstrap", "--quiet", "--format=tar", f"--architectures={architecture}",
               "--dpkgopt=force-unsafe-io", f"--variant={variant}",
               f"--include={','.join(sorted(packages))}", *options, SUITE, fresh]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        layout.say(done.stdout[-3000:])
        layout.fail(f"mmdebstrap could not make {SUITE} with {' '.join(sorted(packages))}")
    fresh.rename(archive)


def archive_for(kind, packages, architecture="amd64"):
    name = layout.hash_files([], kind, SUITE, *sorted(packages))[:16]
    return CACHE / f"{kind}-{architecture}-{name}.tar"


def download(packages, architecture="amd64"):
    """Fetches packages with all that they need; gives them by name."""
    archive = archive_for("debs", packages, architecture)
    mmdebstrap("extract", packages, archive, "--skip=cleanup,essential/unlink",
               architecture=architecture)
    folder = archive.with_suffix("")
    if not folder.exists():
        fresh = folder.with_suffix(".tmp")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        with tarfile.open(archive) as root:
            for entry in root:
                if entry.name.startswith("./var/cache/apt/archives/") and \
                        entry.name.endswith(".deb"):
                    content = root.extractfile(entry).read()
                    (fresh / entry.name.rpartition("/")[2]).write_bytes(content)
        fresh.rename(folder)
    return {path.name.partition("_")[0]: path for path in sorted(folder.glob("*.deb"))}


def control(deb):
    return subprocess.run(["dpkg-deb", "--field", deb], capture_output=True, text=True,
                          check=True).stdout


def needs(text):
    """The alternatives of each dependency that a control file names."""
    fields = re.findall(r"^(?:Pre-)?Depends: (.*)$", text, re.M)
    for clause in ",".join(fields).split(","):
        yield [re.split(r"[ (:]", one.strip())[0] for one in clause.split("|") if one.strip()]


def closure(debs, packages, exclude=frozenset()):
    """Packages with what they need, each with what it says of itself; base-files first."""
    chosen, waiting = {}, list(packages)
    while waiting:
        name = waiting.pop()
        if name in chosen or (name not in packages and name in exclude):
            continue
        chosen[name] = control(debs[name])
        for alternatives in needs(chosen[name]):
            waiting += [one for one in alternatives if one in debs][:1]
    return sorted(chosen.items(), key=package_order)


def with_package(root, deb, unwanted=frozenset()):
    """A tree with the files of one more package, and the paths that are new."""
    unpacked = tree.Tree(root)
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as process:
        unpacked.add_tar(None, offset_is_known=False, stream=process.stdout,
                         keep=lambda path: path not in unwanted and not UNWANTED.match(path))
    return unpacked, sorted(path for path in unpacked if path not in root)


def unpack(debs, packages):
    """A tree of unpacked packages with their database, one file each in status.d."""
    root = tree.Tree()
    for name, text in closure(debs, packages, NEVER_IN_RUNTIME):
        root, added = with_package(root, debs[name], SCRIPTS)
        root.file(f"var/lib/dpkg/status.d/{name}", text)
        root.file(f"var/lib/dpkg/status.d/{name}.md5sums", "".join(
            f"{hashlib.md5(root[path].read(), usedforsecurity=False).hexdigest()}  {path}\n"
            for path in added if root[path].kind == "file"))
    return root


def unpack_dev(debs, packages):
    """What `install` gives, without running anything of another processor."""
    root, status = tree.Tree(), []
    for name, text in closure(debs, packages):
        root, added = with_package(root, debs[name])
        kind = ":arm64" if "\nMulti-Arch: same\n" in text else ""
        root.file(f"var/lib/dpkg/info/{name}{kind}.list", "".join(f"/{path}\n" for path in added))
        status.append(text.replace("\n", "\nStatus: install ok installed\n", 1))
    root.file("var/lib/dpkg/status", "\n".join(status))
    for name in ("passwd", "group"):
        root.file(f"etc/{name}", root[f"usr/share/base-passwd/{name}.master"].read())
    root.link("usr/bin/awk", "mawk")
    return root


def package_order(item):
    """base-files first: the others go through its links."""
    return item[0] != "base-files", item[0]


def install(packages):
    """A tree of really installed packages, with apt and a shell."""
    archive = archive_for("root", packages)
    mmdebstrap("apt", packages, archive)
    root = tree.Tree()
    root.add_tar(archive, keep=lambda path: not TRACES.match(path) and not UNWANTED.match(path))
    return root
