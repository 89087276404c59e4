//! JSON that a terminal shows as it is.
//!
//! In: anything that can be serialised. Out: the same JSON, in which what a terminal could take as a
//! command, or what reorders text, is written as an escape. A parser reads the same values.

use std::fmt::Write as _;

use serde::Serialize;

use crate::words::is_unprintable;

/// Over several lines, for people.
pub(crate) fn pretty<T: Serialize + ?Sized>(value: &T) -> String {
    printable(&serde_json::to_string_pretty(value).expect("the forms have only text keys"))
}

/// Outside of texts, JSON has nothing of the kind but line breaks.
fn printable(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && is_unprintable(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_terminal_obeys_and_reads_back_the_same() {
        let text = "a\u{9b}31m\u{202e}b\u{7f}\n\u{1b}é\u{10ffff}";
        let json = pretty(&[text]);
        assert!(json.chars().all(|c| c == '\n' || !is_unprintable(c)), "{json}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), [text]);
    }
}
