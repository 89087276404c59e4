//! What ARCHITECTURE.md promises of the code, read from the code itself.
//!
//! Looks at text, not at types: a rule here names the words that break it. Tests in the sources are
//! left out, comments are no code.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Longer ones are split by idea.
const MAX_LINES: usize = 450;

/// Modules that neither wait nor touch anything outside.
const PURE: &[&str] = &[
    "archive",
    "bases",
    "diagnostic",
    "emit",
    "harden",
    "image",
    "input",
    "llb",
    "options",
    "paths",
    "plan",
    "platform",
    "reference",
    "remote",
    "report",
    "result",
    "spec",
    "words",
];
/// Asks the builder, on behalf of `bases`.
const RESOLVE: &str = "bases/resolve";

/// A file of `src` as a rule sees it.
struct Source {
    /// Relative to `src`, such as `plan/layers.rs`.
    path: String,
    text: String,
}

impl Source {
    fn module(&self) -> &str {
        self.path.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// The lines that are compiled into the program, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines
            .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(ROOT).join("src");
    let files: Vec<Source> = files_below(&root)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| Source {
            text: fs::read_to_string(&path).unwrap(),
            path: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
        })
        .collect();
    let tests: BTreeSet<String> = files.iter().flat_map(test_modules).collect();
    let found: Vec<Source> = files.into_iter().filter(|file| !tests.contains(&file.path)).collect();
    assert!(found.len() > 50, "sources are read");
    found
}

/// The files of `#[cfg(test)] mod tests;`.
fn test_modules(file: &Source) -> Vec<String> {
    let folder = file.path.trim_end_matches(".rs").trim_end_matches("main").trim_end_matches("lib");
    let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
    lines
        .windows(2)
        .filter(|pair| pair[0] == "#[cfg(test)]")
        .filter_map(|pair| pair[1].split_once("mod ")?.1.strip_suffix(';'))
        .map(|name| format!("{}/{name}.rs", folder.trim_end_matches('/')))
        .collect()
}

fn files_below(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn tracked() -> Vec<String> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(ROOT).output().unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let listed = String::from_utf8(listed.stdout).unwrap();
    let found: Vec<String> = listed
        .split_terminator('\0')
        .filter(|path| Path::new(ROOT).join(path).is_file())
        .map(str::to_owned)
        .collect();
    assert!(found.len() > 100, "tracked files are listed");
    found
}

/// Fails with every line of the chosen files that has one of the words.
#[track_caller]
fn nowhere(rule: &str, words: &[&str], chosen: impl Fn(&Source) -> bool) {
    let files: Vec<Source> = sources().into_iter().filter(chosen).collect();
    assert!(!files.is_empty(), "{rule}: no file is looked at");
    let found: Vec<String> = files
        .iter()
        .flat_map(|file| {
            let lines =
                file.code().filter(|(_, line)| words.iter().any(|word| line.contains(word)));
            lines.map(|(number, line)| format!("src/{}:{number}: {}", file.path, line.trim()))
        })
        .collect();
    assert!(found.is_empty(), "{rule}\n{}", found.join("\n"));
}

#[test]
fn only_the_gateway_knows_tonic() {
    nowhere("tonic belongs to gateway", &["tonic", "hyper"], |file| {
        !["gateway", "proto"].contains(&file.module())
    });
}

#[test]
fn only_one_module_knows_the_yaml_parser() {
    nowhere("the YAML parser belongs to spec::yaml", &["granit_parser"], |file| {
        !file.path.starts_with("spec/yaml")
    });
}

#[test]
fn nothing_after_the_plan_reads_the_spec() {
    const AFTER: &[&str] = &["emit", "image", "inspect", "harden", "report", "result", "llb"];
    nowhere("the plan has everything", &["spec::"], |file| AFTER.contains(&file.module()));
}

#[test]
fn policy_lives_only_in_harden() {
    nowhere("inspect decides nothing", &["harden", "Severity", "Finding", "Diagnostic"], |file| {
        ["inspect", "start"].contains(&file.module())
    });
    nowhere(
        "harden sees evidence, no build",
        &["crate::plan", "crate::spec", "crate::gateway", "crate::frontend", "crate::options"],
        |file| file.module() == "harden",
    );
}

