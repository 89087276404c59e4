//! Makes names of files safe to show: a name may hold line breaks, terminal escape codes, marks
//! that reverse the direction of writing, and bytes that are no text at all.
//!
//! What comes out is one line of plain text from which the bytes can be read back.

use std::fmt::Write as _;

/// Escapes a name: text stays as it is; backslashes, control and invisible formatting characters
/// and bytes that are not UTF-8 become `\\`, `\n`, `\t`, `\u{…}` or `\x…`.
pub fn escape(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            push(&mut text, character);
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

fn push(text: &mut String, character: char) {
    match character {
        '\\' => text.push_str("\\\\"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        hidden if is_hidden(hidden) => {
            let _ = write!(text, "\\u{{{:x}}}", u32::from(hidden));
        }
        plain => text.push(plain),
    }
}

/// Characters that move the cursor, change the direction of the text or cannot be seen.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(u32::from(character),
            0xad | 0x61c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
            | 0xfe00..=0xfe0f | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe0fff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_text_and_shows_what_hides() {
        let cases: &[(&[u8], &str)] = &[
            (b"/usr/bin/node", "/usr/bin/node"),
            ("/srv/größe".as_bytes(), "/srv/größe"),
            (b"a b", "a b"),
            (b"line\nbreak", "line\\nbreak"),
            (b"\x1b[31mred", "\\u{1b}[31mred"),
            (b"back\\slash", "back\\\\slash"),
            (b"latin\xe9", "latin\\xe9"),
            (b"\x80\xffend", "\\x80\\xffend"),
            ("gpj\u{202e}exe".as_bytes(), "gpj\\u{202e}exe"),
            ("\u{9b}31m".as_bytes(), "\\u{9b}31m"),
        ];
        for (name, shown) in cases {
            assert_eq!(escape(name), *shown);
        }
    }
}
