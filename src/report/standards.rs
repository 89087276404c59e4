//! What the checks of a document are evidence for, standard by standard.
//!
//! In: the document; which check belongs to which item is said by the tags of the catalogue, and for
//! laws and attestations that say nothing technical by `table`. Out: for each item its checks and how
//! they ended. It never says that a standard is met: that is said of organisations, by auditors.

mod table;

use std::collections::BTreeSet;

use super::document::CheckStatus;
use super::told::{Outcome, Told};
use table::{Checks, Item, STANDARDS};

/// What the tables are about, and what not.
pub(super) const SCOPE: &str = "This describes the image at build time. How it runs is the \
    operator's: a read-only root file system, dropped capabilities, seccomp, network, logging. \
    A standard is met by an organisation, not by an image: the tables say which checks are evidence \
    for an item, or support it, and how they ended.";

/// A standard with its items.
#[derive(Debug)]
pub(super) struct Standard<'a> {
    /// Its name.
    pub(super) name: &'static str,
    /// What its table says and what not.
    pub(super) about: &'static str,
    /// Its items.
    pub(super) items: Vec<Evidence<'a>>,
}

/// An item of a standard, and what this document has for it.
#[derive(Debug)]
pub(super) struct Evidence<'a> {
    /// Its number, as checks name it.
    pub(super) item: &'a str,
    /// What it asks for.
    pub(super) title: &'static str,
    /// How its checks ended.
    pub(super) result: Ended,
    /// Its checks.
    pub(super) checks: Vec<(&'a str, Outcome)>,
    /// What the checks do not cover.
    pub(super) note: &'static str,
}

/// How the checks of an item ended, the heaviest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ended {
    /// Something refuses the image.
    Blocked,
    /// There are warnings.
    Warned,
    /// Somebody answers for what was found.
    Waived,
    /// Not all of them were decided.
    Open,
    /// There are notes.
    Noted,
    /// Nothing was found.
    Clean,
    /// There are none: an image says nothing about it.
    Nothing,
}

impl Ended {
    /// All that checks end as.
    pub(super) const OF_CHECKS: [Self; 6] =
        [Self::Blocked, Self::Warned, Self::Waived, Self::Open, Self::Noted, Self::Clean];

    /// In words.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Blocked => "findings that block",
            Self::Warned => "warnings",
            Self::Waived => "findings, waived",
            Self::Open => "not all evaluated",
            Self::Noted => "notes",
            Self::Clean => "no findings",
            Self::Nothing => "no evidence in an image",
        }
    }

    fn of(told: &Told<'_>) -> Self {
        match (told.outcome(), told.check.status) {
            (Outcome::Failed, _) => Self::Blocked,
            (Outcome::Warned, _) => Self::Warned,
            (_, CheckStatus::Waived) => Self::Waived,
            (Outcome::Skipped, _) => Self::Open,
            (_, CheckStatus::Noted) => Self::Noted,
            (Outcome::Passed, _) => Self::Clean,
        }
    }
}

/// All standards, for the checks of a document.
pub(super) fn standards<'a>(checks: &'a [Told<'a>]) -> Vec<Standard<'a>> {
    let mut standards: Vec<Standard<'a>> = STANDARDS
        .iter()
        .map(|standard| {
            let items = standard.items.iter().map(|item| evidence(item, checks));
            // An item that nothing is known of is left out, unless a note says why.
            let is_told = |one: &Evidence<'_>| !one.checks.is_empty() || !one.note.is_empty();
            let items = items.filter(is_told).collect();
            Standard { name: standard.name, about: standard.about, items }
        })
        .collect();
    let others: Vec<Evidence<'a>> = unknown(checks)
        .into_iter()
        .map(|tag| ended((tag, "", ""), checks.iter().filter(|told| has(told, tag))))
        .collect();
    if !others.is_empty() {
        standards.push(Standard { name: "Others", about: "", items: others });
    }
    standards
}

fn evidence<'a>(item: &'static Item, checks: &'a [Told<'a>]) -> Evidence<'a> {
    let belongs = |told: &&Told<'_>| match item.checks {
        Checks::Tagged => has(told, item.id),
        Checks::Named(names) => names.iter().any(|name| {
            // `USR-` stands for the family.
            told.check.id == *name || name.ends_with('-') && told.check.id.starts_with(name)
        }),
    };
    ended((item.id, item.title, item.note), checks.iter().filter(belongs))
}

fn has(told: &Told<'_>, tag: &str) -> bool {
    told.check.standards.iter().any(|one| one == tag)
}

fn ended<'a>(
    (item, title, note): (&'a str, &'static str, &'static str),
    checks: impl Iterator<Item = &'a Told<'a>>,
) -> Evidence<'a> {
    let checks: Vec<&Told<'_>> = checks.collect();
    let result = checks.iter().map(|told| Ended::of(told)).min().unwrap_or(Ended::Nothing);
    let checks = checks.iter().map(|told| (told.check.id.as_str(), told.outcome())).collect();
    Evidence { item, title, result, checks, note }
}

/// Tags that no table has.
fn unknown<'a>(checks: &'a [Told<'a>]) -> BTreeSet<&'a str> {
    let tags = checks.iter().flat_map(|told| &told.check.standards).map(String::as_str);
    tags.filter(|tag| !table::is_known(tag)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harden::CHECKS;

    #[test]
    fn every_tag_of_the_catalogue_has_its_row_and_every_name_its_check() {
        for check in CHECKS {
            for tag in check.standards {
                assert!(table::is_known(tag), "{}: {tag} is in no table", check.id);
            }
        }
        for item in STANDARDS.iter().flat_map(|standard| standard.items) {
            let Checks::Named(names) = item.checks else { continue };
            assert!(!names.is_empty() || !item.note.is_empty(), "{} says nothing", item.id);
        }
    }
}
