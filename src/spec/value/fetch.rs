//! What `add` fetches: which sources are URLs, which of them git repositories, and how they are
//! pinned.

use crate::diagnostic::{Code, Diagnostic, Text};
use crate::llb::{Git, is_commit};
use crate::remote::{self, Remote};
use crate::words::quoted;

/// What a source of `add` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A path in the build context.
    Local,
    /// Fetched by http or https.
    Url,
    /// A git repository.
    Git,
}

/// Tells what a source of `add` is, by the same marks as BuildKit.
pub fn source(text: &str) -> Source {
    match remote::parse(text) {
        Ok(None) => Source::Local,
        Ok(Some(Remote::Http(_))) => Source::Url,
        Ok(Some(Remote::Git(_))) | Err(_) => Source::Git,
    }
}

/// An address ends up in the provenance and in the builder's progress.
pub fn no_credentials(url: &Text) -> Result<(), Diagnostic> {
    if !remote::holds_credentials(&url.value) {
        return Ok(());
    }
    let message =
        "this address holds a password or a token, which everybody could read in the provenance";
    Err(super::invalid(url, message, "fetch it with `run` and a `secret`, in a stage"))
}

/// A git URL names a whole commit: `URL#COMMIT`, `URL#COMMIT:FOLDER` or `URL?commit=COMMIT`.
pub fn git_commit(text: &Text) -> Result<Git, Diagnostic> {
    let git = match remote::parse(&text.value) {
        Ok(Some(Remote::Git(git))) => git,
        Ok(_) => {
            let message = format!("{} is no git repository", quoted(&remote::shown(&text.value)));
            return Err(super::invalid(text, message, "write `https://…/NAME.git#COMMIT`"));
        }
        Err(error) => return Err(super::invalid(text, error.to_string(), error.help())),
    };
    let checksum = git.checksum.as_deref().unwrap_or_default();
    if is_commit(&git.reference) || is_commit(checksum) {
        return Ok(git);
    }
    let wanted = if git.reference.is_empty() { checksum } else { &git.reference };
    let message = match wanted {
        "" => format!("{} names no commit", quoted(&remote::shown(&text.value))),
        wanted => {
            format!("{} is not a whole commit, and can mean another one tomorrow", quoted(wanted))
        }
    };
    let wanted = if wanted.is_empty() { "HEAD" } else { wanted };
    let address = remote::shown(&git.url);
    let help = format!(
        "write `{address}#COMMIT` with all 40 digits; `git ls-remote {address} {wanted}` prints them"
    );
    Err(Diagnostic::error(Code::MissingChecksum, text.span, message).help(help))
}

/// A checksum: `sha256:` and 64 hexadecimal digits.
pub fn checksum(text: &Text) -> Result<(), Diagnostic> {
    let written = text.value.as_str();
    let digits = |text: &str| {
        text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    if written.strip_prefix("sha256:").is_some_and(digits) {
        return Ok(());
    }
    let lower = written.to_lowercase();
    let bare = lower.strip_prefix("sha256:").unwrap_or(&lower);
    let help = if digits(bare) {
        format!("write `sha256:{bare}`")
    } else {
        "write `sha256:` and 64 hexadecimal digits, as `sha256sum` prints them".to_owned()
    };
    Err(super::invalid(text, format!("{} is not a checksum", quoted(written)), help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;

    fn text(value: &str) -> Text {
        Text::new(value.to_owned(), Span::START)
    }

    #[test]
    fn tells_sources_apart() {
        for (written, kind) in [
            ("app.tar.gz", Source::Local),
            ("./https/x", Source::Local),
            ("a@b", Source::Local),
            ("node_modules/@x/y:z", Source::Local),
            ("https://example.com/a.tar.gz", Source::Url),
            ("https://example.com/a.tar.gz?x=.git", Source::Url),
            ("http://example.com/a", Source::Url),
            ("https://github.com/a/b.git", Source::Git),
            ("https://github.com/a/b.git#main", Source::Git),
            ("git://example.com/a", Source::Git),
            ("ssh://git@example.com/a", Source::Git),
            ("git@github.com:a/b.git", Source::Git),
        ] {
            assert_eq!(source(written), kind, "{written}");
        }
    }

    #[test]
    fn git_needs_a_whole_commit() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        for url in [
            "https://x/a.git#C",
            "https://x/a.git#C:docs",
            "https://x/a.git?commit=C",
            "git@x:a.git?ref=v1&checksum=C",
        ] {
            assert!(git_commit(&text(&url.replace('C', commit))).is_ok(), "{url}");
        }
        for (url, mentioned) in [
            ("https://x/a.git", "HEAD"),
            ("https://x/a.git#", "HEAD"),
            ("https://x/a.git#v1", "v1"),
            ("https://x/a.git#0123456", "0123456"),
            ("https://x/a.git?tag=v2", "v2"),
        ] {
            let problem = git_commit(&text(url)).unwrap_err();
            assert_eq!(problem.code, Code::MissingChecksum);
            assert!(problem.help.unwrap().contains(mentioned), "{url}");
        }
    }

    #[test]
    fn checksums_are_sha256() {
        let digits = "0a".repeat(32);
        assert_eq!(checksum(&text(&format!("sha256:{digits}"))), Ok(()));
        for written in [
            digits.clone(),
            format!("SHA256:{digits}"),
            format!("sha256:{}", digits.to_uppercase()),
        ] {
            assert_eq!(
                checksum(&text(&written)).unwrap_err().help,
                Some(format!("write `sha256:{digits}`"))
            );
        }
        for written in ["", "sha256:", "md5:00", "sha512:00"] {
            assert!(checksum(&text(written)).is_err(), "{written}");
        }
    }
}
