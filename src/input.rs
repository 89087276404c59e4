//! What a file is, told by its text: a spec or a Dockerfile.
//!
//! In: the bytes of a file. Out: which of the two it is, or a mistake that says what was seen and
//! how each of them starts; never a guess. Only the first line that says something is looked at,
//! after a byte order mark, `#!`, comments and parser directives: `FROM` or `ARG` followed by a
//! blank is a Dockerfile, a key followed by a colon is a spec. What follows is for their own parsers.

use crate::archive::is_zstd;
use crate::diagnostic::{Code, Diagnostic, Position, Span};
use crate::spec;
use crate::words::{nearest, quoted};

/// The two languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A spec of hardpan.
    Spec,
    /// A Dockerfile, for BuildKit's own frontend.
    Dockerfile,
}

impl Input {
    /// The language of the file, as editors and BuildKit's details call it.
    pub fn language(self) -> &'static str {
        match self {
            Self::Spec => "YAML",
            Self::Dockerfile => "Dockerfile",
        }
    }
}

/// The build argument that settles it by hand.
pub const ARGUMENT: &str = "HARDPAN_INPUT";

/// What a Dockerfile's lines start with.
const INSTRUCTIONS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];
/// The directives among which the escape character is set (dockerfile/parser/directives.go).
const DIRECTIVES: [&str; 3] = ["syntax", "escape", "check"];
/// The instructions that a Dockerfile can start with (frontend/dockerfile/instructions/parse.go).
const FIRST: [&str; 2] = ["FROM", "ARG"];
/// What archives start with that are no tar: zip, gzip, xz, bzip2; and zstd.
const ARCHIVES: [&[u8]; 4] = [b"PK\x03\x04", b"\x1f\x8b", b"\xfd7zXZ", b"BZh9"];
/// Lines that are looked at most to find what another program's file looks like.
const MAX_LINES: usize = 1_000;
/// Lines that are joined at most to find the first instruction.
const MAX_JOINED: usize = 100;

/// Says what a file is.
pub fn tell(bytes: &[u8]) -> Result<Input, Diagnostic> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if ARCHIVES.iter().any(|magic| bytes.starts_with(magic)) || is_zstd(bytes) {
        return Err(unclear(Span::START, "it is an archive").help(
            "name a spec or a Dockerfile with `-f`; a context on standard input has to be a tar: \
             `tar -c . | docker buildx build -`",
        ));
    }
    let Some(first) = first_line(bytes) else {
        let seen = if bytes.iter().all(u8::is_ascii_whitespace) {
            "the file is empty"
        } else {
            "the file holds nothing but comments"
        };
        return Err(unclear(Span::START, seen).help(STARTS));
    };
    match first.text.chars().next() {
        // No instruction starts so; that it is a map, and the right one, is for the spec's parser.
        Some('-' | '{' | '[' | '"' | '\'' | '?' | '%' | '!' | '&' | '*' | '|' | '>') => {
            Ok(Input::Spec)
        }
        Some(letter) if letter.is_ascii_alphabetic() || letter == '_' => word(&first, bytes),
        _ => Err(neither(&first)),
    }
}

const STARTS: &str = "a spec starts with a key, such as `base: node:24`; a Dockerfile with an \
     instruction, such as `FROM dhi.io/node:24`";

/// The first line that is neither empty nor a comment.
struct FirstLine {
    number: u32,
    /// Blanks before it.
    indent: u32,
    /// Without them; lines that end in the escape character are one.
    text: String,
}

impl FirstLine {
    fn span(&self, length: usize) -> Span {
        let start = Position { line: self.number, column: self.indent + 1 };
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        Span { start, end: Position { column: start.column.saturating_add(length), ..start } }
    }
}

