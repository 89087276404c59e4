//! Paths: what cannot be meant, whatever they are relative to.

use crate::diagnostic::{Code, Diagnostic, Text};

use crate::words::quoted;

/// The longest path that Linux takes.
const LONGEST: usize = 4096;

/// A path of any kind: not empty, no control characters, not above the root.
pub fn any(text: &Text) -> Result<(), Diagnostic> {
    let path = text.value.as_str();
    let wrong = |message: String, help: &str| {
        Err(Diagnostic::error(Code::InvalidPath, text.span, message).help(help))
    };
    if path.trim().is_empty() {
        return wrong("an empty path".to_owned(), "write the path, or `.` for the whole folder");
    }
    if path.chars().any(char::is_control) {
        return wrong(
            format!("{} has a control character", quoted(path)),
            "write one path, in one line",
        );
    }
    if path.len() > LONGEST {
        return wrong(
            format!("{} is longer than {LONGEST} bytes", quoted(path)),
            "write a shorter path",
        );
    }
    if path.starts_with('/') && climbs_out(path) {
        return wrong(format!("{} leads out of the root", quoted(path)), "remove the `..`");
    }
    Ok(())
}

/// A path in the build context, in a named context or in an image: relative to its root.
pub fn in_context(text: &Text) -> Result<(), Diagnostic> {
    any(text)?;
    if climbs_out(&text.value) {
        let message = format!("{} leads out of the build context", quoted(&text.value));
        return Err(Diagnostic::error(Code::InvalidPath, text.span, message).help(
            "a build sees its context only: build with the folder above as context, or give the other folder a name with `--build-context NAME=FOLDER` and write `from: NAME`",
        ));
    }
    Ok(())
}

/// A path at which something is made: not the root itself.
pub fn below_root(text: &Text) -> Result<(), Diagnostic> {
    any(text)?;
    let root = text.value.starts_with('/')
        && text.value.split('/').all(|part| matches!(part, "" | "." | ".."));
    if root {
        let message = format!("{} is the root of the image", quoted(&text.value));
        return Err(Diagnostic::error(Code::InvalidPath, text.span, message)
            .help("write a folder below it"));
    }
    Ok(())
}

/// Whether the dots of a path lead above where it starts. A part with `${…}` counts as one name.
fn climbs_out(path: &str) -> bool {
    let mut depth = 0_usize;
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    fn text(value: &str) -> Text {
        Text::new(value.to_owned(), Span::START)
    }

    #[test]
    fn refuses_paths_that_cannot_be_meant() {
        let long = "a/".repeat(3_000);
        for (path, anywhere, context, below) in [
            (".", true, true, true),
            ("a/../b", true, true, true),
            ("*.json", true, true, true),
            ("..", true, false, true),
            ("../a", true, false, true),
            ("a/../../b", true, false, true),
            ("/a/../b", true, true, true),
            ("/../a", false, false, false),
            ("/a/../../b", false, false, false),
            ("/", true, true, false),
            ("/./a/..", true, true, true),
            ("//.", true, true, false),
            ("", false, false, false),
            (" ", false, false, false),
            ("a\nb", false, false, false),
            ("a\0", false, false, false),
            (long.as_str(), false, false, false),
            ("${A}/..", true, true, true),
        ] {
            assert_eq!(any(&text(path)).is_ok(), anywhere, "{path:?}");
            assert_eq!(in_context(&text(path)).is_ok(), context, "{path:?}");
            assert_eq!(below_root(&text(path)).is_ok(), below, "{path:?}");
        }
    }
}
