#!/usr/bin/env python3
"""Reduces the catalogue of Docker Hardened Images to src/bases/catalog.txt.

    scripts/catalog.py CATALOG.json > src/bases/catalog.txt

CATALOG.json: {"source": {repository, commit, date, license}, "images": {NAME: [{variant, flavor,
distro, tags}]}}, one entry for each public definition of an image. What comes out is explained by
its own first lines. The script expands what it wrote and compares it with what it read.
"""

import collections
import json
import re
import sys

HEADER = """\
# The tags of Docker Hardened Images that hardpan knows. Made by scripts/catalog.py; do not edit.
# Source: github.com/{repository} {commit} ({date}), {license}; derived from the public definitions.
# A line: NAME RECORD...   A record: VERSIONS[~INFIX][+FLAVOR][!TAG...]=DISTROS
# VERSIONS: 24/.19/.0 is 24, 24.19 and 24.19.0; `|` begins anew. A tag: version-infix-distro-flavor.
# DISTROS: a debian (13) or alpine (3.24) release, after `f` also as -debian or -alpine, after `_`
# also without a distro; `_` alone is debian 13 without a distro; then `r` runtime alone, `d` -dev
# alone, `x` a development image without -dev, else runtime and -dev. Each is one definition.
# !TAG: a tag that follows no rule, without -dev.
"""
TOKEN = re.compile(r"-(debian\d*|alpine[\d.]*)(?=-|$)")


def chains(versions):
    """[24, 24.19, 8] -> 24/.19|8"""
    out = []
    for version in sorted(versions):
        if out and version.startswith(out[-1][1]):
            out[-1] = (out[-1][0] + "/" + version[len(out[-1][1]) :], version)
        else:
            out.append((version, version))
    return "|".join(text for text, _ in out)


def infix_of(versions):
    """The tokens that all versions end in, such as jdk21; never a whole version."""
    split = [version.split("-") for version in versions]
    count = 0
    while all(len(t) > count + 1 for t in split) and len({t[-1 - count] for t in split}) == 1:
        count += 1
    while count and not re.match("[a-z]", split[0][-count]):
        count -= 1
    return "-".join(split[0][len(split[0]) - count :])


def reduce(definition):
    """One definition -> (what stands before `=`, distro, kind)."""
    tags = definition["tags"]
    distro = re.fullmatch(r"(?:debian|alpine)-(.*)", definition["distro"])[1]
    family = definition["distro"].split("-")[0]
    kind = "r"
    if definition["variant"] == "dev":
        kind = "d" if all(tag.endswith("-dev") for tag in tags) else "x"
    if kind == "d":
        tags = [tag[: -len("-dev")] for tag in tags]
    flavor = definition.get("flavor", "")
    if not flavor or not all(tag.endswith("-" + flavor) for tag in tags):
        flavor = ""
    forms = collections.defaultdict(set)
    for tag in tags:
        body = tag[: len(tag) - len(flavor) - 1] if flavor else tag
        found = list(TOKEN.finditer(body))
        if found and found[-1].end() == len(body):
            forms[found[-1][1]].add(body[: found[-1].start()])
        else:
            forms[""].add(body)
    exact = family + distro
    versions = forms[exact] if exact in forms else forms[""]
    spelling = ""
    extra = set()
    if versions <= forms[""]:
        spelling += "_"
        extra = forms[""] - versions
    else:
        extra = set(forms[""])
    if family in forms:
        assert forms[family] == versions, (definition, forms)
        spelling += "f"
    if exact in forms:
        spelling += distro
    else:
        assert spelling == "_" and definition["distro"] == "debian-13", definition
    infix = infix_of(versions)
    if infix:
        versions = {version[: -len(infix) - 1] for version in versions}
    head = chains(versions) + (f"~{infix}" if infix else "") + (f"+{flavor}" if flavor else "")
    for tag in sorted(extra):
        head += "!" + tag + (f"-{flavor}" if flavor else "")
    return head, spelling, kind


def expand(record):
    """A record -> [(kind, frozenset(tags))], the inverse of reduce."""
    head, distros = record.split("=")
    head, *extra = head.split("!")
    head, _, flavor = head.partition("+")
    head, _, infix = head.partition("~")
    versions = []
    for chain in head.split("|"):
        version = ""
        for part in chain.split("/"):
            version += part
            versions.append(version)
    for distro in distros.split(","):
        plain, alias, release, mark = re.fullmatch(r"(_?)(f?)([\d.]*)([rdx]?)", distro).groups()
        family = "alpine" if "." in release else "debian"
        tokens = [""] if plain else []
        tokens += [family] if alias else []
        tokens += [family + release] if release else []
        tags = {"-".join(p for p in (v, infix, t, flavor) if p) for v in versions for t in tokens}
        tags |= set(extra)
        for kind in mark or "rd":
            yield "dev" if kind in "dx" else "runtime", frozenset(
                t + ("-dev" if kind == "d" else "") for t in tags
            )


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        catalog = json.load(file)
    print(HEADER.format(**catalog["source"]), end="")
    for name, definitions in sorted(catalog["images"].items()):
        records = collections.defaultdict(lambda: collections.defaultdict(str))
        for definition in definitions:
            head, distro, kind = reduce(definition)
            assert kind not in records[head][distro], definition
            records[head][distro] += kind
        line = []
        for head, distros in sorted(records.items()):
            marks = []
            for distro, kinds in sorted(distros.items()):
                kinds = "".join(sorted(kinds))
                assert kinds in ("dr", "r", "d", "x"), (name, kinds)
                marks.append(distro + ("" if kinds == "dr" else kinds))
            line.append(head + "=" + ",".join(marks))
        before = sorted((d["variant"], sorted(d["tags"])) for d in definitions)
        after = sorted((v, sorted(tags)) for record in line for v, tags in expand(record))
        assert before == after, (name, line)
        print(name, *line)


main()
