"""Builds the stand-ins for dhi.io images and publishes them to the private registry.

The result is kept by a hash of what decides it, so that a second run only asks the registry.
"""

import concurrent.futures
import copy
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "env"))
import content  # noqa: E402
import debian  # noqa: E402
import layout  # noqa: E402
import oci  # noqa: E402
import peers  # noqa: E402
import recipes  # noqa: E402
import registry  # noqa: E402
import remote  # noqa: E402
import tree  # noqa: E402

OUT = layout.STATE / "bases"
RECORD = OUT / "built.json"
WORKERS = 2


def catalogue():
    """Definition path -> (image name, definition)."""
    images = json.loads((HERE / "catalog.json").read_text(encoding="utf-8"))["images"]
    return {one["definition"]: (name, one) for name, many in images.items() for one in many}


def architectures(path):
    return ["amd64", "arm64"] if path in recipes.ARM64 else ["amd64"]


def all_packages(architecture):
    """Everything that images of an architecture are unpacked from, fetched in one go."""
    wanted = set(recipes.GLIBC)
    for path, recipe in recipes.RECIPES.items():
        if is_unpacked(path, architecture) and architecture in architectures(path):
            wanted.update(recipe["packages"])
    if architecture == "amd64":
        for bad in recipes.BAD.values():
            wanted.update(bad.get("extra", []))
    else:
        wanted.update(recipes.DEV, recipes.ESSENTIAL)
    return sorted(wanted)


def is_unpacked(path, architecture):
    """Installing runs programs, which for another processor takes too long."""
    return architecture != "amd64" or not path.endswith("-dev")


def package_stages(definition, recipe, architecture):
    """Trees that grow, each one a layer: what images have in common comes first."""
    if definition["variant"] == "dev":
        lists = [recipes.DEV, recipe["packages"]]
        if architecture == "amd64":
            trees = [debian.install(packages) for packages in lists]
        else:
            debs = debian.download(all_packages(architecture), architecture)
            trees = [debian.unpack_dev(debs, recipes.ESSENTIAL + packages) for packages in lists]
            for root in trees:
                content.finish_packages(root)
        for root in trees:
            content.add_dev_extras(root)
    else:
        lists = [recipe["packages"]]
        if recipe.get("below") != "none":
            lists = [recipes.RUNTIME, recipes.GLIBC, *lists]
        debs = debian.download(all_packages(architecture), architecture)
        trees = [debian.unpack(debs, packages) for packages in lists]
        for root in trees:
            content.finish_packages(root)
    for root in trees:
        content.add_os_release(root)
        for path in recipe.get("without", []):
            root.pop(path, None)
    return trees


def stages(name, definition, recipe, architecture):
    """(what a layer is for, whole tree so far) for each layer of an image."""
    result = [("packages", root) for root in package_stages(definition, recipe, architecture)]
    for program in recipe.get("programs", []):
        whole = result[-1][1].merged(content.PROGRAMS[program](architecture))
        result.append((program, whole))
    whole = tree.Tree(result[-1][1])
    if recipe.get("nginx"):
        content.add_nginx(whole)
        if definition["variant"] == "dev":
            whole.file(definition["entrypoint"][0], content.NGINX_ENTRYPOINT, 0o755)
    for path, target in recipe.get("links", {}).items():
        whole.link(path, target)
    content.add_accounts(whole, definition)
    content.add_paths(whole, definition)
    content.add_sbom(whole, name, oci.version(definition))
    result.append(("accounts and paths", whole))
    return result


def build_image(name, definition, recipe, architecture, chain=None):
    """Builds the image of one platform into the store; gives its descriptor and labels."""
    title = f"build {name}:{definition['tags'][0]}"
    title += "" if architecture == "amd64" else f" for {architecture}"
    with layout.step(title):
        store = oci.Store(OUT)
        layers, diff_ids, names, below = [], [], [], tree.Tree()
        for purpose, whole in stages(name, definition, recipe, architecture):
            above = whole.minus(below)
            below = whole
            if above:
                layer, diff_id = store.put_layer(above, whole)
                layers.append(layer)
                diff_ids.append(diff_id)
                names.append(purpose)
        config = oci.image_config(name, definition, diff_ids, names, chain, architecture)
        return store.put_manifest(config, layers), config["config"]["Labels"]


