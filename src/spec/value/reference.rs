//! Names: of stages and apps, and of images as far as their form goes.

use crate::diagnostic::{Code, Diagnostic, Text};

use super::super::words::quoted;

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

/// Whether a text can name an image: `[registry[:port]/]path[:tag][@digest]`.
pub fn is_image(text: &str) -> bool {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    let (path, tag) = match rest.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (rest, None),
    };
    let (registry, path) = match path.split_once('/') {
        Some((first, path))
            if first.contains(['.', ':'])
                || first == "localhost"
                || first != first.to_lowercase() =>
        {
            (Some(first), path)
        }
        _ => (None, path),
    };
    path.len() <= 255
        && path.split('/').all(is_component)
        && registry.is_none_or(is_registry)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest)
}

/// An image of the form that registries take.
pub fn image(text: &Text) -> Result<(), Diagnostic> {
    if is_image(&text.value) {
        return Ok(());
    }
    let message = format!("{} cannot be the name of an image", quoted(&text.value));
    let lower = text.value.trim().to_lowercase();
    let help = if is_image(&lower) {
        format!("write `{lower}`")
    } else {
        "write NAME:TAG, such as `node:24`".to_owned()
    };
    Err(Diagnostic::error(Code::InvalidReference, text.span, message).help(help))
}

/// Lower-case words, joined by `.`, `_`, `__` or dashes.
fn is_component(text: &str) -> bool {
    let word = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    let separators_fine =
        text.split(word).filter(|separator| !separator.is_empty()).all(|separator| {
            matches!(separator, "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-')
        });
    separators_fine && text.starts_with(word) && text.ends_with(word)
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let host_fine = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => {
            !address.is_empty()
                && address
                    .chars()
                    .all(|character| character.is_ascii_hexdigit() || character == ':')
        }
        None => host.split('.').all(|label| {
            let inner = label
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || character == '-');
            inner && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
        }),
    };
    host_fine
        && port
            .is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_tag(text: &str) -> bool {
    let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.len() <= 128
        && text.starts_with(word)
        && text.chars().all(|character| word(character) || ".-".contains(character))
}

fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        let length = match algorithm {
            "sha256" => 64,
            "sha512" => 128,
            _ => return false,
        };
        hex.len() == length && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
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
