//! Sources: where files come from. A source is an identifier and attributes; the structs here name
//! the attributes that hardpan sets, and everything else (an identifier that a source policy gave
//! back, say) goes in as it is through `Graph::source_op`.

use std::collections::BTreeMap;

use super::caps;
use super::encode::Inputs;
use super::git::Git;
use super::graph::{Constraints, Draft, Graph, Output};
use crate::proto::pb;

/// A place where files come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An image in a registry.
    Image(Image),
    /// A folder of the client.
    Local(Local),
    /// A commit of a git repository.
    Git(Git),
    /// A file from the web.
    Http(Http),
    /// An image in an OCI layout of the client.
    OciLayout(OciLayout),
}

/// When a tag is looked up in the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResolveMode {
    /// As the daemon is set up.
    #[default]
    Default,
    /// Always.
    Pull,
    /// Only if the daemon has no such image.
    Local,
}

impl ResolveMode {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Pull => "pull",
            Self::Local => "local",
        }
    }
}

/// An image in a registry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    /// The canonical reference: registry, repository, and tag or digest.
    pub reference: String,
    /// When the tag is looked up.
    pub resolve_mode: ResolveMode,
    /// The digest that the reference must have.
    pub checksum: Option<String>,
    /// `internal` hides the image from the daemon's records.
    pub record_type: Option<String>,
    /// Only the first layers.
    pub layer_limit: Option<u32>,
}

/// A folder of the client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Local {
    /// The name under which the client offers it.
    pub name: String,
    /// The client's session; without it the daemon takes any that has the folder.
    pub session: Option<String>,
    /// Only what matches.
    pub include: Vec<String>,
    /// Nothing that matches.
    pub exclude: Vec<String>,
    /// Paths whose links are followed, so that what they point to comes too.
    pub follow: Vec<String>,
    /// Lets several builds share one copy.
    pub shared_key_hint: Option<String>,
    /// Tells apart two folders of the same name in one build without a session.
    pub unique: Option<String>,
    /// How changes are found: `metadata` or `none`.
    pub differ: Option<String>,
    /// Files come without content, but for those that match.
    pub metadata_only_except: Option<Vec<String>>,
}

/// A file from the web.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Http {
    /// Where it is.
    pub url: String,
    /// `sha256:…` of its content.
    pub checksum: Option<String>,
    /// Its name in the result; otherwise the server's or the last part of the path.
    pub filename: Option<String>,
    /// Its permission bits; 0 leaves the daemon's 0600.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// The secret that holds an Authorization header.
    pub auth_header_secret: Option<String>,
}

/// An image in an OCI layout of the client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OciLayout {
    /// `name@sha256:…`.
    pub reference: String,
    /// The client's session.
    pub session: Option<String>,
    /// The name under which the client offers the layout.
    pub store: Option<String>,
    /// Only the first layers.
    pub layer_limit: Option<u32>,
}

impl Graph {
    /// Adds a source.
    pub fn source(&mut self, source: &Source, with: &Constraints) -> Output {
        self.source_op(source.to_op(), with)
    }

    /// Adds a source that is known as identifier and attributes.
    pub fn source_op(&mut self, op: pb::SourceOp, with: &Constraints) -> Output {
        let has_platform = ["docker-image://", "oci-layout://"]
            .iter()
            .any(|scheme| op.identifier.starts_with(scheme));
        let caps = caps::of_source(&op);
        self.add(
            Draft { op: pb::op::Op::Source(op), inputs: Inputs::default(), caps, has_platform },
            with,
        )
    }
}

impl Source {
    /// The source as identifier and attributes, to be resolved or added.
    pub fn to_op(&self) -> pb::SourceOp {
        match self {
            Self::Image(image) => image.to_op(),
            Self::Local(local) => local.to_op(),
            Self::Git(git) => git.to_op(),
            Self::Http(http) => http.to_op(),
            Self::OciLayout(layout) => layout.to_op(),
        }
    }
}

impl Image {
    fn to_op(&self) -> pb::SourceOp {
        let mode = (self.resolve_mode != ResolveMode::Default)
            .then(|| self.resolve_mode.as_str().to_owned());
        let attrs = Attrs::default()
            .set("image.resolvemode", mode)
            .set("image.checksum", self.checksum.clone())
            .set("image.recordtype", self.record_type.clone())
            .set("image.layerlimit", self.layer_limit.map(|limit| limit.to_string()));
        attrs.into_op(format!("docker-image://{}", self.reference))
    }
}

