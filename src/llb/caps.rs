//! What a daemon must be able to do for a graph: the names of BuildKit's LLB capabilities
//! (solver/pb/caps.go, v0.34.2), which op or attribute needs which, and what a daemon lacks.
//!
//! The daemon checks the same list, but its message names only the capability; asked here first, a
//! user can be told which line needs which version.

use std::collections::BTreeSet;

use crate::proto::pb;

/// The capabilities of one op.
pub(super) type Caps = BTreeSet<&'static str>;

pub(super) const EXEC_BASE: &str = "exec.meta.base";
pub(super) const EXEC_CGROUP_PARENT: &str = "exec.meta.cgroup.parent";
pub(super) const EXEC_NETWORK: &str = "exec.meta.network";
pub(super) const EXEC_PROXY: &str = "exec.meta.proxyenv";
pub(super) const EXEC_SECURITY: &str = "exec.meta.security";
pub(super) const EXEC_DEFAULT_PATH: &str = "exec.meta.setsdefaultpath";
pub(super) const EXEC_ULIMIT: &str = "exec.meta.ulimit";
pub(super) const EXEC_LINUX_RESOURCES: &str = "exec.meta.linux.resources";
pub(super) const EXEC_VALID_EXIT_CODE: &str = "exec.validexitcode";
pub(super) const EXEC_SECRET_ENV: &str = "exec.secretenv";
pub(super) const MOUNT_BIND: &str = "exec.mount.bind";
pub(super) const MOUNT_NO_OUTPUT: &str = "exec.mount.bind.readwrite-nooutput";
pub(super) const MOUNT_CACHE: &str = "exec.mount.cache";
pub(super) const MOUNT_CACHE_SHARING: &str = "exec.mount.cache.sharing";
pub(super) const MOUNT_CONTENT_CACHE: &str = "exec.mount.cache.content";
pub(super) const MOUNT_SECRET: &str = "exec.mount.secret";
pub(super) const MOUNT_SELECTOR: &str = "exec.mount.selector";
pub(super) const MOUNT_SSH: &str = "exec.mount.ssh";
pub(super) const MOUNT_TMPFS: &str = "exec.mount.tmpfs";
pub(super) const MOUNT_TMPFS_SIZE: &str = "exec.mount.tmpfs.size";

pub(super) const FILE_BASE: &str = "file.base";
pub(super) const FILE_PATTERNS: &str = "file.copy.includeexcludepatterns";
pub(super) const FILE_REQUIRED: &str = "file.copy.requiredpaths";
pub(super) const FILE_REPLACE: &str = "file.copy.alwaysreplaceexistingdestpaths";
pub(super) const FILE_RM_WILDCARD: &str = "file.rm.wildcard";

pub(super) const CONSTRAINTS: &str = "constraints";
pub(super) const PLATFORM: &str = "platform";
pub(super) const IGNORE_CACHE: &str = "meta.ignorecache";
pub(super) const DESCRIPTION: &str = "meta.description";
pub(super) const EXPORT_CACHE: &str = "meta.exportcache";

/// A daemon without it (a graph driver) needs files copied onto the base instead.
pub const MERGE: &str = "mergeop";
/// What changed between two file systems.
pub const DIFF: &str = "diffop";
/// Files of a repository may have the time of its commit.
pub const GIT_MTIME: &str = "source.git.mtime";
/// An action that makes a symbolic link; since BuildKit v0.19.
pub const FILE_SYMLINK: &str = "file.symlink.create";
/// A result that depends on more than what it hands on; since BuildKit v0.31.
pub const PASSTHROUGH: &str = "passthroughop";

/// What a source of each scheme needs.
const SCHEMES: [(&str, &str); 8] = [
    ("docker-image", "source.image"),
    ("docker-image+blob", "source.imageblob"),
    ("git", "source.git"),
    ("http", "source.http"),
    ("https", "source.http"),
    ("local", "source.local"),
    ("oci-layout", "source.ocilayout"),
    ("oci-layout+blob", "source.imageblob"),
];

/// What an attribute of a source needs, whatever its value.
const ATTRIBUTES: [(&str, &str); 32] = [
    ("git.bundle", "source.git.bundle"),
    ("git.checkoutbundle", "source.git.checkoutbundle"),
    ("git.checksum", "source.git.checksum"),
    ("git.fetchbycommit", "source.git.fetchbycommit"),
    ("git.fullurl", "source.git.fullurl"),
    ("git.keepgitdir", "source.git.keepgitdir"),
    ("git.knownsshhosts", "source.git.knownsshhosts"),
    ("git.mountsshsock", "source.git.mountsshsock"),
    ("git.mtime", GIT_MTIME),
    ("git.sig.ignoresignedtag", "source.git.signatureverify"),
    ("git.sig.pubkey", "source.git.signatureverify"),
    ("git.sig.rejectexpired", "source.git.signatureverify"),
    ("git.sig.requiresignedtag", "source.git.signatureverify"),
    ("git.skipsubmodules", "source.git.skipsubmodules"),
    ("http.authheadersecret", "source.http.auth"),
    ("http.checksum", "source.http.checksum"),
    ("http.gid", HTTP_OWNER),
    ("http.perm", "source.http.perm"),
    ("http.sig.pubkey", "source.http.signatureverify"),
    ("http.sig.signature", "source.http.signatureverify"),
    ("http.uid", HTTP_OWNER),
    ("image.checksum", "source.image.checksum"),
    ("image.layerlimit", "source.image.layerlimit"),
    ("local.differ", "source.local.differ"),
    ("local.excludepatterns", "source.local.excludepatterns"),
    ("local.followpaths", "source.local.followpaths"),
    ("local.includepattern", "source.local.includepatterns"),
    ("local.metadatatransfer", "source.local.metadatatransfer"),
    ("local.session", "source.local.sessionid"),
    ("local.sharedkeyhint", "source.local.sharedkeyhint"),
    ("local.unique", "source.local.unique"),
    ("oci.layerlimit", "source.ocilayout"),
];

