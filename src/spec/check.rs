//! What only the whole spec shows: names that do not exist, cycles, build arguments.
//!
//! The spec may be incomplete, since the decoder leaves out what is wrong; nothing here complains
//! about what is missing. Named contexts and images are not known yet, so a name that could be one
//! of them is no mistake.

mod arguments;
mod graph;
mod texts;

use super::model::Spec;
use crate::diagnostic::Diagnostic;
use crate::words::Guesses;

/// What was found, and what may still be guessed.
struct Report {
    problems: Vec<Diagnostic>,
    guesses: Guesses,
    /// Whether nothing was left out.
    complete: bool,
}

/// Looks at a spec; `complete` says that the decoder left nothing out.
pub(super) fn check(spec: &Spec, complete: bool) -> Vec<Diagnostic> {
    let mut report = Report { problems: Vec::new(), guesses: Guesses::for_a_file(), complete };
    arguments::check(spec, &mut report);
    graph::check(spec, &mut report);
    report.problems
}

#[cfg(test)]
mod tests;
