//! Platforms that cannot be: impossible ones, those that a base or the app does not have, and what
//! goes wrong on one of two.

use super::{case, check};
use crate::support::build::Door;
use crate::support::project::Project;
use crate::support::registry::read_base;

const NODE: &str = "base: ▸node:24\nentrypoint: [node]\n";
const BOTH: &str = "--platform=linux/amd64,linux/arm64";

#[test]
fn what_the_base_has_is_said() {
    check(&[
        case(NODE, &[("REF-09", "nothing for linux/arm/v7", "it has linux/amd64 and linux/arm64")])
            .with(&["--platform=linux/arm/v7"]),
        case(
            "base: ▸python:3.13\nentrypoint: [python3]\n",
            &[("REF-09", "nothing for linux/arm64", "it has linux/amd64:")],
        )
        .with(&[BOTH]),
        case(
            "base: node:24\nimage:\n  - copy: /usr/bin/python3.13\n    from: ▸python:3.13\nentrypoint: [node]\n",
            &[("REF-09", "nothing for linux/arm64", "it has linux/amd64:")],
        )
        .with(&["--platform=linux/arm64"]),
        case(
            "base: node:24\nplatforms: [▸linux/arm64]\nentrypoint: [node]\n",
            &[("REF-09", "linux/amd64", "linux/arm64")],
        )
        .with(&["--platform=linux/amd64"]),
    ]);
}

#[test]
fn platforms_that_do_not_exist() {
    let spec = "base: node:24\nplatforms: [linux/amd64, ▸linux/amd46]\nentrypoint: [node]\n";
    check(&[
        case("base: node:24\nentrypoint: [node]\n", &[("OPT-01", "amd46", "")])
            .with(&["--platform=linux/amd46"]),
        case(spec, &[("SPEC-04", "amd46", "")]),
    ]);
    let project = Project::new("base: node:24\nentrypoint: [node]\n");
    let refused = |options: &[&str]| {
        let refusal = project.build().through(Door::Buildctl).args(options).refused();
        // BuildKit looks at these options first (frontend/dockerui), in its own words.
        assert!(refusal.text().contains("platform"), "{options:?}: {refusal}");
    };
    for platform in ["linux/", "linux/*", "linux/amd64,,linux/arm64"] {
        refused(&[&format!("--opt=platform={platform}")]);
    }
    refused(&["--opt=platform=linux/amd64,linux/arm64", "--opt=multi-platform=false"]);
    refused(&["--opt=multi-platform=maybe"]);
}

#[test]
fn an_image_of_one_platform_is_no_base_for_another() {
    let base = read_base("dhi.io/node:24");
    let spec = format!("base: {{runtime: ▸dhi.io/node@{}}}\nentrypoint: [node]\n", base.digest);
    let project = Project::new(&spec);
    let refusal = project.build().args(["--platform=linux/arm64"]).refused();
    let [mistake] = refusal.errors()[..] else { panic!("{refusal}") };
    assert_eq!((mistake.code.as_str(), mistake.place), ("REF-09", project.marks[0]), "{refusal}");
    assert!(mistake.message.ends_with("is for linux/amd64, not for linux/arm64"), "{refusal}");
    assert!(mistake.help.contains("--platform linux/amd64"), "{refusal}");
}

#[test]
fn what_only_one_of_two_platforms_has_is_named_with_it() {
    let spec = "
        base: node:24
        image:
          - copy: ▸data-${TARGETARCH}
        entrypoint: [node]
        ";
    let project = Project::new(spec).file("data-amd64", "");
    let refusal = project.build().args([BOTH]).refused();
    let [mistake] = refusal.errors()[..] else { panic!("{refusal}") };
    assert_eq!(mistake.code, "CTX-01", "{refusal}");
    assert_eq!(mistake.place.0, project.marks[0].0, "{refusal}");
    assert!(mistake.message.starts_with("for linux/arm64: "), "{refusal}");
    assert!(mistake.message.contains("data-arm64"), "{refusal}");
    // What both have is said once, and for both.
    let refusal = Project::new(spec).build().args([BOTH]).refused();
    assert!(!refusal.errors().is_empty(), "{refusal}");
}

#[test]
fn findings_of_one_of_two_platforms_name_it() {
    let spec = "
        base: {runtime: static:20250419-glibc}
        image:
          - copy: /usr/bin/true
            from: debian-base:trixie
            to: ${TARGETARCH}/start
        entrypoint: [▸/arm64/start]
        ";
    let project = Project::new(spec);
    let refusal = project.build().args([BOTH]).refused();
    let [mistake] = refusal.errors()[..] else { panic!("{refusal}") };
    assert_eq!(mistake.code, "RUN-01", "{refusal}");
    assert_eq!(mistake.place.0, project.marks[0].0, "{refusal}");
    assert!(mistake.message.starts_with("for linux/amd64: "), "{refusal}");
}

#[test]
fn a_program_of_another_processor_is_refused_where_it_is_placed() {
    let spec = "
        base: {runtime: static:20250419-glibc}
        image:
          - copy: /etc/debian_version
            from: debian-base:trixie
            to: /version
          - ▸copy: /usr/bin/true
            from: debian-base:trixie
            platform: linux/amd64
            to: /start
        entrypoint: [/start]
        ";
    let project = Project::new(spec);
    let refusal = project.build().args(["--platform=linux/arm64"]).refused();
    let [mistake] = refusal.errors()[..] else { panic!("{refusal}") };
    assert_eq!((mistake.code.as_str(), mistake.place), ("RUN-05", project.marks[0]), "{refusal}");
    let message = "/start is built for amd64, the image is linux/arm64";
    assert!(mistake.message.contains(message), "{refusal}");
    // The same program is right for the other platform.
    project.build().args(["--platform=linux/amd64"]).push();
}

#[test]
fn the_loader_of_the_platform_must_be_there() {
    let spec = "
        base: {runtime: static:20250419}
        image:
          - ▸copy: /usr/bin/true
            from: debian-base:trixie
            to: /start
        entrypoint: [/start]
        ";
    let project = Project::new(spec);
    let refusal = project.build().args(["--platform=linux/arm64"]).refused();
    let [mistake] = refusal.errors()[..] else { panic!("{refusal}") };
    assert_eq!((mistake.code.as_str(), mistake.place), ("RUN-05", project.marks[0]), "{refusal}");
    assert!(mistake.message.contains("/lib/ld-linux-aarch64.so.1"), "{refusal}");
}
