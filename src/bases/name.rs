//! Names of bases as a spec has them, and what is said when one gives no pair.
//!
//! A name without a slash belongs to the registry of the spec and to the catalogue; one with a slash
//! is complete. What is read here is not looked up anywhere.

use std::fmt;

use super::catalog::{Parts, Repository};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::reference::{Reference, ReferenceError};
use crate::remote;

/// The prefix of names without a slash where the spec names no `registry`.
pub const DEFAULT_REGISTRY: &str = "dhi.io/";

/// The two images of a base, as names that still need the registry's prefix (see [`qualify`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairNames {
    /// Builds.
    pub dev: ImageName,
    /// Ships.
    pub runtime: ImageName,
}

/// The name of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName {
    /// Repository and tag, or a full name where the spec has one.
    pub name: String,
    /// Whether the tag was completed with the newest date that this release knows: no one has asked
    /// the registry, and a lock should hold it.
    pub completed: bool,
}

impl ImageName {
    /// A name that is taken as it stands.
    #[must_use]
    pub fn as_written(name: &str) -> Self {
        Self { name: name.to_owned(), completed: false }
    }
}

/// Why a name gives no pair. `Display` is the message, [`NameError::help`] what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameError {
    /// It is no image reference at all.
    Reference(ReferenceError),
    /// There is no tag, or it is `latest`, which hardened images do not have.
    NoTag {
        /// As written.
        name: String,
        /// Names that exist.
        instead: Vec<String>,
    },
    /// One half is missing, and nothing says what it should be.
    NoPair {
        /// What is missing.
        message: String,
        /// What to write.
        help: String,
    },
}

impl NameError {
    /// What to write instead.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Reference(_) => None,
            Self::NoTag { instead, .. } if instead.is_empty() => {
                Some("write the tag that is meant".to_owned())
            }
            Self::NoTag { instead, .. } => Some(format!("write {}", one_of(instead))),
            Self::NoPair { help, .. } => Some(help.clone()),
        }
    }

    /// The error at the place of the name in the spec.
    pub fn at(&self, span: Span) -> Diagnostic {
        let code = match self {
            Self::Reference(_) => Code::InvalidReference,
            Self::NoTag { .. } => Code::UnknownBase,
            Self::NoPair { .. } => Code::NoPair,
        };
        let diagnostic = Diagnostic::error(code, span, self.to_string());
        match self.help() {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(error) => error.fmt(f),
            Self::NoTag { name, .. } if name.ends_with(":latest") => {
                write!(f, "`{name}` does not exist: hardened images have no `latest`")
            }
            Self::NoTag { name, .. } => {
                write!(f, "`{name}` has no tag, and hardened images have no `latest`")
            }
            Self::NoPair { message, .. } => f.write_str(message),
        }
    }
}

impl std::error::Error for NameError {}

impl From<ReferenceError> for NameError {
    fn from(error: ReferenceError) -> Self {
        Self::Reference(error)
    }
}

/// The full name of an image: a name without a slash gets the registry's prefix in front, as text.
pub fn qualify(registry: &str, name: &str) -> Result<Reference, ReferenceError> {
    if has_slash(name) {
        Reference::parse(name)
    } else {
        Reference::parse(&format!("{registry}{name}"))
    }
}

/// Whether a text can stand as `registry`: put before a name, it must give an image's name.
pub fn check_registry(registry: &str, span: Span) -> Result<(), Diagnostic> {
    let shown = remote::shown_in(registry);
    let message = format!("`{shown}` cannot be put before the name of an image");
    let error = Diagnostic::error(Code::InvalidReference, span, message);
    if !registry.contains('/') {
        let host = if registry.is_empty() { "docker.io/library" } else { registry };
        return Err(error.help(format!(
            "it is put there as it stands: write `{host}/`, or `docker.io/acme/dhi-` for a mirror"
        )));
    }
    match Reference::parse(&format!("{registry}a:1")) {
        Ok(_) => Ok(()),
        Err(reason) => Err(error.help(remote::shown_in(&reason.to_string()))),
    }
}

/// A name as it stands in the spec.
pub(super) struct Written<'a> {
    pub(super) name: &'a str,
    pub(super) has_slash: bool,
    pub(super) repository: &'a str,
    pub(super) tag: Option<&'a str>,
    pub(super) digest: Option<&'a str>,
}

