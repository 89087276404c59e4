//! The document as all forms tell it: each check with its findings, and in which words.
//!
//! In: the document. Out: how each check and each test ended in the four words that reports of tests
//! know, where a finding is, who brought it. What is decided here is decided once for all forms.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::document::{
    Base, CheckEntry, CheckStatus, Document, FindingEntry, Level, Test, Verdict, WaiverEntry,
};
use crate::diagnostic::Code;
use crate::harden::{Check, Need, Source, thousands};
use crate::words;

/// The families of checks, by the beginning of their ids.
const GROUPS: &[(&str, &str)] = &[
    ("USR", "Who runs"),
    ("SHL", "Shells and interpreters"),
    ("PRV", "Privileges on disk"),
    ("PKG", "Package managers and leftovers"),
    ("SEC", "Secrets"),
    ("RUN", "Whether it will run"),
    ("META", "Metadata"),
    ("SUP", "Supply chain"),
    ("BASE", "The base"),
];

/// How something ended, as reports of tests say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing, or nothing that counts.
    Passed,
    /// Something that does not refuse the image.
    Warned,
    /// Something that refuses it.
    Failed,
    /// It was not or could not be decided.
    Skipped,
}

impl Outcome {
    /// How a test ended.
    pub(super) fn of_test(test: &Test) -> Self {
        match test.outcome.as_str() {
            "passed" if test.message.is_some() || late(test).is_some() => Self::Warned,
            "passed" => Self::Passed,
            "skipped" => Self::Skipped,
            _ => Self::Failed,
        }
    }
}

/// What is said of a test whose app had to be killed.
pub(super) fn late(test: &Test) -> Option<&'static str> {
    let is_late = test.stopped_in_time == Some(false);
    is_late.then_some("it did not end in time after its stop signal")
}

/// A check with what was found.
#[derive(Debug)]
pub(super) struct Told<'a> {
    /// The check.
    pub(super) check: &'a CheckEntry,
    /// Its listed findings: first those that count, the heaviest first, otherwise in their order. So
    /// a form that shows only some of them shows what refuses the image.
    pub(super) findings: Vec<&'a FindingEntry>,
    /// Whether the image is refused because nobody knows.
    pub(super) is_undecided: bool,
}

impl<'a> Told<'a> {
    /// All checks in their order.
    pub(super) fn all(document: &'a Document) -> Vec<Self> {
        let mut findings: BTreeMap<&str, Vec<&FindingEntry>> = BTreeMap::new();
        for finding in &document.findings {
            findings.entry(&finding.check).or_default().push(finding);
        }
        for own in findings.values_mut() {
            own.sort_by_key(|one| (one.waiver.is_some(), Reverse(one.severity)));
        }
        let told = |check: &'a CheckEntry| Told {
            check,
            findings: findings.remove(check.id.as_str()).unwrap_or_default(),
            is_undecided: is_undecided(document, check),
        };
        document.checks.iter().map(told).collect()
    }

    /// What nobody answers for.
    pub(super) fn open(&self) -> impl Iterator<Item = &'a FindingEntry> {
        self.findings.iter().copied().filter(|finding| finding.waiver.is_none())
    }

    /// Findings that are counted and not listed.
    pub(super) fn unlisted(&self) -> usize {
        self.check.findings.saturating_sub(self.findings.len())
    }

    /// The heaviest of what nobody answers for, listed or not.
    pub(super) fn worst(&self) -> Option<Level> {
        match self.check.status {
            CheckStatus::Noted => Some(Level::Info),
            CheckStatus::Warned => Some(Level::Warn),
            CheckStatus::Failed => Some(Level::Block),
            _ => None,
        }
    }

    /// How it ended.
    pub(super) fn outcome(&self) -> Outcome {
        match self.check.status {
            CheckStatus::NotEvaluated if self.is_undecided => Outcome::Failed,
            CheckStatus::Off | CheckStatus::NotEvaluated => Outcome::Skipped,
            CheckStatus::Failed => Outcome::Failed,
            CheckStatus::Warned => Outcome::Warned,
            CheckStatus::Passed | CheckStatus::Noted | CheckStatus::Waived => Outcome::Passed,
        }
    }

    /// In a few words.
    pub(super) fn status(&self) -> String {
        let count = self.check.findings;
        if let Some(worst) = self.worst() {
            return format!("{}, {}", counted(count, "finding"), weight(worst));
        }
        match self.check.status {
            CheckStatus::Waived => format!("{}, waived", counted(count, "finding")),
            CheckStatus::NotEvaluated if self.is_undecided => "not evaluated, blocking".to_owned(),
            CheckStatus::NotEvaluated => "not evaluated".to_owned(),
            CheckStatus::Off => "off".to_owned(),
            _ => "passed".to_owned(),
        }
    }

    /// Why there is no answer.
    pub(super) fn reason(&self, profile: &str) -> String {
        match (&self.check.reason, self.check.status) {
            (Some(reason), _) => reason.clone(),
            (None, CheckStatus::Off) => format!("the profile {profile} leaves it out"),
            (None, _) => String::new(),
        }
    }
}

/// What could not be decided is not proven, and refuses the image where a finding would; where it is
/// for lack of a base, a config or a build, only if the check is required.
fn is_undecided(document: &Document, check: &CheckEntry) -> bool {
    let required = document.policy.as_ref().map_or(&[][..], |policy| &policy.required);
    check.status == CheckStatus::NotEvaluated
        && check.severity == Some(Level::Block)
        && (!check.reason.as_deref().is_some_and(Need::explains) || required.contains(&check.id))
}

