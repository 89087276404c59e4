//! What waivers are made of: ids of checks, patterns of paths, days, words that say something.

use crate::diagnostic::{Diagnostic, Text};

use super::invalid;
use crate::harden::Pattern;
use crate::words::quoted;

/// The longest reason, or name of somebody.
const MAX_WORDS: usize = 1_000;

/// The id of a check by its form; whether there is one is known to the checks.
pub fn id(text: &Text) -> Result<(), Diagnostic> {
    let is_id = |(family, number): (&str, &str)| {
        !family.is_empty()
            && family.bytes().all(|byte| byte.is_ascii_uppercase())
            && number.len() == 2
            && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    if text.value.split_once('-').is_some_and(is_id) {
        return Ok(());
    }
    let message = format!("{} is not the id of a check", quoted(&text.value));
    Err(invalid(text, message, "write one id, such as `SHL-02`: findings begin with theirs"))
}

/// A pattern of paths in the image, or of what an entry of the config is called.
pub fn pattern(text: &Text) -> Result<(), Diagnostic> {
    let help = "write a path of the image, such as `/app/bin/tool`, `/app/*.node` or `/app/**`";
    let message = |why: &str| format!("`path` cannot be {}: {why}", quoted(&text.value));
    match Pattern::parse(&text.value) {
        Err(why) => Err(invalid(text, message(why), help)),
        Ok(_) if text.value.split('/').any(|name| [".", ".."].contains(&name)) => {
            Err(invalid(text, message("paths of an image have no `.` and `..`"), help))
        }
        Ok(_) => Ok(()),
    }
}

/// Words for people.
pub fn words(text: &Text) -> Result<(), Diagnostic> {
    if text.value.trim().is_empty() {
        let message = "this is empty: a waiver says why, and who answers for it";
        return Err(invalid(text, message, "write it in words that an auditor understands"));
    }
    if text.value.chars().count() > MAX_WORDS {
        let message = format!("it has more than {MAX_WORDS} characters");
        return Err(invalid(text, message, "write it shorter, with an address for the rest"));
    }
    Ok(())
}

/// A day as `YYYY-MM-DD`.
pub fn day(text: &Text) -> Result<(), Diagnostic> {
    if as_day(&text.value).is_some() {
        return Ok(());
    }
    let message = format!("{} is not a day", quoted(&text.value));
    Err(invalid(text, message, "write it as year, month and day: `2027-03-31`"))
}

/// The day of a text as `YYYY-MM-DD`.
#[must_use]
pub fn as_day(text: &str) -> Option<jiff::civil::Date> {
    let is_form =
        text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    text.parse().ok().filter(|_| is_form)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    fn accepts(check: fn(&Text) -> Result<(), Diagnostic>, text: &str) -> bool {
        check(&Text::new(text.to_owned(), Span::START)).is_ok()
    }

    #[test]
    fn knows_ids_days_patterns_and_words() {
        type Case =
            (fn(&Text) -> Result<(), Diagnostic>, &'static [&'static str], &'static [&'static str]);
        let cases: [Case; 4] = [
            (id, &["SHL-02", "BASE-01", "NEW-99"], &["", "shl-02", "SHL-2", "SHL-*", "SHL", "-02"]),
            (
                day,
                &["2027-03-31", "2028-02-29"],
                &[
                    "",
                    "31.3.2027",
                    "2027-02-29",
                    "2027-3-1",
                    "2027-03-31T00:00",
                    "20270331",
                    "never",
                ],
            ),
            (pattern, &["/bin/sh", "/**", "80/tcp", "TZ"], &["", "/a/../b", "./a", "/a**"]),
            (words, &["x", "we need it"], &["", " \n"]),
        ];
        for (check, right, wrong) in cases {
            for text in right {
                assert!(accepts(check, text), "{text}");
            }
            for text in wrong {
                assert!(!accepts(check, text), "{text:?}");
            }
        }
        assert!(!accepts(words, &"x".repeat(1_001)));
    }
}
