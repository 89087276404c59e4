//! Lists of packages of what does not ship: `--sbom` with `BUILDKIT_SBOM_SCAN_STAGE` and
//! `BUILDKIT_SBOM_SCAN_CONTEXT`, by a stand-in scanner that speaks BuildKit's protocol.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use crate::support::build::{Build, fresh_name};
use crate::support::image::{Image, text};
use crate::support::project::Project;

/// Writes one statement for each thing that it is shown, with the names of files in it.
const SCANNER: &str = r#"#!/bin/bash
set -eu
touch /tmp/works
statement() {
  files=$(cd "$1" && find . -path ./proc -prune -o -name 'seen*' -print | sort | tr '\n' ' ')
  name=$(basename "$1")
  printf '{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document", "predicate": {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "%s", "comment": "%s", "files": "%s"}}' \
    "$name" "${BUILDKIT_SCAN_WORD:-}" "$files" > "$BUILDKIT_SCAN_DESTINATION/$name.spdx.json"
}
statement "$BUILDKIT_SCAN_SOURCE"
if [ -n "${BUILDKIT_SCAN_SOURCE_EXTRAS:-}" ]; then
  for extra in "$BUILDKIT_SCAN_SOURCE_EXTRAS"/*; do statement "$extra"; done
fi
"#;

/// The scanner in the registry.
pub(crate) static GENERATOR: LazyLock<String> = LazyLock::new(|| {
    let dockerfile =
        "FROM dhi.io/nginx:1-dev\nCOPY --chmod=755 scan /scan\nENTRYPOINT [\"/scan\"]\n";
    let project = Project::written("").file("scan", SCANNER).file("Dockerfile", dockerfile);
    let name = fresh_name();
    let build = Build::new(project.path(), &project.path().join("Dockerfile"));
    build.pushing_to(&name).run().succeeded();
    name
});

fn project() -> Project {
    Project::new(
        "
        base: {runtime: static:20250419-glibc}
        build:
          deps:
            base: dhi.io/static:20250419
            steps:
              - write: /seen-deps
                content: x
          make:
            base: deps
            steps:
              - write: /seen-make
                content: x
        apps:
          web:
            image:
              - copy: seen-context
                to: /srv/seen-web
              - copy: /seen-make
                from: make
                to: /srv/
              - copy: tool
                to: /srv/
            entrypoint: [/srv/tool]
        ",
    )
    .file("seen-context", "x")
    .file("seen-by-nobody", "x")
    .program("tool", "/bin/true")
}

/// Lists of packages: for each name the files, and what the scanner was told.
fn lists(image: &Image) -> BTreeMap<String, (String, String)> {
    let is_list = |one: &&Value| one["predicateType"] == "https://spdx.dev/Document";
    let statements = image.statements();
    let lists = statements.iter().filter(is_list).map(|one| {
        let subject = text(&one["subject"][0]["digest"]["sha256"]);
        assert_eq!(format!("sha256:{subject}"), image.digest, "{one}");
        let predicate = &one["predicate"];
        let said =
            (text(&predicate["files"]).trim().to_owned(), text(&predicate["comment"]).to_owned());
        (text(&predicate["name"]).to_owned(), said)
    });
    lists.collect()
}

fn built(args: &[&str]) -> Image {
    let sbom = format!("--attest=type=sbom,generator={},WORD=hello", *GENERATOR);
    let args = args.iter().map(|arg| format!("--build-arg=BUILDKIT_SBOM_SCAN_{arg}"));
    project().build().args([sbom]).args(args).push()
}

#[test]
fn stages_and_the_context_are_scanned_where_that_is_asked_for() {
    let lists = lists(&built(&["STAGE=true", "CONTEXT=true"]));
    let names: Vec<&String> = lists.keys().collect();
    assert_eq!(names, ["sbom", "sbom-context", "sbom-deps", "sbom-make"]);
    let files = |name: &str| lists[name].0.as_str();
    assert_eq!(files("sbom"), "./srv/seen-make ./srv/seen-web");
    assert_eq!(files("sbom-make"), "./seen-deps ./seen-make");
    assert_eq!(files("sbom-deps"), "./seen-deps");
    assert_eq!(files("sbom-context"), "./seen-context", "only what the build uses is sent");
    assert!(lists.values().all(|(_, word)| word == "hello"), "{lists:?}");
}

#[test]
fn stages_are_scanned_by_name() {
    let lists = lists(&built(&["STAGE=deps,elsewhere"]));
    assert_eq!(lists.keys().collect::<Vec<_>>(), ["sbom", "sbom-deps"]);
}

#[test]
fn the_builder_scans_the_image_by_itself() {
    for args in [&[][..], &["STAGE=false", "CONTEXT=0"]] {
        let lists = lists(&built(args));
        assert_eq!(lists.keys().collect::<Vec<_>>(), ["sbom"], "{args:?}");
    }
}

#[test]
fn a_stage_that_is_not_there_is_warned_about_once() {
    let sbom = format!("--attest=type=sbom,generator={}", *GENERATOR);
    let project = project();
    let build = project.build().args([sbom]).build_arg("BUILDKIT_SBOM_SCAN_STAGE=mkae");
    let progress = build.pushing_to(&fresh_name()).progress();
    let said: Vec<&String> =
        progress.warnings.iter().filter(|text| text.contains("`mkae`")).collect();
    assert_eq!(said.len(), 1, "{:?}", progress.warnings);
}

#[test]
fn a_scanner_that_does_not_exist_is_refused_by_its_name() {
    let name = format!("{}-gone", fresh_name());
    let sbom = format!("--attest=type=sbom,generator={name}");
    let project = project();
    let build = project.build().args([sbom]).build_arg("BUILDKIT_SBOM_SCAN_STAGE=true");
    let refusal = build.refused();
    let errors = refusal.errors();
    assert_eq!(errors.len(), 1, "{refusal}");
    assert!(
        errors[0].message.contains(&name) && errors[0].message.contains("does not exist"),
        "{refusal}"
    );
}