#[test]
fn the_core_never_waits() {
    let pure = |file: &Source| PURE.contains(&file.module()) && !file.path.starts_with(RESOLVE);
    nowhere("a pure module awaits nothing", &["async ", ".await"], pure);
    nowhere(
        "a pure module does no IO",
        &[
            "std::fs",
            "fs::",
            "rustix",
            "net::Tcp",
            "net::Udp",
            "std::process",
            "env::var",
            "File::open",
        ],
        pure,
    );
    nowhere("and knows no builder", &["crate::gateway", "crate::frontend"], pure);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    nowhere("maps are sorted", &["HashMap", "HashSet", "RandomState"], |_| true);
    nowhere(
        "one function knows what day it is, so that a scan and a build agree about it",
        &["SystemTime", "Timestamp::now", "Zoned::now"],
        |file| file.path != "frontend/prepare.rs",
    );
    nowhere(
        "only a test of an image waits for something, and no answer says how long",
        &["Instant::now"],
        |file| !["frontend", "cli", "start"].contains(&file.module()),
    );
}

#[test]
fn stdout_is_the_wire() {
    nowhere("stdout belongs to gateway and cli", &["stdout()", "println!", "print!"], |file| {
        // What it gives to a user is the stream of an app, no word of ours.
        let gives_away = file.path == "start/lower.rs";
        !["gateway", "cli"].contains(&file.module())
            && !file.text.contains("eprintln!")
            && !gives_away
    });
    nowhere("nothing is printed", &[" println!", " print!"], |_| true);
}

#[test]
fn nothing_panics_on_input() {
    nowhere(
        "`expect` says why it cannot happen",
        &[".unwrap()", "panic!(", "unimplemented!(", "todo!("],
        |_| true,
    );
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for file in sources() {
        let lines = file.text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count();
        if lines > MAX_LINES {
            wrong.push(format!("src/{}: {lines} lines", file.path));
        }
        let header = file.text.lines().take_while(|line| line.starts_with("//!")).count();
        if !(1..=12).contains(&header) {
            wrong.push(format!("src/{}: {header} lines of `//!`", file.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_map_has_every_module_and_fits_on_a_few_screens() {
    let map = fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).unwrap();
    let modules: BTreeSet<String> = sources().iter().map(|file| file.module().to_owned()).collect();
    let missing: Vec<&String> = modules
        .iter()
        .filter(|name| {
            !["lib", "main"].contains(&name.as_str()) && !map.contains(&format!("**`{name}`**"))
        })
        .collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md does not say what these are: {missing:?}");
    for (file, limit) in [("ARCHITECTURE.md", 150), ("CONTRIBUTING.md", 60)] {
        let lines = fs::read_to_string(Path::new(ROOT).join(file)).unwrap().lines().count();
        assert!(lines <= limit, "{file} has {lines} lines");
    }
}

#[test]
fn every_example_has_a_test() {
    let tests: String = files_below(&Path::new(ROOT).join("tests"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter(|path| !path.ends_with("architecture.rs"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let examples: BTreeSet<String> = tracked()
        .iter()
        .filter_map(|path| path.strip_prefix("examples/")?.split_once('/'))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert!(examples.contains("minimal"), "{examples:?}");
    for example in examples {
        assert!(tests.contains(&format!("\"{example}\"")), "no test builds examples/{example}");
    }
}

#[test]
fn no_tracked_file_names_one_machine() {
    // In two halves, so that this file does not name them.
    let hosts = [
        ("registry.npm", "js.org"),
        ("files.python", "hosted.org"),
        ("pypi", ".org"),
        ("static.crates", ".io"),
        ("proxy.golang", ".org"),
    ];
    let mut words: Vec<String> =
        hosts.iter().map(|(first, second)| format!("{first}{second}")).collect();
    // The checkout's own place, not the folder that it is in: that may be /tmp.
    words.push(format!("{ROOT}/"));
    let mut found = Vec::new();
    for path in tracked() {
        let Ok(text) = fs::read_to_string(Path::new(ROOT).join(&path)) else { continue };
        for (index, line) in text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word.as_str())) {
                found.push(format!("{path}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn links_only_what_the_licence_allows() {
    const ALLOWED: &[&str] = &["MIT", "Apache-2.0", "Unicode-3.0", "Zlib"];
    let arguments = [
        "metadata",
        "--format-version",
        "1",
        "--locked",
        "--offline",
        "--filter-platform",
        "x86_64-unknown-linux-musl",
    ];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(ROOT).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 50, "packages are listed");
    for package in packages {
        let licence = package["license"].as_str().unwrap_or("none");
        // `A OR B` (or `A/B`) is a choice; each part of an `AND` must be allowed.
        let allowed = licence.split(" AND ").all(|part| {
            let choices =
                part.trim_matches(['(', ')']).split(" OR ").flat_map(|one| one.split('/'));
            choices.into_iter().any(|choice| ALLOWED.contains(&choice.trim()))
        });
        assert!(allowed, "{}: {licence}", package["name"]);
    }
}