/// What the digest of the source is the digest of: of a build, the image's own is not known yet.
pub(super) fn digest_of(kind: &str) -> &'static str {
    match kind {
        "spec" => "digest of the spec",
        "dockerfile" => "digest of the Dockerfile",
        _ => "digest of the image",
    }
}

/// Waivers of the spec whose last day is over: the check, and what is wrong. They refuse the image;
/// one of a central policy, which is for many files, does not.
pub(super) fn expired(document: &Document) -> impl Iterator<Item = (&str, String)> {
    let is_over =
        |waiver: &&WaiverEntry| waiver.status == "expired" && waiver.source == Source::Spec.name();
    let expired = document.waivers.iter().filter(is_over);
    expired.map(|waiver| {
        let path = waiver.path.as_ref().map(|path| format!(" at {path}")).unwrap_or_default();
        let text = format!(
            "the waiver of {}{path} has ended on {}; {} answers for it",
            waiver.check, waiver.expires, waiver.owner
        );
        (waiver.check.as_str(), text)
    })
}

/// What a finding of a weight is.
pub(super) fn weight(level: Level) -> &'static str {
    match level {
        Level::Block => "blocking",
        Level::Warn => "warning",
        Level::Info => "note",
    }
}

/// The verdict in a word.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Warned => "passed with warnings",
        Verdict::Failed => "failed",
    }
}

/// What stands in the place of how to start an image that was refused.
pub(super) fn unfit(document: &Document) -> Option<&'static str> {
    (document.result == Verdict::Failed).then_some("Not before it passes: the image was refused.")
}

/// The findings in numbers: `2 findings block, 1 warns`.
pub(super) fn numbers(document: &Document) -> String {
    let summary = &document.summary;
    let verb = |count: usize, one: &str, more: &str| {
        format!("{} {}", thousands(count as u64), if count == 1 { one } else { more })
    };
    let tests = |outcome| {
        document.tests.iter().filter(move |test| Outcome::of_test(test) == outcome).count()
    };
    let mut parts = vec![
        verb(summary.blocking, "finding blocks", "findings block"),
        counted(summary.warnings, "warning"),
        counted(summary.infos, "note"),
    ];
    if summary.waived > 0 {
        parts.push(format!("{} waived", summary.waived));
    }
    let undecided = document.checks.iter().filter(|check| is_undecided(document, check));
    for (count, noun, verb) in [
        (tests(Outcome::Failed), "test", "failed"),
        (tests(Outcome::Warned), "test", "with a warning"),
        (tests(Outcome::Skipped), "test", "not run"),
        (undecided.count(), "check", "undecided"),
        (expired(document).count(), "waiver", "expired"),
    ] {
        if count > 0 {
            parts.push(format!("{} {verb}", counted(count, noun)));
        }
    }
    parts.join(", ")
}

/// The checks in numbers.
pub(super) fn tally(document: &Document) -> String {
    let summary = &document.summary;
    let mut text = format!("{} passed", counted(summary.passed, "check"));
    for (count, how, is_always) in [
        (summary.noted, "noted", false),
        (summary.warned, "warned", false),
        (summary.failed, "failed", true),
        (summary.waived_checks, "waived", false),
        (summary.not_evaluated, "not evaluated", true),
        (summary.off, "off", false),
    ] {
        if count > 0 || is_always {
            let _ = write!(text, ", {count} {how}");
        }
    }
    text
}

/// `1 finding`, `2 findings`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(count as u64), if count == 1 { "" } else { "s" })
}

/// The line that brought it about: `hardpan.yaml:7:5`.
pub(super) fn line(finding: &FindingEntry) -> Option<String> {
    let place = finding.position.as_ref()?;
    Some(words::escaped(&format!("{}:{}:{}", place.file, place.line, place.column)))
}

/// Where in the image: the path, or the field of the config with its entry.
pub(super) fn spot(finding: &FindingEntry) -> Option<String> {
    let spot = match (&finding.path, &finding.field, &finding.entry) {
        (Some(path), ..) => path.clone(),
        (None, Some(field), Some(entry)) => format!("{field}: {entry}"),
        (None, Some(field), None) => field.clone(),
        (None, None, entry) => entry.clone()?,
    };
    Some(words::escaped(&spot))
}

/// Who brought it.
pub(super) fn origin(finding: &FindingEntry) -> String {
    match (finding.origin.as_str(), finding.layer) {
        ("app", Some(layer)) => format!("app, layer {layer}"),
        (origin, _) => words::escaped(origin),
    }
}

/// What was judged, in a few words: `hardpan.yaml for linux/amd64`.
pub(super) fn subject(document: &Document) -> String {
    let kind = if document.source.kind.is_empty() { "image" } else { &document.source.kind };
    let file = document.source.file.as_deref().unwrap_or(kind);
    words::escaped(&format!("{file} for {}", document.image.platform))
}

/// The name of an image with its digest.
pub(super) fn pinned(base: &Base) -> String {
    let Base { name, digest, .. } = base;
    if digest.is_empty() || name.contains(digest.as_str()) {
        name.clone()
    } else {
        format!("{name}@{digest}")
    }
}

/// The family of a check: its short and its long name.
pub(super) fn group(id: &str) -> (&str, &str) {
    let short = id.split('-').next().unwrap_or(id);
    let known = GROUPS.iter().find(|(known, _)| *known == short);
    known.map_or((short, short), |&(short, long)| (short, long))
}

/// The page about a check.
pub(super) fn page(id: &str) -> Option<String> {
    Check::find(id).map(|check| Code::Check(check.id.0).url())
}
