//! `.dockerignore` → patterns as BuildKit's exclude patterns take them.

use crate::paths;

/// The most patterns that are passed on; a file with more is one that nobody wrote.
const MAX_PATTERNS: usize = 10_000;

/// The patterns of an ignore file: one a line, `#` for comments, `!` to take something back.
/// Leading slashes do not count, as in docker/dockerfile.
#[must_use]
pub fn parse_ignore(content: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(content);
    let text = text.trim_start_matches('\u{feff}');
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| pattern(line.trim()))
        .take(MAX_PATTERNS)
        .collect()
}

fn pattern(line: &str) -> Option<String> {
    let (sign, rest) = match line.strip_prefix('!') {
        Some(rest) => ("!", rest.trim()),
        None => ("", line),
    };
    if rest.is_empty() {
        return None;
    }
    let clean = paths::join("/", rest);
    let clean = clean.trim_start_matches('/');
    // What cleans to nothing means the whole context, as `.` does for Docker.
    let clean = if clean.is_empty() { "." } else { clean };
    Some(format!("{sign}{clean}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_patterns_as_docker_does() {
        for (text, patterns) in [
            ("", vec![]),
            ("node_modules\n# no\n\n  *.log  \n", vec!["node_modules", "*.log"]),
            ("/dist/\n!/dist/keep\n", vec!["dist", "!dist/keep"]),
            ("./a//b\r\n", vec!["a/b"]),
            ("! x", vec!["!x"]),
            ("**/*.tmp", vec!["**/*.tmp"]),
            ("\u{feff}a", vec!["a"]),
        ] {
            assert_eq!(parse_ignore(text.as_bytes()), patterns, "{text:?}");
        }
    }
}
