//! Where a stage of a Dockerfile starts, as Docker's own list of targets says it.

use serde::Deserialize;

use crate::diagnostic::Span;
use crate::gateway::detail::Range;

/// The answer to `frontend.targets` (frontend/subrequests/targets).
#[derive(Debug, Deserialize)]
struct Targets {
    #[serde(default)]
    targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Target {
    name: String,
    default: bool,
    location: Option<Location>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Location {
    ranges: Vec<Range>,
}

/// The first line of the stage that a target means: its name in any case, or its number.
pub(super) fn place(json: &[u8], target: Option<&str>) -> Option<Span> {
    let Targets { targets } = serde_json::from_slice(json).ok()?;
    let named = target.filter(|name| !name.is_empty()).and_then(|name| {
        let by_name = targets.iter().rev().find(|one| one.name.eq_ignore_ascii_case(name));
        by_name.or_else(|| targets.get(name.parse::<usize>().ok()?))
    });
    let stage = named.or_else(|| targets.iter().find(|one| one.default)).or(targets.last())?;
    let line = stage.location.as_ref()?.ranges.first()?.start.line;
    (line > 0).then(|| Span::at(line, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &[u8] = br#"{"targets": [
        {"name": "build", "base": "node:24-dev",
         "location": {"ranges": [{"start": {"line": 2}, "end": {"line": 2}}]}},
        {"base": "build", "location": {"sourceIndex": 0, "ranges": [{"start": {"line": 5}}]}},
        {"name": "app", "default": true, "location": {"ranges": [{"start": {"line": 9}}]}}
    ], "sources": ["Rk9N"]}"#;

    #[test]
    fn finds_the_stage_that_is_built() {
        for (target, line) in [
            (None, 9),
            (Some(""), 9),
            (Some("app"), 9),
            (Some("BUILD"), 2),
            (Some("1"), 5),
            (Some("gone"), 9),
        ] {
            assert_eq!(place(JSON, target), Some(Span::at(line, 1)), "{target:?}");
        }
    }

    #[test]
    fn an_answer_that_says_nothing_gives_no_place() {
        for json in ["", "{}", "[]", "null", r#"{"targets":[]}"#, r#"{"targets":[{}]}"#] {
            assert_eq!(place(json.as_bytes(), None), None, "{json}");
        }
        let zero = br#"{"targets":[{"default":true,"location":{"ranges":[{"start":{}}]}}]}"#;
        assert_eq!(place(zero, None), None);
    }
}
