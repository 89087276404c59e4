//! The whole policy: evidence about a root file system, the config of the image and today's date go
//! in; findings come out. Pure: nothing is read, nothing awaited, and the same input gives the same
//! findings in the same order.
//!
//! `catalogue` is the one table of checks. Evidence is gathered in `inspect`, which decides nothing;
//! where a finding stands in the spec is known to the caller, from its origin and path.

mod access;
mod accounts;
mod arguments;
mod base;
pub mod catalogue;
mod common;
mod config;
mod identity;
mod metadata;
mod privilege;
mod profile;
mod programs;
mod runtime;
mod secrets;
mod shells;
mod start;
mod text;
mod tools;

use std::fmt;

use crate::input::Input;
use crate::inspect::evidence::Inventory;

pub(crate) use access::UNKNOWN_USER;
pub use catalogue::{CHECKS, Check};
pub use config::{Base, Config};
pub use profile::Profile;
pub use text::{report, summary};

/// The version of the rules that choose what is looked at; part of the inventory's cache key.
pub const RULES: &str = "2";

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The evidence.
    pub inventory: &'a Inventory,
    /// The config of the finished image.
    pub config: &'a Config,
    /// The platform of the image, such as `linux/arm64`.
    pub platform: &'a str,
    /// Today, for what expires.
    pub today: jiff::civil::Date,
    /// Absolute folders that the spec declares writable: their mode and owner may differ from the
    /// base's.
    pub writable: &'a [String],
    /// Whether layer 0 of the inventory is the base; otherwise it is the whole image.
    pub base_known: bool,
    /// In whose words is said what to write instead.
    pub input: Input,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// The build goes on, the user is told.
    Warn,
    /// The image is refused.
    Block,
}

/// The id of a check, as hardening documents and waivers write it: `SHL-03`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId(pub &'static str);

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Where a finding comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The base image.
    Base,
    /// A placed layer, counted from 0 in the order of `--layer`.
    App {
        /// Its index.
        layer: usize,
    },
    /// The image as a whole: its base is not known.
    Image,
    /// A field of the config, by its key in the spec.
    Config(&'static str),
}

/// Something that a check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check.
    pub check: CheckId,
    /// How much it weighs.
    pub severity: Severity,
    /// Where it comes from.
    pub origin: Origin,
    /// The entry of a field of the config: the name of a variable, a port, a path.
    pub entry: Option<String>,
    /// The path in the image, escaped.
    pub path: Option<String>,
    /// What is wrong, lower case, no full stop.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Nothing was found.
    Passed,
    /// This many findings.
    Failed(usize),
    /// It could not be decided, and why.
    NotEvaluated(String),
    /// The profile leaves it out.
    Off,
}

/// All that was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// How strict it was.
    pub profile: Profile,
    /// In the order of the table.
    pub findings: Vec<Finding>,
    /// Every check of the table and how it ended.
    pub checks: Vec<(CheckId, Status)>,
}

impl Judgement {
    /// The findings that refuse the image.
    pub fn blocking(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Block)
    }

    /// The checks that could not be decided although the evidence should allow it: what was not
    /// looked at is not proven. Those that look at a base are none of them where there is none.
    pub fn undecided<'a>(
        &'a self,
        subject: &Subject<'_>,
    ) -> impl Iterator<Item = (&'static Check, &'a str)> {
        let base_known = subject.base_known;
        self.checks.iter().filter_map(move |(id, status)| {
            let check = Check::find(id.0).filter(|check| base_known || !check.needs_base)?;
            match status {
                Status::NotEvaluated(reason) => Some((check, reason.as_str())),
                _ => None,
            }
        })
    }

    /// Passed, failed and not evaluated checks.
    pub fn tally(&self) -> (usize, usize, usize) {
        let count = |is: fn(&Status) -> bool| self.checks.iter().filter(|(_, s)| is(s)).count();
        (
            count(|status| matches!(status, Status::Passed)),
            count(|status| matches!(status, Status::Failed(_))),
            count(|status| matches!(status, Status::NotEvaluated(_))),
        )
    }
}

/// What a decision gives back: a finding without what the table knows about it.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) origin: Origin,
    pub(crate) entry: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) message: String,
    /// Instead of the table's.
    pub(crate) help: Option<String>,
    /// Instead of the table's.
    pub(crate) severity: Option<Severity>,
}

impl Fault {
    pub(crate) fn new(origin: Origin, message: impl Into<String>) -> Self {
        let (entry, path, help, severity) = (None, None, None, None);
        Self { origin, entry, path, message: message.into(), help, severity }
    }

    /// Says which entry of the config's field it is about.
    pub(crate) fn about(mut self, entry: &str) -> Self {
        self.entry = Some(entry.to_owned());
        self
    }

    pub(crate) fn at(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn weighing(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }
}

/// A decision: all faults, or why there cannot be one.
pub(crate) type Decision = Result<Vec<Fault>, String>;

impl Subject<'_> {
    /// The origin of what is seen in a layer of the inventory.
    pub(crate) fn origin(&self, layer: usize) -> Origin {
        match layer.checked_sub(1) {
            Some(layer) => Origin::App { layer },
            None if self.base_known => Origin::Base,
            None => Origin::Image,
        }
    }

    /// Where a variable comes from: the base, if it has the same one.
    pub(crate) fn env_origin(&self, name: &str) -> Origin {
        let value = common::variable(&self.config.env, name);
        let inherited = common::variable(&self.config.base.env, name);
        if value.is_some() && value == inherited { Origin::Base } else { Origin::Config("env") }
    }

    /// What to write instead, where only a decision knows it.
    pub(crate) fn help(&self, spec: &str, dockerfile: &str) -> String {
        match self.input {
            Input::Spec => spec,
            Input::Dockerfile => dockerfile,
        }
        .to_owned()
    }
}

/// Runs every check of the table that a profile has.
pub fn judge(subject: &Subject<'_>, profile: Profile) -> Judgement {
    let mut judgement = Judgement { profile, findings: Vec::new(), checks: Vec::new() };
    for check in CHECKS {
        let status = match check.weight(profile) {
            None => Status::Off,
            Some(_) if check.needs_base && !subject.base_known => {
                Status::NotEvaluated("the base is not known".to_owned())
            }
            Some(severity) => match (check.decide)(subject) {
                Err(reason) => Status::NotEvaluated(reason),
                Ok(faults) if faults.is_empty() => Status::Passed,
                Ok(faults) => {
                    let count = faults.len();
                    let faults = faults.into_iter();
                    let found = faults.map(|fault| finding(subject, (check, severity), fault));
                    judgement.findings.extend(found);
                    Status::Failed(count)
                }
            },
        };
        judgement.checks.push((check.id, status));
    }
    judgement
}

fn finding(subject: &Subject<'_>, (check, severity): (&Check, Severity), fault: Fault) -> Finding {
    let help = match subject.input {
        Input::Spec => check.help,
        Input::Dockerfile => check.dockerfile,
    };
    Finding {
        check: check.id,
        severity: fault.severity.unwrap_or(severity),
        origin: fault.origin,
        entry: fault.entry,
        path: fault.path,
        message: fault.message,
        help: fault.help.unwrap_or_else(|| help.to_owned()),
    }
}
