//! The documentation, tested: links lead somewhere, and every command in a `sh` or `console` block
//! of README.md and docs is run and prints what it is said to print.
//!
//! Comments right before a block say how: `<!-- file: NAME -->` writes the block as a file,
//! `<!-- files: FOLDER -->` puts a folder's files beside it, `<!-- fails -->` expects a failure,
//! `<!-- replaced when run: "A" by "B" -->` puts what works here in the place of what a reader
//! needs, and `<!-- not run: REASON -->` leaves a block out, aloud.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "docs/markdown.rs"]
mod markdown;
#[path = "docs/run.rs"]
mod run;

use std::fs;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::Command;

use markdown::Block;
use run::Folder;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Every tracked page, relative to the project.
fn pages() -> Vec<PathBuf> {
    let listed =
        Command::new("git").args(["ls-files", "-z", "*.md"]).current_dir(ROOT).output().unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).unwrap();
    let pages: Vec<PathBuf> = listed.split_terminator('\0').map(PathBuf::from).collect();
    assert!(pages.contains(&PathBuf::from("README.md")), "{pages:?}");
    pages
}

/// The pages whose commands are run.
fn manuals() -> impl Iterator<Item = (PathBuf, Vec<Block>)> {
    let chosen = |page: &PathBuf| page.starts_with("docs") || page == Path::new("README.md");
    pages().into_iter().filter(chosen).map(|page| {
        let blocks = markdown::blocks(&read(&page));
        (page, blocks)
    })
}

fn read(page: &Path) -> String {
    fs::read_to_string(Path::new(ROOT).join(page)).unwrap()
}

/// Needs nothing but the program itself.
fn is_pure(block: &Block) -> bool {
    let commands =
        block.text.lines().filter(|line| block.language == "sh" || line.starts_with("$ "));
    commands.into_iter().all(|line| line.trim_start_matches("$ ").starts_with("hardpan "))
}

/// Runs the chosen blocks of all manuals, and fails with all that went wrong.
fn run_blocks(chosen: impl Fn(&Block) -> bool) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (page, blocks) in manuals() {
        let folder = Folder::new();
        for block in &blocks {
            folder.prepare(block);
            let is_run = block.is_command() && block.directive("not run").is_none();
            if is_run && chosen(block) {
                count += 1;
                if let Err(error) = folder.run(block) {
                    wrong.push(format!("{}:{}: {error}", page.display(), block.line));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(count > 0, "nothing was run");
    say(&format!("{count} blocks of the documentation were run"));
}

/// Past the test harness, which shows what macros print only of tests that fail.
fn say(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    for page in pages() {
        for (line, target) in markdown::links(&read(&page)) {
            let Some((path, anchor)) = markdown::resolve(&page, &target) else { continue };
            let place = Path::new(ROOT).join(&path);
            let leads = match anchor {
                None => place.exists(),
                Some(anchor) => {
                    place.is_file() && markdown::anchors(&read(&path)).contains(&anchor)
                }
            };
            if !leads {
                wrong.push(format!("{}:{line}: {target}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
}

#[test]
fn every_page_for_users_is_on_the_map() {
    let index = Path::new("docs/index.md");
    let listed: Vec<PathBuf> = markdown::links(&read(index))
        .into_iter()
        .filter_map(|(_, target)| Some(markdown::resolve(index, &target)?.0))
        .collect();
    for page in pages().into_iter().filter(|page| page.starts_with("docs") && page != index) {
        let folder = page.parent().unwrap().to_owned();
        assert!(
            listed.iter().any(
                |one| one == &page || (folder != Path::new("docs") && one.starts_with(&folder))
            ),
            "docs/index.md does not lead to {}",
            page.display()
        );
    }
}

#[test]
fn comments_on_blocks_are_understood() {
    const KNOWN: &[&str] = &["file:", "files:", "not run: ", "replaced when run: ", "fails"];
    for (page, blocks) in manuals() {
        for block in &blocks {
            for one in block.directives() {
                let is_known = KNOWN.iter().any(|known| one.starts_with(known));
                assert!(is_known, "{}:{}: <!-- {one} -->", page.display(), block.line);
            }
        }
        let indented = read(&page)
            .lines()
            .any(|line| line.starts_with([' ', '\t']) && line.trim_start().starts_with("```"));
        assert!(!indented, "{}: an indented block would not be run", page.display());
    }
}

#[test]
fn commands_without_a_builder_do_what_is_said() {
    run_blocks(is_pure);
}

#[test]
fn commands_with_a_builder_do_what_is_said() {
    for name in ["HARDPAN_SYNTAX", "HARDPAN_REGISTRY", "BUILDKIT_HOST", "BUILDX_BUILDER"] {
        let advice = "run `make test`, or eval \"$(make -s env)\" first";
        assert!(std::env::var_os(name).is_some(), "{name} is not set: {advice}");
    }
    let mut left_out = 0;
    for (page, blocks) in manuals() {
        for block in &blocks {
            if let Some(reason) = block.directive("not run") {
                left_out += 1;
                say(&format!("{}:{}: not run: {reason}", page.display(), block.line));
            }
        }
    }
    say(&format!("{left_out} blocks of the documentation are not run"));
    run_blocks(|block| !is_pure(block));
}
