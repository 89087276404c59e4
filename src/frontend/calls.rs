//! Calls: what a client asks without building (`docker buildx build --call=…`).
//!
//! Each answer is JSON for programs and text for people, under the keys that BuildKit's own calls
//! use (frontend/subrequests). buildx asks an old docker/dockerfile, which would read a spec as a
//! Dockerfile, if a frontend does not know lint, outline or targets.

mod columns;
mod describe;
mod findings;
pub(crate) mod lint;
mod outline;
pub(super) mod plan;
mod targets;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::context::Loaded;
use crate::diagnostic::{Diagnostic, Span};
use crate::frontend::{Failure, prepare};
use crate::gateway::{Gateway, detail};
use crate::options::Options;
use crate::result::Answer;
use crate::spec::{Parsed, schema};
use crate::words::{listed, nearest, quoted};

/// The version of answers that are exactly what BuildKit defines.
const VERSION: &str = "1.0.0";

/// What a call is answered from.
pub(super) struct Call<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) options: &'a Options,
    pub(super) loaded: &'a Loaded,
    /// What is wrong with the options.
    pub(super) mistakes: Vec<Diagnostic>,
}

impl Call<'_> {
    /// The spec, for answers that make no sense without one.
    fn parse(&self) -> Result<Parsed, Failure> {
        prepare::parse(self.loaded, self.options, self.mistakes.clone())
    }
}

/// Answers a call.
pub(super) async fn answer(call: &Call<'_>, name: &str) -> Result<Answer, Failure> {
    match name {
        describe::NAME => Ok(describe::answer()),
        lint::NAME => lint::answer(call).await,
        outline::NAME => outline::answer(call),
        targets::NAME => targets::answer(call),
        SCHEMA => Ok(in_both_forms(VERSION, &schema::json(), &schema::json())),
        _ => Err(Failure::UnknownCall(name.to_owned(), others(name))),
    }
}

/// What to write instead of a call that does not exist, as `--call` takes it.
fn others(name: &str) -> String {
    let calls: Vec<&str> = describe::names().collect();
    let written = name.strip_prefix("frontend.").unwrap_or(name);
    let near = nearest(written, calls.iter().copied());
    let near = near.map(|near| format!("did you mean {}? ", quoted(near))).unwrap_or_default();
    format!("{near}the calls are {}", listed(calls))
}

/// The call for the JSON Schema of a spec.
const SCHEMA: &str = "frontend.schema";

/// An answer of JSON and text.
fn in_both_forms(version: &str, json: &str, text: &str) -> Answer {
    Answer::of_call(metadata(&[("result.json", json), ("result.txt", text), ("version", version)]))
}

fn metadata(entries: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), value.as_bytes().to_vec());
    entries.iter().map(owned).collect()
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("texts and numbers are always JSON")
}

/// A place in the one file that an answer is about.
#[derive(Debug, Serialize)]
struct Location {
    ranges: Vec<detail::Range>,
}

impl Location {
    fn of(span: Span) -> Self {
        Self { ranges: vec![detail::range(span)] }
    }
}

/// `2 errors, 1 warning`.
fn count(found: &[Diagnostic]) -> String {
    let errors = found.iter().filter(|one| one.refuses()).count();
    let say = |number: usize, word: &str| match number {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{number} {word}s")),
    };
    let parts = [say(errors, "error"), say(found.len() - errors, "warning")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
