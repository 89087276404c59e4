//! The details of a failure: BuildKit's typed errors inside a `google.rpc.Status`.
//!
//! Each travels as an `Any` whose value is JSON as Go's encoder writes the message, not protobuf
//! (util/grpcerrors/grpcerrors.go), so serde describes them here. Unknown details are never
//! decoded and pass through as they are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::diagnostic::Span;
use crate::proto::{Status, google::protobuf::Any, pb};

const SOURCE: &str = "github.com/moby/buildkit/errdefs.Source+json";
const VERTEX: &str = "github.com/moby/buildkit/errdefs.Vertex+json";
const SOLVE: &str = "github.com/moby/buildkit/errdefs.Solve+json";
const SUBREQUEST: &str = "github.com/moby/buildkit/errdefs.Subrequest+json";

/// Details travel in the trailers of HTTP/2, which clients refuse when they get large: of a larger
/// file than this, only the lines around a mistake go along.
const MOST_DATA: usize = 64 << 10;
/// Lines before and after; clients show fewer.
const AROUND: usize = 10;
/// Characters of one line.
const MOST_LINE: usize = 1_000;

/// A file that errors can point into, usually the spec.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceFile {
    /// As the user named it.
    pub filename: String,
    /// All of it: the client cuts the excerpt.
    pub text: String,
    /// `YAML` or `Dockerfile`.
    pub language: String,
    /// How the builder got the file, for clients that open it themselves.
    pub definition: Option<pb::Definition>,
}

/// Lines of a file that a failure is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The file.
    #[serde(default)]
    pub info: SourceInfo,
    /// The places in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Range>,
}

/// A file as a client gets to see it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceInfo {
    /// Its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub filename: String,
    /// Its text, in base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub data: String,
    /// Where it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Definition>,
    /// What it is written in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub language: String,
}

/// The vertices of a definition, in base64. The rest of it is left out: no client reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The vertices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub def: Vec<String>,
}

/// A stretch of lines, both ends included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The first place.
    #[serde(default)]
    pub start: Position,
    /// The last place.
    #[serde(default)]
    pub end: Position,
}

/// A place; lines and characters from 1, 0 is left out as Go does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The line.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub line: u32,
    /// The column.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub character: u32,
}

/// What the builder knows about a step that failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Solve {
    /// Descriptions of the step, such as `llb.customname`.
    pub description: std::collections::BTreeMap<String, String>,
    /// The action of a file step that failed.
    pub file: Option<FileAction>,
    /// The step itself.
    pub op: Op,
}

/// As much of a step as failures are told apart by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Op {
    /// What it runs on.
    pub platform: Option<OpPlatform>,
}

/// A platform as the wire's JSON has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct OpPlatform {
    /// The operating system.
    #[serde(rename = "OS")]
    pub os: String,
    /// The processor.
    pub architecture: String,
    /// Its kind.
    pub variant: String,
}

/// Points to one action of a file step. Go writes the index as text and leaves out zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct FileAction {
    /// From 0.
    pub index: String,
}

