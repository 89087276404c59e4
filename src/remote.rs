//! The address of a git repository or of a file on the web → the source that BuildKit fetches.
//!
//! One grammar for build contexts, named contexts and `add`, the one of docker/dockerfile v1.28
//! (frontend/dockerfile/dfgitutil): over http a path that ends in `.git` is a repository, and what
//! is wanted of it follows a `#` or stands in the query. Nothing is fetched here.

mod shown;

pub use shown::{holds_credentials, shown, shown_about, shown_in};

use crate::llb::Git;
use crate::paths;
use crate::words;

/// What an address leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remote {
    /// A git repository, or a folder of it.
    Git(Git),
    /// A file behind an http or https address.
    Http(String),
}

/// What is wrong with the query or the fragment of a git address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The query has a parameter that nobody knows.
    #[error("{0:?} is no parameter of a git address")]
    Unknown(String),
    /// A parameter says nothing.
    #[error("the parameter {0:?} of the git address has no value")]
    Empty(String),
    /// Two places say different things.
    #[error("the git address names two {what}: {first:?} and {second:?}")]
    Conflict {
        /// References, folders, commits.
        what: &'static str,
        /// The one.
        first: String,
        /// The other.
        second: String,
    },
    /// A parameter has a value that it cannot have.
    #[error("the parameter {key:?} of the git address cannot be {value:?}")]
    Impossible {
        /// The parameter.
        key: String,
        /// What it was given.
        value: String,
    },
}

const PARAMETERS: [&str; 10] = [
    "branch",
    "checksum",
    "commit",
    "fetch-by-commit",
    "keep-git-dir",
    "mtime",
    "ref",
    "subdir",
    "submodules",
    "tag",
];

impl AddressError {
    /// What to write instead.
    pub fn help(&self) -> String {
        match self {
            Self::Unknown(key) => match words::nearest(key, PARAMETERS) {
                Some(near) => format!("did you mean {near:?}?"),
                None => format!("the parameters are {}", words::listed(PARAMETERS)),
            },
            Self::Empty(key) => format!("write `{key}=…`, or leave it out"),
            Self::Conflict { .. } => "leave one of them out".to_owned(),
            Self::Impossible { key, .. } => match key.as_str() {
                "mtime" => "write `mtime=checkout` or `mtime=commit`".to_owned(),
                "checksum" | "commit" => format!("write `{key}=` and a commit"),
                _ => format!("write `{key}=true` or `{key}=false`"),
            },
        }
    }
}

/// What an address leads to; `None` is a path or a name.
pub fn parse(address: &str) -> Result<Option<Remote>, AddressError> {
    if let Some(parts) = Parts::of(address) {
        return parts.into_git().map(|git| Some(Remote::Git(git)));
    }
    let web = address.starts_with("http://") || address.starts_with("https://");
    Ok(web.then(|| Remote::Http(address.to_owned())))
}

/// The same for a build context, which may also be `github.com/OWNER/NAME`.
pub fn parse_context(address: &str) -> Result<Option<Remote>, AddressError> {
    if !address.starts_with("github.com/") {
        return parse(address);
    }
    let (place, query, fragment) = split(address);
    let git = Parts { url: format!("https://{place}"), query, fragment: decode(fragment) };
    git.into_git().map(|git| Some(Remote::Git(git)))
}

/// An address that BuildKit takes for a git repository.
struct Parts<'a> {
    url: String,
    query: &'a str,
    fragment: String,
}

impl<'a> Parts<'a> {
    fn of(address: &'a str) -> Option<Self> {
        let (place, query, fragment) = split(address);
        let alphanumeric = |text: &&str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let scheme = place.split_once("://").filter(|(scheme, _)| !scheme.is_empty());
        let Some((scheme, rest)) = scheme.filter(|(scheme, _)| alphanumeric(scheme)) else {
            return is_scp(place).then(|| Parts {
                url: place.to_owned(),
                query,
                fragment: fragment.to_owned(), // not decoded, unlike that of a URL
            });
        };
        let scheme = scheme.to_ascii_lowercase();
        let path = rest.split_once('/').map_or("", |(_, path)| path);
        let is_git = match scheme.as_str() {
            "git" | "ssh" => true,
            "http" | "https" => decode(path).as_bytes().ends_with(b".git"),
            _ => false,
        };
        let url = format!("{scheme}://{rest}");
        is_git.then(|| Parts { url, query, fragment: decode(fragment) })
    }

