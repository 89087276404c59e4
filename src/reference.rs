//! Image references: `[host[:port]/]path[:tag][@digest]`, read as distribution/reference v0.6 reads
//! them, so that a name means here what it means to Docker and to BuildKit.
//!
//! In goes a name as a user wrote it, out comes a [`Reference`] in canonical form: the registry is
//! always there (`node` is `docker.io/library/node`), a tag or a digest only where one was written.
//! Nothing is guessed and nothing is lowered; what the grammar refuses is refused with a sentence.

use std::fmt;
use std::str::FromStr;

/// The registry of names that do not begin with one.
const DEFAULT_DOMAIN: &str = "docker.io";
/// What Docker Hub's registry was called; the same registry.
const LEGACY_DOMAIN: &str = "index.docker.io";
/// The namespace of names with a single part on Docker Hub.
const OFFICIAL_NAMESPACE: &str = "library/";
/// distribution/reference's limit on the path, registry not counted.
const MAX_PATH: usize = 255;
/// The longest tag.
const MAX_TAG: usize = 128;
/// Digest algorithms that `OCI` registers, and the length of their hex.
const ALGORITHMS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

/// A valid image reference. Two that name the same thing are equal, however they were written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    domain: String,
    path: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// Why a text is no image reference. `Display` is the sentence for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing was written.
    #[error("an image name is empty")]
    Empty,
    /// The path has capital letters.
    #[error("`{0}` has capital letters: the path of an image name is lower case")]
    UpperCase(String),
    /// Hex of 64 digits, which Docker takes for the id of a local image.
    #[error("`{0}` is the id of a local image, not the name of one")]
    Identifier(String),
    /// The part before the first slash is no registry.
    #[error("`{domain}` in `{name}` is no host of a registry")]
    Domain {
        /// The whole name.
        name: String,
        /// The part that is wrong.
        domain: String,
    },
    /// A part of the path is not as it must be.
    #[error(
        "`{part}` in `{name}` is no part of an image name: letters and digits, joined by `.`, `_`, `__` or `-`"
    )]
    Path {
        /// The whole name.
        name: String,
        /// The part that is wrong.
        part: String,
    },
    /// The path is too long.
    #[error("an image name has {0} characters, {MAX_PATH} are allowed")]
    TooLong(usize),
    /// The tag is not as it must be.
    #[error(
        "`{0}` is no tag: letters, digits, `_`, `.` and `-`, at most {MAX_TAG}, not beginning with `.` or `-`"
    )]
    Tag(String),
    /// The digest is not as it must be.
    #[error("`{0}` is no digest: it looks like `sha256:` and 64 characters of 0-9 and a-f")]
    Digest(String),
}

impl Reference {
    /// Reads a reference as it is written in a spec.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text.len() == 64 && text.bytes().all(is_lower_hex) {
            return Err(ReferenceError::Identifier(text.to_owned()));
        }
        // The first `@`: nothing before a digest may hold one.
        let (named, digest) = match text.split_once('@') {
            Some((named, digest)) => (named, Some(parse_digest(digest)?)),
            None => (text, None),
        };
        let (domain, remainder) = split_domain(named);
        let (path, tag) = match remainder.split_once(':') {
            Some((path, tag)) => (path, Some(parse_tag(tag)?)),
            None => (remainder, None),
        };
        check_domain(named, domain)?;
        check_path(named, path)?;
        let path = if domain == DEFAULT_DOMAIN && !path.contains('/') {
            format!("{OFFICIAL_NAMESPACE}{path}")
        } else {
            path.to_owned()
        };
        if path.len() > MAX_PATH {
            return Err(ReferenceError::TooLong(path.len()));
        }
        Ok(Self { domain: domain.to_owned(), path, tag, digest })
    }

    /// The registry: `docker.io`, `dhi.io`, `localhost:5000`.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The path in the registry: `library/node`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Registry and path, without tag and digest: `docker.io/library/node`.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// The tag, if one was written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if one was written.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The same reference, pinned. The tag stays: it tells a reader what the digest was.
    pub fn with_digest(&self, digest: &str) -> Result<Self, ReferenceError> {
        Ok(Self { digest: Some(parse_digest(digest)?), ..self.clone() })
    }

    /// The same repository with another tag, and without a digest, which belonged to the old one.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ReferenceError> {
        Ok(Self { tag: Some(parse_tag(tag)?), digest: None, ..self.clone() })
    }

    /// The reference with the tag `latest` if it has neither tag nor digest, as a pull takes it.
    #[must_use]
    pub fn with_default_tag(&self) -> Self {
        let mut reference = self.clone();
        if reference.tag.is_none() && reference.digest.is_none() {
            reference.tag = Some("latest".to_owned());
        }
        reference
    }

    /// The short form that people write: `node:24` for `docker.io/library/node:24`.
    pub fn familiar(&self) -> String {
        let suffix = self.suffix();
        if self.domain != DEFAULT_DOMAIN {
            return format!("{}/{}{suffix}", self.domain, self.path);
        }
        // The namespace is left out only where reading the rest would put it back.
        let path = match self.path.strip_prefix(OFFICIAL_NAMESPACE) {
            Some(name) if !name.contains('/') => name,
            _ => &self.path,
        };
        // Docker's familiar form drops the registry here too, and then reads back as another image.
        let alone = match path.split_once('/') {
            Some((first, _)) => !is_domain_like(first),
            None => true,
        };
        if alone { format!("{path}{suffix}") } else { format!("{DEFAULT_DOMAIN}/{path}{suffix}") }
    }

    fn suffix(&self) -> String {
        let tag = self.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = self.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default();
        tag + &digest
    }
}