fn first_line(bytes: &[u8]) -> Option<FirstLine> {
    let mut escape = b'\\';
    let mut directives = true;
    let mut lines = bytes.split(|byte| *byte == b'\n').zip(1..);
    while let Some((line, number)) = lines.next() {
        let text = line.trim_ascii_start();
        if let Some(comment) = text.strip_prefix(b"#") {
            let is_shebang = number == 1 && comment.starts_with(b"!");
            directives = directives
                && (is_shebang || line.starts_with(b"#") && read_directive(comment, &mut escape));
        } else if text.trim_ascii_end().is_empty() {
            directives = false;
        } else {
            let indent = u32::try_from(line.len() - text.len()).unwrap_or(u32::MAX);
            let text = join(text, escape, lines.map(|(line, _)| line));
            return Some(FirstLine { number, indent, text });
        }
    }
    None
}

/// Whether a comment is a parser directive; one of them changes the escape character.
fn read_directive(comment: &[u8], escape: &mut u8) -> bool {
    let text = String::from_utf8_lossy(comment);
    let Some((name, value)) = text.split_once('=') else { return false };
    let name = name.trim().to_ascii_lowercase();
    if name == "escape" && value.trim() == "`" {
        *escape = b'`';
    }
    DIRECTIVES.contains(&name.as_str())
}

/// A line and what it is continued with.
fn join<'a>(line: &[u8], escape: u8, more: impl Iterator<Item = &'a [u8]>) -> String {
    let mut joined = line.to_vec();
    for next in more.take(MAX_JOINED) {
        let Some(head) = joined.trim_ascii_end().strip_suffix(&[escape]) else { break };
        joined = [head, next].concat();
    }
    String::from_utf8_lossy(joined.trim_ascii_end()).into_owned()
}

/// A line that starts with a word.
fn word(line: &FirstLine, bytes: &[u8]) -> Result<Input, Diagnostic> {
    let (word, rest) = line.text.split_at(word_end(&line.text));
    let is_instruction = INSTRUCTIONS.iter().any(|one| one.eq_ignore_ascii_case(word));
    let after = rest.trim_start_matches([' ', '\t']);
    let has_blank = after.len() < rest.len();
    // What YAML takes for the end of a key.
    let is_key = after.strip_prefix(':').is_some_and(|value| {
        value.is_empty() || value.starts_with(|letter: char| letter.is_ascii_whitespace())
    });
    match (is_key, is_instruction) {
        (true, true) if has_blank => Err(both(line, word)),
        (true, _) if is_compose(bytes) => Err(Foreign::Compose.diagnostic(line)),
        (true, _) => Ok(Input::Spec),
        (false, true) if has_blank || rest.is_empty() && !spec::has_key(word) => {
            if FIRST.iter().any(|one| one.eq_ignore_ascii_case(word)) {
                return Ok(Input::Dockerfile);
            }
            Err(not_first(line, word))
        }
        _ => Err(neither(line)),
    }
}

/// Where the word ends that a line starts with.
fn word_end(line: &str) -> usize {
    let ends = |letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '_' | '-' | '.');
    line.find(ends).unwrap_or(line.len())
}

/// An instruction that no Dockerfile starts with: a key without its colon, or a `FROM` that is
/// missing.
fn not_first(line: &FirstLine, word: &str) -> Diagnostic {
    let seen = format!("line {} starts with {}", line.number, quoted(word));
    let found = unclear(line.span(word.len()), &seen);
    let from = "a Dockerfile starts with `FROM`, such as `FROM dhi.io/node:24`, or `ARG`";
    if spec::has_key(word) {
        found.help(format!("{}; {from}", colon(line, word)))
    } else {
        found.help(from)
    }
}

/// A key of a spec whose colon, or the blank behind it, is missing.
fn colon(line: &FirstLine, key: &str) -> String {
    let rest = line.text[key.len()..].trim_start();
    let (what, value) = match rest.strip_prefix(':') {
        Some(value) => (format!("blank after `{key}:`"), value),
        None => (format!("`:` after `{key}`"), rest),
    };
    // What is a map itself would have to go on lines of its own.
    let value = if value.contains(": ") { "" } else { value };
    let written = quoted(format!("{key}: {value}").trim_end());
    format!("the {what} is missing: write {written}")
}

