use std::fmt::Write as _;
use std::time::Duration;

use crate::diagnostic::Code;
use crate::spec::{parse, tests::effort};

/// The codes and lines of everything that is found.
fn found(text: &str) -> Vec<(u32, Code)> {
    let found = match parse(text.as_bytes()) {
        Ok(parsed) => parsed.warnings,
        Err(found) => found,
    };
    found.iter().map(|diagnostic| (diagnostic.span.start.line, diagnostic.code)).collect()
}

#[test]
fn names_are_stages_apps_contexts_or_images() {
    for (from, expected) in [
        ("build", None),
        ("other", None),
        ("node:24", None),
        (
            "ghcr.io/a/b@sha256:0000000000000000000000000000000000000000000000000000000000000000",
            None,
        ),
        ("named_context", None),
        ("\"${A}\"", None),
        ("biuld", Some(Code::UnknownStage)),
        ("Build", Some(Code::UnknownStage)),
        ("./x", Some(Code::UnknownStage)),
        ("a b", Some(Code::UnknownStage)),
    ] {
        let spec = format!(
            "args: {{A: build}}\nbase: a\nbuild: {{build: [{{run: x}}], other: [{{copy: ., from: build}}]}}\nimage:\n  - {{copy: ., from: other}}\n  - {{copy: ., from: {from}}}\n"
        );
        assert_eq!(
            found(&spec),
            expected.map(|code| (6, code)).into_iter().collect::<Vec<_>>(),
            "{from}"
        );
    }
}

#[test]
fn an_app_without_the_key_has_no_name() {
    assert_eq!(found("base: a\nbuild: {app: [{run: x}]}\nimage: [{copy: ., from: app}]"), []);
    assert_eq!(found("base: a\nimage: [{copy: ., from: app}]"), []);
}

#[test]
fn long_chains_and_wide_cycles_end() {
    let mut spec = "base: a\nimage: [{copy: ., from: s0}]\nbuild:\n".to_owned();
    for index in 0..2_000 {
        let _ = writeln!(spec, "  s{index}: [{{copy: ., from: s{}}}]", index + 1);
    }
    let before = effort();
    let chain = format!("{spec}  s2000: [{{run: x}}]\n");
    assert_eq!(found(&chain), []);
    let cycle = format!("{spec}  s2000: [{{copy: ., from: s0}}]\n");
    assert_eq!(found(&cycle), [(2_004, Code::StageCycle)]);
    assert!(effort().checked_sub(before).unwrap() < Duration::from_secs(5));
}

#[test]
fn variables_of_the_environment_are_left_to_the_plan() {
    for (line, code) in [
        ("env: {A: \"${PATH}\"}", None),
        ("expose: [\"${PORT}\"]", None),
        ("healthcheck: [a, \"${PORT}\"]", None),
        ("labels: {A: \"${PATH}\"}", Some(Code::UnknownArgument)),
        ("cmd: [\"${PORT}\"]", Some(Code::UnknownArgument)),
        ("cmd: [\"$${PORT}\", $uri]", None),
        ("cmd: [\"${TARGETARCH}\"]", None),
        ("env: {A: \"${PATH\"}", Some(Code::InvalidValue)),
    ] {
        assert_eq!(
            found(&format!("base: a\n{line}\n")),
            code.map(|code| (2, code)).into_iter().collect::<Vec<_>>(),
            "{line}"
        );
    }
}
