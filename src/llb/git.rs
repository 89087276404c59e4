//! A git repository as a source. BuildKit names it by host and path, so that https and ssh of the
//! same repository share a cache, and keeps the full address in an attribute.

use super::source::Attrs;
use crate::proto::pb;

/// The secret that BuildKit's client names for a header unless told otherwise.
pub(super) const AUTH_HEADER: &str = "GIT_AUTH_HEADER";
/// The same for a token.
pub(super) const AUTH_TOKEN: &str = "GIT_AUTH_TOKEN";

/// A commit of a git repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is an attribute of the source")]
pub struct Git {
    /// The address without query and fragment: a URL, or `user@host:path`.
    pub url: String,
    /// A branch, tag or commit; empty is the default branch.
    pub reference: String,
    /// A folder of the repository; empty is all of it.
    pub subdir: String,
    /// The commit that the reference must be.
    pub checksum: Option<String>,
    /// Keep `.git`.
    pub keep_git_dir: bool,
    /// Leave submodules out.
    pub skip_submodules: bool,
    /// `commit` gives files the time of their commit.
    pub mtime: Option<String>,
    /// The secret that holds an Authorization header, if not the usual one.
    pub auth_header_secret: Option<String>,
    /// The secret that holds a token, if not the usual one.
    pub auth_token_secret: Option<String>,
    /// Lines for `known_hosts`, over ssh.
    pub known_ssh_hosts: Option<String>,
    /// The id of the ssh agent, over ssh; empty is `default`.
    pub ssh_agent: Option<String>,
    /// Take the commit of `checksum` itself; what the reference means today does not count.
    pub fetch_by_commit: bool,
    /// Let git give advice.
    pub advice: bool,
}

impl Git {
    pub(super) fn to_op(&self) -> pb::SourceOp {
        let flag = |set: bool| set.then(|| "true".to_owned());
        let or = |secret: &Option<String>, usual: &str| {
            Some(secret.clone().unwrap_or_else(|| usual.to_owned()))
        };
        let agent = self
            .ssh_agent
            .clone()
            .filter(|id| !id.is_empty())
            .unwrap_or_else(|| "default".to_owned());
        let over_ssh = is_ssh(&self.url);
        let attrs = Attrs::default()
            .set("git.fullurl", Some(self.url.clone()))
            .set("git.authheadersecret", or(&self.auth_header_secret, AUTH_HEADER))
            .set("git.authtokensecret", or(&self.auth_token_secret, AUTH_TOKEN))
            .set("git.checksum", self.checksum.clone())
            .set("git.keepgitdir", flag(self.keep_git_dir))
            .set("git.skipsubmodules", flag(self.skip_submodules))
            .set("git.mtime", self.mtime.clone())
            .set("git.fetchbycommit", flag(self.fetch_by_commit))
            .set("git.advice", flag(self.advice))
            .set("git.knownsshhosts", self.known_ssh_hosts.clone().filter(|_| over_ssh))
            .set("git.mountsshsock", Some(agent).filter(|_| over_ssh));
        attrs.into_op(self.identifier())
    }

    fn identifier(&self) -> String {
        let place = host_and_path(&self.url);
        match (self.reference.as_str(), self.subdir.trim_matches('/')) {
            ("", "") => format!("git://{place}"),
            (reference, "") => format!("git://{place}#{reference}"),
            (reference, subdir) => format!("git://{place}#{reference}:{subdir}"),
        }
    }
}

/// Whether a name can only mean one commit: all of its digits.
pub fn is_commit(name: &str) -> bool {
    matches!(name.len(), 40 | 64) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_ssh(url: &str) -> bool {
    match url.split_once("://") {
        Some((scheme, _)) => scheme.eq_ignore_ascii_case("ssh"),
        None => url.contains('@'),
    }
}

/// `host/path` of a URL or of `user@host:path`.
fn host_and_path(url: &str) -> String {
    let (rest, separator) = match url.split_once("://") {
        Some((_, rest)) => (rest, '/'),
        None => (url, ':'),
    };
    let (authority, path) = rest.split_once(separator).unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let path: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    format!("{host}/{}", path.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_named_alike_over_every_protocol() {
        for url in [
            "https://github.com/a/b.git",
            "https://token@github.com/a//b.git",
            "ssh://git@github.com/a/b.git",
            "git@github.com:a/b.git",
        ] {
            let git = Git { url: url.to_owned(), ..Default::default() };
            assert_eq!(git.to_op().identifier, "git://github.com/a/b.git", "{url}");
        }
    }

    #[test]
    fn reference_and_folder_follow_a_hash() {
        for (reference, subdir, tail) in
            [("", "", ""), ("v1", "", "#v1"), ("", "x", "#:x"), ("v1", "/x/y/", "#v1:x/y")]
        {
            let git = Git {
                url: "https://h:8/a".to_owned(),
                reference: reference.to_owned(),
                subdir: subdir.to_owned(),
                ..Default::default()
            };
            assert_eq!(git.identifier(), format!("git://h:8/a{tail}"));
        }
    }

    #[test]
    fn ssh_attributes_stay_away_from_https() {
        let known_ssh_hosts = Some("h key\n".to_owned());
        let git = |url: &str| Git {
            url: url.to_owned(),
            known_ssh_hosts: known_ssh_hosts.clone(),
            ..Default::default()
        };
        let ssh = git("git@h:a").to_op().attrs;
        assert_eq!(ssh.get("git.mountsshsock").map(String::as_str), Some("default"));
        assert!(ssh.contains_key("git.knownsshhosts"));
        let https = git("https://h/a").to_op().attrs;
        assert!(
            !https.contains_key("git.mountsshsock") && !https.contains_key("git.knownsshhosts")
        );
    }
}
