//! Files that are not there.

use super::{case, check};
use crate::support::project::Project;

#[test]
fn what_is_missing_in_the_context() {
    check(&[
        case(
            "base: node:24\nimage:\n  - copy: ▸server.mjs\nentrypoint: [node]\n",
            &[("CTX-01", "server.mjs", "")],
        ),
        case(
            "base: node:24\nimage:\n  - add: ▸app.tar.gz\nentrypoint: [node]\n",
            &[("CTX-01", "app.tar.gz", "")],
        ),
        case(
            "base: node:24\nimage:\n  - copy: ▸\"*.mjs\"\nentrypoint: [node]\n",
            &[("CTX-04", "*.mjs", "optional")],
        ),
        case(
            "base: node:24\nimage:\n  - copy: ▸../secret\nentrypoint: [node]\n",
            &[("SPEC-17", "../secret", "")],
        ),
        case(
            "base: node:24\nimage:\n  - copy: ▸ignored.txt\nentrypoint: [node]\n",
            &[("CTX-01", "ignored.txt", "ignore")],
        )
        .file("ignored.txt", "x")
        .file(".dockerignore", "ignored.txt\n"),
    ]);
}

#[test]
fn what_is_missing_in_a_stage() {
    check(&[case(
        "base: node:24\nbuild:\n  - run: touch /there\nimage:\n  - copy: ▸/dist\n    from: build\nentrypoint: [node]\n",
        &[("CTX-03", "/dist", "")],
    )]);
}

#[test]
fn files_over_folders() {
    check(&[
        case(
            "base: node:24\nimage:\n  - ▸copy: a\n    to: /usr/bin\nentrypoint: [node]\n",
            &[("PLACE-01", "/usr/bin", "")],
        )
        .file("a", "x"),
        case(
            "base: node:24\nworkdir: /\nimage:\n  - ▸copy: run\nentrypoint: [node]\n",
            &[("PLACE-01", "/run", "")],
        )
        .file("run", "x"),
        case(
            "base: node:24\nimage:\n  - ▸copy: dir\n    to: /etc/passwd\nentrypoint: [node]\n",
            &[("PLACE-01", "/etc/passwd", "")],
        )
        .file("dir/x", "x"),
    ]);
}

#[test]
fn a_spec_that_is_not_there() {
    let project = Project::new("base: node:24\nentrypoint: [node]\n");
    let build =
        crate::support::build::Build::new(project.path(), &project.path().join("gone.yaml"));
    let outcome = build.run().failed();
    assert!(outcome.stderr.contains("gone.yaml"), "{outcome}");
}