impl fmt::Display for Reference {
    /// The canonical form: `docker.io/library/node:24@sha256:…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.domain, self.path, self.suffix())
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Whether a text is a digest that a reference may carry, such as `sha256:…`.
pub fn is_digest(text: &str) -> bool {
    parse_digest(text).is_ok()
}

/// Registry and the rest. A name with a single part has no registry, whatever it looks like.
fn split_domain(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some((LEGACY_DOMAIN, rest)) => (DEFAULT_DOMAIN, rest),
        Some((first, rest)) if is_domain_like(first) => (first, rest),
        _ => (DEFAULT_DOMAIN, name),
    }
}

/// Whether the part before the first slash is a registry: a dot, a port, a capital letter (which a
/// path cannot have), or `localhost`.
fn is_domain_like(first: &str) -> bool {
    first == "localhost"
        || first.contains(['.', ':'])
        || first.chars().any(|letter| letter.to_lowercase().ne([letter]))
}

fn check_domain(name: &str, domain: &str) -> Result<(), ReferenceError> {
    if is_domain(domain) {
        return Ok(());
    }
    Err(ReferenceError::Domain { name: name.to_owned(), domain: domain.to_owned() })
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.rsplit_once(':') {
        // The colons inside `[::1]` are the address's own.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (domain, None),
    };
    if port.is_some_and(|port| port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit())) {
        return false;
    }
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return !address.is_empty()
            && address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
    }
    host.split('.').all(|part| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

fn check_path(name: &str, path: &str) -> Result<(), ReferenceError> {
    if path.chars().any(|letter| letter.to_lowercase().ne([letter])) {
        return Err(ReferenceError::UpperCase(name.to_owned()));
    }
    match path.split('/').find(|part| !is_path_component(part)) {
        None => Ok(()),
        Some(part) => Err(ReferenceError::Path { name: name.to_owned(), part: part.to_owned() }),
    }
}

/// Runs of `[a-z0-9]` with one separator between them: `.`, `_`, `__` or any number of `-`.
fn is_path_component(part: &str) -> bool {
    let is_word = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let mut separators = part.split(is_word).filter(|separator| !separator.is_empty());
    part.starts_with(is_word)
        && part.ends_with(is_word)
        && separators.all(|separator| {
            matches!(separator, "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-')
        })
}

fn parse_tag(tag: &str) -> Result<String, ReferenceError> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let valid = tag.len() <= MAX_TAG
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|byte| is_word(byte) || byte == b'.' || byte == b'-');
    if valid { Ok(tag.to_owned()) } else { Err(ReferenceError::Tag(tag.to_owned())) }
}

