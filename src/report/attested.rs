//! The document in the words of two predicates that others already read.
//!
//! In: the document. Out: the in-toto test result v0.1, and the report of tests (CTRF) that Docker's
//! policies for hardened images ask for. Neither has a clock in it: the times that CTRF wants are 0.

use serde_json::{Map, Value, json};

use super::document::{Document, Verdict};
use super::told::{self, Outcome, Told};

/// The type of the in-toto test result.
pub const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
/// The type of Docker's reports of tests.
pub const CTRF: &str = "https://scout.docker.com/tests/v0.1";
/// The version of CTRF that is written.
const CTRF_VERSION: &str = "0.0.0";

/// The predicate of an in-toto test result.
pub fn test_result(document: &Document) -> Value {
    let (mut passed, mut warned, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    let checks = Told::all(document).into_iter().map(|told| (told.outcome(), &told.check.id));
    let tests = document.tests.iter().map(|test| match Outcome::of_test(test) {
        // Unlike a check, it was asked for: that it was not run is what the result warns of.
        Outcome::Skipped => (Outcome::Warned, &test.name),
        outcome => (outcome, &test.name),
    });
    let waivers: Vec<String> =
        told::expired(document).map(|(check, _)| format!("waiver of {check}")).collect();
    let waivers = waivers.iter().map(|name| (Outcome::Failed, name));
    for (outcome, name) in checks.chain(tests).chain(waivers) {
        match outcome {
            Outcome::Passed => passed.push(name),
            Outcome::Warned => warned.push(name),
            Outcome::Failed => failed.push(name),
            Outcome::Skipped => {}
        }
    }
    let result = match document.result {
        Verdict::Passed => "PASSED",
        Verdict::Warned => "WARNED",
        Verdict::Failed => "FAILED",
    };
    json!({
        "result": result,
        "configuration": configuration(document),
        "passedTests": passed,
        "warnedTests": warned,
        "failedTests": failed,
    })
}

/// What decided: the file, the policy, the program with its rules.
fn configuration(document: &Document) -> Vec<Value> {
    let source = &document.source;
    let mut found = Vec::new();
    if source.file.is_some() || source.digest.is_some() {
        let name = source.file.as_deref().unwrap_or(&source.kind);
        found.push(resource(name, source.digest.as_deref()));
    }
    if let Some(digest) = document.policy.as_ref().and_then(|policy| policy.digest.as_deref()) {
        found.push(resource("policy", Some(digest)));
    }
    found.push(json!({
        "name": document.tool.name,
        "uri": env!("CARGO_PKG_REPOSITORY"),
        "annotations": {
            "version": document.tool.version,
            "rules": document.rules,
            "profile": document.profile,
        },
    }));
    found
}

/// A resource descriptor: it needs a digest or an address.
fn resource(name: &str, digest: Option<&str>) -> Value {
    let mut resource = Map::from_iter([("name".to_owned(), name.into())]);
    match digest.and_then(|digest| digest.split_once(':')) {
        Some((algorithm, hex)) => resource.insert("digest".to_owned(), json!({ algorithm: hex })),
        None => resource.insert("uri".to_owned(), name.into()),
    };
    resource.into()
}

/// The predicate of Docker's reports of tests.
pub fn ctrf(document: &Document) -> Value {
    let checks = Told::all(document).into_iter().map(|told| {
        let name = format!("{}: {}", told.check.id, told.check.title);
        (name, told.outcome(), message(&told, &document.profile))
    });
    let tests = document.tests.iter().map(|test| {
        let message = test.message.as_deref().or_else(|| told::late(test)).unwrap_or_default();
        (test.name.clone(), Outcome::of_test(test), message.to_owned())
    });
    let waivers = told::expired(document)
        .map(|(check, text)| (format!("waiver of {check}"), Outcome::Failed, text));
    let all: Vec<(String, Outcome, String)> = checks.chain(tests).chain(waivers).collect();
    let count = |outcome| all.iter().filter(|(_, one, _)| *one == outcome).count();
    json!({
        "reportFormat": "CTRF",
        "specVersion": CTRF_VERSION,
        "results": {
            "tool": { "name": document.tool.name, "version": document.tool.version },
            "summary": {
                "tests": all.len(),
                "passed": count(Outcome::Passed),
                "failed": count(Outcome::Failed),
                "skipped": count(Outcome::Skipped),
                "pending": 0,
                // CTRF has no word for a warning.
                "other": count(Outcome::Warned),
                "start": 0,
                "stop": 0,
            },
            "tests": all.iter().map(entry).collect::<Vec<_>>(),
        },
    })
}

fn entry((name, outcome, message): &(String, Outcome, String)) -> Value {
    let status = match outcome {
        Outcome::Passed => "passed",
        Outcome::Warned => "other",
        Outcome::Failed => "failed",
        Outcome::Skipped => "skipped",
    };
    let mut entry = json!({ "name": name, "status": status, "duration": 0 });
    if !message.is_empty() {
        entry["message"] = message.as_str().into();
    }
    entry
}

/// The first finding and how many more there are, or why there is no answer.
fn message(told: &Told<'_>, profile: &str) -> String {
    let Some(first) = told.open().next().or_else(|| told.findings.first().copied()) else {
        return told.reason(profile);
    };
    match told.check.findings.saturating_sub(1) {
        0 => first.message.clone(),
        more => format!("{}, and {} more", first.message, told::counted(more, "finding")),
    }
}