/// A file of another program that builds images too.
#[derive(Clone, Copy)]
enum Foreign {
    Compose,
    Bake,
}

/// Whether a map has the services of Compose, and none of the keys that make a spec.
fn is_compose(bytes: &[u8]) -> bool {
    let lines = bytes.split(|byte| *byte == b'\n').take(MAX_LINES);
    let has = |key: &str| {
        let is_it = |line: &[u8]| line.strip_prefix(key.as_bytes()).is_some_and(is_value);
        lines.clone().any(is_it)
    };
    has("services") && !["base", "apps", "image"].into_iter().any(has)
}

/// What YAML takes for the end of a key.
fn is_value(after: &[u8]) -> bool {
    let value = after.trim_ascii_start().strip_prefix(b":");
    value.is_some_and(|value| value.first().is_none_or(u8::is_ascii_whitespace))
}

/// Whether a line starts a block of a bake file: `target "app" {`.
fn is_bake(line: &FirstLine) -> bool {
    let (word, rest) = line.text.split_at(word_end(&line.text));
    let is_block = rest.trim_start().starts_with('"') && rest.contains('{');
    ["target", "group", "variable", "function"].contains(&word) && is_block
}

impl Foreign {
    fn diagnostic(self, line: &FirstLine) -> Diagnostic {
        let (what, how) = match self {
            Self::Compose => (
                "a Compose file",
                "build it with `docker compose build` or `docker buildx bake -f FILE`; hardpan \
                 takes the file that `dockerfile:` of a service names",
            ),
            Self::Bake => (
                "a file of bake",
                "build it with `docker buildx bake -f FILE`; hardpan takes the file that \
                 `dockerfile` of a target names",
            ),
        };
        let message = format!("this is {what}, neither a spec nor a Dockerfile");
        let span = line.span(word_end(&line.text));
        Diagnostic::error(Code::UnclearInput, span, message).help(how)
    }
}

fn both(line: &FirstLine, word: &str) -> Diagnostic {
    let message = format!(
        "it is not clear what this file is: line {} can be the key {} of a spec and the \
         instruction {} of a Dockerfile",
        line.number,
        quoted(word),
        word.to_ascii_uppercase()
    );
    let help = format!(
        "write `{word}:` without a blank for a spec; start a Dockerfile with `FROM` or `ARG`; or \
         say which it is with `--build-arg {ARGUMENT}=spec` or `=dockerfile`"
    );
    Diagnostic::error(Code::UnclearInput, line.span(word.len()), message).help(help)
}

fn neither(line: &FirstLine) -> Diagnostic {
    if is_bake(line) {
        return Foreign::Bake.diagnostic(line);
    }
    if line.text.contains(['\0', '\u{fffd}']) {
        return unclear(line.span(1), &format!("line {} is not text", line.number)).help(STARTS);
    }
    let shown = line.text.split_ascii_whitespace().next().unwrap_or_default();
    let word = match word_end(&line.text) {
        0 => shown,
        end => &line.text[..end],
    };
    let seen = format!(
        "line {} starts with {}, which is neither a key nor an instruction",
        line.number,
        quoted(shown)
    );
    let found = unclear(line.span(shown.chars().count().min(80)), &seen);
    if spec::has_key(word) {
        return found.help(format!("{}; {STARTS}", colon(line, word)));
    }
    // A word that a colon follows was meant as a key.
    let is_key = line.text[word.len()..].starts_with(':');
    let instruction = nearest(word, INSTRUCTIONS).filter(|_| !is_key);
    match (instruction, nearest(word, spec::keys())) {
        (Some(near), _) if !near.eq_ignore_ascii_case(word) => {
            found.help(format!("did you mean `{near}`? {STARTS}"))
        }
        (_, Some(near)) => found.help(format!("did you mean `{near}:`? {STARTS}")),
        _ => found.help(STARTS),
    }
}

