//! The name of a vertex, an image or any other content: its sha256.
//!
//! Other algorithms do not occur in what a daemon sends, so a digest is 32 bytes.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A sha256, shown as `sha256:` and 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::finished(Sha256::new_with_prefix(bytes))
    }

    /// The digest of what was summed up.
    pub(crate) fn finished(sum: Sha256) -> Self {
        Self(sum.finalize().into())
    }

    /// Reads `sha256:` and 64 lower-case hexadecimal digits; anything else is none.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("sha256:")?.as_bytes();
        if hex.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(Self(bytes))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn reads_what_it_shows() {
        assert_eq!(Digest::of(b"").to_string(), EMPTY);
        assert_eq!(Digest::parse(EMPTY), Some(Digest::of(b"")));
    }

    #[test]
    fn refuses_other_forms() {
        let upper = EMPTY.to_uppercase();
        let sha512 = EMPTY.replace("256", "512");
        let short = &EMPTY[..70];
        let long = format!("{EMPTY}0");
        let foreign = EMPTY.replace('e', "é");
        for text in ["", "sha256:", &upper, &sha512, short, &long, &foreign] {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
    }
}
