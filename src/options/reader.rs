//! Options as `key=value`, taken one by one; what nobody takes is left over.
//!
//! The small formats that option values are written in are parsed here, as BuildKit parses them
//! (frontend/dockerui/attr.go): Go's booleans, one line of CSV.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use super::keys::KEYS;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::remote;

/// The options that are still there, and the mistakes so far.
#[derive(Debug, Default)]
pub(super) struct Reader {
    options: BTreeMap<String, String>,
    mistakes: Vec<Diagnostic>,
}

impl Reader {
    /// Adds one `key=value`; the value may hold anything, further `=` included.
    pub(super) fn add(&mut self, option: &OsStr) {
        let Some(option) = option.to_str() else {
            let lossy = option.to_string_lossy();
            let key = lossy.split('=').next().unwrap_or_default();
            let message = format!("option {key:?} is not UTF-8");
            self.report(Diagnostic::error(Code::InvalidOption, Span::START, message));
            return;
        };
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        self.options.insert(key.to_owned(), value.to_owned());
    }

    /// Remembers a mistake. What it says of a value shows no password or token.
    pub(super) fn report(&mut self, mut mistake: Diagnostic) {
        mistake.message = remote::shown_in(&mistake.message);
        mistake.help = mistake.help.as_deref().map(remote::shown_in);
        self.mistakes.push(mistake);
    }

    /// Takes an option; an empty one counts as absent.
    pub(super) fn take(&mut self, key: &str) -> Option<String> {
        self.take_even_empty(key).filter(|value| !value.is_empty())
    }

    /// Takes an option whose key another option names.
    pub(super) fn take_named(&mut self, key: &str) -> Option<String> {
        self.options.remove(key).filter(|value| !value.is_empty())
    }

    pub(super) fn take_even_empty(&mut self, key: &str) -> Option<String> {
        must_be_known(key);
        self.options.remove(key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        must_be_known(key);
        self.options.contains_key(key)
    }

    /// The names of all options that begin with `prefix`, without it.
    pub(super) fn keys<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.options.keys().filter_map(move |key| key.strip_prefix(prefix))
    }

    /// Takes an option, or gives an empty text.
    pub(super) fn text(&mut self, key: &str) -> String {
        self.take_even_empty(key).unwrap_or_default()
    }

    /// Looks at an option that is also something else, such as a build argument.
    pub(super) fn peek(&self, key: &str) -> Option<String> {
        must_be_known(key);
        self.options.get(key).filter(|value| !value.is_empty()).cloned()
    }

    /// Takes all options that begin with `prefix`, without it.
    pub(super) fn family(&mut self, prefix: &str) -> BTreeMap<String, String> {
        must_be_known(prefix);
        let options = std::mem::take(&mut self.options);
        let (taken, kept) = options.into_iter().partition(|(key, _)| key.starts_with(prefix));
        self.options = kept;
        let taken: BTreeMap<String, String> = taken;
        taken.into_iter().map(|(key, value)| (key[prefix.len()..].to_owned(), value)).collect()
    }

    /// Reads an option and reports it if it makes no sense. Build arguments stay, since they are
    /// arguments as well. `example` is a value that would do.
    pub(super) fn parsed<T>(
        &mut self,
        key: &str,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let argument = key.strip_prefix("build-arg:");
        let value = if argument.is_some() { self.peek(key) } else { self.take(key) }?;
        match parse(&value) {
            Ok(parsed) => Some(parsed),
            Err(reason) => {
                let (kind, name) =
                    argument.map_or(("option", key), |name| ("build argument", name));
                let message = format!("{kind} {name:?} cannot be {value:?}: {reason}");
                let mistake = Diagnostic::error(Code::InvalidOption, Span::START, message);
                self.report(mistake.help(format!("write it as `{example}`")));
                None
            }
        }
    }

    /// What is still there, untouched.
    pub(super) fn all(&self) -> BTreeMap<String, String> {
        self.options.clone()
    }

    /// What nobody took.
    pub(super) fn rest(&mut self) -> BTreeMap<String, String> {
        std::mem::take(&mut self.options)
    }

    pub(super) fn finish(self) -> Vec<Diagnostic> {
        self.mistakes
    }
}

/// What is read is in the table, which the documentation is compared with.
fn must_be_known(key: &str) {
    debug_assert!(KEYS.contains(&key), "{key:?} is not in the table of options (options/keys.rs)");
}

/// Go's `strconv.ParseBool`.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err("it is neither true nor false".to_owned()),
    }
}

/// The fields of one line of CSV: quotes are doubled inside quotes, and stand nowhere else.
pub(super) fn fields(line: &str) -> Result<Vec<String>, String> {
    let line = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
    let mut fields = Vec::new();
    let mut rest = Some(line);
    while let Some(text) = rest {
        let field;
        (field, rest) = match text.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => match text.split_once(',') {
                Some((field, rest)) => (field.to_owned(), Some(rest)),
                None => (text.to_owned(), None),
            },
        };
        if !text.starts_with('"') && field.contains('"') {
            return Err("a quote stands inside a field that is not quoted".to_owned());
        }
        fields.push(field);
    }
    Ok(fields)
}

fn quoted_field(mut text: &str) -> Result<(String, Option<&str>), String> {
    let mut field = String::new();
    while let Some((part, after)) = text.split_once('"') {
        field.push_str(part);
        if let Some(more) = after.strip_prefix('"') {
            field.push('"');
            text = more;
        } else if let Some(rest) = after.strip_prefix(',') {
            return Ok((field, Some(rest)));
        } else if after.is_empty() {
            return Ok((field, None));
        } else {
            return Err("something follows a closing quote".to_owned());
        }
    }
    Err("a quote is not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_csv_as_go_does() {
        for (line, expected) in [
            ("a", &["a"] as &[&str]),
            ("a,b", &["a", "b"]),
            ("a,,b,", &["a", "", "b", ""]),
            (r#""a,b",c"#, &["a,b", "c"]),
            (r#""a""b""#, &[r#"a"b"#]),
            (r#""""#, &[""]),
            ("a\r\n", &["a"]),
            ("a=\nb", &["a=\nb"]),
        ] {
            assert_eq!(fields(line).unwrap(), expected, "{line:?}");
        }
    }

    #[test]
    fn refuses_csv_with_stray_quotes() {
        for line in [r#"a"b"#, r#""a"b"#, r#""a"#, r#"x,"a"#, r#"""""#] {
            assert!(fields(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn takes_a_family_without_its_neighbours() {
        let mut reader = Reader::default();
        for option in ["label:a=1", "label:b=2=3", "labels=x", "label=y", "kabel:z=1"] {
            reader.add(OsStr::new(option));
        }
        let expected = [("a", "1"), ("b", "2=3")];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(reader.family("label:"), BTreeMap::from(expected));
        assert_eq!(reader.rest().into_keys().collect::<Vec<_>>(), ["kabel:z", "label", "labels"]);
    }
}
