//! Paths inside an image, as text: always absolute, with `/`, without `.` and `..`. Nothing here
//! touches a file system; links are followed elsewhere (`inspect`), where there is one.

/// Joins `path` to `base` and cleans the result; an absolute `path` stands alone. `..` stops at `/`.
#[must_use]
pub fn join(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let from_base = if path.starts_with('/') { "" } else { base };
    for part in from_base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether a path has more `..` than it can have: `join` stops at `/`.
#[must_use]
pub fn leads_out(path: &str) -> bool {
    let mut depth = 0_i32;
    path.split('/').any(|part| {
        depth += match part {
            "" | "." => 0,
            ".." => -1,
            _ => 1,
        };
        depth < 0
    })
}

/// The folder that holds `path`; `/` for `/` itself.
#[must_use]
pub fn parent(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

/// The last part of `path`; empty for `/`.
#[must_use]
pub fn name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// Every folder above `path`, from the top, without `/`.
pub fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let path = path.trim_end_matches('/');
    path.char_indices()
        .filter(|(index, character)| *index > 0 && *character == '/')
        .map(|(index, _)| &path[..index])
}

/// What stands below `folder` on the way to `path`: `Some("")` for the folder itself.
#[must_use]
pub fn below<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    let folder = folder.trim_end_matches('/');
    let rest = path.strip_prefix(folder)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// Whether a path holds the wildcards of a pattern: `*`, `?` or `[`, not behind a backslash.
#[must_use]
pub fn is_pattern(path: &str) -> bool {
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

/// Splits a cleaned pattern into the folder before its first wildcard and the rest.
#[must_use]
pub fn split_pattern(pattern: &str) -> (String, String) {
    let mut folder = Vec::new();
    let mut rest = Vec::new();
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        if rest.is_empty() && !is_pattern(part) {
            folder.push(part);
        } else {
            rest.push(part);
        }
    }
    (format!("/{}", folder.join("/")), rest.join("/"))
}

/// The name that a text without wildcards means: `a\\[1]` is the file `a[1]`.
#[must_use]
pub fn unescape(path: &str) -> String {
    let mut name = String::with_capacity(path.len());
    let mut characters = path.chars();
    while let Some(character) = characters.next() {
        let escaped = if character == '\\' { characters.next() } else { None };
        name.push(escaped.unwrap_or(character));
    }
    name
}

/// A pattern that matches exactly this text.
#[must_use]
pub fn literal(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for character in path.chars() {
        if matches!(character, '*' | '?' | '[' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_and_cleans() {
        for (base, path, joined) in [
            ("/app", ".", "/app"),
            ("/app", "a/b/", "/app/a/b"),
            ("/app", "./a/../b", "/app/b"),
            ("/app", "/etc//x", "/etc/x"),
            ("/app", "../../../x", "/x"),
            ("/", "", "/"),
        ] {
            assert_eq!(join(base, path), joined, "{base} + {path}");
        }
    }

    #[test]
    fn takes_paths_apart() {
        assert_eq!(parent("/a/b"), "/a");
        assert_eq!(parent("/a"), "/");
        assert_eq!(parent("/"), "/");
        assert_eq!(name("/a/b/"), "b");
        assert_eq!(name("/"), "");
        assert_eq!(ancestors("/a/b/c").collect::<Vec<_>>(), ["/a", "/a/b"]);
        assert_eq!(ancestors("/a").count(), 0);
        assert_eq!(below("/a", "/a/b"), Some("b"));
        assert_eq!(below("/a", "/a"), Some(""));
        assert_eq!(below("/a", "/ab"), None);
        assert_eq!(below("/", "/ab"), Some("ab"));
    }

    #[test]
    fn knows_patterns() {
        assert!(is_pattern("a/*.js"));
        assert!(!is_pattern(r"a/\*.js"));
        assert_eq!(split_pattern("/a/b/*/c"), ("/a/b".to_owned(), "*/c".to_owned()));
        assert_eq!(split_pattern("/*"), ("/".to_owned(), "*".to_owned()));
        assert_eq!(literal("a[1]*"), r"a\[1]\*");
        assert_eq!(unescape(&literal(r"a[1]*\x?")), r"a[1]*\x?");
    }

    #[test]
    fn tells_paths_that_lead_out() {
        for path in ["", "/", "a", "/a/../b/..", "./a", "a//.."] {
            assert!(!leads_out(path), "{path}");
        }
        for path in ["..", "/..", "a/../../b", "./../a"] {
            assert!(leads_out(path), "{path}");
        }
    }
}
