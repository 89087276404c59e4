//! The whole policy: evidence about a root file system, the config of the image, today's date and what
//! the user and whoever builds ask for go in; findings come out. Pure: nothing is read, nothing awaited, and the same input gives the same
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
mod policy;
mod privilege;
mod profile;
mod programs;
mod runtime;
mod secrets;
mod shells;
mod standards;
mod start;
mod supply;
mod text;
mod tools;
mod unknown;
mod waivers;

use std::fmt;

use crate::input::Input;
use crate::inspect::evidence::Inventory;

pub(crate) use access::UNKNOWN_USER;
pub use catalogue::{CHECKS, Check};
pub use config::{Base, Config, Making};
pub use policy::{Allowed, Demand, Policy, Setting, Source};
pub use profile::Profile;
pub use text::summary;
pub(crate) use text::thousands;
pub use unknown::Need;
pub(crate) use unknown::is_unlisted;
pub use waivers::{Outcome, Pattern, State, Waiver};

/// The version of the rules that choose what is looked at; part of the inventory's cache key.
pub const RULES: &str = "3";

/// Why a check that looks at the base says nothing where there is none.
const NO_BASE: &str = "the base is not known";

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

impl CheckId {
    /// Whether a waiver of it has to say that it is dangerous: who the process is, shells, and
    /// programs that make it somebody else.
    pub fn is_dangerous(self) -> bool {
        self.0.starts_with("USR-") || self.0.starts_with("SHL-") || self.0 == "PRV-01"
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
    /// Further paths that it stands for: all of them are told in one sentence.
    pub also: Vec<String>,
    /// Whether it stands for more than is known by path.
    pub more: bool,
    /// The waiver that covers it, by its index in the policy.
    pub waived: Option<usize>,
}

impl Finding {
    /// Whether it refuses the image.
    pub fn blocks(&self) -> bool {
        self.severity == Severity::Block && self.waived.is_none()
    }
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Nothing was found.
    Passed,
    /// This many findings, and the heaviest that nobody answers for.
    Found(usize, Severity),
    /// This many findings, and waivers cover all of them.
    Waived(usize),
    /// It could not be decided, and why.
    NotEvaluated(String),
    /// The profile leaves it out.
    Off,
}

impl Status {
    /// How a check ended that has found something; `None`: it has not.
    pub(crate) fn of(check: CheckId, findings: &[Finding]) -> Option<Self> {
        let own = || findings.iter().filter(|finding| finding.check == check);
        let open = own().filter(|finding| finding.waived.is_none());
        match (own().count(), open.map(|finding| finding.severity).max()) {
            (0, _) => None,
            (count, None) => Some(Self::Waived(count)),
            (count, Some(worst)) => Some(Self::Found(count, worst)),
        }
    }
}

/// All that was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What it was judged by.
    pub policy: Policy,
    /// In the order of the table; those that are waived as well.
    pub findings: Vec<Finding>,
    /// Every check of the table and how it ended.
    pub checks: Vec<(CheckId, Status)>,
    /// What became of the waivers, in the order of the policy.
    pub waivers: Vec<Outcome>,
}

impl Judgement {
    /// The findings that refuse the image.
    pub fn blocking(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.blocks())
    }

    /// How strict it was.
    pub fn profile(&self) -> Profile {
        self.policy.profile.value
    }

    /// How many findings are waived.
    pub fn waived(&self) -> usize {
        self.findings.iter().filter(|finding| finding.waived.is_some()).count()
    }

    /// The checks that would refuse the image and could not be decided although the evidence should
    /// allow it: what was not looked at is not proven. Those that look at a base are none of them
    /// where there is none, nor are those that must know what nobody does (`leave_out`), unless they
    /// are required.
    pub fn undecided(&self) -> impl Iterator<Item = (&'static Check, &str)> {
        self.checks.iter().filter_map(move |(id, status)| {
            let Status::NotEvaluated(reason) = status else { return None };
            let check = Check::find(id.0)?;
            let is_asked = !Need::explains(reason) || self.policy.requires(*id);
            let blocks = self.policy.weight(check) == Some(Severity::Block);
            (is_asked && blocks).then_some((check, reason.as_str()))
        })
    }

    /// The waivers of the file that is built whose last day is over. One of a central policy, which
    /// is for many files, is over without blocking those that it has nothing to do with.
    fn expired(&self) -> impl Iterator<Item = &Waiver> {
        let outcomes = self.policy.waivers.iter().zip(&self.waivers);
        outcomes
            .filter(|(waiver, one)| waiver.from == Source::Spec && one.state == State::Expired)
            .map(|(waiver, _)| waiver)
    }

    /// Whether the image is refused: for a finding, for what could not be decided, or for a waiver
    /// that nobody has renewed.
    pub fn refuses(&self) -> bool {
        self.blocking().next().is_some()
            || self.undecided().next().is_some()
            || self.expired().next().is_some()
    }
}

