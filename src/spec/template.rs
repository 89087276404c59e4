//! `${NAME}`, `${NAME:-text}` and `${NAME:+text}` in the values of a spec.
//!
//! `$$` is a dollar; a dollar that neither `{` nor `$` follows stays as it is (`$uri`, `$(NAME)`).
//! Only the form is decided here; which names there are, the caller says.

use crate::diagnostic::{Code, Diagnostic, Position, Span, Text};

use crate::words::quoted;

/// How deep `${A:-${B}}` may stand in each other.
const MAX_DEPTH: usize = 8;

/// Parts of longer texts have no place of their own, which would take too long to count.
const LONGEST_LINE: usize = 1_000;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// It has this value.
    Value(String),
    /// It is declared, but has no value.
    Unset,
    /// There is no such name.
    Undeclared,
}

/// The text with every `${…}` replaced.
///
/// The error is a mistake of form (`InvalidValue`), a name that is not declared
/// (`UnknownArgument`), or one without a value and without `:-` or `:+` (`UnsetArgument`).
pub fn expand(text: &Text, vars: &dyn Fn(&str) -> Lookup) -> Result<String, Diagnostic> {
    let mut reader = Reader { text, at: 0 };
    let pieces = reader.pieces(0)?;
    let mut expanded = String::with_capacity(text.value.len());
    write_pieces(&pieces, text, vars, &mut expanded)?;
    Ok(expanded)
}

/// Whether a text has anything to replace, so that its value is known only later.
pub fn is_open(text: &str) -> bool {
    text.contains("${") || text.contains("$$")
}

/// Whether a script mentions a name as a word of its own: `$NAME`, `${NAME}`, `--arg NAME`.
pub fn mentions_word(script: &str, name: &str) -> bool {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    !name.is_empty()
        && script.match_indices(name).any(|(at, _)| {
            !script[..at].ends_with(is_word) && !script[at + name.len()..].starts_with(is_word)
        })
}

/// The `$(NAME)` of a text, which is replaced only when the image starts.
pub(super) fn starts_variable(text: &str) -> Option<&str> {
    let mut at = 0;
    while let Some(dollar) = text[at..].find('$') {
        let rest = &text[at + dollar..];
        if rest.starts_with("$(") {
            let end = rest.find(')').map_or(rest.len(), |end| end + 1);
            return rest.get(..end);
        }
        at += dollar + if rest.starts_with("$$") { 2 } else { 1 };
    }
    None
}

/// A name that a text mentions, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) name: String,
    pub(super) span: Span,
}

/// All names that a text mentions, those in defaults included.
pub(super) fn mentions(text: &Text) -> Result<Vec<Mention>, Diagnostic> {
    let pieces = Reader { text, at: 0 }.pieces(0)?;
    let mut found = Vec::new();
    collect(&pieces, text, &mut found);
    Ok(found)
}