fn parse_digest(digest: &str) -> Result<String, ReferenceError> {
    let valid = digest.split_once(':').is_some_and(|(algorithm, hex)| {
        ALGORITHMS.contains(&(algorithm, hex.len())) && hex.bytes().all(is_lower_hex)
    });
    if valid { Ok(digest.to_owned()) } else { Err(ReferenceError::Digest(digest.to_owned())) }
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEX: &str = "7cc4b5aefd1d0cadf8d97d4350462ba51c694ebca145b08d7d41b41acc8db5aa";

    #[test]
    fn reads_names_as_docker_does() {
        for (text, canonical, familiar) in [
            ("node", "docker.io/library/node", "node"),
            ("node:24", "docker.io/library/node:24", "node:24"),
            ("library/node", "docker.io/library/node", "node"),
            ("docker.io/node", "docker.io/library/node", "node"),
            ("docker.io/library/node:24", "docker.io/library/node:24", "node:24"),
            ("index.docker.io/library/node", "docker.io/library/node", "node"),
            ("index.docker.io/node", "docker.io/library/node", "node"),
            ("acme/app", "docker.io/acme/app", "acme/app"),
            ("acme/team/app:1", "docker.io/acme/team/app:1", "acme/team/app:1"),
            ("docker.io/library/acme/app", "docker.io/library/acme/app", "library/acme/app"),
            ("dhi.io/node:24-dev", "dhi.io/node:24-dev", "dhi.io/node:24-dev"),
            ("docker.io/acme/dhi-node:24", "docker.io/acme/dhi-node:24", "acme/dhi-node:24"),
            ("localhost/app", "localhost/app", "localhost/app"),
            ("localhost:5000/app:1", "localhost:5000/app:1", "localhost:5000/app:1"),
            // A single part is never a host, even if it looks like one.
            ("localhost:5000", "docker.io/library/localhost:5000", "localhost:5000"),
            ("example.com", "docker.io/library/example.com", "example.com"),
            ("example.com:5000/a", "example.com:5000/a", "example.com:5000/a"),
            ("docker.io/example.com/a", "docker.io/example.com/a", "docker.io/example.com/a"),
            ("docker.io/localhost/a", "docker.io/localhost/a", "docker.io/localhost/a"),
            ("[::1]/a", "[::1]/a", "[::1]/a"),
            ("[::1]:5000/a:t", "[::1]:5000/a:t", "[::1]:5000/a:t"),
            ("[fd00:1:2::3]:5000/a/b", "[fd00:1:2::3]:5000/a/b", "[fd00:1:2::3]:5000/a/b"),
            // What stands before a slash and has a colon is a host, however it was meant.
            ("node:24/x", "node:24/x", "node:24/x"),
            // Capital letters make a host of what would be a namespace.
            ("Acme/app", "Acme/app", "Acme/app"),
            ("REGISTRY.example:443/a", "REGISTRY.example:443/a", "REGISTRY.example:443/a"),
            ("a--b/c__d/e.f_g", "docker.io/a--b/c__d/e.f_g", "a--b/c__d/e.f_g"),
            ("1.2.3.4:80/a", "1.2.3.4:80/a", "1.2.3.4:80/a"),
            ("xn--n3h.com/a", "xn--n3h.com/a", "xn--n3h.com/a"),
            ("a:_T.a-g", "docker.io/library/a:_T.a-g", "a:_T.a-g"),
        ] {
            let reference =
                Reference::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(reference.to_string(), canonical, "{text}");
            assert_eq!(reference.familiar(), familiar, "{text}");
            assert_eq!(Reference::parse(canonical).as_ref(), Ok(&reference), "{canonical}");
            assert_eq!(Reference::parse(familiar).as_ref(), Ok(&reference), "{familiar}");
        }
    }

    #[test]
    fn refuses_what_docker_refuses() {
        for (text, sentence) in [
            ("", "an image name is empty"),
            (HEX, "is the id of a local image"),
            ("Node", "`Node` has capital letters"),
            ("docker.io/acme/App", "has capital letters"),
            ("dhi.io/Node:24", "has capital letters"),
            ("node:", "`` is no tag"),
            ("node:-1", "`-1` is no tag"),
            ("node:.1", "`.1` is no tag"),
            ("node:24:25", "`24:25` is no tag"),
            ("node:24 ", "`24 ` is no tag"),
            ("node: 24", "` 24` is no tag"),
            ("node:ä", "`ä` is no tag"),
            ("node@", "`` is no digest"),
            ("node@24", "`24` is no digest"),
            ("node@sha256:abc", "is no digest"),
            ("node@sha256:XYZ", "is no digest"),
            ("node@md5:7cc4b5aefd1d0cadf8d97d4350462ba5", "is no digest"),
            ("@sha256:abc", "is no digest"),
            (":24", "is no part of an image name"),
            ("/node", "is no part of an image name"),
            ("node/", "is no part of an image name"),
            ("a//b", "is no part of an image name"),
            ("-node", "`-node` in `-node` is no part"),
            ("node-", "is no part"),
            ("a..b/c", "`a..b` in `a..b/c` is no host"),
            ("acme/a..b", "`a..b` in `acme/a..b` is no part"),
            ("acme/a___b", "is no part"),
            ("acme/a._b", "is no part"),
            ("a b", "is no part"),
            ("no\nde", "is no part"),
            ("$NODE", "has capital letters"),
            ("${base}", "is no part"),
            ("https://dhi.io/node", "`https:` in `https://dhi.io/node` is no host"),
            ("dhi.io:/node", "is no host"),
            ("dhi.io:80a/node", "is no host"),
            ("[::1/a", "is no host"),
            ("[]/a", "is no part"),
            ("[]:1/a", "is no host"),
            ("[::g]/a", "is no host"),
            ("::1/a", "is no host"),
            ("-a.io/b", "is no host"),
            ("a-.io/b", "is no host"),
            ("Ä/b", "is no host"),
            ("a_b.io/c", "is no host"),
        ] {
            let error = Reference::parse(text).expect_err(text).to_string();
            assert!(error.contains(sentence), "{text:?}: {error}");
        }
    }

    #[test]
    fn keeps_tag_and_digest_apart() {
        let pinned = Reference::parse(&format!("dhi.io/node:24@sha256:{HEX}")).unwrap();
        assert_eq!(pinned.domain(), "dhi.io");
        assert_eq!(pinned.path(), "node");
        assert_eq!(pinned.repository(), "dhi.io/node");
        assert_eq!(pinned.tag(), Some("24"));
        assert_eq!(pinned.digest(), Some(format!("sha256:{HEX}").as_str()));
        assert_eq!(pinned.with_tag("25").unwrap().to_string(), "dhi.io/node:25");
        let plain = Reference::parse("dhi.io/node").unwrap();
        assert_eq!((plain.tag(), plain.digest()), (None, None));
        assert_eq!(plain.with_default_tag().to_string(), "dhi.io/node:latest");
        assert_eq!(pinned.with_default_tag(), pinned);
        assert_eq!(
            plain.with_digest(&format!("sha256:{HEX}")).unwrap().to_string(),
            format!("dhi.io/node@sha256:{HEX}")
        );
        assert!(plain.with_digest("sha256:1").is_err());
        assert!(plain.with_digest(&format!("sha256:{}", HEX.to_uppercase())).is_err());
        assert!(plain.with_tag("a/b").is_err());
        assert!(is_digest(&format!("sha512:{HEX}{HEX}")) && !is_digest(&format!("sha512:{HEX}")));
    }

    #[test]
    fn holds_the_limits_of_the_grammar() {
        let path = |length: usize| format!("r.io/{}", "a".repeat(length));
        assert!(Reference::parse(&path(255)).is_ok());
        assert_eq!(Reference::parse(&path(256)), Err(ReferenceError::TooLong(256)));
        // `library/` counts.
        assert!(Reference::parse(&"a".repeat(247)).is_ok());
        assert_eq!(Reference::parse(&"a".repeat(248)), Err(ReferenceError::TooLong(256)));
        assert!(Reference::parse(&format!("a:{}", "t".repeat(128))).is_ok());
        assert!(Reference::parse(&format!("a:{}", "t".repeat(129))).is_err());
        // 64 hex digits are an id only without anything else.
        assert!(Reference::parse(&format!("{HEX}:1")).is_ok());
        assert!(Reference::parse(&format!("acme/{HEX}")).is_ok());
    }

    proptest! {
        #[test]
        fn never_panics_and_reads_its_own_words_back(text in "\\PC{0,40}|[a-zA-Z0-9:/@._\\[\\]-]{0,60}") {
            if let Ok(reference) = Reference::parse(&text) {
                prop_assert_eq!(&Reference::parse(&reference.to_string()), &Ok(reference.clone()));
                prop_assert_eq!(Reference::parse(&reference.familiar()), Ok(reference));
            }
        }
    }
}