def bad_images():
    """Jobs for runtime images with one defect each, and for their -dev halves."""
    known = catalogue()
    for name, bad in recipes.BAD.items():
        recipe = dict(recipes.RECIPES[bad["like"]])
        recipe["packages"] = [*recipe["packages"], *bad.get("extra", [])]
        recipe["links"] = bad.get("links", {})
        runtime = copy.deepcopy(known[bad["like"]][1])
        runtime.update(bad.get("change", {}), tags=["1", "1-debian13"], title=f"{name} 1",
                       definition=f"image/{name}/debian-13/1")
        yield name, runtime, recipe, "amd64", bad.get("chain")
        dev = copy.deepcopy(known[recipes.BAD_DEV][1])
        dev.update(tags=["1-dev", "1-debian13-dev"], title=f"{name} 1 (dev)",
                   definition=f"image/{name}/debian-13/1-dev")
        yield name, dev, recipes.RECIPES[recipes.BAD_DEV], "amd64", None


def jobs():
    known = catalogue()
    for path, recipe in recipes.RECIPES.items():
        name, definition = known[path]
        for architecture in architectures(path):
            yield name, definition, recipe, architecture, None
    yield from bad_images()


def fetches():
    """(what, function, arguments) for all that is not in the cache yet."""
    lists = {tuple(sorted(recipe["packages"])) for path, recipe in recipes.RECIPES.items()
             if path.endswith("-dev")} | {tuple(sorted(recipes.DEV))}
    for architecture in ("amd64", "arm64"):
        packages = all_packages(architecture)
        if not debian.archive_for("debs", packages, architecture).exists():
            yield (f"fetch Debian's packages for {architecture} images", debian.download,
                   packages, architecture)
    for packages in sorted(lists, key=len, reverse=True):
        archive = debian.archive_for("root", packages)
        extra = ", ".join(sorted(set(packages) - set(recipes.DEV))) or "nothing else"
        if not archive.exists():
            yield (f"install Debian for -dev images, with {extra}",
                   debian.mmdebstrap, "apt", packages, archive)
    for name, (version, integrity) in recipes.NPM.items():
        if not content.npm_archive(name, version).exists():
            yield f"fetch {name} from npm", content.npm_package, name, version, integrity


def fetch(title, function, *arguments):
    with layout.step(title):
        function(*arguments)


def results(pool, tasks):
    """Waits for tasks in order; the first that fails keeps the rest from starting."""
    try:
        return [task.result() for task in tasks]
    except BaseException:
        pool.shutdown(cancel_futures=True)
        raise


def build_all():
    """Builds every image; gives [[repository, tags, descriptor], …]."""
    OUT.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ProcessPoolExecutor(WORKERS) as pool:
        results(pool, [pool.submit(fetch, *one) for one in fetches()])
        manifests = results(pool, [pool.submit(build_image, *job) for job in jobs()])
    store = oci.Store(OUT)
    built = index_all(store, manifests)
    built.append((peers.REPOSITORY, peers.TAGS, peers.build_dockerfile_frontend(store)))
    store.write_index({f"{repository}:{tag}": descriptor
                       for repository, tags, descriptor in built for tag in tags})
    return built


def index_all(store, manifests):
    """Indexes of what jobs() gave, each with its platforms: (repository, tags, descriptor)."""
    grouped = {}
    for (name, definition, *_), (manifest, labels) in zip(jobs(), manifests):
        key = f"dhi/{name}", tuple(definition["tags"])
        grouped.setdefault(key, []).append((manifest, labels))
    return [(repository, list(tags), store.put_index([one for one, _ in found], found[0][1]))
            for (repository, tags), found in grouped.items()]


def publish(built):
    store, pushed = oci.Store(OUT), {}
    with remote.Remote(registry.address()) as client:
        # The last tag is pushed last: where it is right, the others are.
        if all(client.has_tag(repository, tags[-1], descriptor["digest"])
               for repository, tags, descriptor in built):
            return
        with layout.step(f"publish {len(built)} images to {registry.address()}"):
            for repository, tags, descriptor in built:
                client.push_image(repository, tags, descriptor, store, pushed)


def inputs():
    files = [*HERE.glob("*.py"), HERE / "catalog.json"]
    return layout.hash_files([path for path in files if path.name != "compare.py"],
                             content.machine_versions(), str(tree.EPOCH),
                             str((layout.BIN / peers.PROGRAM).stat().st_mtime_ns))


def main():
    with layout.lock("bases"):
        wanted = inputs()
        try:
            record = json.loads(RECORD.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            record = {}
        if record.get("inputs") != wanted:
            record = {"inputs": wanted, "built": build_all()}
            layout.write_atomically(RECORD, json.dumps(record))
        publish(record["built"])


if __name__ == "__main__":
    main()