fn collect(pieces: &[Piece<'_>], text: &Text, found: &mut Vec<Mention>) {
    for piece in pieces {
        if let Piece::Name { name, instead, at, end } = piece {
            found.push(Mention { name: (*name).to_owned(), span: place(text, *at, *end) });
            match instead {
                Instead::Nothing => {}
                Instead::WhenUnset(inner) | Instead::WhenSet(inner) => collect(inner, text, found),
            }
        }
    }
}

enum Piece<'a> {
    Literal(&'a str),
    Name { name: &'a str, instead: Instead<'a>, at: usize, end: usize },
}

enum Instead<'a> {
    Nothing,
    WhenUnset(Vec<Piece<'a>>),
    WhenSet(Vec<Piece<'a>>),
}

fn write_pieces(
    pieces: &[Piece<'_>],
    text: &Text,
    vars: &dyn Fn(&str) -> Lookup,
    expanded: &mut String,
) -> Result<(), Diagnostic> {
    for piece in pieces {
        let (name, instead, span) = match piece {
            Piece::Literal(literal) => {
                expanded.push_str(literal);
                continue;
            }
            Piece::Name { name, instead, at, end } => (*name, instead, place(text, *at, *end)),
        };
        let value = match vars(name) {
            Lookup::Value(value) => Some(value),
            Lookup::Unset => None,
            Lookup::Undeclared => return Err(undeclared(name, span, None)),
        };
        let filled = value.as_deref().is_some_and(|value| !value.is_empty());
        match (instead, value) {
            (Instead::WhenUnset(inner), _) if !filled => write_pieces(inner, text, vars, expanded)?,
            (Instead::WhenSet(inner), _) if filled => write_pieces(inner, text, vars, expanded)?,
            (Instead::WhenSet(_), _) => {}
            (_, Some(value)) => expanded.push_str(&value),
            (_, None) => return Err(unset(name, span)),
        }
    }
    Ok(())
}

/// The mistake of a name that nothing declares; `nearest` is one that was perhaps meant.
pub(super) fn undeclared(name: &str, span: Span, nearest: Option<&str>) -> Diagnostic {
    let message = format!("{} is not declared", quoted(&format!("${{{name}}}")));
    let help = match nearest {
        Some(nearest) => format!("did you mean `${{{nearest}}}`? "),
        None => String::new(),
    };
    let help = format!(
        "{help}a build argument is declared with `args: {{{name}: default}}`; a dollar that is meant as such is written `$$`"
    );
    Diagnostic::error(Code::UnknownArgument, span, message).help(help)
}

fn unset(name: &str, span: Span) -> Diagnostic {
    let message = format!("{} has no value", quoted(&format!("${{{name}}}")));
    Diagnostic::error(Code::UnsetArgument, span, message)
        .help(format!("give it with `--build-arg {name}=…`, give it a default below `args`, or write `${{{name}:-text}}`"))
}

struct Reader<'a> {
    text: &'a Text,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads to the end, or inside of `${…}` to its closing brace, which stays unread.
    fn pieces(&mut self, depth: usize) -> Result<Vec<Piece<'a>>, Diagnostic> {
        let text = self.text.value.as_str();
        let mut pieces = Vec::new();
        let mut start = self.at;
        while let Some(character) = text[self.at..].chars().next() {
            let rest = &text[self.at..];
            if rest.starts_with("$$") {
                pieces.push(Piece::Literal(&text[start..=self.at]));
                self.at += 2;
                start = self.at;
            } else if rest.starts_with("${") {
                pieces.push(Piece::Literal(&text[start..self.at]));
                pieces.push(self.name(depth)?);
                start = self.at;
            } else if character == '}' && depth > 0 {
                break;
            } else {
                self.at += character.len_utf8();
            }
        }
        pieces.push(Piece::Literal(&text[start..self.at]));
        Ok(pieces)
    }

    /// Reads one `${…}`.
    fn name(&mut self, depth: usize) -> Result<Piece<'a>, Diagnostic> {
        let text = self.text.value.as_str();
        let at = self.at;
        if depth == MAX_DEPTH {
            let message = format!("`${{…}}` stands more than {MAX_DEPTH} deep in each other");
            return Err(Diagnostic::error(
                Code::InvalidValue,
                place(self.text, at, text.len()),
                message,
            )
            .help("declare a build argument with that default"));
        }
        let inner = &text[at + 2..];
        let length =
            inner.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
        let (name, rest) = inner.split_at(length.unwrap_or(inner.len()));
        self.at += 2 + name.len();
        if !is_name(name) && !rest.is_empty() {
            return Err(self.malformed(at));
        }
        let instead = if rest.starts_with('}') || rest.is_empty() {
            Instead::Nothing
        } else if rest.starts_with(":-") {
            self.at += 2;
            Instead::WhenUnset(self.pieces(depth + 1)?)
        } else if rest.starts_with(":+") {
            self.at += 2;
            Instead::WhenSet(self.pieces(depth + 1)?)
        } else {
            return Err(self.malformed(at));
        };
        if !text[self.at..].starts_with('}') {
            let message = format!("{} is never closed", quoted(&text[at..]));
            return Err(Diagnostic::error(
                Code::InvalidValue,
                place(self.text, at, text.len()),
                message,
            )
            .help("write `}` at its end; a dollar that is meant as such is written `$$`"));
        }
        self.at += 1;
        Ok(Piece::Name { name, instead, at, end: self.at })
    }

    fn malformed(&self, at: usize) -> Diagnostic {
        let text = self.text.value.as_str();
        let end = text[at..].find('}').map_or(text.len(), |brace| at + brace + 1);
        let message = format!("{} is none of the forms that are replaced", quoted(&text[at..end]));
        Diagnostic::error(Code::InvalidValue, place(self.text, at, end), message)
            .help("the forms are `${NAME}`, `${NAME:-text}` and `${NAME:+text}`; a dollar that is meant as such is written `$$`")
    }
}

/// Whether a build argument or a variable can be called so.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

