//! Options about where files come from.

use std::collections::BTreeMap;

use super::reader::Reader;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::platform::Platform;
use crate::remote::{self, AddressError, Remote};

/// The build context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MainContext {
    /// A git or http address; `None` is the input `context`, else the local `context`.
    pub remote: Option<String>,
    /// A folder of a context that is not local; empty is all of it.
    pub subdir: String,
}

impl MainContext {
    /// `contextkey` names the option that holds the address, not a local
    /// (frontend/dockerui/context.go); a value that is no address means the local context.
    pub(super) fn read(reader: &mut Reader) -> Self {
        let key = reader.take("contextkey").unwrap_or_else(|| "context".to_owned());
        // What is wrong with an address is said where it is used: without it nothing can be loaded.
        let remote = reader.take_named(&key);
        let remote = remote.filter(|value| remote::parse_context(value) != Ok(None));
        Self { remote, subdir: reader.text("contextsubdir") }
    }
}

/// What a named context stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextSource {
    /// `docker-image://`: a reference, not yet normalized.
    Image(String),
    /// `oci-layout://`: `store@digest` or `store:tag@digest`, in the client's session.
    OciLayout(String),
    /// `local:`: the name of a local.
    Local(String),
    /// `input:`: the name of an input, from bake or another frontend.
    Input(String),
    /// A git or http address.
    Remote(Remote),
}

/// What a client gives under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedContext {
    /// The name as the client has it, with `::PLATFORM` where it is for one alone.
    pub key: String,
    /// What it stands for.
    pub source: ContextSource,
}

/// Contexts with names, some of them different for each platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedContexts(BTreeMap<String, Variants>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Variants {
    any: Option<NamedContext>,
    by_platform: BTreeMap<Platform, NamedContext>,
}

impl NamedContexts {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut contexts = Self::default();
        for (key, value) in reader.family("context:") {
            let shown = remote::shown(&value);
            let (message, help) = match ContextSource::parse(&value) {
                Ok(Some(source)) => {
                    contexts.add(&key, source);
                    continue;
                }
                Ok(None) => (
                    format!("context {key:?} cannot be {shown:?}"),
                    "a context is a folder, a git or http address, docker-image://NAME, \
                     oci-layout://NAME@DIGEST or target:NAME"
                        .to_owned(),
                ),
                Err(error) => {
                    (format!("context {key:?} cannot be {shown:?}: {error}"), error.help())
                }
            };
            reader.report(Diagnostic::error(Code::InvalidOption, Span::START, message).help(help));
        }
        contexts
    }

    fn add(&mut self, key: &str, source: ContextSource) {
        let context = NamedContext { key: key.to_owned(), source };
        // The builder's platform does not matter: an os or architecture alone is never a variant.
        let platform = key.rsplit_once("::").filter(|(_, platform)| platform.contains('/'));
        let nowhere = Platform::new("", "", "");
        let variant = platform.and_then(|(name, platform)| {
            Platform::parse(platform, &nowhere).ok().map(|platform| (name, platform))
        });
        match variant {
            Some((name, platform)) => {
                let variants = self.0.entry(familiar_name(name)).or_default();
                variants.by_platform.insert(platform, context);
            }
            None => self.0.entry(familiar_name(key)).or_default().any = Some(context),
        }
    }

    /// What takes the place of a name: an image reference, a stage or a context. A variant for the
    /// platform wins.
    pub fn find(&self, name: &str, platform: &Platform) -> Option<&NamedContext> {
        let variants = self.0.get(&familiar_name(name))?;
        variants.by_platform.get(platform).or(variants.any.as_ref())
    }

    /// Whether a name is given for any platform.
    pub fn contains(&self, name: &str) -> bool {
        !self.0.is_empty() && self.0.contains_key(&familiar_name(name))
    }

    /// All of them, those for one platform alone, too.
    pub fn all(&self) -> impl Iterator<Item = &NamedContext> {
        self.0
            .values()
            .flat_map(|variants| variants.any.iter().chain(variants.by_platform.values()))
    }

    /// All names, sorted, as `find` knows them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl ContextSource {
    fn parse(value: &str) -> Result<Option<Self>, AddressError> {
        if let Some(remote) = remote::parse_context(value)? {
            return Ok(Some(Self::Remote(remote)));
        }
        let Some((scheme, rest)) = value.split_once(':') else { return Ok(None) };
        let name = || rest.strip_prefix("//").unwrap_or(rest).to_owned();
        let source = match scheme {
            "docker-image" => Self::Image(name()),
            "oci-layout" => Self::OciLayout(name()),
            "local" => Self::Local(rest.to_owned()),
            "input" => Self::Input(rest.to_owned()),
            _ => return Ok(None),
        };
        Ok((!rest.trim_matches('/').is_empty()).then_some(source))
    }
}

/// The short form under which BuildKit looks names up: `docker.io/library/debian:latest`,
/// `debian:latest` and `debian` are one.
#[must_use]
pub fn familiar_name(name: &str) -> String {
    let name = name.strip_suffix(":latest").unwrap_or(name);
    let is_docker =
        ["docker.io/", "index.docker.io/"].iter().find_map(|registry| name.strip_prefix(registry));
    let short = is_docker.unwrap_or(name);
    short.strip_prefix("library/").unwrap_or(short).to_owned()
}
