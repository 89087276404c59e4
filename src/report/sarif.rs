//! The report as SARIF 2.1.0, for code scanning.
//!
//! In: the document. Out: a log with one run. A rule is a check; a result is a finding at its line of
//! the spec, or at its path in the image where no line is known; what is waived is suppressed, what was
//! not decided a notification. Fingerprints do not depend on lines, so that a moved line is no new alert.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::document::{CheckStatus, Document, FindingEntry, Level, Position, Test};
use super::told::{self, Outcome, Told};
use crate::harden::Check;
use crate::words;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// What paths in the image are relative to.
const ROOT: &str = "IMAGE";
/// The rule of a test that failed.
const START: &str = "START";
/// Families of checks that are not about security but about whether the image works.
const NOT_SECURITY: &[&str] = &["RUN", "META"];

/// The report as SARIF.
pub(super) fn render(document: &Document) -> String {
    let checks = Told::all(document);
    let mut rules: Vec<Value> = checks.iter().map(rule).collect();
    let mut results = Vec::new();
    for (index, told) in checks.iter().enumerate() {
        results.extend(told.findings.iter().map(|finding| result(document, index, finding)));
    }
    let failed = document.tests.iter().filter(|test| Outcome::of_test(test) == Outcome::Failed);
    results.extend(failed.map(|test| start(document, rules.len(), test)));
    if !document.tests.is_empty() {
        rules.push(start_rule());
    }
    let tool = &document.tool;
    let run = json!({
        "tool": { "driver": {
            "name": tool.name,
            "version": tool.version,
            "semanticVersion": tool.version,
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
            "rules": rules,
        }},
        "automationDetails": { "id": format!("hardening/{}/", document.image.platform) },
        "originalUriBaseIds": { ROOT: {
            "uri": "file:///",
            "description": { "text": "the root of the file system of the image" },
        }},
        "columnKind": "unicodeCodePoints",
        "invocations": [{
            "executionSuccessful": true,
            "toolExecutionNotifications": notifications(document, &checks),
        }],
        "results": results,
        "properties": {
            "profile": document.profile,
            "rules": document.rules,
            "result": document.result,
            "platform": document.image.platform,
        },
    });
    super::json::pretty(&json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": [run] }))
}

/// A message in which nothing is a link.
fn shown(text: &str) -> String {
    let text = words::escaped(text);
    if text.contains("](") { text.replace('[', r"\[").replace(']', r"\]") } else { text }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Block => "error",
        Level::Warn => "warning",
        Level::Info => "note",
    }
}

/// How code scanning sorts alerts: 7 and more is high, 4 and more is medium.
fn security(level: Level) -> &'static str {
    match level {
        Level::Block => "8.0",
        Level::Warn => "5.0",
        Level::Info => "2.0",
    }
}

fn rule(told: &Told<'_>) -> Value {
    let check = told.check;
    let (short, family) = told::group(&check.id);
    let help = Check::find(&check.id).map_or("see its page", |check| check.help);
    let standards = check.standards.join(", ");
    let evidence =
        if standards.is_empty() { String::new() } else { format!(" Evidence for {standards}.") };
    let title = words::escaped(&check.title);
    let mut tags = vec!["container".to_owned(), family.to_lowercase()];
    let mut properties = json!({ "standards": check.standards, "precision": "high" });
    if !NOT_SECURITY.contains(&short) {
        tags.push("security".to_owned());
        let weight = check.severity.unwrap_or(Level::Info);
        properties["security-severity"] = security(weight).into();
    }
    properties["tags"] = tags.into();
    let mut rule = json!({
        "id": check.id,
        "shortDescription": { "text": title },
        "fullDescription": { "text": format!("No image may have this: {title}.{evidence}") },
        "help": {
            "text": format!("How to fix: {}.", words::escaped(help)),
            "markdown": help_page(&check.id, help, &standards),
        },
        "defaultConfiguration": {
            "enabled": check.status != CheckStatus::Off,
            "level": level(check.severity.unwrap_or(Level::Info)),
        },
        "properties": properties,
    });
    if let Some(page) = told::page(&check.id) {
        rule["helpUri"] = page.into();
    }
    rule
}

fn help_page(id: &str, help: &str, standards: &str) -> String {
    let mut text = format!("**How to fix:** {help}.");
    if !standards.is_empty() {
        text.push_str("\n\nEvidence for ");
        text.push_str(standards);
        text.push('.');
    }
    if let Some(page) = told::page(id) {
        let _ = write!(text, "\n\n[What is looked at, and why]({page})");
    }
    text
}

