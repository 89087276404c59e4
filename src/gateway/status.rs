//! What a build is refused with: diagnostics → the `google.rpc.Status` that a frontend returns.
//!
//! The text lists every mistake with its place, since some clients show nothing else. Each place
//! also goes along as a source detail, from which buildx and buildctl draw excerpts; a failure
//! without any is shown at the line of the syntax directive, wherever the mistake is
//! (frontend/dockerfile/builder/build.go), so `point_at` gives one to failures that have none.
//! Words of the user are shown with control characters escaped.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::detail::{self, SourceFile};
use crate::diagnostic::{Code, Diagnostic, Severity, Span};
use crate::proto::Status;
use crate::words::{escaped, is_unprintable};

/// Unknown: clients print the name of every other code before the message.
const UNKNOWN: i32 = 2;
/// Makes buildx fall back for calls that a frontend does not have.
const UNIMPLEMENTED: i32 = 12;

/// Beyond these a list is cut and says so.
const MOST_DIAGNOSTICS: usize = 100;
const MOST_EXCERPTS: usize = 30;
/// Each excerpt carries the whole file; clients take 16 MiB of details, base64 twice over.
const MOST_EXCERPT_BYTES: usize = 2 << 20;
/// Of one message or help.
const MOST_CHARACTERS: usize = 2_000;

/// Refuses a build because of what the user wrote. Without `file`, places are left out.
#[must_use]
pub fn refusal(file: Option<&SourceFile>, diagnostics: &[Diagnostic]) -> Status {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| (diagnostic.span, diagnostic.code));
    let mut status = failure(list(file, &sorted));
    if let Some(file) = file {
        let most = (MOST_EXCERPT_BYTES / file.text.len().max(1)).clamp(1, MOST_EXCERPTS);
        let mut spans: Vec<Span> = Vec::new();
        for diagnostic in sorted.iter().filter(|one| one.refuses()) {
            let shown = |span: &Span| span.start.line == diagnostic.span.start.line;
            if spans.len() < most && !spans.iter().any(shown) {
                spans.push(diagnostic.span);
            }
        }
        // The client unwraps them from the outside in, so that the last one is shown first.
        status.details =
            spans.into_iter().rev().map(|span| detail::of_source(file, span)).collect();
    }
    status
}

/// A failure that is no mistake of the user, without a place.
pub fn failure(message: impl Into<String>) -> Status {
    Status { code: UNKNOWN, message: message.into(), details: Vec::new() }
}

/// The answer to a call (`--call=…`) that this frontend does not have, with what to write instead.
#[must_use]
pub fn unknown_call(name: &str, help: &str) -> Status {
    Status {
        code: UNIMPLEMENTED,
        message: format!("hardpan has no call {:?}: {help}", escape(name)),
        details: vec![detail::of_subrequest(name)],
    }
}

/// Gives a failure a place if it has none; everything that it says itself stays.
#[must_use]
pub fn point_at(mut status: Status, file: &SourceFile, span: Span) -> Status {
    if detail::sources(&status).is_empty() {
        status.details.push(detail::of_source(file, span));
    }
    status
}

fn list(file: Option<&SourceFile>, sorted: &[&Diagnostic]) -> String {
    let mut text = String::new();
    if sorted.len() > 1 {
        let name = file.map_or(Cow::Borrowed("the build"), |file| escape(&file.filename));
        let _ = writeln!(text, "{} in {name}", count(sorted));
    }
    for diagnostic in sorted.iter().take(MOST_DIAGNOSTICS) {
        describe(&mut text, file, diagnostic);
    }
    if sorted.len() > MOST_DIAGNOSTICS {
        let _ = writeln!(text, "and {} more", sorted.len() - MOST_DIAGNOSTICS);
    }
    text.truncate(text.trim_end().len());
    text
}