    fn into_git(self) -> Result<Git, AddressError> {
        let (reference, subdir) = self.fragment.split_once(':').unwrap_or((&self.fragment, ""));
        let mut git = Git {
            url: self.url,
            reference: reference.to_owned(),
            subdir: relative(subdir),
            ..Git::default()
        };
        for pair in self.query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plus = |text: &str| decode(&text.replace('+', " "));
            set(&mut git, &plus(key), plus(value))?;
        }
        Ok(git)
    }
}

/// One parameter of the query.
fn set(git: &mut Git, key: &str, value: String) -> Result<(), AddressError> {
    if !PARAMETERS.contains(&key) {
        return Err(AddressError::Unknown(key.to_owned()));
    }
    let is_flag = matches!(key, "fetch-by-commit" | "keep-git-dir" | "submodules");
    if value.is_empty() && !is_flag {
        return Err(AddressError::Empty(key.to_owned()));
    }
    let below = |folder: &str| {
        if value.starts_with(folder) { value.clone() } else { format!("{folder}{value}") }
    };
    match key {
        "ref" => only_one("references", &mut git.reference, value),
        "tag" => only_one("references", &mut git.reference, below("refs/tags/")),
        "branch" => only_one("references", &mut git.reference, below("refs/heads/")),
        "subdir" => only_one("folders", &mut git.subdir, relative(&value)),
        "checksum" | "commit" => {
            if !value.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(AddressError::Impossible { key: key.to_owned(), value });
            }
            only_one("commits", git.checksum.get_or_insert_default(), value)
        }
        "mtime" if matches!(value.as_str(), "checkout" | "commit") => {
            git.mtime = Some(value);
            Ok(())
        }
        "mtime" => Err(AddressError::Impossible { key: key.to_owned(), value }),
        _ => {
            let on = is_true(key, &value)?;
            match key {
                "keep-git-dir" => git.keep_git_dir = on,
                "submodules" => git.skip_submodules = !on,
                _ => git.fetch_by_commit = on,
            }
            Ok(())
        }
    }
}

/// Takes a value, unless another one stands there.
fn only_one(what: &'static str, place: &mut String, value: String) -> Result<(), AddressError> {
    if !place.is_empty() && *place != value {
        return Err(AddressError::Conflict { what, first: place.clone(), second: value });
    }
    *place = value;
    Ok(())
}

/// A flag, which alone means yes; the words are those of Go.
fn is_true(key: &str, value: &str) -> Result<bool, AddressError> {
    match value {
        "" | "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(AddressError::Impossible { key: key.to_owned(), value: value.to_owned() }),
    }
}

/// `PLACE?QUERY#FRAGMENT`.
fn split(address: &str) -> (&str, &str, &str) {
    let (rest, fragment) = address.split_once('#').unwrap_or((address, ""));
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    (place, query, fragment)
}

/// `git@github.com:owner/name.git`.
fn is_scp(place: &str) -> bool {
    let all = |text: &str, more: &[u8]| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    place.split_once('@').is_some_and(|(user, rest)| {
        let host = rest.split_once(':').map_or("", |(host, _)| host);
        all(user, b"-_") && all(host, b"-.")
    })
}

/// A folder of a repository: no way leads out of it.
fn relative(folder: &str) -> String {
    paths::join("/", folder).trim_start_matches('/').to_owned()
}

