//! `frontend.subrequests.describe`: the calls that there are.

use serde::Serialize;

use super::columns::columns;
use super::{SCHEMA, VERSION, in_both_forms, lint, outline, plan, targets, to_json};
use crate::frontend::reports;
use crate::result::Answer;

pub(super) const NAME: &str = "frontend.subrequests.describe";

/// A call, as BuildKit describes its own (frontend/subrequests/types.go).
#[derive(Debug, Serialize)]
struct Request {
    name: &'static str,
    version: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    description: &'static str,
    opts: Vec<Named>,
    inputs: Vec<Named>,
    metadata: Vec<Named>,
    refs: Vec<Named>,
}

#[derive(Debug, Serialize)]
struct Named {
    name: &'static str,
    description: &'static str,
}

const TARGET: (&str, &str) = ("target", "The app; without it the first one");
const TARGET_TO_CHECK: (&str, &str) = ("target", "The app; without it all of them");
const BOTH: &[&str] = &["result.json", "result.txt"];

type Row = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const CALLS: [Row; 8] = [
    (
        lint::NAME,
        lint::VERSION,
        "Report everything that needs no build to be found",
        &[TARGET_TO_CHECK],
    ),
    (outline::NAME, VERSION, "List arguments, secrets and ssh agents of an app", &[TARGET]),
    (targets::NAME, VERSION, "List the apps of a file", &[]),
    (plan::PLAN, VERSION, "Show what a build would do, and the image's config", &[TARGET]),
    (plan::LLB, VERSION, "Show the graph that a build would run", &[TARGET]),
    (reports::CALL, VERSION, "Inspect the image and report what was found", &[TARGET]),
    (SCHEMA, VERSION, "Print the JSON Schema of a spec", &[]),
    (NAME, VERSION, "List available subrequest types", &[]),
];

/// The calls by the names that `--call` takes, which has one of its own for lint.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    CALLS.iter().map(|(name, ..)| match *name {
        lint::NAME => "check",
        name => name.strip_prefix("frontend.").unwrap_or(name),
    })
}

pub(super) fn answer() -> Answer {
    let named = |&(name, description): &(_, _)| Named { name, description };
    let requests = CALLS.iter().map(|&(name, version, description, opts)| Request {
        name,
        version,
        kind: "rpc",
        description,
        opts: opts.iter().map(named).collect(),
        inputs: Vec::new(),
        metadata: metadata_of(name).map(|name| Named { name, description: "" }).collect(),
        refs: Vec::new(),
    });
    let json = to_json(&requests.collect::<Vec<_>>());
    let head = ["NAME", "VERSION", "DESCRIPTION"].map(str::to_owned).to_vec();
    let rows = CALLS.iter().map(|(name, version, description, _)| {
        [name.trim_start_matches("frontend."), version, description].map(str::to_owned).to_vec()
    });
    let rows: Vec<Vec<String>> = [head].into_iter().chain(rows).collect();
    in_both_forms(VERSION, &json, &columns(&rows, 1))
}

fn metadata_of(call: &str) -> impl Iterator<Item = &'static str> {
    let has_status = [lint::NAME, reports::CALL].contains(&call);
    let status: &[&str] = if has_status { &["result.statuscode"] } else { &[] };
    BOTH.iter().chain(status).copied()
}