impl Local {
    fn to_op(&self) -> pb::SourceOp {
        let except = self.metadata_only_except.as_deref();
        let attrs = Attrs::default()
            .set("local.session", self.session.clone())
            .set("local.includepattern", list(&self.include))
            .set("local.excludepatterns", list(&self.exclude))
            .set("local.followpaths", list(&self.follow))
            .set("local.sharedkeyhint", self.shared_key_hint.clone())
            .set("local.unique", self.unique.clone().filter(|_| self.session.is_none()))
            .set("local.differ", self.differ.clone())
            .set("local.metadatatransfer", except.map(|_| "true".to_owned()))
            .set("local.metadatatransferexclude", except.and_then(list));
        attrs.into_op(format!("local://{}", self.name))
    }
}

impl Http {
    fn to_op(&self) -> pb::SourceOp {
        let number = |id: u32| (id != 0).then(|| id.to_string());
        let attrs = Attrs::default()
            .set("http.checksum", self.checksum.clone())
            .set("http.filename", self.filename.clone())
            .set("http.perm", (self.mode != 0).then(|| format!("0{:o}", self.mode & 0o777)))
            .set("http.uid", number(self.uid))
            .set("http.gid", number(self.gid))
            .set("http.authheadersecret", self.auth_header_secret.clone());
        attrs.into_op(self.url.clone())
    }
}

impl OciLayout {
    fn to_op(&self) -> pb::SourceOp {
        let attrs = Attrs::default()
            .set("oci.session", self.session.clone())
            .set("oci.store", self.store.clone())
            .set("oci.layerlimit", self.layer_limit.map(|limit| limit.to_string()));
        attrs.into_op(format!("oci-layout://{}", self.reference))
    }
}

/// Attributes under construction; one that has no value is left out.
#[derive(Debug, Default)]
pub(super) struct Attrs(BTreeMap<String, String>);

impl Attrs {
    pub(super) fn set(mut self, name: &str, value: Option<String>) -> Self {
        // an empty value is no value: Go writes the empty field of a map entry, prost does not
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    pub(super) fn into_op(self, identifier: String) -> pb::SourceOp {
        pb::SourceOp { identifier, attrs: self.0 }
    }
}

/// A list as BuildKit writes it into an attribute: JSON, with Go's escapes; an empty one is absent.
fn list(items: &[String]) -> Option<String> {
    let json = serde_json::to_string(items).ok().filter(|_| !items.is_empty())?;
    let escapes = [
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u{2028}", "\\u2028"),
        ("\u{2029}", "\\u2029"),
    ];
    Some(escapes.iter().fold(json, |json, (plain, escape)| json.replace(plain, escape)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_escaped_as_go_escapes_them() {
        let items = ["a<b>&c".to_owned(), "ä\"\u{2028}".to_owned()];
        assert_eq!(list(&items).unwrap(), "[\"a\\u003cb\\u003e\\u0026c\",\"ä\\\"\\u2028\"]");
        assert_eq!(list(&[]), None);
    }

    #[test]
    fn what_is_not_set_is_not_sent() {
        let image = Source::Image(Image {
            reference: "docker.io/library/a:1".to_owned(),
            ..Default::default()
        });
        assert_eq!(image.to_op().attrs, BTreeMap::new());
        let local = Local {
            name: "context".to_owned(),
            session: Some(String::new()),
            ..Default::default()
        };
        assert_eq!(Source::Local(local).to_op().attrs, BTreeMap::new());
    }

    #[test]
    fn a_session_makes_a_unique_id_needless() {
        let local = Local {
            name: "context".to_owned(),
            session: Some("s".to_owned()),
            unique: Some("u".to_owned()),
            ..Default::default()
        };
        let attrs = Source::Local(local).to_op().attrs;
        assert_eq!(attrs.keys().collect::<Vec<_>>(), ["local.session"]);
    }

    #[test]
    fn only_images_carry_the_platform() {
        let platform = pb::Platform {
            os: "linux".to_owned(),
            architecture: "arm64".to_owned(),
            ..Default::default()
        };
        let with = Constraints { platform: Some(platform), ..Default::default() };
        let mut graph = Graph::new();
        let plain = Constraints::default();
        for (identifier, differs) in
            [("docker-image://a", true), ("oci-layout://a", true), ("local://a", false)]
        {
            let op = pb::SourceOp { identifier: identifier.to_owned(), ..Default::default() };
            let bare = graph.source_op(op.clone(), &plain);
            assert_eq!(graph.source_op(op, &with) != bare, differs, "{identifier}");
        }
    }
}