/// Misspelled upstream, and so must we (solver/pb/caps.go:47).
const HTTP_OWNER: &str = "soruce.http.uidgid";

const GIT_AUTH: &str = "source.git.httpauth";

/// What a source needs; a scheme that is not known needs nothing that could be named.
pub(super) fn of_source(source: &pb::SourceOp) -> Caps {
    let scheme = source.identifier.split("://").next().unwrap_or_default();
    let mut caps: Caps =
        SCHEMES.iter().filter(|(name, _)| *name == scheme).map(|(_, cap)| *cap).collect();
    for (name, value) in &source.attrs {
        // blobs use http's attributes without http's capabilities
        if name.starts_with("http.") && !scheme.starts_with("http") {
            continue;
        }
        caps.extend(ATTRIBUTES.iter().filter(|(attr, _)| attr == name).map(|(_, cap)| *cap));
        caps.extend(of_value(name, value));
    }
    caps
}

/// What an attribute needs only with some values, or by the beginning of its name.
fn of_value(name: &str, value: &str) -> Option<&'static str> {
    match name {
        // the other modes are wishes that an old daemon may ignore
        "image.resolvemode" => (value == "pull").then_some("source.image.resolvemode"),
        // every git source names the usual secrets; only other names must be understood
        "git.authheadersecret" => (value != super::git::AUTH_HEADER).then_some(GIT_AUTH),
        "git.authtokensecret" => (value != super::git::AUTH_TOKEN).then_some(GIT_AUTH),
        _ => name.starts_with("http.header.").then_some("source.http.header"),
    }
}

/// All capabilities that a definition asks for, each once, sorted.
pub fn needed_by(definition: &pb::Definition) -> Vec<&str> {
    let entries = definition.metadata.values().flat_map(|metadata| &metadata.caps);
    let names: BTreeSet<&str> =
        entries.filter(|(_, needed)| **needed).map(|(name, _)| name.as_str()).collect();
    names.into_iter().collect()
}

/// Those that a definition asks for and a daemon does not offer.
pub fn unsupported(definition: &pb::Definition, offers: impl Fn(&str) -> bool) -> Vec<&str> {
    needed_by(definition).into_iter().filter(|cap| !offers(cap)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps_of(identifier: &str, attrs: &[(&str, &str)]) -> Vec<&'static str> {
        let attrs =
            attrs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        of_source(&pb::SourceOp { identifier: identifier.to_owned(), attrs }).into_iter().collect()
    }

    #[test]
    fn a_source_needs_its_scheme_and_its_attributes() {
        type Case =
            (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);
        let cases: [Case; 7] = [
            ("docker-image://a", &[("image.resolvemode", "local")], &["source.image"]),
            (
                "docker-image://a",
                &[("image.resolvemode", "pull")],
                &["source.image", "source.image.resolvemode"],
            ),
            ("https://a/b", &[("http.uid", "1")], &["soruce.http.uidgid", "source.http"]),
            ("https://a/b", &[("http.header.accept", "x")], &["source.http", "source.http.header"]),
            ("oci-layout+blob://a", &[("http.perm", "0644")], &["source.imageblob"]),
            ("git://a", &[("git.authtokensecret", "GIT_AUTH_TOKEN")], &["source.git"]),
            (
                "git://a",
                &[("git.authtokensecret", "other")],
                &["source.git", "source.git.httpauth"],
            ),
        ];
        for (identifier, attrs, expected) in cases {
            assert_eq!(caps_of(identifier, attrs), expected, "{identifier} {attrs:?}");
        }
    }

    #[test]
    fn an_unknown_scheme_or_attribute_needs_nothing() {
        assert_eq!(caps_of("ftp://a", &[("local.future", "1")]), Vec::<&str>::new());
        assert_eq!(caps_of("", &[]), Vec::<&str>::new());
    }

    #[test]
    fn tells_what_a_daemon_lacks() {
        let caps =
            [(MERGE.to_owned(), true), (DIFF.to_owned(), false), (PLATFORM.to_owned(), true)]
                .into();
        let metadata =
            [("sha256:0".to_owned(), pb::OpMetadata { caps, ..Default::default() })].into();
        let definition = pb::Definition { metadata, ..Default::default() };
        assert_eq!(needed_by(&definition), [MERGE, PLATFORM]);
        assert_eq!(unsupported(&definition, |cap| cap == PLATFORM), [MERGE]);
        assert_eq!(unsupported(&definition, |_| true), Vec::<&str>::new());
    }
}
