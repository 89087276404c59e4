//! How a judgement becomes a document.
//!
//! In: the judgement, what was judged, and what only the caller knows. Out: `Document`, with as many
//! findings of each check as fit (`listing`) and the number of all.

use std::collections::BTreeSet;

use super::contract::Contract;
use super::document::{
    Base, CheckEntry, CheckStatus, Document, Image, Policy, Position, Source, Summary, Test, Tool,
    VERSION, Verdict, WaiverEntry,
};
use super::listing;
use super::told::Outcome;
use crate::harden::catalogue::Check;
use crate::harden::{
    self, Allowed, Finding, Judgement, Need, RULES, Severity, State, Status, Subject, summary,
};
use crate::inspect::evidence::WhoRuns;

/// What the caller knows besides the judgement.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// The digest of the image that hardpan was started from, if it was.
    pub frontend: Option<String>,
    /// Where the image came from.
    pub source: Source,
    /// The images that it stands on and was built in.
    pub bases: Vec<Base>,
}

impl Document {
    /// Writes down a judgement. `position` knows the line that brought a finding about.
    pub fn new(
        subject: &Subject<'_>,
        judgement: &Judgement,
        about: About,
        position: impl Fn(&Finding) -> Option<Position>,
    ) -> Self {
        let About { frontend, source, bases } = about;
        let checks: Vec<_> =
            judgement.checks.iter().map(|(id, status)| entry(judgement, id.0, status)).collect();
        let summary = summed(subject, judgement);
        let result = match summary {
            _ if judgement.refuses() => Verdict::Failed,
            Summary { warnings: 0, .. } => Verdict::Passed,
            _ => Verdict::Warned,
        };
        let (mut findings, truncated) = listing::listed(&judgement.findings, position);
        // Who has set a field is not known either where the base is not.
        for one in findings.iter_mut().filter(|_| !subject.base_known) {
            "image".clone_into(&mut one.origin);
        }
        let image = image(subject, judgement);
        let contract = Contract::new(&image, judgement.profile());
        Self {
            version: VERSION,
            tool: Tool {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                frontend,
            },
            rules: RULES.to_owned(),
            profile: judgement.profile().name().to_owned(),
            source,
            image,
            bases,
            result,
            summary,
            checks,
            findings,
            waivers: waivers(judgement),
            tests: Vec::new(),
            contract,
            policy: policy(&judgement.policy),
            truncated,
        }
    }

    /// Adds what the image did when it was started. One test that was not run leaves the image
    /// unproven, and so does an app that does not stop when it is told to: none of them is passed without a word.
    pub fn add_tests(&mut self, tests: Vec<Test>) {
        let results = tests.iter().map(|test| match Outcome::of_test(test) {
            Outcome::Passed => Verdict::Passed,
            Outcome::Warned | Outcome::Skipped => Verdict::Warned,
            Outcome::Failed => Verdict::Failed,
        });
        self.result = results.fold(self.result, Verdict::max);
        self.tests.extend(tests);
    }
}

fn image(subject: &Subject<'_>, judgement: &Judgement) -> Image {
    let who = match &subject.inventory.user {
        // Of a folder without a config nobody knows who starts it; root is not named.
        _ if lacks_config(judgement) => None,
        WhoRuns::Known(identity) => Some(identity),
        WhoRuns::Nobody(_) => None,
    };
    let config = subject.config;
    Image {
        platform: subject.platform.to_owned(),
        user: config.user.clone(),
        uid: who.map(|who| who.uid),
        gid: who.map(|who| who.gid),
        entrypoint: config.entrypoint.clone(),
        cmd: config.cmd.clone(),
        workdir: config.workdir.clone(),
        ports: config.ports.clone(),
        volumes: config.volumes.clone(),
        writable: subject.writable.to_vec(),
        files: subject.inventory.files(),
        bytes: subject.inventory.layers.iter().map(|layer| layer.bytes).sum(),
    }
}

fn lacks_config(judgement: &Judgement) -> bool {
    judgement.checks.iter().any(|(id, status)| match status {
        Status::NotEvaluated(reason) => id.0 == "USR-01" && Need::explains(reason),
        _ => false,
    })
}

