"""A root file system held as a map from path to node, and the layers made from it.

Layers come out the same byte for byte: sorted paths, one time stamp, no names of users.
Contents stay where they are (in a tar, in a file) until a layer is written.
"""

import dataclasses
import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path

# The day of the catalogue: every file and image is as old as what it stands in for.
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "1787443200"))
# Speed counts more than size: these layers go no further than the loopback.
GZIP_LEVEL = 3
# Where a merged /usr puts what older packages and scripts still name.
MERGED = ("bin", "sbin", "lib", "lib64")


@dataclasses.dataclass
class Node:
    """One file, folder ("dir") or symbolic link ("link")."""

    kind: str
    mode: int
    uid: int = 0
    gid: int = 0
    target: str = ""
    data: bytes = b""
    source: tuple = ()  # (path, offset, size) in place of data

    def read(self):
        if not self.source:
            return self.data
        path, offset, size = self.source
        with open(path, "rb") as handle:
            handle.seek(offset)
            return handle.read(size)

    def size(self):
        return self.source[2] if self.source else len(self.data)

    def same(self, other):
        """Whether a layer above need not say this again."""
        if other is None or dataclasses.replace(self, data=b"", source=()) != \
                dataclasses.replace(other, data=b"", source=()):
            return False
        return self.size() == other.size() and self.read() == other.read()


def normalise(path):
    """A path without leading ./ or /, through the links of a merged /usr."""
    path = path.removeprefix("./").strip("/")
    head, slash, rest = path.partition("/")
    return f"usr/{head}/{rest}" if slash and head in MERGED else path


class Tree(dict):
    """Path (relative, normalised) to node."""

    def folder(self, path, mode=0o755, uid=0, gid=0):
        self[normalise(path)] = Node("dir", mode, uid, gid)

    def file(self, path, content, mode=0o644, uid=0, gid=0):
        data = content.encode() if isinstance(content, str) else content
        self[normalise(path)] = Node("file", mode, uid, gid, data=data)

    def link(self, path, target):
        self[normalise(path)] = Node("link", 0o777, target=target)

    def copy_host(self, folder, into, keep=lambda path: True):
        """Takes a folder of this machine, owned by root, readable by all."""
        folder = Path(folder)
        for base, folders, files in os.walk(folder):
            folders[:] = [name for name in folders
                          if keep(str((Path(base) / name).relative_to(folder)))]
            for name in sorted(folders + files):
                path = Path(base) / name
                inside = str(path.relative_to(folder))
                if keep(inside):
                    self.add_host_path(path, f"{into}/{inside}")

    def add_host_path(self, path, into):
        status = path.lstat()
        if path.is_symlink():
            self.link(into, os.readlink(path))
        elif path.is_dir():
            self.folder(into)
        else:
            mode = 0o755 if status.st_mode & 0o100 else 0o644
            self[normalise(into)] = Node("file", mode, source=(str(path), 0, status.st_size))

    def add_tar(self, path, offset_is_known=True, stream=None, keep=lambda path: True):
        """Takes the entries of a tar: by reference if it is a file that stays."""
        with tarfile.open(path, "r:") if offset_is_known else \
                tarfile.open(fileobj=stream, mode="r|*") as archive:
            for entry in archive:
                name = normalise(entry.name)
                if name in ("", ".") or not keep(name):
                    continue
                node = Node("", entry.mode, entry.uid, entry.gid)
                if entry.isdir():
                    # A link of the merged /usr stays one when a package names it as folder.
                    if name in self and self[name].kind == "link":
                        continue
                    node.kind = "dir"
                elif entry.issym():
                    node.kind, node.mode, node.target = "link", 0o777, entry.linkname
                elif entry.islnk():
                    node = self[normalise(entry.linkname)]
                elif entry.isfile() and offset_is_known:
                    node.kind, node.source = "file", (str(path), entry.offset_data, entry.size)
                elif entry.isfile():
                    node.kind, node.data = "file", archive.extractfile(entry).read()
                else:
                    continue
                self[name] = node

    def merged(self, *others):
        result = Tree(self)
        for other in others:
            result.update(other)
        return result

    def minus(self, lower):
        """What a layer on top of another tree must hold to give this one."""
        return Tree({path: node for path, node in self.items() if not node.same(lower.get(path))})


def entry_for(path, node):
    entry = tarfile.TarInfo(path)
    entry.mode, entry.uid, entry.gid, entry.mtime = node.mode, node.uid, node.gid, EPOCH
    if node.kind == "dir":
        entry.type = tarfile.DIRTYPE
    elif node.kind == "link":
        entry.type, entry.linkname = tarfile.SYMTYPE, node.target
    else:
        entry.size = node.size()
    return entry


class Tee:
    """Hashes and counts what passes on its way to another writer."""

    def __init__(self, writer):
        self.writer, self.hash, self.count = writer, hashlib.sha256(), 0

    def write(self, data):
        self.hash.update(data)
        self.count += len(data)
        self.writer.write(data)
        return len(data)

    def tell(self):
        return self.count

    def flush(self):
        self.writer.flush()

    def digest(self):
        return f"sha256:{self.hash.hexdigest()}"


def with_parents(layer, whole):
    """A layer with its folders as the whole tree has them.

    One that names /tmp/x alone would turn /tmp into 0755 where it is unpacked.
    """
    parents = {str(parent) for name in layer for parent in Path(name).parents}
    folders = {name: whole.get(name, Node("dir", 0o755)) for name in parents - {"."}}
    return Tree({**folders, **layer})


def fingerprint(layer):
    """What decides a layer's bytes, without reading what lies in files that stay."""
    digest = hashlib.sha256(f"{EPOCH} {GZIP_LEVEL}".encode())
    for name in sorted(layer):
        node = layer[name]
        age = os.stat(node.source[0]).st_mtime_ns if node.source else 0
        digest.update(f"{name}\0{node.kind}{node.mode}:{node.uid}:{node.gid}\0{node.target}\0"
                      f"{node.source}{age}\0{len(node.data)}\0".encode())
        digest.update(node.data)
    return digest.hexdigest()[:32]


def write_layer(layer, path):
    """Writes a gzipped layer; gives (digest, diff id, size)."""
    with open(path, "wb") as handle:
        packed = Tee(handle)
        with gzip.GzipFile("", "wb", GZIP_LEVEL, packed, mtime=0) as squeezed:
            plain = Tee(squeezed)
            with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
                for name in sorted(layer):
                    node = layer[name]
                    content = io.BytesIO(node.read()) if node.kind == "file" else None
                    archive.addfile(entry_for(name, node), content)
    return packed.digest(), plain.digest(), packed.count
