"""OCI images: configuration and labels as DHI writes them, manifests, and a store of blobs."""

import hashlib
import json
import os
import re
import time

import layout
import tree

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CREATED = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(tree.EPOCH))


def chain_id(diff_ids):
    """The ChainID of the OCI image specification, which DHI's label names."""
    chain = diff_ids[0]
    for diff_id in diff_ids[1:]:
        chain = f"sha256:{hashlib.sha256(f'{chain} {diff_id}'.encode()).hexdigest()}"
    return chain


def version(definition):
    """The most specific tag, which is what the version label holds."""
    tags = [tag for tag in definition["tags"] if not re.search(r"\d-\d+-", tag)]
    return max(tags, key=lambda tag: ("debian13" in tag, tag.count("."), len(tag)))


def labels(name, definition, chain):
    """The labels that DHI's builder adds; definitions carry none of them."""
    values = {
        "name": f"dhi/{name}",
        "title": definition["title"],
        "variant": definition["variant"],
        "flavor": definition.get("flavor", ""),
        "distro": definition["distro"],
        "version": version(definition),
        "definition": definition["definition"],
        "shell": (definition.get("shell") or [""])[0],
        "package-manager": (definition.get("package_manager") or [""])[0],
        "compliance": "cis",
        "entitlement": "public",
        "created": CREATED,
        "date.release": definition.get("release", ""),
        "date.end-of-life": definition.get("eol", ""),
        "url": f"https://dhi.io/catalog/{name}",
        "chain-id": chain,
    }
    return {f"com.docker.dhi.{key}": value for key, value in sorted(values.items())}


def image_config(name, definition, diff_ids, names, chain, architecture):
    """The image's configuration; names say where each layer comes from."""
    env = {"PATH": DEFAULT_PATH, **definition.get("env", {})}
    config = {
        "User": definition["user"],
        "Env": [f"{key}={value}" for key, value in env.items()],
        "Labels": labels(name, definition, chain or chain_id(diff_ids)),
    }
    for key, field in (("Entrypoint", "entrypoint"), ("Cmd", "cmd"), ("WorkingDir", "workdir")):
        if definition.get(field):
            config[key] = definition[field]
    if definition.get("ports"):
        config["ExposedPorts"] = {port: {} for port in definition["ports"]}
    history = [{"created": CREATED, "created_by": f"hardpan stand-in: {name}"} for name in names]
    return {"created": CREATED, "architecture": architecture, "os": "linux", "config": config,
            "rootfs": {"type": "layers", "diff_ids": diff_ids}, "history": history}


def encode(document):
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


class Store:
    """Blobs in a folder laid out as an OCI layout."""

    def __init__(self, folder):
        self.folder = folder
        self.blobs = folder / "blobs" / "sha256"
        self.blobs.mkdir(parents=True, exist_ok=True)

    def path(self, digest):
        return self.blobs / digest.removeprefix("sha256:")

    def put(self, content, media_type, **more):
        """Keeps a blob; gives its descriptor."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.path(digest).write_bytes(content)
        return {"mediaType": media_type, "digest": digest, "size": len(content), **more}

    def put_layer(self, layer, whole):
        """Writes a layer unless an equal one is there; gives its descriptor and its diff id."""
        layer = tree.with_parents(layer, whole)
        note = self.folder / f"layer-{tree.fingerprint(layer)}.json"
        if note.exists():
            digest, diff_id, size = json.loads(note.read_text(encoding="utf-8"))
        else:
            scratch = self.folder / f"layer-{os.getpid()}.tmp"
            digest, diff_id, size = tree.write_layer(layer, scratch)
            scratch.rename(self.path(digest))
            layout.write_atomically(note, json.dumps([digest, diff_id, size]))
        return {"mediaType": LAYER, "digest": digest, "size": size}, diff_id

    def put_manifest(self, config, layers):
        """Writes configuration and manifest of one platform."""
        described = self.put(encode(config), CONFIG)
        return self.put(
            encode({"schemaVersion": 2, "mediaType": MANIFEST, "config": described,
                    "layers": layers}),
            MANIFEST, platform={"architecture": config["architecture"], "os": "linux"})

    def put_index(self, manifests, annotations):
        """Writes an index, as registries hold DHI's images."""
        return self.put(encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests,
                                "annotations": annotations}), INDEX)

    def put_image(self, config, layers):
        """Writes an image of one platform with its index."""
        return self.put_index([self.put_manifest(config, layers)],
                              config["config"].get("Labels", {}))

    def write_index(self, images):
        """Names the images in the layout; images: reference -> descriptor."""
        manifests = [{**descriptor, "annotations": {"org.opencontainers.image.ref.name": name}}
                     for name, descriptor in sorted(images.items())]
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        (self.folder / "index.json").write_bytes(
            encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}))