fn entry(judgement: &Judgement, id: &'static str, status: &Status) -> CheckEntry {
    let check = Check::find(id);
    let (status, findings, reason) = match status {
        Status::Passed => (CheckStatus::Passed, 0, None),
        Status::Found(count, Severity::Block) => (CheckStatus::Failed, *count, None),
        Status::Found(count, Severity::Warn) => (CheckStatus::Warned, *count, None),
        Status::Found(count, Severity::Info) => (CheckStatus::Noted, *count, None),
        Status::Waived(count) => (CheckStatus::Waived, *count, None),
        Status::NotEvaluated(reason) => (CheckStatus::NotEvaluated, 0, Some(reason.clone())),
        Status::Off => (CheckStatus::Off, 0, None),
    };
    let standards = check.map_or(&[][..], |check| check.standards);
    CheckEntry {
        id: id.to_owned(),
        title: check.map_or("", |check| check.title).to_owned(),
        status,
        severity: check.and_then(|check| judgement.policy.weight(check)).map(Into::into),
        findings,
        reason,
        standards: standards.iter().map(|&one| one.to_owned()).collect(),
    }
}

fn summed(subject: &Subject<'_>, judgement: &Judgement) -> Summary {
    let open = || judgement.findings.iter().filter(|one| one.waived.is_none());
    let count = |severity| open().filter(|one| one.severity == severity).count();
    let ended = |is: &dyn Fn(&Status) -> bool| {
        judgement.checks.iter().filter(|(_, status)| is(status)).count()
    };
    Summary {
        text: summary(subject, judgement),
        passed: ended(&|status| *status == Status::Passed),
        noted: ended(&|status| matches!(status, Status::Found(_, Severity::Info))),
        warned: ended(&|status| matches!(status, Status::Found(_, Severity::Warn))),
        failed: ended(&|status| matches!(status, Status::Found(_, Severity::Block))),
        not_evaluated: ended(&|status| matches!(status, Status::NotEvaluated(_))),
        waived_checks: ended(&|status| matches!(status, Status::Waived(_))),
        off: ended(&|status| *status == Status::Off),
        blocking: count(Severity::Block),
        warnings: count(Severity::Warn),
        infos: count(Severity::Info),
        waived: judgement.waived(),
    }
}

/// What somebody answers for, and what became of it.
fn waivers(judgement: &Judgement) -> Vec<WaiverEntry> {
    let all = judgement.policy.waivers.iter().zip(&judgement.waivers);
    let entry = |(waiver, outcome): (&harden::Waiver, &harden::Outcome)| WaiverEntry {
        check: waiver.check.0.to_owned(),
        path: waiver.path.as_ref().map(|path| path.as_str().to_owned()),
        reason: waiver.reason.clone(),
        owner: waiver.owner.clone(),
        expires: waiver.expires.to_string(),
        source: waiver.from.name().to_owned(),
        findings: outcome.covered,
        status: match (outcome.state, outcome.covered) {
            (State::Counts, 0) => "unused",
            (State::Counts, _) => "used",
            (State::Expired, _) => "expired",
            (State::Refused, _) => "forbidden",
        }
        .to_owned(),
    };
    all.map(entry).collect()
}

/// What others than the file have asked for; `None`: nothing.
fn policy(policy: &harden::Policy) -> Option<Policy> {
    let is_other = |from| [harden::Source::Option, harden::Source::Policy].contains(&from);
    let mut sources: BTreeSet<harden::Source> = policy.asked.iter().copied().collect();
    sources.retain(|from| is_other(*from));
    if sources.is_empty() {
        return None;
    }
    let of_file = policy.overridden.iter().find(|one| one.from == harden::Source::Spec);
    let sources: Vec<&str> = sources.into_iter().map(harden::Source::name).collect();
    Some(Policy {
        profile_of_file: of_file.map(|one| one.value.name().to_owned()),
        source: sources.join(", "),
        digest: policy.digest.clone(),
        waivers: match &policy.allowed.value {
            Allowed::All => "allow".to_owned(),
            Allowed::Only(checks) if checks.is_empty() => "forbid".to_owned(),
            Allowed::Only(checks) => {
                checks.iter().map(|check| check.0).collect::<Vec<_>>().join(", ")
            }
        },
        required: policy.required().map(str::to_owned).collect(),
    })
}
