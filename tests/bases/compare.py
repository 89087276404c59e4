"""Reads every stand-in back from the registry and compares it with the catalogue.

One test for each definition and platform; every field that the catalogue has is compared, and
what it says of shells, package managers, certificates and time zones is looked up in the layers.
"""

import gzip
import hashlib
import io
import json
import re
import sys
import tarfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "env"))
import build  # noqa: E402
import oci  # noqa: E402
import recipes  # noqa: E402
import registry  # noqa: E402
import remote  # noqa: E402
import tree  # noqa: E402

SHELL = re.compile(r"usr/s?bin/(?:sh|bash|dash|ash|zsh|busybox|rbash|ksh|mksh|csh)$")
PACKAGE_MANAGER = re.compile(r"usr/s?bin/(?:apt|apt-get|dpkg|apk|rpm|pip3?|npm|npx|yarn)$")
# What Debian and the kernel call an architecture.
LIBRARIES = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
LOADERS = {"amd64": "ld-linux-x86-64.so.2", "arm64": "ld-linux-aarch64.so.1"}
MACHINES = {"amd64": 62, "arm64": 183}
SEEN = {}


def read_layer(repository, digest):
    """A layer's diff id and its entries: path -> (entry, text of what is looked at).

    Images share layers; each is read once, from where it is seen first.
    """
    if digest in SEEN:
        return SEEN[digest]
    with remote.Remote(registry.address()) as client:
        content = gzip.decompress(client.blob(repository, digest))
    files = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for entry in archive:
            text = ""
            if entry.name in ("etc/passwd", "etc/group"):
                text = archive.extractfile(entry).read().decode()
            elif entry.isfile() and entry.name.startswith("usr/bin/"):
                text = archive.extractfile(entry).read(20)
            files[entry.name] = (entry, text)
    SEEN[digest] = f"sha256:{hashlib.sha256(content).hexdigest()}", files
    return SEEN[digest]


class Image:
    """One published image of one platform: its configuration and its whole file system."""

    def __init__(self, repository, tag, architecture="amd64"):
        self.architecture = architecture
        with remote.Remote(registry.address()) as client:
            self.digest, self.index = client.manifest(repository, tag)
            own = self.platforms()[architecture]
            self.manifest = client.manifest(repository, own)[1]
            config = client.blob(repository, self.manifest["config"]["digest"])
        self.image = json.loads(config)
        self.config = self.image["config"]
        self.labels = {name.removeprefix("com.docker.dhi."): value
                       for name, value in self.config["Labels"].items()}
        self.diff_ids, self.files = [], {}
        for layer in self.manifest["layers"]:
            diff_id, files = read_layer(repository, layer["digest"])
            self.diff_ids.append(diff_id)
            self.files.update(files)

    def platforms(self):
        """Architecture -> digest of its manifest."""
        return {one["platform"]["architecture"]: one["digest"] for one in self.index["manifests"]}

    def accounts(self, path):
        """Name -> fields of passwd or group."""
        lines = self.files[path][1].splitlines()
        return {line.split(":")[0]: line.split(":") for line in lines}

    def env(self):
        return dict(pair.split("=", 1) for pair in self.config["Env"])

    def matching(self, pattern):
        return sorted(name for name in self.files if pattern.match(name))

    def mode(self, path):
        entry = self.files[path][0]
        return entry.mode, entry.uid, entry.gid


def for_each_image(check):
    """A test that looks at every image, and names each one that differs."""
    def test(self):
        for name, definition, image in self.images:
            tag = f"{name}:{definition['tags'][0]}"
            with self.subTest(image=tag, architecture=image.architecture):
                check(self, name, definition, image)
    return test


