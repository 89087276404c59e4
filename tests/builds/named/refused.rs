//! Contexts that cannot be used: one message each, at the name in the spec.

use super::{context, digest_in, folder, layout, on_static};
use crate::support::build::{Build, Door};
use crate::support::project::{Project, SPEC};
use crate::support::serve::{Repository, archive, serve};

/// A copy out of a context; the mark is where mistakes are reported.
fn copying() -> Project {
    Project::new(
        "base: {runtime: static:20250419}\nimage:\n  - copy: start\n  - copy: x.txt\n    from: ▸extra\nentrypoint: [./start]\n",
    )
    .program("start", "/sbin/ldconfig")
}

/// Builds, which must end with one mistake at the mark.
#[track_caller]
fn refused(build: &Build, project: &Project, (code, words, help): (&str, &[&str], &str)) {
    let refusal = build.refused();
    let errors = refusal.errors();
    assert_eq!(errors.len(), 1, "{refusal}");
    let error = errors[0];
    assert_eq!((error.code.as_str(), error.place), (code, project.marks[0]), "{refusal}");
    assert_eq!(error.file, SPEC, "{refusal}");
    assert!(words.iter().all(|word| error.message.contains(word)), "{words:?}: {refusal}");
    assert!(!error.help.is_empty() && error.help.contains(help), "{help}: {refusal}");
    assert!(refusal.marked.contains(&project.marks[0].0), "{refusal}");
}

#[track_caller]
fn refused_copy(value: &str, expected: (&str, &[&str], &str)) {
    let project = copying();
    refused(&project.build().args([context("extra", value)]), &project, expected);
}

#[track_caller]
fn refused_base(value: &str, expected: (&str, &[&str], &str)) {
    let project = on_static("");
    refused(&project.build().args([context("static:20250419", value)]), &project, expected);
}

#[test]
fn an_image_that_does_not_exist() {
    let registry = &crate::support::environment::environment().registry;
    let missing = format!("{registry}/tests/gone:1");
    let value = format!("docker-image://{missing}");
    refused_copy(&value, ("REF-02", &[&missing, "does not exist"], "name"));
    refused_base(&value, ("REF-02", &[&missing, "does not exist"], "name"));
    refused_copy("docker-image://UPPER", ("REF-01", &["UPPER"], ""));
}

#[test]
fn an_oci_layout_that_is_not_there() {
    let absent = format!("sha256:{}", "0".repeat(64));
    let layout = layout("FROM scratch\nCOPY hardpan.yaml /x.txt\n");
    let project = copying();
    let build = |args: [String; 2]| project.build().through(Door::Buildctl).args(args);
    let store = |name: &str| format!("--oci-layout={name}={}", layout.path().display());
    let value = |reference: &str| format!("--opt=context:extra=oci-layout://{reference}");
    let digest = digest_in(layout.path());
    let wrong = build([store("store"), value(&format!("store@{absent}"))]);
    refused(&wrong, &project, ("CTX-05", &["extra", "has no", &absent], "index.json"));
    let missing = build([store("store"), value(&format!("other@{digest}"))]);
    refused(
        &missing,
        &project,
        ("CTX-05", &["extra", "no OCI layout `other`"], "--oci-layout other="),
    );
    for reference in ["store", "store:latest", "store@sha256:12", "@"] {
        let open = build([store("store"), value(reference)]);
        refused(&open, &project, ("CTX-05", &["extra", "names no image"], "oci-layout"));
    }
}

#[test]
fn an_image_for_another_platform() {
    let other = tempfile::TempDir::new().unwrap();
    let dockerfile = Project::written("FROM scratch\nCOPY hardpan.yaml /x.txt\n");
    super::build_layout(dockerfile.build().args(["--platform=linux/arm64"]), other.path());
    let value = format!("oci-layout://{}", other.path().display());
    refused_base(&value, ("REF-09", &["linux/arm64", "linux/amd64"], ""));
}

