//! What a builder can do, as it says itself when it is pinged. Nothing is ever assumed by version.

use std::collections::BTreeSet;

use crate::proto::moby::buildkit::v1::apicaps::ApiCap;

/// Inputs from another frontend or from bake (`target:` contexts).
pub const FRONTEND_INPUTS: &str = "frontend.inputs";
/// Sources are resolved as sources, so that policies may rewrite them (BuildKit 0.13).
pub const SOURCE_META: &str = "source.metaresolver";
/// Warnings for the user while the build goes on.
pub const WARNINGS: &str = "gateway.warnings";
/// A ref can be run without reading from it (BuildKit 0.11).
pub const EVALUATE: &str = "gateway.evaluate";

/// A result may carry statements about itself.
pub const ATTESTATIONS: &str = "reference.attestations";

/// The capabilities that are listed and enabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caps(BTreeSet<String>);

impl Caps {
    /// What an answer lists, or `frozen` if it lists nothing at all: then the builder is older than
    /// the lists themselves, and could exactly what it could on the day they were introduced.
    pub(super) fn from_pong(listed: Vec<ApiCap>, frozen: &[&str]) -> Self {
        if listed.is_empty() {
            return Self::of(frozen);
        }
        Self(listed.into_iter().filter(|cap| cap.enabled).map(|cap| cap.id).collect())
    }

    /// A given set, for tests and for builders that send none.
    #[must_use]
    pub fn of(names: &[&str]) -> Self {
        Self(names.iter().map(|&name| name.to_owned()).collect())
    }

    /// Whether the builder has a capability and lets it be used.
    #[must_use]
    pub fn supports(&self, cap: &str) -> bool {
        self.0.contains(cap)
    }
}

/// The first BuildKit with a capability, for messages such as "needs BuildKit 0.31".
#[must_use]
pub fn first_version(cap: &str) -> Option<&'static str> {
    Some(match cap {
        "gateway.evaluate" => "0.11",
        "source.metaresolver" | "exec.mount.cache.content" => "0.13",
        "file.copy.modestring" | "exec.validexitcode" => "0.17",
        "file.symlink.create" => "0.19",
        "source.http.header" | "source.http.auth" | "source.local.metadatatransfer" => "0.21",
        "source.git.checksum" => "0.22",
        "source.git.skipsubmodules" => "0.24",
        "source.image.checksum" => "0.25",
        "file.copy.requiredpaths" => "0.26",
        "gateway.exec.filesystem" => "0.27",
        "source.metaresolver.image.attestations"
        | "source.imageblob"
        | "source.http.signatureverify" => "0.28",
        "source.git.mtime" => "0.29",
        "source.git.fetchbycommit" | "source.git.bundle" | "source.git.checkoutbundle" => "0.30",
        "passthroughop" | "exec.meta.linux.resources" | "exec.meta.network.proxy" => "0.31",
        _ => return None,
    })
}

/// What a capability is for, in words of the user; `None`: hardpan as a whole.
#[must_use]
pub fn feature(cap: &str) -> Option<&'static str> {
    Some(match cap {
        "exec.meta.linux.resources" => "a limit of memory or processors (`--resource`)",
        "source.http.header" | "source.http.auth" => {
            "a download with headers or a login of its own"
        }
        "source.git.checksum" => "the checksum of a git reference",
        "source.git.skipsubmodules" => "a git source without its submodules",
        "source.git.mtime" => "the times of commits for files from git",
        "source.git.fetchbycommit" => "a git commit that no branch or tag holds",
        "source.image.checksum" => "the checksum of an image",
        "file.copy.requiredpaths" => "a copy that insists on its paths",
        _ => return None,
    })
}

/// Frozen with the introduction of the lists (grpcclient/client.go, `defaultCaps`).
pub(super) const FROZEN_FRONTEND: &[&str] =
    &["solve.base", "solve.inlinereturn", "resolveimage", "readfile"];

/// The same for graphs (`defaultLLBCaps`), with upstream's spelling of `soruce.http.uidgid`.
pub(super) const FROZEN_LLB: &[&str] = &[
    "source.image",
    "source.local",
    "source.local.unique",
    "source.local.sessionid",
    "source.local.includepatterns",
    "source.local.followpaths",
    "source.local.excludepatterns",
    "source.local.sharedkeyhint",
    "source.git",
    "source.git.keepgitdir",
    "source.git.fullurl",
    "source.http",
    "source.http.checksum",
    "source.http.perm",
    "soruce.http.uidgid",
    "source.buildop.llbfilename",
    "exec.meta.base",
    "exec.meta.proxyenv",
    "exec.mount.bind",
    "exec.mount.cache",
    "exec.mount.cache.sharing",
    "exec.mount.selector",
    "exec.mount.tmpfs",
    "exec.mount.secret",
    "constraints",
    "platform",
    "meta.ignorecache",
    "meta.description",
    "meta.exportcache",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn cap(id: &str, enabled: bool) -> ApiCap {
        ApiCap { id: id.to_owned(), enabled, ..ApiCap::default() }
    }

    #[test]
    fn a_cap_counts_only_when_listed_and_enabled() {
        let listed = vec![cap("mergeop", true), cap("diffop", false)];
        let caps = Caps::from_pong(listed, FROZEN_LLB);
        assert!(caps.supports("mergeop"));
        assert!(!caps.supports("diffop"), "disabled");
        assert!(!caps.supports("source.image"), "the frozen list is only for builders without one");
    }

    #[test]
    fn a_builder_without_lists_gets_the_frozen_ones() {
        assert!(Caps::from_pong(Vec::new(), FROZEN_LLB).supports("soruce.http.uidgid"));
        let frontend = Caps::from_pong(Vec::new(), FROZEN_FRONTEND);
        assert!(frontend.supports("readfile"));
        assert!(!frontend.supports("statfile"));
    }
}