/// What a decision gives back: a finding without what the table knows about it.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) origin: Origin,
    pub(crate) entry: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) message: String,
    pub(crate) also: Vec<String>,
    pub(crate) more: bool,
    /// Instead of the table's.
    pub(crate) help: Option<String>,
    /// Instead of the table's.
    pub(crate) weight: Option<Weight>,
}

/// What a decision knows better than the table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Weight {
    /// In every profile.
    Always(Severity),
    /// In the profile `standard`; others make of it what they usually do.
    Usually(Severity),
}

impl Fault {
    pub(crate) fn new(origin: Origin, message: impl Into<String>) -> Self {
        let (entry, path, help, weight) = (None, None, None, None);
        let (message, also, more) = (message.into(), Vec::new(), false);
        Self { origin, entry, path, message, also, more, help, weight }
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

    /// Says which other paths it stands for.
    pub(crate) fn and(mut self, paths: Vec<String>) -> Self {
        self.also = paths;
        self
    }

    /// Says that it stands for more than is known.
    pub(crate) fn and_more(&mut self) {
        self.message.push_str(", and there are more");
        self.more = true;
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn weighing(mut self, severity: Severity) -> Self {
        self.weight = Some(Weight::Always(severity));
        self
    }

    pub(crate) fn usually(mut self, severity: Severity) -> Self {
        self.weight = Some(Weight::Usually(severity));
        self
    }
}

/// A decision: all faults, or why there cannot be one.
pub(crate) type Decision = Result<Vec<Fault>, String>;

impl Subject<'_> {
    /// What a check looks at and this image comes without.
    fn lacks(&self, check: &Check) -> Option<&'static str> {
        if check.needs_base && !self.base_known {
            return Some(NO_BASE);
        }
        let is_made = self.config.making.is_some();
        check.needs.filter(|need| *need == Need::Build && !is_made).map(Need::reason)
    }

    fn decide(&self, check: &Check) -> Decision {
        self.lacks(check).map_or_else(|| (check.decide)(self), |what| Err(what.to_owned()))
    }

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

/// Runs every check of the table that a policy asks for.
pub fn judge(subject: &Subject<'_>, policy: &Policy) -> Judgement {
    let (mut findings, mut checks) = (Vec::new(), Vec::new());
    for check in CHECKS {
        let status = match policy.weight(check) {
            None => Status::Off,
            Some(severity) => match subject.decide(check) {
                Err(reason) => Status::NotEvaluated(reason),
                Ok(faults) => {
                    let floor = policy.requires(check.id).then_some(Severity::Block);
                    let found =
                        |fault| finding(subject, (check, severity, policy.profile.value), fault);
                    let found = faults.into_iter().map(found);
                    findings.extend(
                        found.map(|one| Finding { severity: floor.unwrap_or(one.severity), ..one }),
                    );
                    Status::Passed
                }
            },
        };
        checks.push((check.id, status));
    }
    let waivers = waivers::apply(policy, subject.today, &mut findings);
    for (id, status) in &mut checks {
        if let Some(found) = Status::of(*id, &findings) {
            *status = found;
        }
    }
    unknown::doubt(subject, &mut checks);
    Judgement { policy: policy.clone(), findings, checks, waivers }
}

/// The most bytes of one message: words of a config may be as long as all of it.
const MAX_MESSAGE: usize = 16 << 10;

/// As much of a message as anybody reads.
fn cut(mut message: String) -> String {
    if message.len() > MAX_MESSAGE {
        let end = (0..=MAX_MESSAGE).rev().find(|end| message.is_char_boundary(*end));
        message.truncate(end.unwrap_or(0));
        message.push('…');
    }
    message
}

fn finding(
    subject: &Subject<'_>,
    (check, severity, profile): (&Check, Severity, Profile),
    fault: Fault,
) -> Finding {
    let help = match subject.input {
        Input::Spec => check.help,
        Input::Dockerfile => check.dockerfile,
    };
    Finding {
        check: check.id,
        severity: match fault.weight {
            None => severity,
            Some(Weight::Always(severity)) => severity,
            Some(Weight::Usually(standard)) => profile.usual(standard),
        },
        origin: fault.origin,
        entry: fault.entry,
        path: fault.path,
        message: cut(fault.message),
        also: fault.also,
        more: fault.more,
        help: fault.help.unwrap_or_else(|| help.to_owned()),
        waived: None,
    }
}