#[derive(Deserialize)]
struct Vertex {
    #[serde(default)]
    digest: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The files and lines that a failure names, in the order of the details.
#[must_use]
pub fn sources(status: &Status) -> Vec<Source> {
    decode(status, SOURCE).collect()
}

/// The digest of the step that failed.
#[must_use]
pub fn vertex(status: &Status) -> Option<String> {
    decode::<Vertex>(status, VERTEX).map(|vertex| vertex.digest).find(|digest| !digest.is_empty())
}

/// What the builder says about the step that failed.
#[must_use]
pub fn solve(status: &Status) -> Option<Solve> {
    decode(status, SOLVE).next()
}

fn decode<'a, T: Deserialize<'a>>(
    status: &'a Status,
    kind: &'static str,
) -> impl Iterator<Item = T> {
    let details = status.details.iter().filter(move |detail| detail.type_url == kind);
    details.filter_map(|detail| serde_json::from_slice(&detail.value).ok())
}

/// A file as a client gets to see it.
#[must_use]
pub fn info(file: &SourceFile) -> SourceInfo {
    let definition = file.definition.as_ref().map(|definition| Definition {
        def: definition.def.iter().map(|vertex| STANDARD.encode(vertex)).collect(),
    });
    SourceInfo {
        filename: file.filename.clone(),
        data: STANDARD.encode(&file.text),
        definition,
        language: file.language.clone(),
    }
}

/// Lines of a file as a detail, so that the client shows an excerpt.
pub(super) fn of_source(file: &SourceFile, span: Span) -> Any {
    let mut info = info(file);
    if file.text.len() > MOST_DATA {
        info.data = STANDARD.encode(lines_around(&file.text, span.start.line));
    }
    encode(SOURCE, &Source { info, ranges: vec![range(span)] })
}

/// The lines around one, at their numbers: all others are empty.
fn lines_around(text: &str, line: u32) -> String {
    let line = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
    let first = line.saturating_sub(AROUND);
    let mut around = String::new();
    for (index, content) in text.lines().enumerate().take(line.saturating_add(AROUND + 1)) {
        if index >= first {
            around.extend(content.chars().take(MOST_LINE));
        }
        around.push('\n');
        if around.len() > MOST_DATA {
            break;
        }
    }
    around
}

/// Says that a call (`--call=…`) is one that this frontend does not know.
pub(super) fn of_subrequest(name: &str) -> Any {
    encode(SUBREQUEST, &serde_json::json!({ "name": name }))
}

fn encode(kind: &str, value: &impl Serialize) -> Any {
    let value = serde_json::to_vec(value).expect("texts and numbers are always JSON");
    Any { type_url: kind.to_owned(), value }
}

/// A span ends before its end, a range at its end: a span that ends before the first character of
/// a line does not hold that line, and the client would mark it.
#[must_use]
pub fn range(span: Span) -> Range {
    let start = Position { line: span.start.line, character: span.start.column };
    let mut end = Position { line: span.end.line, character: span.end.column };
    if end.character <= 1 && end.line > start.line {
        end = Position { line: end.line - 1, character: 0 };
    }
    Range { start, end: if end.line < start.line { start } else { end } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Position as Place;

    fn span(lines: (u32, u32), columns: (u32, u32)) -> Span {
        Span {
            start: Place { line: lines.0, column: columns.0 },
            end: Place { line: lines.1, column: columns.1 },
        }
    }

    fn file(text: &str) -> SourceFile {
        SourceFile {
            filename: "app.yaml".to_owned(),
            text: text.to_owned(),
            language: "YAML".to_owned(),
            definition: None,
        }
    }

    fn status(details: Vec<Any>) -> Status {
        Status { code: 2, message: String::new(), details }
    }

    #[test]
    fn a_source_is_the_json_that_go_reads() {
        let mut file = file("a: 1\n");
        file.definition = Some(pb::Definition { def: vec![vec![1, 2]], ..Default::default() });
        let any = of_source(&file, span((7, 7), (4, 20)));
        assert_eq!(any.type_url, "github.com/moby/buildkit/errdefs.Source+json");
        assert_eq!(
            String::from_utf8(any.value).unwrap(),
            r#"{"info":{"filename":"app.yaml","data":"YTogMQo=","definition":{"def":["AQI="]},"#
                .to_owned()
                + r#""language":"YAML"},"ranges":[{"start":{"line":7,"character":4},"#
                + r#""end":{"line":7,"character":20}}]}"#
        );
    }

    #[test]
    fn reads_back_what_it_wrote() {
        let sources = sources(&status(vec![of_source(&file("x"), Span::at(3, 9))]));
        assert_eq!(sources.len(), 1);
        assert_eq!(sources[0].info.filename, "app.yaml");
        assert_eq!(sources[0].ranges[0].start, Position { line: 3, character: 9 });
    }

    #[test]
    fn a_span_that_ends_at_the_start_of_a_line_does_not_mark_it() {
        for (given, start, end) in [
            (span((2, 3), (1, 1)), (2, 1), (2, 0)),
            (span((2, 4), (1, 5)), (2, 1), (4, 5)),
            (span((2, 2), (1, 1)), (2, 1), (2, 1)),
            (span((5, 2), (3, 1)), (5, 3), (5, 3)),
        ] {
            let range = range(given);
            assert_eq!((range.start.line, range.start.character), start, "{given:?}");
            assert_eq!((range.end.line, range.end.character), end, "{given:?}");
        }
    }

    #[test]
    fn reads_what_buildkit_says_about_a_failed_step() {
        let solve_json = br#"{"inputIDs":["a"],"mountIDs":["b",""],"op":{"exec":{}},
            "file":{"index":"2"},"description":{"llb.customname":"[build 2/4] RUN npm ci"}}"#;
        let status = status(vec![
            Any { type_url: "type.googleapis.com/other".to_owned(), value: vec![1] },
            Any { type_url: VERTEX.to_owned(), value: br#"{"digest":"sha256:ab"}"#.to_vec() },
            Any { type_url: SOLVE.to_owned(), value: solve_json.to_vec() },
        ]);
        assert_eq!(vertex(&status).as_deref(), Some("sha256:ab"));
        let solve = solve(&status).unwrap();
        assert_eq!(solve.description["llb.customname"], "[build 2/4] RUN npm ci");
        assert_eq!(solve.file.unwrap().index, "2");
        assert!(sources(&status).is_empty());
    }

    #[test]
    fn passes_over_details_that_are_broken() {
        for value in ["", "{", "[]", "null", r#"{"digest":7}"#] {
            let value = value.as_bytes().to_vec();
            let any = |kind: &str| Any { type_url: kind.to_owned(), value: value.clone() };
            let status = status(vec![any(SOURCE), any(VERTEX), any(SOLVE)]);
            assert_eq!(vertex(&status), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_detail_is_too_much(value: Vec<u8>, text in r#"\PC{0,80}|[{}\[\]",:a-z0-9]{0,80}"#) {
            for value in [value, text.into_bytes()] {
                let any = |kind: &str| Any { type_url: kind.to_owned(), value: value.clone() };
                let status = status(vec![any(SOURCE), any(VERTEX), any(SOLVE)]);
                let _ = (sources(&status), vertex(&status), solve(&status));
            }
        }
    }
}
