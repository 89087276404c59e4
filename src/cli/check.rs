//! `hardpan check FILE…`: reads specs and shows everything that is wrong with them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::{Outcome, draw};
use crate::diagnostic::Diagnostic;
use crate::frontend::{policy, prepare};
use crate::spec::Parsed;
use crate::{spec, words};

/// Checks all files and writes what is wrong; the outcome is that of the worst file.
pub(super) fn check_files(files: &[PathBuf], shown: &mut dyn Write) -> Outcome {
    let mut worst = Outcome::Fine;
    for file in files {
        let (outcome, text) = check_file(file);
        worst = worst.max(outcome);
        if shown.write_all(text.as_bytes()).is_err() {
            return Outcome::NotDone;
        }
    }
    worst
}

fn check_file(file: &Path) -> (Outcome, String) {
    let name = words::escaped(&file.to_string_lossy());
    let bytes = match read(file) {
        Ok(bytes) => bytes,
        Err(error) => return (Outcome::NotDone, format!("error: cannot read {name}: {error}\n")),
    };
    let found = match spec::parse(&bytes) {
        Ok(parsed) => with_waivers(parsed),
        Err(found) => found,
    };
    let outcome =
        if found.iter().any(Diagnostic::refuses) { Outcome::Mistakes } else { Outcome::Fine };
    let mut text = String::new();
    for diagnostic in &found {
        text.push_str(&draw::draw(&name, &bytes, diagnostic));
        text.push_str("\n\n");
    }
    text.push_str(&summary(&name, &found));
    (outcome, text)
}

/// The warnings of a spec, and what its waivers lack.
fn with_waivers(parsed: Parsed) -> Vec<Diagnostic> {
    let mut found = parsed.warnings;
    for app in &parsed.spec.apps {
        // Apps share the waivers of the defaults.
        let news = policy::without_image(app, prepare::today());
        let is_new = |one: &Diagnostic| !found.contains(one);
        let news: Vec<_> = news.into_iter().filter(is_new).collect();
        found.extend(news);
    }
    found.sort_by_key(|one| one.span);
    found
}

/// Reads no more than is needed to see that a file is too large.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let limit = spec::MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// `hardpan.yaml: 2 mistakes, 1 warning`, and where the codes are explained.
fn summary(name: &str, found: &[Diagnostic]) -> String {
    if found.is_empty() {
        return String::new();
    }
    let errors = found.iter().filter(|diagnostic| diagnostic.refuses()).count();
    let warnings = found.len() - errors;
    let counts: Vec<String> = [(errors, "mistake"), (warnings, "warning")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
        .collect();
    let codes: BTreeSet<&str> = found.iter().map(|diagnostic| diagnostic.code.id()).collect();
    let pages: Vec<String> = codes.iter().map(|code| format!("docs/errors/{code}.md")).collect();
    format!("{name}: {}; explained in {}\n", counts.join(", "), pages.join(", "))
}
