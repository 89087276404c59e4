//! Runs the commands of a document, in a folder of their own that has the examples and the files
//! that the document shows.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::markdown::Block;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// For one command.
const SECONDS: &str = "300";
/// Commands are shown as they are without a proxy. Where this machine is behind one that signs with
/// an authority of its own, builds of a spec get its certificates.
const PRELUDE: &str = r#"exec 2>&1
docker() {
    if [[ "$*" == "buildx build"*.yaml* && -n "${HARDPAN_TEST_CA-}" && "$*" != *HARDPAN_CA* ]]; then
        command docker "$@" --build-arg HARDPAN_CA=machine --secret "id=machine,src=$HARDPAN_TEST_CA"
    elif [[ "$*" == "buildx bake"* && -n "${HARDPAN_TEST_CA-}" ]]; then
        # A secret that is set takes the place of those in the file: theirs is said again.
        command docker "$@" --set "*.args.HARDPAN_CA=machine" \
            --set "*.secrets=id=machine,src=$HARDPAN_TEST_CA" \
            ${PRICE_KEY+--set "*.secrets=id=price_key,env=PRICE_KEY"}
    else
        command docker "$@"
    fi
}
buildctl() {
    if [[ "$*" == *.yaml* && -n "${HARDPAN_TEST_CA-}" && "$*" != *HARDPAN_CA* ]]; then
        command buildctl "$@" --opt build-arg:HARDPAN_CA=machine --secret "id=machine,src=$HARDPAN_TEST_CA"
    else
        command buildctl "$@"
    fi
}
"#;

/// The folder in which the commands of one document run.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&Path::new(ROOT).join("examples"), &folder.path().join("examples"));
        Self(folder)
    }

    /// Writes what a block shows as a file, and what it says is there already.
    pub(crate) fn prepare(&self, block: &Block) {
        if let Some(files) = block.directive("files:") {
            copy(&Path::new(ROOT).join(files), self.0.path());
        }
        if let Some(name) = block.directive("file:") {
            let path = self.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &block.text).unwrap();
        }
    }

    /// Runs a block; what is wrong with it, if anything is.
    pub(crate) fn run(&self, block: &Block) -> Result<(), String> {
        let text = block.replaced();
        let fails = block.directive("fails").is_some();
        if block.language == "sh" {
            return self.command(&text, fails).map(drop);
        }
        for (command, expected) in dialogue(&text) {
            let printed = self.command(&command, fails)?;
            if !shows(&printed, &expected) {
                return Err(format!("$ {command}\nprints\n{printed}\nand not\n{expected}"));
            }
        }
        Ok(())
    }

    /// Runs a script; what it prints, or what is wrong.
    pub(crate) fn command(&self, script: &str, fails: bool) -> Result<String, String> {
        let own = Path::new(env!("CARGO_BIN_EXE_hardpan")).parent().unwrap().to_owned();
        let path = std::env::var("PATH").unwrap_or_default();
        // One stream, in the order in which a terminal would show it.
        let output = Command::new("timeout")
            .args([SECONDS, "bash", "-euo", "pipefail", "-c", &format!("{PRELUDE}{script}")])
            .current_dir(self.0.path())
            .env("PATH", format!("{}:{path}", own.display()))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() == fails {
            return Err(format!("{script}\nends with {}:\n{printed}", output.status));
        }
        Ok(printed)
    }
}

/// Commands and what they are said to print.
fn dialogue(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            found.push((command.to_owned(), String::new()));
        } else if let Some((command, printed)) = found.last_mut() {
            // A command that goes on after a backslash is not over.
            let target = if command.ends_with('\\') { command } else { printed };
            target.push_str(if target.is_empty() { "" } else { "\n" });
            target.push_str(line);
        }
    }
    assert!(!found.is_empty(), "a console block starts with `$ `");
    found
}

/// Whether the lines are printed as they are said to be: `…` in a line of its own stands for any
/// lines, in a line for any text. What is printed after the last line may not be left out.
fn shows(printed: &str, expected: &str) -> bool {
    let printed: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
    let expected: Vec<&str> = expected.trim_end().lines().map(str::trim_end).collect();
    lines_match(&printed, &expected)
}

fn lines_match(printed: &[&str], expected: &[&str]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((&"…", rest)) => (0..=printed.len()).any(|skip| lines_match(&printed[skip..], rest)),
        Some((line, rest)) => printed
            .split_first()
            .is_some_and(|(first, others)| line_matches(first, line) && lines_match(others, rest)),
    }
}

fn line_matches(printed: &str, expected: &str) -> bool {
    let parts: Vec<&str> = expected.split('…').collect();
    let [first, between @ .., last] = &parts[..] else { return printed == expected };
    let Some(mut rest) = printed.strip_prefix(first).and_then(|rest| rest.strip_suffix(last))
    else {
        return false;
    };
    between.iter().all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if entry.is_dir() {
            if name != "node_modules" {
                copy(&entry, &to.join(name));
            }
        } else {
            fs::copy(entry, to.join(name)).unwrap();
        }
    }
}

#[test]
fn compares_what_is_printed() {
    for (printed, expected, is) in [
        ("a\nb\n", "a\nb", true),
        ("a\nb", "a", false),
        ("a", "a\nb", false),
        ("x\ny\na", "…\na", true),
        ("x\ny\na", "…\nb", false),
        ("a\nx", "a\n…", true),
        ("took 12 s", "took … s", true),
        ("took 12 ms", "took … s", false),
        ("a1b2c", "a…b…c", true),
        ("a1c", "a…b…c", false),
        ("", "…", true),
    ] {
        assert_eq!(shows(printed, expected), is, "{printed:?} {expected:?}");
    }
}