#[test]
fn a_base_that_is_no_image() {
    let files = Project::written("").file("x.txt", "x");
    let expected = ("REF-12", &["static:20250419", "no image"][..], "docker-image://");
    refused_base(&folder(&files), expected);
    refused_base(&format!("{}/x", serve(archive(&[("x.txt", "x")]))), expected);
    refused_base("docker-image://scratch", expected);
}

#[test]
fn a_repository_without_what_is_asked_for() {
    let repository = Repository::new();
    repository.commit(&[("x.txt", "x")]);
    let address = &repository.address;
    let at = |tail: &str, words: &[&str], help: &str| {
        refused_copy(&format!("{address}{tail}"), ("CTX-05", words, help));
    };
    at("#nope", &["extra", "nope"], "git ls-remote");
    at(&format!("?ref=main&checksum={}", "0".repeat(40)), &["extra", "not 0000"], "commit");
    let gone = address.replace("repository", "gone");
    refused_copy(&gone, ("CTX-05", &["extra", "gone.git"], ""));
}

#[test]
fn a_folder_that_a_repository_does_not_have() {
    let repository = Repository::new();
    repository.commit(&[("x.txt", "x")]);
    let project = copying();
    let value = format!("{}#main:nope", repository.address);
    let build = project.build().args([context("extra", &value)]);
    refused(
        &build,
        &project,
        ("CTX-05", &["extra", "no folder \"nope\""], "top of the repository"),
    );
}

#[test]
fn an_address_that_gives_nothing() {
    let address = serve(b"x".to_vec());
    refused_copy(&format!("{address}/gone"), ("CTX-05", &["extra", "404", &address], "address"));
    refused_copy("http://127.0.0.1:1/x", ("CTX-05", &["extra", "refused"], "address"));
}

#[test]
fn a_password_is_not_shown() {
    let address = serve(b"x".to_vec()).replace("http://", "http://user:hunter2@");
    let project = copying();
    let value = context("extra", &format!("{address}/gone?token=hunter3"));
    let refusal = project.build().args([value]).refused();
    assert!(refusal.text().contains("CTX-05") && !refusal.text().contains("hunter"), "{refusal}");
}

#[test]
fn an_archive_that_is_broken() {
    let mut bytes = archive(&[("x.txt", &"long ".repeat(1000))]);
    bytes.truncate(1500);
    let value = format!("{}/x", serve(bytes));
    refused_copy(&value, ("CTX-05", &["extra", "archive", "EOF"], "whole tar archive"));
}

#[test]
fn a_file_that_the_context_does_not_have() {
    let files = Project::written("").file("y.txt", "y");
    let project = Project::new(
        "base: {runtime: static:20250419}\nimage:\n  - copy: start\n  - copy: ▸x.txt\n    from: extra\nentrypoint: [./start]\n",
    )
    .program("start", "/sbin/ldconfig");
    let build = project.build().args([context("extra", &folder(&files))]);
    refused(&build, &project, ("CTX-03", &["x.txt"], "root of an image or context"));
}

#[test]
fn inputs_that_the_client_does_not_send_and_folders_too() {
    let project = copying();
    let with = |opts: &[&str]| {
        let opts = opts.iter().map(|opt| format!("--opt={opt}"));
        project.build().through(Door::Buildctl).args(opts)
    };
    let build = with(&["context:extra=input:gone"]);
    refused(&build, &project, ("CTX-05", &["extra", "gone"], "target:"));
    let build = with(&["context:extra=local:gone"]);
    refused(&build, &project, ("CTX-05", &["extra", "folder"], "--local gone="));
}

#[test]
fn values_that_mean_nothing() {
    let project = copying();
    for value in ["nonsense", "docker-image://", "ftp://x/y", "local:", "git@"] {
        let opt = format!("--opt=context:extra={value}");
        let refusal = project.build().through(Door::Buildctl).args([opt]).refused();
        let codes: Vec<&str> = refusal.errors().iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["OPT-01"], "{value}: {refusal}");
    }
}

#[test]
fn a_context_that_nothing_uses_is_not_loaded() {
    let unused = [context("unused", "docker-image://registry.invalid/x:1")];
    on_static("").build().args(unused).run().succeeded();
}
