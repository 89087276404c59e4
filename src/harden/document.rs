//! The judgement as a document for others: the predicate of an attestation.
//!
//! It says what was judged and how every check ended, in the order of the table, and nothing of the
//! day: the same image gives the same bytes. docs/evidence.md describes it; what is added later
//! stands beside these keys, what changes gets another version.

use serde::Serialize;

use super::{Judgement, Origin, RULES, Severity, Status, Subject, catalogue::Check, summary};

/// The version of the document, and the end of its predicate type.
pub const VERSION: u32 = 0;
/// The in-toto predicate type.
pub const PREDICATE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/evidence.md#v0");

#[derive(Debug, Serialize)]
struct Document<'a> {
    version: u32,
    hardpan: &'static str,
    rules: &'static str,
    profile: &'static str,
    platform: &'a str,
    bases: &'a [Base<'a>],
    summary: String,
    checks: Vec<CheckEntry<'a>>,
    findings: Vec<FindingEntry<'a>>,
}

/// An image that the app was built in or stands on.
#[derive(Debug, Serialize)]
pub struct Base<'a> {
    role: &'static str,
    name: &'a str,
    digest: &'a str,
}

impl<'a> Base<'a> {
    /// `runtime`: the app stands on it.
    pub fn new(runtime: bool, name: &'a str, digest: &'a str) -> Self {
        Self { role: if runtime { "runtime" } else { "dev" }, name, digest }
    }
}

#[derive(Debug, Serialize)]
struct CheckEntry<'a> {
    id: &'static str,
    title: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct FindingEntry<'a> {
    check: &'static str,
    severity: &'static str,
    origin: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    waived: Option<usize>,
}

/// The document, as JSON.
pub fn write(
    subject: &Subject<'_>,
    judgement: &Judgement,
    bases: &[Base<'_>],
) -> serde_json::Result<Vec<u8>> {
    let document = Document {
        version: VERSION,
        hardpan: env!("CARGO_PKG_VERSION"),
        rules: RULES,
        profile: judgement.profile().name(),
        platform: subject.platform,
        bases,
        summary: summary(subject, judgement),
        checks: checks_of(judgement),
        findings: findings_of(judgement),
    };
    serde_json::to_vec(&document)
}

fn checks_of(judgement: &Judgement) -> Vec<CheckEntry<'_>> {
    let checks = judgement.checks.iter().map(|(id, status)| {
        let (status, findings, reason) = match status {
            Status::Passed => ("passed", None, None),
            Status::Failed(count) => ("failed", Some(*count), None),
            Status::Waived(count) => ("waived", Some(*count), None),
            Status::NotEvaluated(reason) => ("not_evaluated", None, Some(reason.as_str())),
            Status::Off => ("off", None, None),
        };
        let title = Check::find(id.0).map_or("", |check| check.title);
        CheckEntry { id: id.0, title, status, findings, reason }
    });
    checks.collect()
}

fn findings_of(judgement: &Judgement) -> Vec<FindingEntry<'_>> {
    let findings = judgement.findings.iter().map(|finding| FindingEntry {
        check: finding.check.0,
        severity: match finding.severity {
            Severity::Info => "info",
            Severity::Warn => "warn",
            Severity::Block => "block",
        },
        origin: match finding.origin {
            Origin::Base => "base".to_owned(),
            Origin::App { layer } => format!("layer {layer}"),
            Origin::Image => "image".to_owned(),
            Origin::Config(field) => format!("config {field}"),
        },
        entry: finding.entry.as_deref(),
        path: finding.path.as_deref(),
        message: &finding.message,
        waived: finding.waived,
    });
    findings.collect()
}

#[cfg(test)]
mod tests {
    use super::super::{CheckId, Finding, Policy, Profile};
    use super::*;

    #[test]
    fn every_check_says_how_it_ended() {
        let finding = Finding {
            check: CheckId("SHL-02"),
            severity: Severity::Warn,
            origin: Origin::App { layer: 3 },
            entry: None,
            path: Some("/bin/sh".to_owned()),
            message: "shell found".to_owned(),
            help: "leave it out".to_owned(),
            waived: None,
        };
        let checks = vec![
            (CheckId("USR-01"), Status::Passed),
            (CheckId("SHL-02"), Status::Failed(1)),
            (CheckId("SHL-03"), Status::NotEvaluated("too many files".to_owned())),
            (CheckId("USR-04"), Status::Off),
        ];
        let judgement = Judgement {
            policy: Policy::of(Profile::OpenShift),
            findings: vec![finding],
            checks,
            waivers: Vec::new(),
        };
        let (checks, findings) = (checks_of(&judgement), findings_of(&judgement));
        let json = serde_json::to_value((checks, findings)).unwrap();
        assert_eq!(json[0][0]["status"], "passed");
        assert!(json[0][0].get("findings").is_none() && json[0][0].get("reason").is_none());
        assert_eq!((&json[0][1]["status"], &json[0][1]["findings"]), (&"failed".into(), &1.into()));
        assert_eq!(json[0][2]["reason"], "too many files");
        assert_eq!(json[0][3]["status"], "off");
        assert_eq!(json[1][0]["origin"], "layer 3");
        assert_eq!(
            (&json[1][0]["severity"], &json[1][0]["path"]),
            (&"warn".into(), &"/bin/sh".into())
        );
        assert_eq!(json[0][1]["title"], "a shell by name");
    }
}
