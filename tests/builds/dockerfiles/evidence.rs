//! What goes along with an image: provenance that names hardpan, attestations, other platforms,
//! times; and a cache that carries the proof.

use serde_json::Value;

use super::{dockers, ours};
use crate::support::build::{Build, fresh_name};
use crate::support::environment::environment;
use crate::support::image::{Image, json, list, text};
use crate::support::progress::Progress;
use crate::support::project::Project;
use crate::support::registry::read_image;

const APP: &str = "FROM dhi.io/node:24\nCOPY a.txt ./\n";

#[test]
fn the_provenance_names_hardpan() {
    let project = ours(APP).file("a.txt", "a");
    let metadata = project.path().join("metadata.json");
    let args =
        [format!("--metadata-file={}", metadata.display()), "--provenance=mode=max".to_owned()];
    project.build().args(args).push();
    let found = json(&std::fs::read(metadata).unwrap())["buildx.build.provenance"].to_string();
    let digest = environment().syntax.rsplit(':').next().unwrap();
    assert!(found.contains("\"gateway.v0\""), "{found}");
    assert!(found.contains(digest), "hardpan's image is among the dependencies: {found}");
    assert!(!found.contains("\"frontend\":\"dockerfile.v0\""), "{found}");
}

/// A scanner as BuildKit starts one; it says which stages it was given.
fn scanner() -> String {
    let name = fresh_name();
    let script = r#"#!/bin/sh
set -eu
for root in "$BUILDKIT_SCAN_SOURCE" "${BUILDKIT_SCAN_SOURCE_EXTRAS%/}"/*; do
  name=$(basename $root)
  printf '{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","predicate":{"spdxVersion":"SPDX-2.3","name":"%s"}}' $name > $BUILDKIT_SCAN_DESTINATION/$name.spdx.json
done
"#;
    let project = dockers(
        "FROM dhi.io/debian-base:trixie-dev\nCOPY --chmod=755 scan /scan\nENTRYPOINT [\"/scan\"]\n",
    );
    project.file("scan", script).build().pushing_to(&name).run().succeeded();
    name
}

/// The names in the SPDX documents of an image.
fn scanned(image: &Image) -> Vec<String> {
    let attestation = list(&image.index["manifests"])
        .iter()
        .find(|one| one["annotations"]["vnd.docker.reference.digest"] == image.digest.as_str());
    let digest = text(&attestation.expect("attestations")["digest"]);
    let repository = format!("{}/tests/image", environment().registry);
    let attestations = read_image(&format!("{repository}@{digest}"));
    let mut names: Vec<String> = list(&attestations.manifest["layers"])
        .iter()
        .filter(|layer| {
            layer["annotations"]["in-toto.io/predicate-type"] == "https://spdx.dev/Document"
        })
        .map(|layer| {
            let statement = json(&attestations.bytes(text(&layer["digest"])));
            text(&statement["predicate"]["name"]).to_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn stages_and_contexts_are_scanned_as_docker_does() {
    let text = "ARG BUILDKIT_SBOM_SCAN_CONTEXT=true\nFROM dhi.io/node:24-dev AS build\nARG BUILDKIT_SBOM_SCAN_STAGE=true\nRUN echo a > /a\nFROM dhi.io/node:24\nCOPY --from=build /a /a\nCOPY b /b\n";
    let sbom = format!("--attest=type=sbom,generator={}", scanner());
    let push = |project: Project| scanned(&project.file("b", "b").build().args([&sbom]).push());
    let docker = push(dockers(text));
    assert!(docker.len() >= 3, "{docker:?}");
    assert_eq!(push(ours(text)), docker);
}

#[test]
fn one_platform_as_a_map_and_two_without_emulation() {
    let image = ours(APP).file("a.txt", "a").build().build_arg("BUILDKIT_MULTI_PLATFORM=1").push();
    assert_eq!(image.run()["User"], "1000:1000");
    let dockerfile = "FROM --platform=$BUILDPLATFORM dhi.io/golang:1-dev AS build\nARG TARGETARCH\nCOPY main.go .\nRUN CGO_ENABLED=0 GOARCH=$TARGETARCH go build -o /app main.go\nFROM scratch\nCOPY passwd /etc/passwd\nCOPY --from=build /app /app\nUSER app\nENTRYPOINT [\"/app\"]\n";
    let files = |project: Project| {
        project
            .file("main.go", "package main\n\nfunc main() {}\n")
            .file("passwd", "app:x:7:8::/:\n")
    };
    let name = fresh_name();
    let both = "--platform=linux/amd64,linux/arm64";
    let project = files(ours(dockerfile));
    let build = project.build().within(240).args([both]).pushing_to(&name);
    let names = Progress::read(&build.program("rawjson").run().succeeded().stderr);
    names.vertex("[linux/arm64 proof] Dockerfile: runs as 7:8");
    let image = read_image(&name);
    let repository = name.rsplit_once(':').unwrap().0;
    let mut seen = Vec::new();
    for one in list(&image.index["manifests"]) {
        if one["platform"]["os"] == "linux" {
            let image = read_image(&format!("{repository}@{}", text(&one["digest"])));
            assert_eq!(image.run()["User"], "7:8");
            seen.push(text(&image.config["architecture"]).to_owned());
        }
    }
    assert_eq!(seen, ["amd64", "arm64"]);
    // A program for the wrong one of them.
    let wrong = dockerfile.replace("GOARCH=$TARGETARCH", "GOARCH=amd64");
    let project = files(ours(&wrong));
    let refusal = project.build().within(240).args([both]).refused();
    assert!(
        refusal
            .errors()
            .iter()
            .all(|one| one.code == "RUN-05" && one.message.contains("linux/arm64")),
        "{refusal}"
    );
}

#[test]
fn a_time_for_everything_gives_the_same_image_twice() {
    let push = |name: &str| {
        let project = ours(APP).file("a.txt", "a");
        let output = format!("--output=type=image,name={name},push=true,rewrite-timestamp=true");
        let args = ["--build-arg=SOURCE_DATE_EPOCH=1700000000", "--provenance=false", &output];
        project.build().args(args).run().succeeded();
        read_image(name)
    };
    let (one, other) = (push(&fresh_name()), push(&fresh_name()));
    assert_eq!(one.manifest, other.manifest);
    assert_eq!(one.config["created"], "2023-11-14T22:13:20Z");
    let base = crate::support::registry::read_base("dhi.io/node:24");
    assert_eq!(one.layers[..base.layers.len()], base.layers, "the base's layers are not rewritten");
}

#[test]
fn an_image_without_provenance_or_for_a_folder() {
    let project = ours(APP).file("a.txt", "a");
    let image = project.build().args(["--provenance=false"]).push();
    assert_eq!(image.index, Value::Null, "no index where nothing is attached");
    let out = tempfile::TempDir::new().unwrap();
    let build = Build::new(project.path(), &project.spec());
    build.args([format!("--output=type=local,dest={}", out.path().display())]).run().succeeded();
    assert_eq!(std::fs::read(out.path().join("app/a.txt")).unwrap(), b"a");
}
