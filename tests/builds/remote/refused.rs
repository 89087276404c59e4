//! Contexts that cannot be had: one message that names the address and what to do, and no folder of
//! the builder in it.

use super::{SPEC as TEXT, buildctl, fed, project, refused};
use crate::support::project::{Project, SPEC};
use crate::support::refusal::Refusal;
use crate::support::site::{Site, archive};

#[track_caller]
fn check(refusal: &Refusal, code: &str, words: &[&str]) {
    assert_eq!(refusal.errors().len(), 1, "{refusal}");
    let error = refusal.errors()[0];
    assert_eq!(error.code, code, "{refusal}");
    assert!(!error.help.is_empty(), "{refusal}");
    for word in words {
        assert!(error.message.contains(word), "{word:?} is not in\n{refusal}");
    }
    for word in ["/snapshots/", "rpc error", "cache key", "exit status", "\\n"] {
        assert!(!error.message.contains(word), "{word:?} is in\n{refusal}");
    }
}

#[test]
fn what_is_not_in_a_repository_is_named() {
    let (site, project) = (Site::new(), project());
    let address = site.repository("shop", project.path()).address;
    let absent = "0123456789012345678901234567890123456789";
    for (rest, code, words) in [
        ("#nosuch", "CTX-06", "does not contain ref nosuch"),
        (&format!("#{absent}"), "CTX-06", absent),
        (&format!("?checksum={absent}#main"), "CTX-06", "it is commit"),
        ("#main:nosuch", "CTX-06", "it has no folder \"nosuch\""),
        ("#main:a.txt", "CTX-06", "it has no folder \"a.txt\""),
        ("?rev=1", "OPT-01", "\"rev\" is no parameter"),
        ("?ref=v1#main", "OPT-01", "two references"),
        ("?checksum=main", "OPT-01", "\"checksum\""),
    ] {
        let context = format!("{address}{rest}");
        let refusal = refused(buildctl(&[&format!("context={context}"), "filename=hardpan.yaml"]));
        // Without what a query may hold, such as a token.
        let shown = format!("{address}{}", rest.find('#').map_or("", |at| &rest[at..]));
        check(&refusal, code, &[&shown, words]);
    }
    let context = format!("context={address}");
    let refusal = refused(buildctl(&[&context, "filename=nosuch.yaml"]));
    check(&refusal, "CTX-02", &["nosuch.yaml", &address]);
    for (folder, code, words) in
        [("nosuch", "CTX-06", "it has no folder \"nosuch\""), ("../x", "OPT-01", "leads out")]
    {
        let folder = format!("contextsubdir={folder}");
        let refusal = refused(buildctl(&[&context, &folder, "filename=hardpan.yaml"]));
        check(&refusal, code, &[words]);
    }
}

#[test]
fn a_repository_that_is_not_there_is_named() {
    let site = Site::new();
    let address = site.at("nosuch.git");
    let refusal = refused(buildctl(&[&format!("context={address}")]));
    check(&refusal, "CTX-06", &[&address, "not found"]);
    for address in ["http://127.0.0.1:1/x.git", "git://127.0.0.1:1/x", "git@127.0.0.1:x.git"] {
        let refusal = refused(buildctl(&[&format!("context={address}")]));
        check(&refusal, "CTX-06", &[address]);
    }
}

#[test]
fn what_is_wrong_with_an_archive_is_said() {
    let site = Site::new();
    let whole = archive(Project::written(TEXT).path(), "gzip");
    let half = &whole[..whole.len() / 2];
    for (name, content, words) in [
        ("half.tar.gz", half, "cannot be used"),
        ("broken.tar.gz", b"\x1f\x8b\x08 nothing more", "it cannot be unpacked"),
        ("shop.zip", b"PK\x03\x04 and more", "it is a zip archive"),
        ("empty", b"", "it is empty"),
        ("nothing.tar", &[0; 10_240], "it is an archive without files"),
    ] {
        let address = site.file(name, content);
        let refusal = refused(buildctl(&[&format!("context={address}"), "filename=hardpan.yaml"]));
        check(&refusal, "CTX-06", &[&address, words]);
    }
    let address = site.at("gone.tar");
    check(&refused(buildctl(&[&format!("context={address}")])), "CTX-06", &[&address, "404"]);
    let address = site.file("other.tar", archive(Project::written("").path(), ""));
    let refusal = refused(buildctl(&[&format!("context={address}"), "filename=other.yaml"]));
    check(&refusal, "CTX-02", &["other.yaml", &address]);
}

#[test]
fn a_spec_of_the_client_does_not_hide_a_context_that_cannot_be_had() {
    let site = Site::new();
    let project = Project::written("base: node:24\nimage:\n  - copy: a\nentrypoint: [node]\n");
    let local = format!("--local=dockerfile={}", project.path().display());
    for context in [site.at("nosuch.git"), site.at("nosuch.tar")] {
        let options =
            [&format!("context={context}"), "dockerfilekey=dockerfile", "filename=hardpan.yaml"];
        check(&refused(buildctl(&options).args([&local])), "CTX-06", &[&context]);
    }
}

#[test]
fn an_empty_stdin_and_absent_folders_are_told_apart() {
    let project = project();
    let syntax = format!(
        "--build-arg=BUILDKIT_SYNTAX={}",
        crate::support::environment::environment().syntax
    );
    let refusal = refused(fed(&["-f", SPEC, &syntax, "-"], Vec::new(), project.path()));
    check(&refusal, "CTX-02", &["the client sends no spec"]);
    let refusal = refused(buildctl(&["filename=hardpan.yaml"]));
    check(&refusal, "CTX-02", &["the client sends no spec", "dockerfile"]);
    let local = format!("--local=dockerfile={}", project.path().display());
    let refusal = refused(buildctl(&["filename=hardpan.yaml"]).args([local]));
    check(&refusal, "CTX-06", &["no build context", "context"]);
}
