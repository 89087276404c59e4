//! Syntax errors in the user's words, and how to step over those that can be guessed.
//!
//! Most YAML errors in a spec are text that needs quotes: a build argument in a flow list, a colon
//! in a command, a scoped package name. Those are told apart by what stands at the place.

use granit_parser::{ErrorKind, ScanError};

use super::{FILLER, bounded};
use crate::diagnostic::{Code, Diagnostic, Position, Span};
use crate::words::quoted;

/// Characters to be overwritten so that the reading can go on.
pub(super) struct Repair {
    start: usize,
    end: usize,
}

impl Repair {
    /// The text with the place filled: as many characters, so that all positions stay.
    pub(super) fn apply(&self, text: &str) -> Option<String> {
        let replaced = text.get(self.start..self.end)?;
        if replaced.is_empty() {
            return None;
        }
        let filler: String = replaced.chars().map(|_| FILLER).collect();
        Some([text.get(..self.start)?, &filler, text.get(self.end..)?].concat())
    }
}

/// The line of an error, split at its place.
struct Place<'a> {
    at: usize,
    before: &'a str,
    after: &'a str,
    position: Position,
}

impl Place<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        let column = |bytes: usize| bounded(self.line_prefix(bytes).chars().count() + 1);
        Span {
            start: Position { line: self.position.line, column: column(start) },
            end: Position { line: self.position.line, column: column(end) },
        }
    }

    /// The part of the line up to a byte of the file.
    fn line_prefix(&self, to: usize) -> String {
        let line = format!("{}{}", self.before, self.after);
        let start = self.at - self.before.len();
        line.get(..to.saturating_sub(start)).unwrap_or(&line).to_owned()
    }

    fn here(&self) -> Span {
        Span::at(self.position.line, self.position.column)
    }
}

/// Says what a syntax error means.
pub(super) fn explain(error: &ScanError, text: &str) -> (Diagnostic, Option<Repair>) {
    let place = locate(error, text);
    for explanation in [argument_in_flow, colon_in_text, reserved_character, text_behind_value] {
        if let Some(found) = explanation(error.kind(), &place) {
            return found;
        }
    }
    (explain_plainly(error, &place), None)
}

fn locate<'a>(error: &ScanError, text: &'a str) -> Place<'a> {
    let mut at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[at..].find(['\n', '\r']).map_or(text.len(), |newline| at + newline);
    let before = &text[start..at];
    let position = Position {
        line: bounded(text[..start].matches('\n').count() + 1),
        column: bounded(before.chars().count() + 1),
    };
    Place { at, before, after: &text[at..end], position }
}

type Explanation = Option<(Diagnostic, Option<Repair>)>;

/// `[${PORT}]`: in a flow list or map, `{` opens a map.
fn argument_in_flow(kind: &ErrorKind, place: &Place<'_>) -> Explanation {
    let separator = matches!(
        kind,
        ErrorKind::ExpectedFlowSequenceSeparator | ErrorKind::ExpectedFlowMappingSeparator
    );
    if !separator || !place.before.ends_with('$') || !place.after.starts_with('{') {
        return None;
    }
    let start = place.at - 1;
    let begin = [", ", ": ", ",", "[", "{"]
        .iter()
        .filter_map(|before| Some(place.before.rfind(before)? + before.len()))
        .max()
        .unwrap_or(0);
    let (argument, whole) = flow_text(place.after);
    let end = place.at + argument;
    let word = format!("{}{}", place.before[begin..].trim_start(), place.after[..whole].trim_end());
    let message = format!(
        "{} stands in a list or map in one line, where YAML reads `{{` as a map",
        quoted(&word)
    );
    let problem = Diagnostic::error(Code::Quoting, place.span(start, end), message)
        .help(format!("quote it: \"{word}\""));
    Some((problem, Some(Repair { start, end })))
}

/// Where the last `${…}` of a text ends that begins within one, and where the text does: at what ends
/// an item of a list or map in one line.
fn flow_text(text: &str) -> (usize, usize) {
    let close = |from: usize| text[from..].find('}').map_or(text.len(), |brace| from + brace + 1);
    let (mut argument, mut at) = (close(0), close(0));
    while let Some(next) = text[at..].chars().next() {
        let rest = &text[at..];
        if rest.starts_with("${") {
            (argument, at) = (close(at), close(at));
        } else if matches!(next, ',' | ']' | '}') || rest.starts_with(" #") {
            break;
        } else {
            at += next.len_utf8();
        }
    }
    (argument, at)
}

/// `run: echo a: b`: a colon and a blank make a map.
fn colon_in_text(kind: &ErrorKind, place: &Place<'_>) -> Explanation {
    let inside = place.before.trim_start_matches([' ', '-']).contains(": ");
    if *kind != ErrorKind::MappingValueNotAllowed || !inside || !place.after.starts_with(':') {
        return None;
    }
    let problem = Diagnostic::error(
        Code::Quoting,
        place.here(),
        "`: ` in text without quotes, which YAML reads as a key and a value",
    )
    .help("put the text in quotes, or write it as a block behind `|`");
    Some((problem, Some(Repair { start: place.at, end: place.at + 1 })))
}

