//! What a git or http source stands for at this moment: the commit behind a branch, the digest behind
//! an address. Pinned by that, a source means the same for the rest of the build and for whoever
//! reads the provenance.

use super::{Error, Gateway, SOURCE_META};
use crate::proto::frontend::{ResolveSourceGitRequest, ResolveSourceMetaRequest};
use crate::proto::pb;

const CHECKSUM: &str = "git.checksum";

/// What the builder says about a source that is no image.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedSource {
    /// What goes into the graph: a policy may have changed it.
    pub source: pb::SourceOp,
    /// What it stands for.
    pub meaning: Meaning,
    /// When a file from the web was changed, as its server says, in seconds since 1970.
    pub modified: Option<i64>,
}

/// What a source stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// A commit.
    Commit {
        /// Its name.
        id: String,
        /// Its bytes, where they were asked for: they hold its time.
        object: Vec<u8>,
    },
    /// A file.
    File {
        /// `sha256:…`.
        digest: String,
    },
    /// A builder that does not say (before 0.26).
    Unknown,
}

impl ResolvedSource {
    /// The source with what it stands for, so that every later solve means the same files.
    #[must_use]
    pub fn pinned(&self) -> pb::SourceOp {
        let mut source = self.source.clone();
        match &self.meaning {
            // Beside the reference, not in its place: a server may give only what a name leads to.
            Meaning::Commit { id, .. } => {
                source.attrs.insert(CHECKSUM.to_owned(), id.clone());
            }
            Meaning::File { digest } => {
                source.attrs.insert("http.checksum".to_owned(), digest.clone());
            }
            Meaning::Unknown => {}
        }
        source
    }
}

impl Gateway {
    /// What a git or http source stands for; `log_name` is the line that the user sees meanwhile.
    /// With `object` the bytes of the commit come along, for which the builder fetches it.
    pub async fn resolve_source(
        &self,
        source: pb::SourceOp,
        log_name: String,
        object: bool,
    ) -> Result<ResolvedSource, Error> {
        if !self.frontend_caps.supports(SOURCE_META) {
            return Ok(ResolvedSource { source, meaning: Meaning::Unknown, modified: None });
        }
        let request = ResolveSourceMetaRequest {
            source: Some(source.clone()),
            log_name,
            git: object.then_some(ResolveSourceGitRequest { return_object: true }),
            ..ResolveSourceMetaRequest::default()
        };
        let answer = self.client().resolve_source_meta(request).await;
        let answer = answer.map_err(Error::of_call("ResolveSourceMeta"))?.into_inner();
        let source = answer.source.unwrap_or(source);
        let modified = answer.http.as_ref().and_then(|http| http.last_modified.as_ref());
        let modified = modified.map(|time| time.seconds);
        let meaning = match (answer.git, answer.http) {
            (Some(git), _) if !git.checksum.is_empty() => {
                // A tag may be an object of its own that leads to the commit.
                let peeled = Some(git.commit_checksum).filter(|id| !id.is_empty());
                let (id, object) = (peeled.unwrap_or(git.checksum), git.commit_object);
                Meaning::Commit { id, object }
            }
            (_, Some(http)) if !http.checksum.is_empty() => Meaning::File { digest: http.checksum },
            _ => Meaning::Unknown,
        };
        Ok(ResolvedSource { source, meaning, modified })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_a_source_by_what_it_stands_for() {
        let source = pb::SourceOp {
            identifier: "git://a.example/x.git#main".to_owned(),
            attrs: [("git.fullurl".to_owned(), "https://a.example/x.git".to_owned())].into(),
        };
        let pin =
            |meaning| ResolvedSource { source: source.clone(), meaning, modified: None }.pinned();
        let commit = pin(Meaning::Commit { id: "c0ffee".to_owned(), object: Vec::new() });
        assert_eq!(commit.identifier, source.identifier);
        assert_eq!(commit.attrs["git.checksum"], "c0ffee");
        assert_eq!(commit.attrs["git.fullurl"], "https://a.example/x.git");
        let file = pin(Meaning::File { digest: "sha256:1".to_owned() });
        assert_eq!(file.attrs["http.checksum"], "sha256:1");
        assert_eq!(pin(Meaning::Unknown), source);
    }
}
