//! What is said of an image beside it: three statements in every form of output that keeps any, and
//! no trace of them in those that do not.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::archive::{read_docker, read_oci};
use crate::support::build::{Build, fresh_name};
use crate::support::environment::environment;
use crate::support::image::{Image, digest, json, list, text};
use crate::support::project::Project;
use crate::support::registry::read_image;

#[path = "../../src/spec/schema/accepts.rs"]
mod accepts;

const OURS: &str = "https://github.com/hardpan/hardpan/attestation/hardening/v1";
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
const CTRF: &str = "https://scout.docker.com/tests/v0.1";
const ALL: [&str; 3] = [OURS, TEST_RESULT, CTRF];
const NOTHING: [&str; 2] = ["--provenance=false", "--sbom=false"];
const ALWAYS: &str = "HARDPAN_EVIDENCE=always";

/// An app that any platform can run, and the same as a Dockerfile.
fn both() -> [(&'static str, Project); 2] {
    let spec = "base: node:24\nimage:\n  - copy: a\nentrypoint: [node]\n";
    [("spec", spec), ("dockerfile", "FROM dhi.io/node:24\nCOPY a ./\n")]
        .map(|(kind, text)| (kind, Project::new(text).file("a", "a")))
}

fn spec() -> Project {
    let [(_, project), _] = both();
    project
}

/// What is said of an image, by predicate type; each statement is about this very image.
#[track_caller]
fn said(image: &Image, kind: &str) -> Value {
    let statements = image.statements();
    let found: Vec<&Value> = statements.iter().filter(|one| one["predicateType"] == kind).collect();
    let [statement] = found[..] else { panic!("{} times {kind}", found.len()) };
    let subject = text(&statement["subject"][0]["digest"]["sha256"]);
    assert_eq!(format!("sha256:{subject}"), image.digest, "{kind}");
    statement["predicate"].clone()
}

/// The predicate types, sorted, without the provenance, whose version depends on the builder.
fn kinds(image: &Image) -> Vec<String> {
    let statements = image.statements();
    let kinds = statements.iter().map(|one| text(&one["predicateType"]).to_owned());
    let mut kinds: Vec<String> = kinds.filter(|kind| !kind.contains("slsa.dev")).collect();
    kinds.sort();
    kinds
}

fn has_provenance(image: &Image) -> bool {
    image.statements().iter().any(|one| text(&one["predicateType"]).contains("slsa.dev"))
}

/// The document, after checking that it is one.
#[track_caller]
fn document(image: &Image) -> Value {
    let found = said(image, OURS);
    is_document(&found);
    found
}

#[track_caller]
pub(super) fn is_document(found: &Value) {
    let schema = json(include_bytes!("../../docs/hardening.schema.json"));
    assert!(accepts::accepts(&schema, &schema, found), "{found:#}");
}

#[test]
fn a_pushed_image_has_three_statements_of_itself() {
    for (kind, project) in both() {
        let image = project.build().push();
        assert_eq!(kinds(&image), ALL, "{kind}");
        assert!(has_provenance(&image));
        let found = document(&image);
        assert_eq!(found["source"]["kind"], kind);
        let source = fs::read(project.spec()).unwrap();
        assert_eq!(found["source"]["digest"], *digest(&source));
        let frontend = text(&found["tool"]["frontend"]);
        assert!(environment().syntax.ends_with(frontend), "{frontend}");
        assert_eq!(found["image"]["platform"], "linux/amd64");
        assert_eq!((&found["image"]["uid"], &found["image"]["gid"]), (&1000.into(), &1000.into()));
        assert!(["passed", "warned"].contains(&text(&found["result"])), "{}", found["result"]);
        let result = said(&image, TEST_RESULT);
        assert_eq!(text(&result["result"]).to_lowercase(), found["result"], "{result}");
        let passed = list(&result["passedTests"]);
        assert!(passed.contains(&"SHL-03".into()), "{passed:?}");
        let ctrf = said(&image, CTRF);
        assert_eq!(ctrf["reportFormat"], "CTRF");
        let summary = &ctrf["results"]["summary"];
        assert_eq!((&summary["failed"], &summary["start"]), (&0.into(), &0.into()));
        assert!(summary["passed"].as_u64().unwrap() > 20, "{summary}");
    }
}

#[test]
fn a_spec_names_its_bases() {
    let spec = "base: node:24\nbuild:\n  - write: x\n    content: x\nimage:\n  - {copy: x, from: build}\nentrypoint: [node]\n";
    let found = document(&Project::new(spec).build().push());
    let roles: Vec<(&str, &str)> =
        list(&found["bases"]).iter().map(|one| (text(&one["role"]), text(&one["name"]))).collect();
    assert_eq!(roles.len(), 2, "{roles:?}");
    assert!(roles.contains(&("runtime", "dhi.io/node:24")), "{roles:?}");
    assert!(roles.contains(&("dev", "dhi.io/node:24-dev")), "{roles:?}");
}

#[test]
fn each_platform_has_statements_of_its_own() {
    for (kind, project) in both() {
        let image = project.build().args(["--platform=linux/amd64,linux/arm64"]).push();
        for architecture in ["amd64", "arm64"] {
            let image = image.on(architecture);
            assert_eq!(kinds(&image), ALL, "{kind} {architecture}");
            let found = document(&image);
            assert_eq!(found["image"]["platform"], format!("linux/{architecture}"), "{kind}");
        }
        // As a map, although there is one.
        let one = project.build().build_arg("BUILDKIT_MULTI_PLATFORM=1").push();
        assert_eq!(kinds(&one), ALL, "{kind}");
    }
}

#[test]
fn nothing_is_attached_where_nothing_is_asked_for() {
    for (kind, project) in both() {
        let with = project.build().push();
        let without = project.build().args(NOTHING).push();
        assert_eq!(without.index, Value::Null, "{kind}: one manifest");
        assert_eq!(without.manifest, with.manifest, "{kind}: the image is the same");
        let never = project.build().build_arg("HARDPAN_EVIDENCE=never").push();
        assert_eq!((kinds(&never), has_provenance(&never)), (vec![], true), "{kind}");
        let always = project.build().args(NOTHING).build_arg(ALWAYS).push();
        assert_eq!(kinds(&always), ALL, "{kind}");
        assert!(!has_provenance(&always), "{kind}");
        assert_eq!(always.digest, with.digest, "{kind}");
    }
}

#[test]
fn beside_a_list_of_packages_and_a_whole_provenance() {
    for (kind, project) in both() {
        let sbom = format!("--attest=type=sbom,generator={}", *crate::scans::GENERATOR);
        let image = project.build().args([&sbom, "--provenance=mode=max"]).push();
        let spdx = "https://spdx.dev/Document";
        let mut expected = [OURS, TEST_RESULT, CTRF, spdx];
        expected.sort_unstable();
        assert_eq!(kinds(&image), expected, "{kind}");
        assert!(has_provenance(&image));
        document(&image);
        let alone = project.build().args([&sbom, "--provenance=false"]).push();
        assert_eq!(kinds(&alone), expected, "{kind}");
    }
}

#[test]
fn the_media_types_of_docker_go_with_no_attestation() {
    let project = spec();
    let output =
        |name: &str| format!("--output=type=image,name={name},push=true,oci-mediatypes=false");
    let name = fresh_name();
    project.build().args(NOTHING).args([output(&name)]).run().succeeded();
    let image = read_image(&name);
    assert_eq!(image.index, Value::Null);
    assert!(text(&image.manifest["mediaType"]).contains("docker.distribution"));
    // BuildKit refuses its own provenance there as well.
    for evidence in ["auto", "never"] {
        let build = project.build().build_arg(&format!("HARDPAN_EVIDENCE={evidence}"));
        let refused = build.args([output(&fresh_name())]).run().failed();
        let why = "cannot export attestations with \"oci-mediatypes=false\"";
        assert!(refused.stderr.contains(why), "{refused}");
    }
}

/// Builds into a file or folder and gives its place.
fn exported(build: Build, kind: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::TempDir::new().unwrap();
    let place = folder.path().join("out");
    build.args([format!("--output=type={kind},dest={}", place.display())]).run().succeeded();
    (folder, place)
}

#[test]
fn archives_hold_the_statements_only_where_that_is_asked_for() {
    for (kind, project) in both() {
        let (_folder, tar) = exported(project.build(), "oci");
        assert_eq!(read_oci(&tar).index, Value::Null, "{kind}");
        let (_folder, tar) = exported(project.build(), "docker");
        assert_eq!(read_docker(&tar).run()["User"], "1000:1000", "{kind}");
        for format in ["oci", "docker"] {
            let named = format!("{format},name=example.test/app:1");
            let (_folder, tar) = exported(project.build().build_arg(ALWAYS), &named);
            let image = read_oci(&tar);
            assert_eq!(kinds(&image), ALL, "{kind} {format}");
            document(&image);
        }
        // Without a name BuildKit has no words for what the statements are about.
        let (_folder, tar) = exported(project.build().build_arg(ALWAYS), "oci");
        let statements = read_oci(&tar).statements();
        assert!(statements.iter().all(|one| list(&one["subject"]).is_empty()), "{kind}");
        assert!(statements.len() >= ALL.len(), "{kind}");
    }
}

#[test]
fn files_are_written_without_the_statements_unless_that_is_asked_for() {
    let files = ["hardening.json", "hardening.test-result.json", "hardening.ctrf.json"];
    for (kind, project) in both() {
        let (_folder, out) = exported(project.build().args(["--provenance=true"]), "local");
        assert!(out.join("provenance.json").exists() && out.join("app/a").exists(), "{kind}");
        for file in files {
            assert!(!out.join(file).exists(), "{kind}: {file}");
        }
        let (_folder, out) = exported(project.build().build_arg(ALWAYS), "local");
        for (file, predicate) in files.into_iter().zip(ALL) {
            let statement = json(&fs::read(out.join(file)).unwrap());
            assert_eq!(statement["predicateType"], predicate, "{kind}: {file}");
        }
    }
    let project = spec();
    let (_folder, tar) = exported(project.build(), "tar");
    let mut archive = tar::Archive::new(fs::File::open(tar).unwrap());
    let names = archive.entries().unwrap().map(|one| one.unwrap().path().unwrap().into_owned());
    let names: Vec<PathBuf> = names.collect();
    assert!(names.contains(&PathBuf::from("app/a")), "{names:?}");
    let ours = names.iter().any(|name| name.to_string_lossy().starts_with("hardening"));
    assert!(!ours, "{names:?}");
}

#[test]
fn only_the_digest_is_printed() {
    for (kind, project) in both() {
        let build = project.build().args(["-q"]).pushing_to(&fresh_name());
        let outcome = build.program("quiet").run().succeeded();
        let printed = outcome.stdout.trim_end();
        let hex = printed.strip_prefix("sha256:").unwrap_or_default();
        assert!(hex.len() == 64 && !printed.contains('\n'), "{kind}: {outcome}");
    }
}

#[test]
fn the_same_input_gives_the_same_statements() {
    for (kind, project) in both() {
        let push = || {
            let name = fresh_name();
            let output =
                format!("--output=type=image,name={name},push=true,rewrite-timestamp=true");
            let build = project.build().args([output]).build_arg("SOURCE_DATE_EPOCH=1700000000");
            build.build_arg("HARDPAN_PROOF=fresh").args(["--no-cache"]).run().succeeded();
            read_image(&name)
        };
        let (one, other) = (push(), push());
        assert_eq!(one.digest, other.digest, "{kind}");
        for predicate in ALL {
            assert_eq!(said(&one, predicate).to_string(), said(&other, predicate).to_string());
        }
    }
}
