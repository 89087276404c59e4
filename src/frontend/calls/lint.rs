//! `frontend.lint`, which is `docker buildx build --check`.
//!
//! BuildKit's lint knows warnings and one error that stops everything. Here each finding is an
//! entry of the list, with the word that says whether it stops the build, and the error counts
//! them. buildx leaves the text to us because the version is newer than the one it knows: its own
//! would call everything a warning.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Call, Location, count, findings, metadata, to_json};
use crate::cli::draw;
use crate::diagnostic::{Diagnostic, Severity};
use crate::frontend::Failure;
use crate::gateway::detail::{self, SourceInfo};
use crate::gateway::{SourceFile, status::escape};
use crate::options::LintRules;
use crate::result::Answer;

pub(crate) const NAME: &str = "frontend.lint";

/// BuildKit's 1.0.0 with a `severity` for each warning.
pub(super) const VERSION: &str = "1.1.0";

/// As frontend/subrequests/lint has it.
#[derive(Debug, Serialize)]
struct Results {
    warnings: Vec<Warning>,
    sources: Vec<SourceInfo>,
    #[serde(rename = "buildError", skip_serializing_if = "Option::is_none")]
    error: Option<BuildError>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Warning {
    rule_name: String,
    severity: &'static str,
    description: String,
    url: String,
    detail: String,
    /// Never left out: buildx crashes without it.
    location: Location,
}

/// Without a place: clients would show the lines of the first finding twice.
#[derive(Debug, Serialize)]
struct BuildError {
    message: String,
    location: NoLocation,
}

#[derive(Debug, Serialize)]
struct NoLocation {}

pub(super) async fn answer(call: &Call<'_>) -> Result<Answer, Failure> {
    let found = findings::collect(call).await?;
    Ok(report(&found, &call.options.lint, &call.loaded.file))
}

/// Adds findings to the answer that Docker's frontend gives on a Dockerfile, in the form of Docker's
/// version, so that clients draw all of them alike.
pub(crate) fn add(
    metadata: &mut BTreeMap<String, Vec<u8>>,
    found: &[Diagnostic],
    (rules, file): (&LintRules, &SourceFile),
) {
    let found = shown(found, rules);
    let told = metadata.get("result.json").and_then(|json| serde_json::from_slice(json).ok());
    let (Some(Value::Object(mut told)), false) = (told, found.is_empty()) else { return };
    let push = |told: &mut Map<String, Value>, key: &str, all: Vec<Value>| {
        let list = told.entry(key).or_insert(Value::Null);
        let mut known = list.as_array_mut().map(std::mem::take).unwrap_or_default();
        known.extend(all);
        *list = known.into();
        list.as_array().map_or(0, Vec::len)
    };
    let index = push(&mut told, "sources", vec![json!(detail::info(file))]) - 1;
    let warnings = found.iter().map(|one| {
        let mut warning = json!(warning(one));
        warning["location"]["sourceIndex"] = index.into();
        warning
    });
    push(&mut told, "warnings", warnings.collect());
    if let Some(message) = refusal(&found, rules, file) {
        let error = json!({ "message": message, "location": { "sourceIndex": index } });
        told.entry("buildError").or_insert(error);
    }
    metadata.insert("result.json".to_owned(), to_json(&told).into_bytes());
    metadata.insert("result.statuscode".to_owned(), b"1".to_vec());
    metadata.entry("result.txt".to_owned()).or_default().extend(drawn(&found, file).into_bytes());
}

/// What is told of some findings.
fn shown(found: &[Diagnostic], rules: &LintRules) -> Vec<Diagnostic> {
    found.iter().filter(|one| counts(one, rules)).map(visible).collect()
}

/// That the file does not build, if it does not.
fn refusal(found: &[Diagnostic], rules: &LintRules, file: &SourceFile) -> Option<String> {
    let blocks = |one: &Diagnostic| rules.is_error || one.refuses();
    let name = escape(&file.filename);
    let is_refused = found.iter().any(blocks);
    is_refused.then(|| format!("{name} does not build: {}", count(found)))
}

fn drawn(found: &[Diagnostic], file: &SourceFile) -> String {
    let name = escape(&file.filename);
    let drawn = found.iter().map(|one| draw::plain(&name, file.text.as_bytes(), one) + "\n");
    drawn.collect::<Vec<_>>().join("\n")
}

/// The answer for some findings.
fn report(found: &[Diagnostic], rules: &LintRules, file: &SourceFile) -> Answer {
    let found = shown(found, rules);
    let error = refusal(&found, rules, file);
    let error = error.map(|message| BuildError { message, location: NoLocation {} });
    let status = if error.is_some() { "1" } else { "0" };
    let text = drawn(&found, file);
    let warnings = found.iter().map(warning).collect();
    let json = to_json(&Results { warnings, sources: vec![detail::info(file)], error });
    Answer::of_call(metadata(&[
        ("result.json", &json),
        ("result.txt", &text),
        ("result.statuscode", status),
        ("version", VERSION),
    ]))
}

/// `skip` takes warnings away; what stops a build would stop it all the same.
fn counts(one: &Diagnostic, rules: &LintRules) -> bool {
    one.refuses() || rules.counts(one.code.id())
}

/// The same with nothing in it that a terminal would obey.
fn visible(one: &Diagnostic) -> Diagnostic {
    let lines = |text: &str| {
        text.lines().map(|line| escape(line).into_owned()).collect::<Vec<_>>().join("\n")
    };
    Diagnostic {
        message: escape(&one.message).into_owned(),
        help: one.help.as_deref().map(lines),
        ..one.clone()
    }
}

fn warning(one: &Diagnostic) -> Warning {
    let severity = match one.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let help = one.help.iter().map(|help| format!("\nhelp: {help}"));
    Warning {
        rule_name: one.code.id().to_owned(),
        severity,
        description: one.code.title().to_owned(),
        url: one.code.url(),
        detail: format!("{severity}: {}{}", one.message, help.collect::<String>()),
        location: Location::of(one.span),
    }
}