/// `@scope/name`, `` `x` `` and `%x`: reserved at the start of text; a lone `*` is an alias.
fn reserved_character(kind: &ErrorKind, place: &Place<'_>) -> Explanation {
    let first = place.after.chars().next()?;
    let reserved = match kind {
        ErrorKind::UnexpectedCharacter { .. } => "which YAML reserves",
        ErrorKind::MissingAnchorOrAliasName if first == '*' => "which YAML reads as an alias",
        ErrorKind::MissingAnchorOrAliasName if first == '&' => "which YAML reads as an anchor",
        _ => return None,
    };
    let length =
        place.after.find([' ', ',', ']', '}']).unwrap_or(place.after.len()).max(first.len_utf8());
    let word = place.after.get(..length)?;
    let end = place.at + length;
    let shown = quoted(&first.to_string());
    let problem = Diagnostic::error(
        Code::Quoting,
        place.span(place.at, end),
        format!("text starts with {shown}, {reserved}"),
    )
    .help(format!("quote it: \"{word}\""));
    Some((problem, Some(Repair { start: place.at, end })))
}

/// `"a" b` and `[ -f x ] && y`: a quoted text or a list ends where its bracket or quote ends.
fn text_behind_value(kind: &ErrorKind, place: &Place<'_>) -> Explanation {
    let quote = matches!(
        kind,
        ErrorKind::InvalidTrailingDoubleQuotedScalar | ErrorKind::InvalidTrailingSingleQuotedScalar
    );
    let bracket = *kind == ErrorKind::ExpectedBlockMappingKey
        && place.before.contains(": ")
        && place.before.trim_end().ends_with([']', '}']);
    if !quote && !bracket {
        return None;
    }
    let what = if quote { "a closing quote" } else { "a closing bracket" };
    let message = format!("text behind {what}: {}", quoted(place.after.trim()));
    let problem = Diagnostic::error(
        Code::Quoting,
        place.span(place.at, place.at + place.after.len()),
        message,
    )
    .help("put the whole value in quotes, or write it as a block behind `|`");
    Some((problem, None))
}

fn explain_plainly(error: &ScanError, place: &Place<'_>) -> Diagnostic {
    let (message, help) = match error.kind() {
        ErrorKind::UnclosedFlowCollection { open } => (
            format!("{} is never closed", quoted(&open.to_string())),
            "close it, or put text that starts with it in quotes",
        ),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => (
            format!("{} closed with {}", quoted(&open.to_string()), quoted(&close.to_string())),
            "close each bracket with its own kind",
        ),
        kind => match explain_kind(kind) {
            Some((message, help)) => (message.to_owned(), help),
            None => (
                error.info(),
                "put text with `: `, ` #`, brackets or quotes in it in quotes, or write it as a block behind `|`",
            ),
        },
    };
    Diagnostic::error(Code::NotYaml, place.here(), message).help(help)
}

fn explain_kind(kind: &ErrorKind) -> Option<(&'static str, &'static str)> {
    use ErrorKind as Kind;
    Some(match kind {
        Kind::UnclosedQuotedScalar => {
            ("a quote that is never closed", "close it, or write the text as a block behind `|`")
        }
        Kind::TabInBlockIndentation
        | Kind::TabInIndentation
        | Kind::TabNotAllowed
        | Kind::TabInPlainScalar
        | Kind::TabAtBlockScalarStart => ("a tab where YAML wants blanks", "indent with blanks"),
        Kind::UnknownQuotedScalarEscape => (
            "an unknown escape in double quotes",
            "double the `\\`, or use single quotes, where nothing is escaped",
        ),
        Kind::MappingValueNotAllowed
        | Kind::ExpectedBlockMappingKey
        | Kind::InvalidIndentation
        | Kind::ExpectedBlockSequenceEntry => (
            "this line does not fit to the indentation above it",
            "start keys of one map, and the `-` of one list, in the same column",
        ),
        Kind::SimpleKeyExpected | Kind::InvalidSimpleKey => (
            "a key without its `:`",
            "write `key: value`; a command of several lines stands behind `|`",
        ),
        Kind::InvalidColonPlacement => (
            "a `:` in a list or map that was opened above and not closed",
            "close the bracket, or put text that starts with one in quotes",
        ),
        Kind::DirectiveDisallowed => {
            ("a `%` directive, which is not part of the language", "remove the line")
        }
        Kind::BomInsideDocument => ("a byte-order mark in the middle of the file", "remove it"),
        Kind::CommentNotSeparated => {
            ("`#` directly behind a value", "write a blank before a comment, or quote the text")
        }
        _ => return None,
    })
}
