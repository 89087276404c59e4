//! What a test looks for in text: the text itself, or a pattern between slashes.
//!
//! Patterns are searched in linear time, and a pattern that would take much memory is none. `^` and
//! `$` are the ends of a line.

use regex_lite::{Regex, RegexBuilder};

/// What a pattern may take once it is made ready.
const SIZE: usize = 256 << 10;
/// Of the pattern as it is written.
const LENGTH: usize = 1_000;

/// Something to look for.
#[derive(Debug, Clone)]
pub enum Pattern {
    /// The text as it is.
    Text(String),
    /// A regular expression.
    Regex(Box<Regex>),
}

impl Pattern {
    /// Reads `text` or `/pattern/`; the error says what is wrong with the pattern.
    pub fn read(written: &str) -> Result<Self, String> {
        let inner = written.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let Some(inner) = inner.filter(|inner| !inner.is_empty()) else {
            return Ok(Self::Text(written.to_owned()));
        };
        if inner.len() > LENGTH {
            return Err(format!("it is longer than {LENGTH} bytes"));
        }
        let mut builder = RegexBuilder::new(inner);
        let built = builder.multi_line(true).size_limit(SIZE).nest_limit(50).build();
        built.map(|regex| Self::Regex(Box::new(regex))).map_err(|error| error.to_string())
    }

    /// Whether the text holds it.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Text(part) => text.contains(part.as_str()),
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

/// Whether a text holds what is written; what cannot be read is nowhere.
pub(super) fn holds(text: &str, written: &str) -> bool {
    Pattern::read(written).is_ok_and(|pattern| pattern.is_in(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_taken_as_it_is_and_patterns_stand_between_slashes() {
        for (written, text, found) in [
            ("ready", "server ready\n", true),
            ("ready.", "server ready\n", false),
            ("/ready.?$/", "server ready\nmore\n", true),
            ("/^v24\\./", "first\nv24.1\n", true),
            ("/^24/", "v24\n", false),
            ("/var/lib", "in /var/lib/app", true),
            ("/", "a/b", true),
            ("//", "a//b", true),
        ] {
            assert_eq!(holds(text, written), found, "{written} in {text:?}");
        }
    }

    #[test]
    fn what_is_too_large_is_no_pattern() {
        assert!(Pattern::read("/(/").is_err());
        assert!(Pattern::read("/((a{1000}){1000}){1000}/").is_err());
        assert!(Pattern::read(&format!("/{}/", "a".repeat(1_001))).is_err());
        assert!(Pattern::read(&format!("/{}{}/", "(".repeat(100), ")".repeat(100))).is_err());
        // What takes other engines for ever.
        assert!(!holds(&"a".repeat(20_000), "/(a*)*b/"));
    }
}