/// `%20` is a space; what is no such escape stays.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = after.get(..2).filter(|_| *first == b'%');
        let escape = escape.and_then(|digits| std::str::from_utf8(digits).ok());
        let escape = escape.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escape.unwrap_or(*first));
        rest = if escape.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(url: &str) -> Git {
        Git { url: url.to_owned(), ..Git::default() }
    }

    #[track_caller]
    fn check(address: &str, expected: Git) {
        assert_eq!(parse_context(address), Ok(Some(Remote::Git(expected))), "{address}");
    }

    #[test]
    fn paths_and_names_are_no_addresses() {
        for address in [
            "",
            ".",
            "./a.git",
            "../x",
            "context",
            "a@b",
            "a/@b:c",
            "ftp://a/b.git",
            "://a",
            "git@host/x",
        ] {
            assert_eq!(parse_context(address), Ok(None), "{address}");
        }
        assert_eq!(parse("github.com/a/b"), Ok(None), "only a build context may be written so");
    }

    #[test]
    fn over_http_a_repository_ends_in_git() {
        for address in [
            "https://a.example/",
            "https://a.example/x.git/",
            "http://a/b?x=.git",
            "https://a/x#y.git",
        ] {
            assert_eq!(parse(address), Ok(Some(Remote::Http(address.to_owned()))), "{address}");
        }
        for address in ["https://a/x.git", "http://u:p@a:80/x.git", "git://a/x", "ssh://git@a/x"] {
            check(address, git(address));
        }
        check("HTTPS://a/x.git", git("https://a/x.git"));
        check("git@a.example:x/y", git("git@a.example:x/y"));
        check("github.com/a/b", git("https://github.com/a/b"));
    }

    #[test]
    fn a_fragment_names_reference_and_folder() {
        for (fragment, reference, subdir) in [
            ("", "", ""),
            ("#v1", "v1", ""),
            ("#release/1.2:a/b", "release/1.2", "a/b"),
            ("#:a", "", "a"),
            ("#v1:/a/../../b/", "v1", "b"),
            ("#a%20b:c%2Fd", "a b", "c/d"),
        ] {
            let expected = Git {
                reference: reference.to_owned(),
                subdir: subdir.to_owned(),
                ..git("https://a/x.git")
            };
            check(&format!("https://a/x.git{fragment}"), expected);
        }
    }

    #[test]
    fn a_query_says_the_same_and_more() {
        let commit = "0123456789012345678901234567890123456789";
        let all = Git {
            reference: "refs/tags/v1".to_owned(),
            subdir: "a b".to_owned(),
            checksum: Some(commit.to_owned()),
            keep_git_dir: true,
            skip_submodules: true,
            mtime: Some("commit".to_owned()),
            fetch_by_commit: true,
            ..git("git@h:x.git")
        };
        check(
            &format!(
                "git@h:x.git?tag=v1&subdir=/a+b&checksum={commit}&keep-git-dir&submodules=false\
                 &mtime=commit&fetch-by-commit=1"
            ),
            all,
        );
        let branch = Git { reference: "refs/heads/b".to_owned(), ..git("https://a/x.git") };
        for query in
            ["branch=b", "branch=refs/heads/b", "ref=refs/heads/b", "ref=refs/heads/b&branch=b"]
        {
            check(&format!("https://a/x.git?{query}&keep-git-dir=false"), branch.clone());
        }
        check(
            "github.com/a/b?ref=v1#v1",
            Git { reference: "v1".to_owned(), ..git("https://github.com/a/b") },
        );
    }

    #[test]
    fn refuses_a_query_that_cannot_be_meant() {
        for (address, message, help) in [
            ("?rev=1", "\"rev\" is no parameter of a git address", "did you mean \"ref\"?"),
            (
                "?ref=",
                "the parameter \"ref\" of the git address has no value",
                "write `ref=…`, or leave it out",
            ),
            (
                "?ref=a#b",
                "the git address names two references: \"b\" and \"a\"",
                "leave one of them out",
            ),
            (
                "?tag=a&branch=a",
                "the git address names two references: \"refs/tags/a\" and \"refs/heads/a\"",
                "leave one of them out",
            ),
            (
                "?subdir=a#:b",
                "the git address names two folders: \"b\" and \"a\"",
                "leave one of them out",
            ),
            (
                "?commit=a&checksum=b",
                "the git address names two commits: \"a\" and \"b\"",
                "leave one of them out",
            ),
            (
                "?checksum=main",
                "the parameter \"checksum\" of the git address cannot be \"main\"",
                "write `checksum=` and a commit",
            ),
            (
                "?mtime=now",
                "the parameter \"mtime\" of the git address cannot be \"now\"",
                "write `mtime=checkout` or `mtime=commit`",
            ),
            (
                "?submodules=perhaps",
                "the parameter \"submodules\" of the git address cannot be \"perhaps\"",
                "write `submodules=true` or `submodules=false`",
            ),
        ] {
            let error = parse(&format!("https://a/x.git{address}")).unwrap_err();
            assert_eq!(
                (error.to_string().as_str(), error.help().as_str()),
                (message, help),
                "{address}"
            );
        }
    }
}
