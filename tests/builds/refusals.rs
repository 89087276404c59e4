//! Bad input, through both clients: one message for each mistake, at its line and column (marked
//! by `▸` in the specs), the line in the excerpt, a stable code, and what to write instead.

mod bases;
mod context;
mod file;
mod language;
mod options;
mod platforms;
mod steps;

use std::collections::BTreeSet;

use crate::support::build::{Build, Door};
use crate::support::project::{Project, SPEC};
use crate::support::refusal::{Mistake, Refusal};

/// Code, a part of the message, a part of the help.
type Expected = (&'static str, &'static str, &'static str);

/// A spec, and the mistakes in it in the order of its marks.
struct Case {
    name: &'static str,
    project: Project,
    args: Vec<&'static str>,
    expected: Vec<Expected>,
}

fn case(spec: &'static str, expected: &[Expected]) -> Case {
    let expected = expected.to_vec();
    Case { name: spec, project: Project::new(spec), args: Vec::new(), expected }
}

impl Case {
    /// Arguments of buildx; such a case is not tried through buildctl.
    fn with(mut self, args: &[&'static str]) -> Self {
        self.args = args.to_vec();
        self
    }

    /// Adds a file to the context.
    fn file(mut self, path: &str, content: &str) -> Self {
        self.project = self.project.file(path, content);
        self
    }

    fn check(&self) -> Vec<String> {
        let doors: &[Door] =
            if self.args.is_empty() { &[Door::Header, Door::Buildctl] } else { &[Door::Header] };
        let build = |door: &Door| self.project.build().through(*door).args(&self.args).within(60);
        let complaints = doors.iter().flat_map(|door| self.complaints(&build(door)));
        complaints.map(|complaint| format!("{}\n{complaint}", self.name)).collect()
    }

    fn complaints(&self, build: &Build) -> Vec<String> {
        let outcome = build.run();
        if !matches!(outcome.code, Some(1..=127)) {
            return vec![format!("not refused: {outcome}")];
        }
        let refusal = Refusal::of(outcome);
        let errors = refusal.errors();
        if errors.len() != self.expected.len() {
            return vec![format!(
                "{} mistakes, not {}\n{refusal}",
                errors.len(),
                self.expected.len()
            )];
        }
        let marks = self.project.marks.iter().map(Some).chain(std::iter::repeat(None));
        let found: Vec<String> = errors
            .iter()
            .zip(&self.expected)
            .zip(marks)
            .filter_map(|((mistake, expected), mark)| differs(mistake, *expected, mark.copied()))
            .collect();
        let lines: BTreeSet<u32> = self.project.marks.iter().map(|mark| mark.0).collect();
        let is_marked = lines.is_subset(&refusal.marked.iter().copied().collect());
        let unmarked = format!("the excerpts mark {:?}, not {lines:?}", refusal.marked);
        found.into_iter().chain((!is_marked).then_some(unmarked)).collect()
    }
}

fn differs(
    mistake: &Mistake,
    (code, message, help): Expected,
    mark: Option<(u32, u32)>,
) -> Option<String> {
    let place = mark.is_none_or(|mark| mistake.place == mark && mistake.file == SPEC);
    let words = mistake.message.contains(message) && mistake.help.contains(help);
    let style = !mistake.help.is_empty() && !mistake.message.ends_with('.');
    (mistake.code != code || !place || !words || !style)
        .then(|| format!("wanted {code} at {mark:?}, {message:?}, {help:?}\n   got {mistake:?}"))
}

/// Tries all cases, and fails with everything that is not as it should be.
fn check(cases: &[Case]) {
    let found: Vec<String> = cases.iter().flat_map(Case::check).collect();
    assert!(found.is_empty(), "{} complaints\n{}", found.len(), found.join("\n=====\n"));
}