fn count(diagnostics: &[&Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|one| one.refuses()).count();
    let say = |number: usize, word: &str| match number {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{number} {word}s")),
    };
    let parts = [say(errors, "error"), say(diagnostics.len() - errors, "warning")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn describe(text: &mut String, file: Option<&SourceFile>, diagnostic: &Diagnostic) {
    let Diagnostic { code, severity, span, message, help } = diagnostic;
    // What is wrong with an option or with the builder has no place in the file, unless a step of
    // it needs what the builder lacks.
    let is_elsewhere = ["OPT-", "BLD-"].iter().any(|family| code.id().starts_with(family))
        || *code == Code::ContextNotFetched;
    let is_step = matches!(code, Code::StepFailed | Code::ForeignProgram | Code::MissingSecret)
        || (*code == Code::OldBuilder && *span != Span::START);
    let is_in_file = is_step || !is_elsewhere;
    if let Some(file) = file.filter(|_| is_in_file) {
        let name = escape(&file.filename);
        let _ = write!(text, "{name}:{}:{}: ", span.start.line, span.start.column);
    }
    let severity = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let _ = writeln!(text, "{severity}[{code}]: {}", escape(&cut(message)));
    if let Some(help) = help {
        for (number, line) in cut(help).lines().enumerate() {
            let lead = if number == 0 { "  help: " } else { "        " };
            let _ = writeln!(text, "{lead}{}", escape(line));
        }
    }
}

fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Makes characters visible that would move the cursor, change colours or reorder a terminal's
/// line: a spec may come from anybody.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if text.contains(is_unprintable) { Cow::Owned(escaped(text)) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Position;

    fn file() -> SourceFile {
        SourceFile {
            filename: "hardpan.yaml".to_owned(),
            text: "base: node:24\nentrpoint: [node]\nuser: root\n".to_owned(),
            language: "YAML".to_owned(),
            definition: None,
        }
    }

    fn unknown_key() -> Diagnostic {
        Diagnostic::error(Code::UnknownKey, Span::at(2, 1), r#"unknown key "entrpoint""#)
            .help("write `entrypoint`")
    }

    fn lines_of(status: &Status) -> Vec<u32> {
        let sources = detail::sources(status);
        sources.iter().map(|source| source.ranges[0].start.line).collect()
    }

    #[test]
    fn one_mistake_is_one_line_and_its_help() {
        let status = refusal(Some(&file()), &[unknown_key()]);
        assert_eq!(
            status.message,
            "hardpan.yaml:2:1: error[SPEC-01]: unknown key \"entrpoint\"\n  help: write `entrypoint`"
        );
        assert_eq!(status.code, 2);
        assert_eq!(lines_of(&status), [2]);
    }

    #[test]
    fn several_mistakes_are_listed_in_the_order_of_the_file() {
        let root = Diagnostic::error(Code::RootUser, Span::at(3, 7), "root as user");
        let late = Diagnostic::warning(Code::EndOfLife, Span::at(1, 7), "node 24 ends soon");
        let status = refusal(Some(&file()), &[root, unknown_key(), late]);
        assert_eq!(
            status.message,
            "2 errors, 1 warning in hardpan.yaml\n\
             hardpan.yaml:1:7: warning[REF-07]: node 24 ends soon\n\
             hardpan.yaml:2:1: error[SPEC-01]: unknown key \"entrpoint\"\n  \
             help: write `entrypoint`\n\
             hardpan.yaml:3:7: error[SPEC-11]: root as user"
        );
        assert_eq!(lines_of(&status), [3, 2], "shown from the last to the first");
    }

    #[test]
    fn two_mistakes_of_a_line_share_an_excerpt() {
        let other = Diagnostic::error(Code::WrongType, Span::at(2, 12), "a list is needed");
        assert_eq!(lines_of(&refusal(Some(&file()), &[unknown_key(), other])), [2]);
    }

    #[test]
    fn a_mistake_in_an_option_has_no_place_in_the_text() {
        let option = Diagnostic::error(Code::InvalidOption, Span::START, "platform \"x\"");
        let status = refusal(Some(&file()), std::slice::from_ref(&option));
        assert_eq!(status.message, "error[OPT-01]: platform \"x\"");
        assert_eq!(lines_of(&status), [1]);
        assert_eq!(refusal(None, &[option]).details.len(), 0);
    }

    #[test]
    fn a_thousand_mistakes_stay_readable_and_small() {
        let many: Vec<Diagnostic> = (1..=1000)
            .map(|line| Diagnostic::error(Code::UnknownKey, Span::at(line, 1), "unknown key"))
            .collect();
        let mut large = file();
        large.text = "x\n".repeat(500_000);
        let status = refusal(Some(&large), &many);
        assert!(status.message.starts_with("1000 errors in hardpan.yaml\n"));
        assert!(status.message.ends_with("\nand 900 more"));
        let bytes: usize = status.details.iter().map(|detail| detail.value.len()).sum();
        assert!((1..4 << 20).contains(&bytes), "{bytes}");
        assert_eq!(refusal(Some(&file()), &many).details.len(), MOST_EXCERPTS);
    }

    #[test]
    fn words_of_the_user_cannot_drive_the_terminal() {
        let message = format!("unknown key {:?}", "a");
        let nasty = "\u{1b}[31mred\u{7}\nfake: error\u{202e}";
        let diagnostic = Diagnostic::error(Code::UnknownKey, Span::at(1, 1), message + nasty)
            .help("first\nsecond\u{1b}[0m");
        let text = refusal(Some(&file()), &[diagnostic]).message;
        let expected = "hardpan.yaml:1:1: error[SPEC-01]: unknown key \"a\"\\u{1b}[31mred\\u{7}\
             \\nfake: error\\u{202e}\n  help: first\n        second\\u{1b}[0m";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let long = "ü".repeat(5_000);
        let text = refusal(None, &[Diagnostic::error(Code::NotYaml, Span::START, long)]).message;
        assert_eq!(text.chars().filter(|&c| c == 'ü').count(), MOST_CHARACTERS);
        assert!(text.ends_with('…'));
    }

    #[test]
    fn a_failure_gets_a_place_only_if_it_has_none() {
        let place =
            Span { start: Position { line: 2, column: 1 }, end: Position { line: 2, column: 4 } };
        let pointed = point_at(failure("it broke"), &file(), place);
        assert_eq!(lines_of(&pointed), [2]);
        assert_eq!(point_at(pointed.clone(), &file(), Span::at(3, 1)), pointed);
    }

    #[test]
    fn an_unknown_call_is_told_so_that_clients_understand() {
        let status = unknown_call("frontend.x", "there are others");
        assert_eq!(status.code, 12);
        assert_eq!(status.details[0].value, br#"{"name":"frontend.x"}"#);
    }
}
