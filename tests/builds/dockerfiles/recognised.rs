//! Told from a spec by what is in the file, whatever it is called; never guessed.

use super::{dockers, ours};
use crate::support::build::{Build, Door};
use crate::support::project::Project;
use crate::support::refusal::Refusal;

#[track_caller]
fn unclear(project: &Project, line: u32, words: &str) -> Refusal {
    let refusal = project.refused();
    assert_eq!(refusal.errors().len(), 1, "{refusal}");
    let found = refusal.errors()[0];
    assert_eq!((found.code.as_str(), found.place.0), ("FILE-01", line), "{refusal}");
    assert!(found.message.contains(words) && found.help.contains("FROM"), "{refusal}");
    refusal
}

#[test]
fn the_name_of_the_file_does_not_count() {
    // `Project` calls every file hardpan.yaml.
    assert_eq!(ours("from dhi.io/node:24\n").push().run()["User"], "1000:1000");
    let spec = Project::new("base: node:24\nentrypoint: [node]\n");
    let text = std::fs::read(spec.spec()).unwrap();
    let project = Project::written("").file("Dockerfile", text);
    let progress = Build::new(project.path(), &project.path().join("Dockerfile")).progress();
    progress.vertex("[proof] inspect the image");
    assert!(
        !progress.names().iter().any(|name| name.contains("Dockerfile:")),
        "{:?}",
        progress.names()
    );
}

#[test]
fn what_was_taken_is_said() {
    let progress = ours("FROM dhi.io/node:24\n").build().progress();
    progress.vertex("[proof] Dockerfile: runs as 1000:1000, no shell in ");
    progress.vertex(
        "not evaluated: SHL-01 SHL-07 PRV-06 SEC-05 META-02 SUP-02 SUP-03 SUP-04 BASE-01 BASE-02 BASE-03",
    );
}

#[test]
fn a_dockerfile_in_any_dress() {
    let with = |project: &Project, change: fn(String) -> Vec<u8>| {
        let text = std::fs::read_to_string(project.spec()).unwrap();
        std::fs::write(project.spec(), change(text)).unwrap();
    };
    let project = ours("FROM dhi.io/node:24\nCOPY a ./\n").file("a", "a");
    with(&project, |text| text.replace('\n', "\r\n").into_bytes());
    assert!(project.push().listing().has("/app/a"), "Windows line ends");
    let project = ours("FROM dhi.io/node:24\nCOPY a ./\n").file("a", "a");
    with(&project, |text| [b"\xef\xbb\xbf", text.as_bytes()].concat());
    assert!(project.push().listing().has("/app/a"), "a byte order mark");
    let project = ours("FROM dhi.io/node:24\n");
    with(&project, |text| format!("#!/usr/bin/env -S docker build . -f\n{text}").into_bytes());
    project.push();
    ours("# escape=`\n\n# words\nFROM `\n  dhi.io/node:24\n").push();
}

#[test]
fn a_spec_mistaken_for_a_dockerfile_and_the_reverse() {
    let refusal = ours("FROM: node:24\nentrypoint: [node]\n").refused();
    assert!(
        refusal.errors().iter().any(|one| one.code == "SPEC-01" && one.message.contains("FROM")),
        "{refusal}"
    );
    // Docker's own frontend says what is wrong with that image.
    let refusal = ours("from node:24 base\n").refused();
    assert!(refusal.text().contains("FROM requires either one or three arguments"), "{refusal}");
    let json = format!(
        "{{\"syntax\": \"{}\", \"base\": \"node:24\", \"frobnicate\": 1}}",
        crate::support::environment::environment().syntax
    );
    let refusal = Project::written(&json).refused();
    assert!(refusal.errors().iter().any(|one| one.code == "SPEC-01"), "{refusal}");
}

#[test]
fn what_is_neither_is_not_guessed() {
    unclear(&ours(""), 1, "nothing but comments");
    unclear(&ours("FORM dhi.io/node:24\n"), 2, "line 2 starts with `FORM`");
    unclear(&ours("base node:24\n"), 2, "line 2 starts with `base`");
    unclear(&ours("just text\n"), 2, "neither a key nor an instruction");
    let both = ours("env : x\n");
    unclear(&both, 2, "can be the key `env` of a spec and the instruction ENV");
    let forced = both.build().build_arg("HARDPAN_INPUT=dockerfile").refused();
    assert!(forced.text().contains("no build stage in current context"), "{forced}");
    let forced = both.build().build_arg("HARDPAN_INPUT=spec").refused();
    assert!(forced.errors().iter().all(|one| one.code.starts_with("SPEC-")), "{forced}");
    let refusal = ours("FROM dhi.io/node:24\n").build().build_arg("HARDPAN_INPUT=yaml").refused();
    assert_eq!(refusal.errors()[0].code, "OPT-01", "{refusal}");
}

#[test]
fn bytes_that_are_no_text() {
    let project = dockers("");
    std::fs::write(project.spec(), std::fs::read("/bin/true").unwrap()).unwrap();
    let refusal = project.build().through(Door::Argument).refused();
    assert_eq!(refusal.errors()[0].code, "FILE-01", "{refusal}");
    assert!(refusal.errors()[0].message.contains("line 1 is not text"), "{refusal}");
    std::fs::write(project.spec(), "").unwrap();
    let refusal = project.build().through(Door::Argument).refused();
    assert!(refusal.errors()[0].message.contains("the file is empty"), "{refusal}");
}

#[test]
fn a_dockerfile_of_ten_megabytes() {
    let comment = format!("# {}\n", "x".repeat(1022));
    let project = ours(&format!("FROM dhi.io/node:24\n{}USER root\n", comment.repeat(10 << 10)));
    let outcome = project.build().within(60).run().failed();
    assert!(outcome.elapsed.as_secs() < 30, "{:?}", outcome.elapsed);
    assert!(outcome.stderr.len() < 200_000, "the file is not shown back: {}", outcome.stderr.len());
}
