//! The pages of the docs hold what they show: every block of YAML is read by the parser.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hardpan::diagnostic::{Code, Severity};
use hardpan::spec;

/// Codes whose wrong example is a spec without mistakes of its own.
const FOUND_BY_A_BUILD: &[Code] = &[
    Code::UnsetArgument,
    Code::NotFoundInContext,
    Code::NotFoundInStage,
    Code::NoMatch,
    Code::StepFailed,
    Code::ForeignProgram,
    Code::MissingSecret,
    Code::UnknownBase,
    Code::LoginNeeded,
    Code::DevAsRuntime,
    Code::BaseDeclaresShell,
    Code::BaseRunsAsRoot,
    Code::EndOfLife,
    Code::PairMismatch,
    Code::UnknownUser,
    Code::NoPair,
    Code::UnknownCheck,
    Code::UnusedWaiver,
    Code::ExpiredWaiver,
    Code::NotDangerously,
    Code::ForbiddenWaiver,
    Code::LongWaiver,
    Code::FileOverFolder,
    Code::StickyParent,
    Code::ForbiddenWritable,
    Code::ReservedPlace,
    Code::TestFailed,
    Code::TestNotRun,
    Code::TestRequired,
];

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// A fenced block: its language, its text, and the comment on the line before it.
#[derive(Debug)]
struct Block {
    language: String,
    text: String,
    comment: String,
}

fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let mut before = "";
    for line in markdown.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, Some(language)) => {
                let comment =
                    before.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
                open = Some(Block {
                    language: language.to_owned(),
                    text: String::new(),
                    comment: comment.unwrap_or_default().to_owned(),
                });
            }
            (None, None) => {}
        }
        before = line;
    }
    assert!(open.is_none(), "a block that is never closed");
    blocks
}

/// The codes of the mistakes in a spec, and of its warnings.
fn codes(text: &str) -> (BTreeSet<Code>, BTreeSet<Code>) {
    let found = match spec::parse(text.as_bytes()) {
        Ok(parsed) => parsed.warnings,
        Err(found) => found,
    };
    let of = |severity| {
        let found = found.iter().filter(|diagnostic| diagnostic.severity == severity);
        found.map(|diagnostic| diagnostic.code).collect()
    };
    (of(Severity::Error), of(Severity::Warning))
}

/// An example of one key, with what else a spec needs.
fn completed(text: &str) -> String {
    let has = |key: &str| text.lines().any(|line| line.starts_with(&format!("{key}:")));
    let mut spec = text.to_owned();
    if !has("base") && !has("apps") {
        spec.push_str("base: node:24\n");
    }
    if has("build") && !has("image") && !has("apps") {
        spec.push_str("image: [{copy: ., from: build}]\n");
    }
    spec
}

#[test]
fn every_example_of_the_reference_is_a_spec() {
    let page = fs::read_to_string(docs().join("spec.md")).unwrap();
    let examples: Vec<Block> =
        blocks(&page).into_iter().filter(|block| block.language == "yaml").collect();
    for block in &examples {
        let (errors, _) = codes(&completed(&block.text));
        let expected: BTreeSet<String> =
            block.comment.strip_prefix("fails: ").map(str::to_owned).into_iter().collect();
        let found: BTreeSet<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(found, expected, "{}", block.text);
    }
    assert!(examples.len() > 30, "{}", examples.len());
    assert!(examples[0].text.starts_with("# syntax="));
    assert_eq!(codes(&examples[0].text), (BTreeSet::new(), BTreeSet::new()));
}

#[test]
fn the_reference_names_every_key() {
    let page = fs::read_to_string(docs().join("spec.md")).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&spec::schema::json()).unwrap();
    let shapes = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    for key in shapes.flat_map(|shape| shape["properties"].as_object().unwrap().keys()) {
        let mentioned = page.contains(&format!("`{key}`")) || page.contains(&format!("{key}:"));
        assert!(mentioned, "{key}");
    }
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let pages: BTreeSet<String> = fs::read_dir(docs().join("errors"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let codes: BTreeSet<String> = Code::ALL.iter().map(|code| format!("{code}.md")).collect();
    assert_eq!(pages, codes);
}

#[test]
fn pages_show_what_is_wrong_and_what_is_right() {
    let mut parsed = 0;
    for code in Code::ALL {
        let page = fs::read_to_string(docs().join(format!("errors/{code}.md"))).unwrap();
        assert!(page.starts_with(&format!("# {code}: {}\n\n", code.title())), "{code}");
        let (_, wrong) = page.split_once("\n## Wrong\n").expect("a wrong example");
        let (wrong, right) = wrong.split_once("\n## Right\n").expect("a right example");
        let (wrong, right) = (blocks(wrong), blocks(right));
        let ([wrong], [right]) = (wrong.as_slice(), right.as_slice()) else {
            panic!("{code}: one block each")
        };
        assert_ne!(wrong.text, right.text, "{code}");
        for block in [wrong, right] {
            assert!(matches!(block.language.as_str(), "yaml" | "text"), "{code}");
        }
        if right.language == "yaml" {
            assert_eq!(
                codes(&right.text),
                (BTreeSet::new(), BTreeSet::new()),
                "{code}: {}",
                right.text
            );
        }
        if wrong.language != "yaml" {
            continue;
        }
        let (errors, warnings) = codes(&wrong.text);
        if FOUND_BY_A_BUILD.contains(code) {
            assert_eq!(errors, BTreeSet::new(), "{code}: {}", wrong.text);
        } else {
            let found: BTreeSet<Code> = errors.union(&warnings).copied().collect();
            assert!(found.contains(code), "{code}: {found:?}");
            assert!(found.len() <= 2, "{code}: {found:?}");
            parsed += 1;
        }
    }
    assert!(parsed >= 24, "{parsed}");
}
