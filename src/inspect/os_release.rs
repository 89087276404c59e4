//! Reads `os-release`: `NAME=value` lines, the value plain or in quotes.

use std::collections::BTreeMap;

/// The most fields that are kept.
const MAX_FIELDS: usize = 64;
/// The longest value that is kept, in bytes.
const MAX_VALUE: usize = 1_024;

/// The fields of an `os-release`; lines that are none are left out.
pub fn parse(content: &[u8]) -> BTreeMap<String, String> {
    let lines = content.split(|byte| *byte == b'\n');
    lines.filter_map(field).take(MAX_FIELDS).collect()
}

fn field(line: &[u8]) -> Option<(String, String)> {
    let line = str::from_utf8(line).ok()?.trim();
    let (name, value) = line.split_once('=')?;
    let plain = |character: char| character.is_ascii_alphanumeric() || character == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) || value.len() > MAX_VALUE {
        return None;
    }
    Some((name.to_owned(), unquote(value)))
}

/// Takes the quotes of a shell assignment off, as os-release(5) allows them.
fn unquote(value: &str) -> String {
    if let Some(inner) = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return inner.to_owned();
    }
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let mut text = String::new();
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_fields_and_skips_the_rest() {
        let fields = parse(
            b"PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nID=debian\n# comment\n\
              VERSION_ID='13'\nnot a field\nBAD-NAME=x\nQUOTED=\"a \\\"b\\\"\"\n\xff=1\r\n",
        );
        let expected = [
            ("ID", "debian"),
            ("PRETTY_NAME", "Debian GNU/Linux 13 (trixie)"),
            ("QUOTED", "a \"b\""),
            ("VERSION_ID", "13"),
        ];
        assert_eq!(fields.iter().map(|(k, v)| (&**k, &**v)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn keeps_a_bounded_number_of_fields() {
        let many: Vec<String> = (0..1_000).map(|i| format!("F{i}=x")).collect();
        assert_eq!(parse(many.join("\n").as_bytes()).len(), MAX_FIELDS);
        assert!(parse(format!("A={}", "x".repeat(MAX_VALUE + 1)).as_bytes()).is_empty());
    }
}
