"""A client for the private registry, enough to publish images and to read them back."""

import http.client
import json

import oci

ACCEPT = f"{oci.INDEX}, {oci.MANIFEST}"


class Remote:
    """One connection to a registry on the loopback."""

    def __init__(self, address):
        self.address = address
        self.connection = http.client.HTTPConnection(address, timeout=120)

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.connection.close()

    def ask(self, method, path, body=None, headers=None, expect=(200,)):
        """One request; gives status, headers and body."""
        self.connection.request(method, path, body=body, headers=headers or {})
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status not in expect:
            raise RuntimeError(f"registry: {method} {path}: {answer.status} {content[:300]!r}")
        return answer.status, answer.headers, content

    def has_tag(self, repository, tag, digest):
        """Whether a tag stands for an image, here and now."""
        status, headers, _ = self.ask("HEAD", f"/v2/{repository}/manifests/{tag}",
                                      headers={"Accept": ACCEPT}, expect=(200, 404))
        return status == 200 and headers["Docker-Content-Digest"] == digest

    def manifest(self, repository, reference):
        _, headers, content = self.ask("GET", f"/v2/{repository}/manifests/{reference}",
                                       headers={"Accept": ACCEPT})
        return headers["Docker-Content-Digest"], json.loads(content)

    def blob(self, repository, digest):
        return self.ask("GET", f"/v2/{repository}/blobs/{digest}")[2]

    def push_blob(self, repository, digest, path, mount_from=None):
        """Uploads a blob unless it is there; taken from another repository where it can be."""
        status, _, _ = self.ask("HEAD", f"/v2/{repository}/blobs/{digest}", expect=(200, 404))
        if status == 200:
            return
        query = f"?mount={digest}&from={mount_from}" if mount_from else ""
        status, headers, _ = self.ask("POST", f"/v2/{repository}/blobs/uploads/{query}",
                                      expect=(201, 202), headers={"Content-Length": "0"})
        if status == 201:
            return
        location = headers["Location"].split(self.address, 1)[-1]
        joiner = "&" if "?" in location else "?"
        with open(path, "rb") as content:
            self.ask("PUT", f"{location}{joiner}digest={digest}", body=content, expect=(201,),
                     headers={"Content-Length": str(path.stat().st_size),
                              "Content-Type": "application/octet-stream"})

    def push_manifest(self, repository, reference, content, media_type):
        self.ask("PUT", f"/v2/{repository}/manifests/{reference}", body=content, expect=(201,),
                 headers={"Content-Type": media_type})

    def push_image(self, repository, tags, descriptor, store, pushed):
        """Publishes an index with what it names; pushed remembers blob -> repository."""
        index = json.loads(store.path(descriptor["digest"]).read_bytes())
        for manifest in index["manifests"]:
            content = store.path(manifest["digest"]).read_bytes()
            document = json.loads(content)
            for blob in [document["config"], *document["layers"]]:
                self.push_blob(repository, blob["digest"], store.path(blob["digest"]),
                               pushed.get(blob["digest"]))
                pushed.setdefault(blob["digest"], repository)
            self.push_manifest(repository, manifest["digest"], content, manifest["mediaType"])
        content = store.path(descriptor["digest"]).read_bytes()
        for tag in tags:
            self.push_manifest(repository, tag, content, descriptor["mediaType"])
