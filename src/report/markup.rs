//! Text within XML, HTML and Markdown.
//!
//! In: any text. Out: text that these languages show as that text: nothing of it is markup, no character
//! in it is one that XML 1.0 forbids or a reader cannot see.

use crate::words::is_unprintable;

/// For text and attributes of XML and HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            other => push_visible(&mut shown, other),
        }
    }
    shown
}

/// The same for several lines.
pub(super) fn lines(text: &str) -> String {
    text.lines().map(|line| escaped(line) + "\n").collect()
}

/// Two characters that XML forbids are no control characters.
fn push_visible(shown: &mut String, character: char) {
    if is_unprintable(character) || matches!(character, '\u{fffe}' | '\u{ffff}') {
        shown.extend(character.escape_unicode());
    } else {
        shown.push(character);
    }
}

/// What stands between backticks as code, everything else by `plain`.
fn prose(text: &str, plain: fn(&str) -> String, code: fn(&str) -> String) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return plain(text);
    }
    let part = |(index, part): (usize, &&str)| {
        if index.is_multiple_of(2) { plain(part) } else { code(part) }
    };
    parts.iter().enumerate().map(part).collect()
}

/// A sentence in HTML.
pub(super) fn sentence(text: &str) -> String {
    prose(text, escaped, |code| format!("<code>{}</code>", escaped(code)))
}

/// A sentence, or a cell of a table, in Markdown.
pub(super) fn markdown(text: &str) -> String {
    prose(text, plain_markdown, code)
}

/// Code in Markdown that may stand in a cell of a table, where a pipe ends even code.
pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", plain_markdown(text))
}

fn plain_markdown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for (index, character) in text.char_indices() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            // Names of people, numbers of issues and addresses become links there.
            '@' => shown.push_str("&#64;"),
            '#' => shown.push_str("&#35;"),
            ':' if begins_address_or_emoji(&text[index + 1..]) => shown.push_str("&#58;"),
            'w' if shown.ends_with("ww") => shown.push_str("&#119;"),
            '-' | '+' if shown.is_empty() => shown.extend(['\\', character]),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                shown.extend(['\\', character]);
            }
            other => push_visible(&mut shown, other),
        }
    }
    shown
}

/// What follows a colon: `//example.com`, `smile:`, `100:`.
fn begins_address_or_emoji(rest: &str) -> bool {
    rest.starts_with(|next: char| next.is_alphabetic() || "/+-".contains(next))
        || rest.starts_with("100:")
        || rest.starts_with("1234:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        assert_eq!(
            escaped("<a href='x'>&\"\u{1b}\u{ffff}"),
            "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\\u{1b}\\u{ffff}"
        );
        assert_eq!(lines("a\r\n\t<\n"), "a\n\\u{9}&lt;\n");
        for (text, shown) in [
            ("a|b\nc", "a\\|b\\u{a}c"),
            ("say `a|<b>`", "say <code>a\\|&lt;b&gt;</code>"),
            ("an odd ` one", "an odd \\` one"),
            ("@me #1 https://x www.x", "&#64;me &#35;1 https&#58;//x ww&#119;.x"),
            ("- [x](y) *b* a: b", "\\- \\[x\\](y) \\*b\\* a: b"),
        ] {
            assert_eq!(markdown(text), shown);
        }
        assert_eq!(sentence("leave `<b>` out"), "leave <code>&lt;b&gt;</code> out");
    }
}