fn unclear(span: Span, seen: &str) -> Diagnostic {
    let message = format!("this file is neither a spec nor a Dockerfile: {seen}");
    Diagnostic::error(Code::UnclearInput, span, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(text: &str, expected: Input) {
        assert_eq!(tell(text.as_bytes()), Ok(expected), "{text:?}");
    }

    #[track_caller]
    fn is_unclear(text: &[u8], place: (u32, u32), words: &str) {
        let found = tell(text).expect_err("it is unclear");
        assert_eq!(found.code, Code::UnclearInput);
        let start = found.span.start;
        assert_eq!((start.line, start.column), place, "{found:?}");
        assert!(found.message.contains(words), "{found:?}");
        let help = found.help.expect("a way out");
        assert!(help.contains("FROM"), "{help}");
    }

    #[test]
    fn an_instruction_followed_by_a_blank_is_a_dockerfile() {
        for text in [
            "FROM node:24",
            "from node:24\n",
            "From\tnode:24",
            "FROM node:24 AS base: x",
            "ARG VERSION=24\nFROM node:$VERSION",
            "arg A",
            "# syntax=hardpan\n# escape=`\n# check=skip=all\n\n# words\nFROM scratch",
            "#!/usr/bin/env -S docker build -f\nFROM scratch",
            "\u{feff}# syntax=x\r\nFROM scratch\r\nRUN x\r\n",
            "\n\n   FROM scratch",
            "FROM \\\n  node:24",
            "FR\\\nOM node:24",
            "# escape=`\nFROM `\n node:24",
            "FROM",
            "FROM {{ jinja }}",
        ] {
            is(text, Input::Dockerfile);
        }
    }

    #[test]
    fn no_other_instruction_comes_before_from() {
        for instruction in INSTRUCTIONS.into_iter().filter(|one| !FIRST.contains(one)) {
            let seen = format!("line 1 starts with `{instruction}`");
            is_unclear(format!("{instruction} x\nFROM y").as_bytes(), (1, 1), &seen);
            let (small, seen) = (instruction.to_lowercase(), seen.to_lowercase());
            is_unclear(format!("{small} [x]").as_bytes(), (1, 1), &seen);
        }
    }

    fn help(text: &str) -> String {
        tell(text.as_bytes()).expect_err("it is unclear").help.expect("a way out")
    }

    #[test]
    fn a_key_without_its_colon_is_told() {
        for (text, words) in [
            ("base node:24", "the `:` after `base` is missing: write `base: node:24`"),
            ("base:node:24", "the blank after `base:` is missing: write `base: node:24`"),
            (
                "entrypoint [node]",
                "the `:` after `entrypoint` is missing: write `entrypoint: [node]`",
            ),
            ("env A: b", "the `:` after `env` is missing: write `env:`"),
            ("env\n  A: b", "the `:` after `env` is missing: write `env:`"),
            ("bsae node:24", "did you mean `base:`?"),
            ("bsae:node:24", "did you mean `base:`?"),
        ] {
            let help = help(text);
            assert!(help.starts_with(words), "{text}: {help}");
        }
    }

    #[test]
    fn files_of_other_programs_are_told() {
        for (text, message, words) in [
            ("services:\n  web:\n    build: .\n", "a Compose file", "docker compose build"),
            ("x-app: &a {}\nname: x\nservices:\n", "a Compose file", "`dockerfile:`"),
            ("# x\ntarget \"web\" {\n}\n", "a file of bake", "docker buildx bake -f FILE"),
            ("group \"default\" { targets = [] }", "a file of bake", "docker buildx bake"),
            ("variable \"A\" {\n", "a file of bake", "docker buildx bake"),
            ("PK\x03\x04x\0", "it is an archive", "be a tar: `tar -c . |"),
        ] {
            let found = tell(text.as_bytes()).expect_err("it is another program's");
            assert_eq!(found.code, Code::UnclearInput, "{text}");
            assert!(found.message.contains(message), "{found:?}");
            assert!(found.help.expect("a way out").contains(words), "{text}");
        }
        assert!(tell(b"\x1f\x8b\x08\0").unwrap_err().message.contains("archive"));
        is("base: node:24\nservices: x\n", Input::Spec);
        is("name: x\nenv: {services: x}\n", Input::Spec);
        is_unclear(b"target x", (1, 1), "line 1 starts with `target`");
    }

    #[test]
    fn a_key_is_a_spec() {
        for text in [
            "base: node:24",
            "# syntax=x\nbase: node:24\n",
            "\u{feff}base: node:24\r\n",
            "FROM: node:24",
            "from: node:24",
            "From:",
            "env:\n  A: b",
            "env: {A: b}",
            "user:\t1000",
            "copy:\n",
            "base : node:24",
            "unknown-key: x",
            "base:\n",
            "---\nbase: node:24",
            "%YAML 1.2\n---\n",
            "\"base\": node:24",
            "'base': node:24",
            "{\"syntax\": \"hardpan\", \"base\": \"node:24\"}",
            "{base: node:24}",
            "[a]",
            "- FROM x",
            "? base\n: x",
            "&a base: x",
            "base: FROM node:24\\\nFROM x",
        ] {
            is(text, Input::Spec);
        }
    }

    #[test]
    fn what_is_neither_or_both_is_not_guessed() {
        is_unclear(b"", (1, 1), "the file is empty");
        is_unclear(b"\xef\xbb\xbf \n\t\r\n", (1, 1), "the file is empty");
        is_unclear(b"# syntax=hardpan\n\n# words\n", (1, 1), "nothing but comments");
        is_unclear(b"# a\n  frmo node:24", (2, 3), "line 2 starts with `frmo`");
        is_unclear(b"just text\n", (1, 1), "line 1 starts with `just`");
        is_unclear(b"FROM:node:24", (1, 1), "line 1 starts with `FROM:node:24`");
        is_unclear(b"base node:24", (1, 1), "line 1 starts with `base`");
        is_unclear(b"base:node:24", (1, 1), "line 1 starts with `base:node:24`");
        is_unclear(b"env : x", (1, 1), "line 1 can be the key `env` of a spec");
        is_unclear(b"# x\nFROM : x", (2, 1), "the instruction FROM of a Dockerfile");
        is_unclear(b"env\n  A: b", (1, 1), "line 1 starts with `env`");
        is_unclear(b"//syntax=x\nFROM scratch", (1, 1), "line 1 starts with `//syntax=x`");
        is_unclear(b"<html>", (1, 1), "`<html>`");
        is_unclear(b"\x7fELF\x02\x01\x01\0", (1, 1), "line 1 is not text");
        is_unclear(b"\xff\xfeF\0R\0O\0M\0", (1, 1), "line 1 is not text");
        is_unclear("ФROM node".as_bytes(), (1, 1), "`ФROM`");
        is_unclear(b"<<EOF\nFROM x\nEOF\n", (1, 1), "`<<EOF`");
    }

    #[test]
    fn a_typing_error_is_told() {
        let found = tell(b"FORM node:24").unwrap_err();
        assert!(found.help.expect("a word").starts_with("did you mean `FROM`?"));
    }

    #[test]
    fn an_escape_directive_counts_only_among_the_directives() {
        is("# words\n# escape=`\nFROM `\nbase: x", Input::Dockerfile);
        // Joined by `\`, as the directive came too late.
        is("# words\n# escape=`\nFRO\\\nM x", Input::Dockerfile);
        is_unclear(b"# escape=`\nFRO\\\nM x", (2, 1), "`FRO\\`");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_much(bytes: Vec<u8>, text in r"[#A-Z:a-z \\\n`=]{0,60}") {
            let _ = (tell(&bytes), tell(text.as_bytes()));
        }
    }
}
