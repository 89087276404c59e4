//! Text of a spec → [`model::Spec`], with every mistake found at once.
//!
//! `yaml` makes a positioned tree of the bytes, `decode` makes a spec of the tree, `check` looks at
//! what only the whole shows: names, cycles, build arguments. All of it is pure; a file that no
//! person would write costs no more than a bounded time.

pub mod model;
pub mod schema;
pub mod template;
pub mod value;

mod check;
mod decode;
mod language;
mod shell;
mod tree;
mod yaml;

pub use yaml::MAX_BYTES;

use crate::diagnostic::{Code, Diagnostic, Severity, Span};
use crate::words;

/// More mistakes than anybody reads at once.
const MAX_DIAGNOSTICS: usize = 100;

/// A spec without mistakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The spec.
    pub spec: model::Spec,
    /// What its author should know nevertheless.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a spec.
///
/// The error holds every mistake and every warning, in the order of the file, at most a hundred;
/// at least one of them is a mistake.
pub fn parse(text: &[u8]) -> Result<Parsed, Vec<Diagnostic>> {
    let document = yaml::read(text);
    let mut found = document.problems;
    let Some(root) = document.root else {
        if found.is_empty() {
            found.push(empty());
        }
        return Err(in_order(found));
    };
    let (spec, problems) = decode::decode(&root);
    found.extend(problems);
    let complete = found.iter().all(|diagnostic| diagnostic.severity == Severity::Warning);
    found.extend(check::check(&spec, complete));
    let found = in_order(found);
    if found.iter().any(Diagnostic::refuses) {
        return Err(found);
    }
    Ok(Parsed { spec, warnings: found })
}

/// Reads the file of a policy; the error holds every mistake in it.
pub fn parse_policy(text: &[u8]) -> Result<model::Policy, Vec<Diagnostic>> {
    let document = yaml::read(text);
    let mut found = document.problems;
    let policy = document.root.map(|root| {
        let (policy, problems) = decode::decode_policy(&root);
        found.extend(problems);
        policy
    });
    match policy {
        Some(policy) if found.iter().all(|one| one.severity == Severity::Warning) => Ok(policy),
        None if found.is_empty() => {
            let mistake = Diagnostic::error(Code::Empty, Span::START, "the file holds no policy");
            Err(vec![mistake.help("write what it asks for, such as `profile: strict`")])
        }
        _ => Err(in_order(found)),
    }
}

/// Whether a key may stand at the top of a spec.
pub fn has_key(name: &str) -> bool {
    language::FILE.has(name)
}

/// The keys that may stand at the top of a spec.
pub fn keys() -> impl Iterator<Item = &'static str> {
    language::FILE.all().map(|key| key.name)
}

fn empty() -> Diagnostic {
    Diagnostic::error(Code::Empty, Span::START, "the file holds no spec")
        .help("a spec has keys, such as `base: node:24` and `entrypoint: [node, server.js]`")
}

/// Sorted by place, each once, no more than can be read, and nothing that a terminal would obey.
fn in_order(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    for diagnostic in &mut found {
        diagnostic.message = words::shown(&diagnostic.message);
        diagnostic.help = diagnostic.help.as_deref().map(words::shown);
    }
    let key =
        |diagnostic: &Diagnostic| (diagnostic.span, diagnostic.code, diagnostic.message.clone());
    found.sort_by_cached_key(key);
    found.dedup_by(|right, left| key(right) == key(left));
    if found.len() > MAX_DIAGNOSTICS {
        let (errors, warnings): (Vec<_>, Vec<_>) = found.into_iter().partition(Diagnostic::refuses);
        let more = errors.len().saturating_sub(MAX_DIAGNOSTICS);
        found = errors.into_iter().chain(warnings).take(MAX_DIAGNOSTICS).collect();
        found.sort_by_cached_key(key);
        if let (Some(last), true) = (found.last_mut(), more > 0) {
            last.message = format!("{}, and {more} more mistakes in the file", last.message);
        }
    }
    found
}

#[cfg(test)]
mod tests;
