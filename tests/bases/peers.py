"""Publishes docker/dockerfile of the same BuildKit: what we are measured against, and the
oracle of tests, under its own name through the mirror for docker.io.
"""

import layout
import oci
import tree

REPOSITORY = "hub/docker/dockerfile"
TAGS = ["1", "1.28"]
PROGRAM = "dockerfile-frontend"
CAPS = ("inputs", "subrequests", "contexts", "gitquerystring", "contexts.zstd")


def build_dockerfile_frontend(store):
    """An image as docker/dockerfile's own: one static binary, and its labels."""
    root = tree.Tree()
    root.add_host_path(layout.BIN / PROGRAM, f"usr/bin/{PROGRAM}")
    root = tree.Tree({f"bin/{PROGRAM}": root[f"usr/bin/{PROGRAM}"]})
    layer, diff_id = store.put_layer(root, root)
    labels = {"moby.buildkit.frontend.network.none": "true",
              "moby.buildkit.frontend.caps":
                  ",".join(f"moby.buildkit.frontend.{cap}" for cap in CAPS)}
    config = {"created": oci.CREATED, "architecture": "amd64", "os": "linux",
              "config": {"Entrypoint": [f"/bin/{PROGRAM}"], "Labels": labels},
              "rootfs": {"type": "layers", "diff_ids": [diff_id]},
              "history": [{"created": oci.CREATED, "created_by": PROGRAM}]}
    return store.put_image(config, [layer])
