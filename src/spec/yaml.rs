//! Bytes → positioned tree. The only module that knows the YAML parser.
//!
//! The parser's events are read directly, not through serde: only they tell a repeated key, an
//! alias without an anchor (`*.json`) or an absent value with its place, and go on after each.
//! Bounded: size, values and depth have limits, and nothing here recurses. A syntax error that can
//! be guessed (`[${PORT}]`) is reported and stepped over, so that the next ones are found too.

mod build;
mod quoting;
mod syntax;

use super::tree::Node;
use crate::diagnostic::{Code, Diagnostic, Span};

/// The largest file that is read, in bytes: far above any spec, low enough to stay fast.
pub const MAX_BYTES: usize = 1 << 20;
/// How many values a file may hold.
const MAX_NODES: usize = 20_000;
/// How deep values may stand in each other; the language needs six.
const MAX_DEPTH: usize = 32;
/// How many syntax errors are stepped over.
const MAX_REPAIRS: usize = 16;
/// Stands for what was stepped over; from a private area of Unicode, so that no message quotes it.
const FILLER: char = '\u{F8FF}';

/// What was read of a file.
#[derive(Debug)]
pub(super) struct Document {
    /// The tree, unless the file cannot be understood as YAML.
    pub(super) root: Option<Node>,
    /// What is wrong with it.
    pub(super) problems: Vec<Diagnostic>,
}

/// Reads a file.
pub(super) fn read(bytes: &[u8]) -> Document {
    match decode_text(bytes) {
        Ok(text) => read_text(text),
        Err(problem) => Document { root: None, problems: vec![problem] },
    }
}

fn read_text(text: &str) -> Document {
    let mut repaired = text.to_owned();
    let mut syntax_errors = Vec::new();
    loop {
        let attempt = build::build(&repaired, !syntax_errors.is_empty());
        let Some(error) = attempt.error else {
            let problems = syntax_errors.into_iter().chain(attempt.problems).collect();
            return Document { root: attempt.root, problems };
        };
        let (diagnostic, repair) = syntax::explain(&error, &repaired);
        syntax_errors.push(diagnostic);
        let next = repair.and_then(|repair| repair.apply(&repaired));
        match next {
            Some(next) if syntax_errors.len() < MAX_REPAIRS => repaired = next,
            _ => {
                let problems = syntax_errors.into_iter().chain(attempt.problems).collect();
                return Document { root: None, problems };
            }
        }
    }
}

/// Text that the parser can take: size, encoding, line ends and control characters are right.
fn decode_text(bytes: &[u8]) -> Result<&str, Diagnostic> {
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has more than {MAX_BYTES} bytes");
        return Err(Diagnostic::error(Code::TooLarge, Span::START, message).help(
            "is this the right file? what a build needs besides its spec is copied in with `copy`",
        ));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Diagnostic::error(Code::NotYaml, Span::START, "the file is UTF-16, not UTF-8")
            .help("save it as UTF-8"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        Diagnostic::error(
            Code::NotYaml,
            end_of(&before),
            format!("the byte 0x{byte:02x} is not UTF-8"),
        )
        .help("save the file as UTF-8")
    })?;
    let unreadable = text.char_indices().find(|(at, character)| match character {
        '\n' | '\t' => false,
        '\r' => !text[at + 1..].starts_with('\n'),
        _ => character.is_ascii_control() || matches!(character, '\u{FFFE}' | '\u{FFFF}'),
    });
    match unreadable {
        None => Ok(text),
        Some((at, '\r')) => Err(Diagnostic::error(
            Code::NotYaml,
            end_of(&text[..at]),
            "a carriage return without a line feed",
        )
        .help("save the file with line ends `\\n` or `\\r\\n`")),
        Some((at, character)) => {
            let message =
                format!("the file holds the control character U+{:04X}", u32::from(character));
            Err(Diagnostic::error(Code::NotYaml, end_of(&text[..at]), message)
                .help("remove it, or write it as an escape in double quotes, such as \"\\x1b\""))
        }
    }
}

/// The place just behind a text that starts at the beginning of the file.
fn end_of(text: &str) -> Span {
    let line = text.matches('\n').count() + 1;
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Span::at(bounded(line), bounded(column))
}

/// Lines and columns of a file of at most a mebibyte fit.
fn bounded(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
