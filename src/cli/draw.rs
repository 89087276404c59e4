//! One diagnostic with the line it is about, drawn for a terminal.
//!
//! What is shown of a file is harmless to a terminal and bounded: control characters are escaped,
//! and of a long line only what surrounds the place is shown.

use std::io::IsTerminal as _;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Position, Severity};
use crate::words;

/// How many characters of a line are shown before the place.
const BEFORE: usize = 80;
/// How many characters are shown from the place on.
const AFTER: usize = 120;

/// Draws a diagnostic, without a line feed at the end.
pub(super) fn draw(name: &str, bytes: &[u8], diagnostic: &Diagnostic) -> String {
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
    draw_with(&renderer, name, bytes, diagnostic)
}

/// Draws a diagnostic for a reader of which nothing is known, without colours.
pub(crate) fn plain(name: &str, bytes: &[u8], diagnostic: &Diagnostic) -> String {
    draw_with(&Renderer::plain(), name, bytes, diagnostic)
}

fn draw_with(renderer: &Renderer, name: &str, bytes: &[u8], diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let start = diagnostic.span.start;
    let excerpt = excerpt(bytes, start, diagnostic.span.end);
    let snippet = Snippet::source(excerpt.line.as_str())
        .line_start(start.line as usize)
        .annotation(AnnotationKind::Primary.span(excerpt.start..excerpt.end));
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.id());
    // The snippet counts columns in what is shown; where that is not the line as it is, the place
    // is said apart.
    let mut group = if excerpt.whole {
        title.element(snippet.path(name))
    } else {
        let origin = Origin::path(name).line(start.line as usize);
        title.element(origin.char_column(start.column as usize)).element(snippet)
    };
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    renderer.render(&[group])
}

/// A line as it is shown, and the bytes of it that are meant.
struct Excerpt {
    line: String,
    /// Whether all characters of the line are shown, each as one.
    whole: bool,
    start: usize,
    end: usize,
}

fn excerpt(bytes: &[u8], start: Position, end: Position) -> Excerpt {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let line = bytes.split(|byte| *byte == b'\n').nth(start.line as usize - 1).unwrap_or_default();
    let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line));
    let first = (start.column as usize - 1).saturating_sub(BEFORE);
    let until = if end.line > start.line { usize::MAX } else { end.column as usize - 1 };
    let mut excerpt = Excerpt { line: String::new(), whole: false, start: 0, end: 0 };
    if first > 0 {
        excerpt.line.push('…');
    }
    for (column, character) in line.chars().enumerate().skip(first) {
        if column == start.column as usize - 1 {
            excerpt.start = excerpt.line.len();
        }
        if column >= start.column as usize - 1 + AFTER {
            excerpt.line.push('…');
            break;
        }
        match character {
            '\t' => excerpt.line.push(' '),
            character => excerpt.line.push_str(&words::escaped(character.encode_utf8(&mut [0; 4]))),
        }
        if column < until {
            excerpt.end = excerpt.line.len();
        }
    }
    let length = line.chars().count();
    if start.column as usize > length {
        excerpt.start = excerpt.line.len();
    }
    excerpt.end = excerpt.end.max(excerpt.start);
    let inside = start.column as usize <= length + 1;
    excerpt.whole = inside && first == 0 && excerpt.line.chars().count() == length;
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Code, Span};

    fn drawn(text: &str, start: (u32, u32), end: (u32, u32)) -> String {
        let position = |(line, column)| Position { line, column };
        let span = Span { start: position(start), end: position(end) };
        let diagnostic =
            Diagnostic::error(Code::UnknownKey, span, "what is wrong").help("what to write");
        draw_with(&Renderer::plain(), "a.yaml", text.as_bytes(), &diagnostic)
    }

    #[test]
    fn shows_the_line_and_the_place() {
        let expected = "\
error[SPEC-01]: what is wrong
 --> a.yaml:2:3
  |
2 | b: ä
  |   ^^
  |
  = help: what to write";
        let found = drawn("\u{feff}a: 1\nb: ä\n", (2, 3), (2, 5));
        assert_eq!(found, expected, "{found}");
    }

    #[test]
    fn shows_nothing_that_a_terminal_would_obey() {
        for text in ["a: \u{1b}[2J", "a: \u{9b}2J", "a: b\u{202e}c", "a: b\u{7}c\0"] {
            let found = drawn(text, (1, 4), (1, 5));
            assert!(
                found
                    .chars()
                    .all(|character| character == '\n' || !words::is_unprintable(character)),
                "{found:?}"
            );
        }
    }

    #[test]
    fn shows_a_part_of_a_long_line() {
        let found = drawn(
            &format!("{}X{}", "a".repeat(500_000), "b".repeat(500_000)),
            (1, 500_001),
            (1, 500_002),
        );
        assert!(found.len() < 1_000, "{}", found.len());
        assert!(found.contains("aX") && found.contains("Xb"), "{found}");
    }

    #[test]
    fn places_at_and_behind_the_end_are_shown() {
        for (text, start, end) in [
            ("", (1, 1), (1, 1)),
            ("a", (1, 2), (1, 2)),
            ("a\n", (2, 1), (2, 1)),
            ("a: b\nc", (1, 4), (2, 2)),
            ("a", (7, 9), (7, 9)),
        ] {
            let found = drawn(text, start, end);
            assert!(found.contains(&format!("a.yaml:{}:{}", start.0, start.1)), "{found}");
        }
    }
}