impl<'a> Written<'a> {
    pub(super) fn read(name: &'a str) -> Result<Self, NameError> {
        Reference::parse(name)?;
        let (rest, digest) = match name.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (name, None),
        };
        let path = rest.rfind('/').map_or(0, |slash| slash + 1);
        let (repository, tag) = match rest[path..].find(':') {
            Some(colon) => (&rest[..path + colon], Some(&rest[path + colon + 1..])),
            None => (rest, None),
        };
        Ok(Self { name, has_slash: has_slash(name), repository, tag, digest })
    }

    /// What the catalogue knows under this name; nothing for names with a slash.
    pub(super) fn family(&self) -> Option<Repository> {
        if self.has_slash { None } else { Repository::find(self.repository) }
    }

    pub(super) fn need_tag(&self, family: &Repository) -> Result<&'a str, NameError> {
        let latest = Parts { version: "latest".to_owned(), ..Parts::default() };
        match self.tag {
            Some("latest") if family.tag(&latest).is_none() => {}
            Some(tag) => return Ok(tag),
            // Alone, `static` is a short tag too, but it has no development image.
            None if family.name == "static" => return Ok(""),
            None => {}
        }
        let names = family.main_tags().into_iter().take(3);
        let instead = names.map(|tag| format!("{}:{tag}", family.name)).collect();
        Err(NameError::NoTag { name: self.name.to_owned(), instead })
    }

    pub(super) fn need_any_tag(&self) -> Result<&'a str, NameError> {
        let no_tag = || NameError::NoTag { name: self.name.to_owned(), instead: Vec::new() };
        self.tag.ok_or_else(no_tag)
    }
}

fn has_slash(name: &str) -> bool {
    name.split('@').next().is_some_and(|name| name.contains('/'))
}

pub(super) fn one_of(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_the_registry_before_names_without_a_slash() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (registry, name, expected) in [
            (DEFAULT_REGISTRY, "node:24", "dhi.io/node:24"),
            ("docker.io/acme/dhi-", "node:24-dev", "docker.io/acme/dhi-node:24-dev"),
            ("acme/dhi-", "node:24", "docker.io/acme/dhi-node:24"),
            ("localhost:5000/", "node:24", "localhost:5000/node:24"),
            (DEFAULT_REGISTRY, "ghcr.io/acme/node:24", "ghcr.io/acme/node:24"),
            (DEFAULT_REGISTRY, "acme/node:24", "docker.io/acme/node:24"),
        ] {
            assert_eq!(qualify(registry, name).unwrap().to_string(), expected);
            let pinned = qualify(registry, &format!("{name}@{digest}")).unwrap();
            assert_eq!(pinned.to_string(), format!("{expected}@{digest}"));
        }
        assert!(qualify(DEFAULT_REGISTRY, "Node:24").is_err());
        assert!(qualify("https://dhi.io/", "node:24").is_err());
    }

    #[test]
    fn takes_only_prefixes_that_give_names() {
        for registry in
            [DEFAULT_REGISTRY, "docker.io/acme/dhi-", "localhost:5000/", "[::1]:5000/a/"]
        {
            assert_eq!(check_registry(registry, Span::START), Ok(()), "{registry}");
        }
        for (registry, help) in [
            ("dhi.io", "write `dhi.io/`, or `docker.io/acme/dhi-` for a mirror"),
            ("", "write `docker.io/library/`"),
            ("https://dhi.io/", "no host of a registry"),
            ("dhi.io/Acme/", "capital letters"),
            ("dhi.io/acme:1/", "`1/a:1` is no tag"),
            ("dhi.io//", "no part of an image name"),
        ] {
            let error = check_registry(registry, Span::START).unwrap_err();
            assert_eq!(error.code, Code::InvalidReference);
            assert!(error.help.as_ref().is_some_and(|text| text.contains(help)), "{error:?}");
        }
    }

    #[test]
    fn places_mistakes_in_the_spec() {
        let no_tag =
            NameError::NoTag { name: "a:latest".to_owned(), instead: vec!["a:1".to_owned()] };
        let diagnostic = no_tag.at(Span::at(3, 7));
        assert_eq!((diagnostic.code, diagnostic.span), (Code::UnknownBase, Span::at(3, 7)));
        assert_eq!(
            diagnostic.message,
            "`a:latest` does not exist: hardened images have no `latest`"
        );
        assert_eq!(diagnostic.help.as_deref(), Some("write `a:1`"));
        let bad = NameError::from(Reference::parse("A").unwrap_err()).at(Span::START);
        assert_eq!((bad.code, bad.help), (Code::InvalidReference, None));
    }
}
