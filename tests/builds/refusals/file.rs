//! A file that is no spec at all.

use super::{case, check};
use crate::support::project::Project;

#[test]
fn what_is_not_plain_yaml() {
    check(&[
        case(
            "base: node:24\nimage:\n  - copy: [a, b\nentrypoint: [node]\n",
            &[("YAML-01", "", "")],
        ),
        case("base: node:24\nenv: ▸&all {A: b}\nentrypoint: [node]\n", &[("YAML-02", "", "")]),
        case("base: node:24\nentrypoint: [node]\n▸base: node:22\n", &[("YAML-03", "base", "")]),
        case(
            "base: node:24\nimage:\n  - copy: ▸*.json\nentrypoint: [node]\n",
            &[("YAML-05", "", "quote")],
        ),
        case("---\n", &[("YAML-06", "", "")]),
        case("- base: node:24\n", &[("SPEC-02", "", "")]),
    ]);
}

#[test]
fn a_file_of_ten_megabytes() {
    let comment = format!("# {}\n", "x".repeat(1022));
    let project =
        Project::new(&format!("base: node:24\nentrypoint: [node]\n{}", comment.repeat(10 << 10)));
    let refusal = project.build().within(30).refused();
    assert_eq!(refusal.errors().len(), 1, "{:?}", refusal.mistakes);
    assert_eq!(refusal.errors()[0].code, "YAML-04");
    assert!(refusal.outcome.stderr.len() < 100_000, "the file is not shown back");
}

#[test]
fn a_hundred_thousand_brackets() {
    let project = Project::new(&format!("base: node:24\nenv: {}\n", "[".repeat(100_000)));
    let refusal = project.build().within(30).refused();
    assert_eq!(refusal.errors().len(), 1, "{:?}", refusal.mistakes);
    assert_eq!(refusal.errors()[0].code, "YAML-04");
    assert!(refusal.outcome.elapsed.as_secs() < 10, "{:?}", refusal.outcome.elapsed);
}

#[test]
fn bytes_that_are_no_text() {
    let project = Project::new("base: node:24\n");
    let mut bytes = std::fs::read(project.spec()).unwrap();
    bytes.extend(b"entrypoint: [\xff\xfe]\n");
    std::fs::write(project.spec(), bytes).unwrap();
    let refusal = project.refused();
    assert_eq!(refusal.errors()[0].code, "YAML-01", "{refusal}");
    assert_eq!(refusal.errors()[0].place.0, 3, "{refusal}");
}

#[test]
fn a_hundred_mistakes_are_all_listed() {
    let lines: Vec<String> = (0..100).map(|number| format!("wrong{number}: x")).collect();
    let refusal =
        Project::new(&format!("base: node:24\nentrypoint: [node]\n{}", lines.join("\n"))).refused();
    assert_eq!(refusal.errors().len(), 100);
    assert!(refusal.text().contains("100 errors in hardpan.yaml"), "{}", refusal.text());
    assert!(refusal.marked.len() > 10, "an excerpt for many of them: {:?}", refusal.marked);
}