/// The place of a part of a text, where the text stands in one line as it is; else of all of it.
fn place(text: &Text, start: usize, end: usize) -> Span {
    let span = text.span;
    if text.value.len() > LONGEST_LINE {
        return span;
    }
    let width = span.end.column.saturating_sub(span.start.column) as usize;
    let length = text.value.chars().count();
    let quotes = match width.checked_sub(length) {
        Some(0) => 0,
        Some(2) => 1,
        _ => return span,
    };
    if span.start.line != span.end.line || text.value.contains('\n') {
        return span;
    }
    let column = |bytes: usize| {
        let characters = text.value[..bytes].chars().count() + quotes;
        span.start.column + u32::try_from(characters).unwrap_or(0)
    };
    let position = |bytes: usize| Position { line: span.start.line, column: column(bytes) };
    Span { start: position(start), end: position(end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Text {
        let width = u32::try_from(value.chars().count()).unwrap();
        let start = Position { line: 3, column: 5 };
        Text::new(value.to_owned(), Span { start, end: Position { line: 3, column: 5 + width } })
    }

    fn vars(name: &str) -> Lookup {
        match name {
            "A" => Lookup::Value("a".to_owned()),
            "EMPTY" => Lookup::Value(String::new()),
            "UNSET" => Lookup::Unset,
            _ => Lookup::Undeclared,
        }
    }

    #[test]
    fn replaces_what_has_braces() {
        for (written, expanded) in [
            ("", ""),
            ("plain", "plain"),
            ("${A}", "a"),
            ("x${A}y${A}", "xaya"),
            ("$uri $A $", "$uri $A $"),
            ("$(A)", "$(A)"),
            ("$$", "$"),
            ("$${A}", "${A}"),
            ("$$$${A}", "$${A}"),
            ("$$${A}", "$a"),
            ("${A:-b}", "a"),
            ("${UNSET:-b}", "b"),
            ("${EMPTY:-b}", "b"),
            ("${EMPTY}", ""),
            ("${UNSET:-}", ""),
            ("${UNSET:+b}", ""),
            ("${EMPTY:+b}", ""),
            ("${A:+b}", "b"),
            ("${UNSET:-${A}}", "a"),
            ("${UNSET:-${UNSET:-x y}}/z", "x y/z"),
            ("${UNSET:-$$}", "$"),
            ("ü${A}ü", "üaü"),
            ("}", "}"),
        ] {
            assert_eq!(expand(&text(written), &vars).as_deref(), Ok(expanded), "{written}");
        }
    }

    #[test]
    fn refuses_what_cannot_be_replaced() {
        let deep = "${UNSET:-".repeat(200_000);
        for (written, code, columns) in [
            ("x${B}", Code::UnknownArgument, Some((6, 10))),
            ("ü${UNSET}", Code::UnsetArgument, Some((6, 14))),
            ("${A:+${B}}", Code::UnknownArgument, Some((10, 14))),
            ("${A", Code::InvalidValue, Some((5, 8))),
            ("${", Code::InvalidValue, Some((5, 7))),
            ("${}", Code::InvalidValue, Some((5, 8))),
            ("${1}", Code::InvalidValue, Some((5, 9))),
            ("${A-b}", Code::InvalidValue, Some((5, 11))),
            ("${A:?b}", Code::InvalidValue, Some((5, 12))),
            ("${A:-b", Code::InvalidValue, Some((5, 11))),
            ("${UNSET:-${A}", Code::InvalidValue, None),
            (deep.as_str(), Code::InvalidValue, None),
        ] {
            let problem = expand(&text(written), &vars).unwrap_err();
            assert_eq!(problem.code, code, "{}", problem.message);
            if let Some((start, end)) = columns {
                assert_eq!(
                    (problem.span.start.column, problem.span.end.column),
                    (start, end),
                    "{written}"
                );
            }
        }
    }

    #[test]
    fn defaults_that_are_not_used_are_still_mentioned() {
        let names = |written: &str| -> Vec<String> {
            mentions(&text(written)).unwrap().into_iter().map(|mention| mention.name).collect()
        };
        assert_eq!(names("${A:-${B}}/${C:+x}$$${D}$${E}"), ["A", "B", "C", "D"]);
        assert_eq!(names("$uri"), Vec::<String>::new());
    }

    #[test]
    fn finds_words_in_scripts() {
        for (script, name, found) in [
            ("echo $GIT_SHA", "GIT_SHA", true),
            ("echo ${GIT_SHA:-x}", "GIT_SHA", true),
            ("printenv GIT_SHA", "GIT_SHA", true),
            ("echo $GIT_SHA_LONG", "GIT_SHA", false),
            ("echo $MY_GIT_SHA", "GIT_SHA", false),
            ("echo $GIT_SHA_LONG $GIT_SHA", "GIT_SHA", true),
            ("", "GIT_SHA", false),
            ("x", "", false),
        ] {
            assert_eq!(mentions_word(script, name), found, "{script}");
        }
    }
}
