//! How a judgement becomes a document.
//!
//! In: the judgement, what was judged, and what only the caller knows. Out: `Document`, with the first
//! `MAX_FINDINGS` findings of each check and the number of all.

use std::collections::BTreeMap;

use super::document::{
    Base, CheckEntry, CheckStatus, Document, FindingEntry, Image, MAX_FINDINGS, Position, Source,
    Summary, Test, Tool, VERSION, Verdict,
};
use crate::harden::catalogue::Check;
use crate::harden::{Finding, Judgement, Origin, RULES, Severity, Status, Subject, summary};
use crate::inspect::evidence::WhoRuns;

/// What the caller knows besides the judgement.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Where the image came from.
    pub source: Source,
    /// The images that it stands on and was built in.
    pub bases: Vec<Base>,
    /// What the image did when it was started.
    pub tests: Vec<Test>,
}

impl Document {
    /// Writes down a judgement. `position` knows the line that brought a finding about.
    pub fn new(
        subject: &Subject<'_>,
        judgement: &Judgement,
        about: About,
        position: impl Fn(&Finding) -> Option<Position>,
    ) -> Self {
        let About { source, bases, tests } = about;
        let checks: Vec<_> =
            judgement.checks.iter().map(|(id, status)| entry(judgement, id.0, status)).collect();
        let summary = summed(subject, judgement);
        let is_failed = summary.blocking > 0 || tests.iter().any(|test| test.outcome == "failed");
        let result = match summary {
            _ if is_failed => Verdict::Failed,
            Summary { warnings: 0, .. } => Verdict::Passed,
            _ => Verdict::Warned,
        };
        Self {
            version: VERSION,
            tool: Tool {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            rules: RULES.to_owned(),
            profile: judgement.profile.name().to_owned(),
            source,
            image: image(subject),
            bases,
            result,
            summary,
            checks,
            findings: listed(&judgement.findings, position),
            waivers: Vec::new(),
            tests,
            policy: None,
        }
    }

    /// As JSON, in one line.
    pub fn to_json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }
}

fn image(subject: &Subject<'_>) -> Image {
    let who = match &subject.inventory.user {
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

fn entry(judgement: &Judgement, id: &'static str, status: &Status) -> CheckEntry {
    let check = Check::find(id);
    let (status, findings, reason) = match status {
        Status::Passed => (CheckStatus::Passed, 0, None),
        Status::Failed(count) => (CheckStatus::Failed, *count, None),
        Status::NotEvaluated(reason) => (CheckStatus::NotEvaluated, 0, Some(reason.clone())),
        Status::Off => (CheckStatus::Off, 0, None),
    };
    let standards = check.map_or(&[][..], |check| check.standards);
    CheckEntry {
        id: id.to_owned(),
        title: check.map_or("", |check| check.title).to_owned(),
        status,
        severity: check.and_then(|check| check.weight(judgement.profile)).map(Into::into),
        findings,
        reason,
        standards: standards.iter().map(|&one| one.to_owned()).collect(),
    }
}

fn summed(subject: &Subject<'_>, judgement: &Judgement) -> Summary {
    let count = |severity| judgement.findings.iter().filter(|one| one.severity == severity).count();
    let (passed, failed, not_evaluated) = judgement.tally();
    Summary {
        text: summary(subject, judgement),
        passed,
        failed,
        not_evaluated,
        off: judgement.checks.len() - passed - failed - not_evaluated,
        blocking: count(Severity::Block),
        warnings: count(Severity::Warn),
        infos: count(Severity::Info),
        waived: 0,
    }
}

/// The first findings of each check.
fn listed(
    findings: &[Finding],
    position: impl Fn(&Finding) -> Option<Position>,
) -> Vec<FindingEntry> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let is_listed = |finding: &&Finding| {
        let count = counts.entry(finding.check.0).or_default();
        *count += 1;
        *count <= MAX_FINDINGS
    };
    let findings = findings.iter().filter(is_listed);
    let entry = |finding: &Finding| {
        let (origin, layer, field) = match finding.origin {
            Origin::Base => ("base", None, None),
            Origin::App { layer } => ("app", Some(layer), None),
            Origin::Image => ("image", None, None),
            Origin::Config(field) => ("app", None, Some(field.to_owned())),
        };
        FindingEntry {
            check: finding.check.0.to_owned(),
            severity: finding.severity.into(),
            origin: origin.to_owned(),
            layer,
            field,
            entry: finding.entry.clone(),
            path: finding.path.clone(),
            message: finding.message.clone(),
            help: finding.help.clone(),
            position: position(finding),
            waiver: None,
        }
    };
    findings.map(entry).collect()
}