fn result(document: &Document, index: usize, finding: &FindingEntry) -> Value {
    let FindingEntry { message, help, .. } = finding;
    let print = fingerprint(finding);
    let mut result = json!({
        "ruleId": finding.check,
        "ruleIndex": index,
        "kind": "fail",
        "level": level(finding.severity),
        "message": { "text": shown(&format!("{message}. How to fix: {help}.")) },
        "locations": [location(document, finding)],
        "partialFingerprints": { "primaryLocationLineHash": print, "hardening/v1": print },
        "properties": { "origin": finding.origin, "layer": finding.layer },
    });
    if let Some(waiver) = finding.waiver {
        let reason = document.waivers.get(waiver).map_or_else(String::new, |waiver| {
            format!("{} ({}, until {})", waiver.reason, waiver.owner, waiver.expires)
        });
        result["suppressions"] = json!([
            { "kind": "external", "status": "accepted", "justification": words::escaped(&reason) }
        ]);
    }
    result
}

fn location(document: &Document, finding: &FindingEntry) -> Value {
    let mut location = match (&finding.position, &finding.path) {
        (Some(place), _) => at_line(place),
        (None, Some(path)) => json!({ "physicalLocation": {
            "artifactLocation": { "uri": uri(path.trim_start_matches('/')), "uriBaseId": ROOT },
            "region": { "startLine": 1 },
        }}),
        (None, None) => at_file(document),
    };
    if let Some(spot) = told::spot(finding) {
        let kind = if finding.path.is_some() { "resource" } else { "property" };
        location["logicalLocations"] = json!([{ "fullyQualifiedName": spot, "kind": kind }]);
    }
    location
}

fn at_line(place: &Position) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(&place.file) },
        "region": { "startLine": place.line.max(1), "startColumn": place.column.max(1) },
    }})
}

/// What is known of no line: the file that was judged.
fn at_file(document: &Document) -> Value {
    let file = document.source.file.as_deref().unwrap_or("image");
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(file) },
        "region": { "startLine": 1 },
    }})
}

/// A path as a reference of a URI; a colon in the first part would make it a scheme.
fn uri(path: &str) -> String {
    let mut uri = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// The same for the same finding, wherever its line moves.
fn fingerprint(finding: &FindingEntry) -> String {
    let mut hash = Sha256::new();
    let message =
        if finding.path.is_some() || finding.entry.is_some() { "" } else { &finding.message };
    for part in [
        Some(&*finding.check),
        Some(&*finding.origin),
        finding.field.as_deref(),
        finding.entry.as_deref(),
        finding.path.as_deref(),
        Some(message),
    ] {
        let part = part.unwrap_or_default();
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    hash.iter().take(16).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn start_rule() -> Value {
    json!({
        "id": START,
        "shortDescription": { "text": "the image does not do what its test says" },
        "fullDescription": { "text": "The image was started under the runtime contract, and did not do what `test` of the spec says." },
        "help": { "text": "How to fix: see what the app printed, and what the contract forbids: writing outside of /tmp and the writable paths, capabilities, the network." },
        "defaultConfiguration": { "level": "error" },
        "properties": { "tags": ["container", "start"] },
    })
}

fn start(document: &Document, index: usize, test: &Test) -> Value {
    let message = test.message.as_deref().unwrap_or("it failed");
    let location = test.position.as_ref().map_or_else(|| at_file(document), at_line);
    json!({
        "ruleId": START,
        "ruleIndex": index,
        "kind": "fail",
        "level": "error",
        "message": { "text": shown(&format!("{}: {message}", test.name)) },
        "locations": [location],
        "partialFingerprints": { "hardening/v1": words::escaped(&test.name) },
    })
}

fn notifications(document: &Document, checks: &[Told<'_>]) -> Vec<Value> {
    let expired = told::expired(document)
        .map(|(_, text)| json!({ "level": "error", "message": { "text": shown(&text) } }));
    let open = checks.iter().enumerate();
    let open = open.filter(|(_, told)| told.check.status == CheckStatus::NotEvaluated);
    let open = open.map(|(index, told)| {
        let reason = told.check.reason.as_deref().unwrap_or("no reason is given");
        let text = format!("{} not evaluated: {reason}", told.check.id);
        json!({
            "level": if told.is_undecided { "error" } else { "warning" },
            "message": { "text": shown(&text) },
            "associatedRule": { "id": told.check.id, "index": index },
        })
    });
    open.chain(expired).collect()
}
