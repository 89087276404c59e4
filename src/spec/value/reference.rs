//! Names: of stages and apps, and of images as far as their form goes.

use crate::diagnostic::{Code, Diagnostic, Text};
use crate::reference::Reference;

use crate::words::quoted;

/// The longest name of a stage or an app.
const LONGEST: usize = 128;

/// The name of a stage or an app.
pub fn name(text: &Text) -> Result<(), Diagnostic> {
    let written = text.value.as_str();
    let wrong = |help: String| {
        let message = format!("{} is not a name", quoted(written));
        Err(Diagnostic::error(Code::InvalidValue, text.span, message).help(help))
    };
    let rule = "names have lower-case letters, digits, `-`, `_` and `.`, and start with a letter";
    if matches!(written, "scratch" | "context") {
        return wrong(format!(
            "{} has a meaning of its own in BuildKit; take another name",
            quoted(written)
        ));
    }
    if is_name(written) {
        return Ok(());
    }
    let lower = written.to_lowercase().replace([' ', '/'], "-");
    if is_name(&lower) { wrong(format!("write `{lower}`: {rule}")) } else { wrong(rule.to_owned()) }
}

fn is_name(text: &str) -> bool {
    text.len() <= LONGEST
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|character| {
            character.is_ascii_lowercase()
                || character.is_ascii_digit()
                || "._-".contains(character)
        })
}

/// Whether a text can name an image.
pub fn is_image(text: &str) -> bool {
    Reference::parse(text).is_ok()
}

/// An image of the form that registries take.
pub fn image(text: &Text) -> Result<(), Diagnostic> {
    let Err(error) = Reference::parse(&text.value) else { return Ok(()) };
    let lower = text.value.trim().to_lowercase();
    let help = if is_image(&lower) {
        format!("write `{lower}`")
    } else {
        "write NAME:TAG, such as `node:24`".to_owned()
    };
    Err(Diagnostic::error(Code::InvalidReference, text.span, error.to_string()).help(help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    #[test]
    fn names_are_lower_case_words() {
        for (written, fine) in [
            ("build", true),
            ("go-deps_2.x", true),
            ("Build", false),
            ("2nd", false),
            ("", false),
            ("a/b", false),
            ("a b", false),
            ("scratch", false),
            ("context", false),
            ("ünde", false),
        ] {
            assert_eq!(
                name(&Text::new(written.to_owned(), Span::START)).is_ok(),
                fine,
                "{written}"
            );
        }
    }

    #[test]
    fn tells_images_by_their_form() {
        let digest = format!("node@sha256:{}", "0".repeat(64));
        let short = format!("node@sha256:{}", "0".repeat(63));
        for (written, fine) in [
            ("node", true),
            ("node:24", true),
            ("node:24-dev", true),
            ("dhi.io/node:24", true),
            ("localhost:5000/a/b:c", true),
            ("127.0.0.1:5000/a", true),
            ("[::1]:5000/a", true),
            ("EXAMPLE/a", true),
            ("a__b/c-d.e--f", true),
            (digest.as_str(), true),
            (short.as_str(), false),
            ("node@md5:0", false),
            ("Node:24", false),
            ("node:", false),
            ("node:2 4", false),
            ("node/", false),
            ("/node", false),
            ("a..b", false),
            ("a___b", false),
            ("-a", false),
            ("", false),
            ("https://example.com/a", false),
            ("a//b", false),
            ("localhost:x/a", false),
        ] {
            assert_eq!(is_image(written), fine, "{written}");
        }
    }
}