class Compare(unittest.TestCase):
    """Each published image against its definition."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        known = build.catalogue()
        cls.images = []
        for path in recipes.RECIPES:
            name, definition = known[path]
            for architecture in build.architectures(path):
                image = Image(f"dhi/{name}", definition["tags"][0], architecture)
                cls.images.append((name, definition, image))

    @for_each_image
    def test_user_is_the_catalogues_by_name_and_number(self, _name, definition, image):
        self.assertEqual(image.config["User"], definition["user"])
        found = image.accounts("etc/passwd")[definition["user"]]
        self.assertEqual(found[2:4], [str(definition["uid"]), str(definition["gid"])])
        for name, uid, gid in definition["users"]:
            if definition["variant"] == "runtime":
                self.assertEqual(image.accounts("etc/passwd")[name][2:4], [str(uid), str(gid)])
                self.assertEqual(image.mode(f"home/{name}"), (0o755, uid, gid))
        for name, gid in definition.get("groups", []):
            self.assertEqual(image.accounts("etc/group")[name][2], str(gid))
        self.assertEqual("root" in image.accounts("etc/passwd"),
                         definition.get("root_account", False))

    @for_each_image
    def test_configuration_is_the_catalogues(self, _name, definition, image):
        for key, field in (("Entrypoint", "entrypoint"), ("Cmd", "cmd"),
                           ("WorkingDir", "workdir")):
            self.assertEqual(image.config.get(key), definition.get(field), key)
        self.assertEqual(sorted(image.config.get("ExposedPorts", {})),
                         sorted(definition.get("ports", [])))
        env = image.env()
        self.assertEqual(env, {"PATH": oci.DEFAULT_PATH, **definition.get("env", {})})

    @for_each_image
    def test_each_platform_is_the_catalogues_and_holds_its_own_programs(self, _name, definition,
                                                                       image):
        self.assertEqual(image.image["os"], "linux")
        self.assertEqual(image.image["architecture"], image.architecture)
        self.assertLessEqual(set(image.platforms()), set(definition["platforms"]))
        heads = [text for _, text in image.files.values() if isinstance(text, bytes)]
        machines = {int.from_bytes(head[18:20], "little") for head in heads
                    if head.startswith(b"\x7fELF")}
        self.assertLessEqual(machines, {MACHINES[image.architecture]})

    @for_each_image
    def test_shell_and_package_manager_are_there_only_where_named(self, _name, definition, image):
        self.assertEqual(bool(image.matching(SHELL)), bool(definition.get("shell")),
                         image.matching(SHELL))
        for shell in definition.get("shell", []):
            self.assertIn(f"usr/bin/{shell}", image.files)
        self.assertEqual(bool(image.matching(PACKAGE_MANAGER)),
                         bool(definition.get("package_manager")),
                         image.matching(PACKAGE_MANAGER))
        for manager in definition.get("package_manager", []):
            self.assertIn(f"usr/bin/{manager}", image.files)

    @for_each_image
    def test_certificates_time_zones_and_libc_are_as_named(self, _name, definition, image):
        self.assertEqual("etc/ssl/certs/ca-certificates.crt" in image.files,
                         definition["ca_certificates"])
        self.assertEqual("usr/share/zoneinfo/UTC" in image.files, definition["tzdata"])
        library = f"usr/lib/{LIBRARIES[image.architecture]}/libc.so.6"
        libc = library in image.files
        self.assertEqual("glibc" if libc else "none", definition["libc"])
        loader = f"lib/{LOADERS[image.architecture]}"
        found = any(f"usr/{folder}" in image.files
                    for folder in (loader, loader.replace("lib/", "lib64/", 1)))
        self.assertEqual(found, libc)

    @for_each_image
    def test_labels_say_what_the_catalogue_says(self, name, definition, image):
        expected = {
            "name": f"dhi/{name}", "title": definition["title"],
            "variant": definition["variant"], "flavor": definition.get("flavor", ""),
            "distro": definition["distro"], "definition": definition["definition"],
            "date.end-of-life": definition.get("eol", ""),
            "date.release": definition.get("release", ""),
            "shell": "bash" if definition.get("shell") else "",
            "package-manager": "apt" if definition.get("package_manager") else "",
            "compliance": "cis", "entitlement": "public",
            "url": f"https://dhi.io/catalog/{name}"}
        self.assertEqual({key: image.labels.get(key) for key in expected}, expected)
        self.assertIn(image.labels["version"], definition["tags"])
        if image.architecture == "amd64":
            self.assertEqual(image.index["annotations"], image.config["Labels"])

    @for_each_image
    def test_chain_id_is_that_of_the_layers(self, _name, _definition, image):
        # The vector of DHI's own documentation, so that the formula itself is checked.
        self.assertEqual(oci.chain_id([
            "sha256:e6658c58abb0371bc49b64fa0b02994d00bc7e2e37d71dd6f435084d8d7e9e17",
            "sha256:bb8c9f2e3ea36bc37b0282b477025f859e06c38c967fde95d8a2ad864204be61"]),
            "sha256:61c42d0892b6700cdc76bb85bd17b95b08fc9df28198d9260f94828e67754d9d")
        self.assertEqual(image.diff_ids, image.image["rootfs"]["diff_ids"])
        self.assertEqual(image.labels["chain-id"], oci.chain_id(image.diff_ids))

    @for_each_image
    def test_every_tag_of_the_catalogue_is_published(self, name, definition, image):
        with remote.Remote(registry.address()) as client:
            for tag in definition["tags"]:
                self.assertTrue(client.has_tag(f"dhi/{name}", tag, image.digest), tag)

    @for_each_image
    def test_root_file_system_is_laid_out_as_debians(self, _name, definition, image):
        for name in ("bin", "sbin", "lib", *(["lib64"] if image.architecture == "amd64" else [])):
            self.assertEqual(image.files[name][0].linkname, f"usr/{name}")
        self.assertEqual(image.mode("tmp"), (0o1777, 0, 0))
        self.assertEqual(image.mode("root"), (0o700, 0, 0))
        self.assertEqual(image.files["var/run"][0].linkname, "/run")
        database = "var/lib/dpkg/status.d/base-files" if definition["variant"] == "runtime" \
            else "var/lib/dpkg/status"
        self.assertIn(database, image.files)
        for path in definition.get("paths", []):
            self.assertEqual(image.mode(tree.normalise(path["path"])),
                             (int(path["mode"], 8), path["uid"], path["gid"]), path["path"])


class Bad(unittest.TestCase):
    """Each bad base has its defect, and no other."""

    def test_each_has_its_defect_and_a_dev_half(self):
        defects = {
            "bad-shell": lambda image: image.matching(SHELL) == ["usr/bin/dash", "usr/bin/sh"],
            "bad-root": lambda image: image.config["User"] == "root",
            "bad-uid": lambda image: image.config["User"] == "0:0",
            "bad-user": lambda image: image.config["User"] == "nobody-here",
            "bad-eol": lambda image: image.labels["date.end-of-life"] == "2024-01-31",
            "bad-label": lambda image: image.labels["package-manager"] == "apt",
            "bad-chain": lambda image: image.labels["chain-id"] != oci.chain_id(image.diff_ids),
        }
        self.assertEqual(set(defects), set(recipes.BAD))
        for name in defects:
            image = Image(f"dhi/{name}", "1")
            found = sorted(other for other, has in defects.items() if has(image))
            self.assertEqual(found, [name])
            self.assertEqual(Image(f"dhi/{name}", "1-dev").labels["variant"], "dev")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "--quiet"])
