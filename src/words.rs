//! How messages speak of what the user wrote: quoted, escaped, shortened, and with the nearest word
//! that would have been right.

/// What is shown of a user's text at most; the excerpt below the message shows the rest.
const SHOWN: usize = 60;

/// What is shown of a message at most.
const SENTENCES: usize = 600;

/// How many words a list shows; enough for the keys of any map of the language.
const LISTED: usize = 24;

/// How many words one word is compared with.
const CANDIDATES: usize = 200;

/// Longer words are not compared: nobody misspells a key of that length, and the effort is bounded.
const COMPARED: usize = 40;

/// The user's text between backticks, control characters escaped, long text cut.
pub fn quoted(text: &str) -> String {
    if text.is_empty() {
        return "`\"\"`".to_owned();
    }
    let mark = if text.contains('`') { '"' } else { '`' };
    let mut shown = String::from(mark);
    for (count, character) in text.chars().enumerate() {
        if count == SHOWN {
            shown.push('…');
            break;
        }
        push_escaped(&mut shown, character);
    }
    shown.push(mark);
    shown
}

/// A whole message: escaped, and cut where nobody reads on.
pub fn shown(message: &str) -> String {
    let mut shown = escaped(&message.chars().take(SENTENCES).collect::<String>());
    if message.chars().nth(SENTENCES).is_some() {
        shown.push('…');
    }
    shown
}

/// Text without anything that a terminal could take as a command.
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        push_escaped(&mut shown, character);
    }
    shown
}

fn push_escaped(shown: &mut String, character: char) {
    if is_unprintable(character) {
        shown.extend(character.escape_default());
    } else {
        shown.push(character);
    }
}

/// Control characters, line and paragraph separators, and Unicode's marks for direction.
pub fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// The candidate that the word was probably meant to be.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written: Vec<char> = word.chars().flat_map(char::to_lowercase).take(COMPARED + 1).collect();
    if written.is_empty() || written.len() > COMPARED {
        return None;
    }
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let meant: Vec<char> =
                candidate.chars().flat_map(char::to_lowercase).take(COMPARED).collect();
            let allowed = (written.len().max(meant.len()) / 3).max(1);
            let distance = distance(&written, &meant, allowed)?;
            let other_letters = sorted(&written) != sorted(&meant);
            (distance < meant.len()).then_some((distance, other_letters, candidate))
        })
        .min_by_key(|(distance, other_letters, _)| (*distance, *other_letters))
        .map(|(_, _, candidate)| candidate)
}

/// Swapped letters are likelier than a wrong one.
fn sorted(word: &[char]) -> Vec<char> {
    let mut letters = word.to_vec();
    letters.sort_unstable();
    letters
}

/// Looks for nearest words among the user's own, which may be many: only so often in a file.
#[derive(Debug)]
pub struct Guesses {
    left: usize,
}

impl Guesses {
    /// Enough for what anybody corrects at once.
    pub const fn for_a_file() -> Self {
        Self { left: 30 }
    }

    /// The nearest word, as long as there are guesses left.
    pub fn nearest<'a>(
        &mut self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        self.left = self.left.checked_sub(1)?;
        nearest(word, candidates.into_iter().take(CANDIDATES))
    }
}

/// Insertions, deletions, replacements and swaps of neighbours between two words, if there are no
/// more than allowed.
fn distance(from: &[char], to: &[char], allowed: usize) -> Option<usize> {
    if from.len().abs_diff(to.len()) > allowed {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, written) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, meant) in to.iter().enumerate() {
            let mut best = (last[column] + usize::from(written != meant))
                .min(last[column + 1] + 1)
                .min(current[column] + 1);
            if row > 0 && column > 0 && *written == to[column - 1] && from[row - 1] == *meant {
                best = best.min(before[column - 1] + 1);
            }
            current.push(best);
        }
        if current.iter().all(|distance| *distance > allowed) {
            return None;
        }
        before = std::mem::replace(&mut last, current);
    }
    last.last().copied().filter(|distance| *distance <= allowed)
}

/// `` `a`, `b` and `c` ``.
pub fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words = words.into_iter();
    let mut quoted: Vec<String> = words.by_ref().take(LISTED).map(quoted).collect();
    let more = words.count();
    if more > 0 {
        quoted.push(format!("{more} more"));
    }
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Text as a YAML value that reads back as that text: plain where that is safe, else in quotes.
pub fn as_yaml(text: &str) -> String {
    let safe_start =
        text.starts_with(|first: char| first.is_ascii_alphanumeric() || "/._$".contains(first));
    let safe = text
        .chars()
        .all(|character| character.is_ascii_alphanumeric() || "/._-+=@$:".contains(character));
    if safe && safe_start && !text.ends_with(':') && !text.contains(": ") {
        return text.to_owned();
    }
    if text.starts_with('-') && text.len() > 1 && safe {
        return text.to_owned();
    }
    format!("\"{}\"", escaped(text).replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_word() {
        let words = ["entrypoint", "env", "expose", "image", "build"];
        for (written, meant) in [
            ("entypoint", Some("entrypoint")),
            ("Entrypoint", Some("entrypoint")),
            ("imgae", Some("image")),
            ("biuld", Some("build")),
            ("envs", Some("env")),
            ("entry_point", Some("entrypoint")),
            ("zebra", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(nearest(written, words), meant, "{written}");
        }
        assert_eq!(nearest(&"a".repeat(10_000), words), None);
    }

    #[test]
    fn quotes_without_control_characters() {
        assert_eq!(quoted("a\u{1b}[31m\n"), "`a\\u{1b}[31m\\n`");
        assert_eq!(quoted("a\u{202e}b"), "`a\\u{202e}b`");
        assert_eq!(quoted("a\u{61c}b"), "`a\\u{61c}b`");
        assert_eq!(quoted(&"é".repeat(100)).chars().count(), SHOWN + 3);
        assert_eq!(escaped("grün\t"), "grün\\t");
    }

    #[test]
    fn lists_words() {
        assert_eq!(listed([]), "");
        assert_eq!(listed(["a"]), "`a`");
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` and `c`");
    }

    #[test]
    fn writes_yaml_that_reads_back() {
        for (text, yaml) in [
            ("node", "node"),
            ("-c", "-c"),
            ("-", "\"-\""),
            ("a b", "\"a b\""),
            ("*.js", "\"*.js\""),
            ("a\"b", "\"a\\\"b\""),
            ("a,b", "\"a,b\""),
            ("@x/y", "\"@x/y\""),
            ("x:", "\"x:\""),
            ("--port=80", "--port=80"),
        ] {
            assert_eq!(as_yaml(text), yaml);
        }
    }
}
