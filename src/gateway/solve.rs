//! Asking the builder for work: what an image is, and what a graph gives.

use std::collections::BTreeMap;

use super::definitions::complete;
use super::{Error, Gateway, SOURCE_META};
use crate::options::CacheImport;
use crate::platform::Platform;
use crate::proto::frontend::{
    Attestations, CacheOptionsEntry, EvaluateRequest, Ref, ResolveImageConfigRequest,
    ResolveSourceImageRequest, ResolveSourceMetaRequest, SolveRequest, result,
};
use crate::proto::{pb, sourcepolicy::Policy};

const DOCKER_IMAGE: &str = "docker-image://";
const OCI_LAYOUT: &str = "oci-layout://";

/// An image to be looked up.
#[derive(Debug, Clone)]
pub struct ImageQuery<'a> {
    /// `docker-image://` or `oci-layout://` and a full reference.
    pub source: pb::SourceOp,
    /// Which image of an index.
    pub platform: &'a Platform,
    /// `default`, `pull` or `local`; it must stand here and in the graph.
    pub mode: &'a str,
    /// The line that the user sees meanwhile: `[internal] load metadata for …`.
    pub log_name: String,
}

/// What the builder says about an image.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedImage {
    /// What goes into the graph: a policy may have changed it.
    pub source: pb::SourceOp,
    /// The digest of the index or manifest.
    pub digest: String,
    /// The image's config, as it is.
    pub config: Vec<u8>,
}

impl ResolvedImage {
    /// The source with its digest, so that every later solve means the same image.
    #[must_use]
    pub fn pinned(&self) -> pb::SourceOp {
        let mut source = self.source.clone();
        if !source.identifier.contains('@') && !self.digest.is_empty() {
            source.identifier = format!("{}@{}", source.identifier, self.digest);
        }
        source
    }
}

/// Work for the builder. Fill in what differs: `Solve { evaluate: true, ..Solve::of(definition) }`.
#[derive(Debug, Clone)]
pub struct Solve {
    /// What to solve.
    pub graph: Graph,
    /// Run it now; otherwise it runs when something is read from it or it is exported.
    pub evaluate: bool,
    /// Where results may be taken from. BuildKit leaves it to the frontend to repeat them in every
    /// solve; without them `--cache-from` does nothing.
    pub cache_imports: Vec<CacheImport>,
    /// Rules for the sources of this solve.
    pub policies: Vec<Policy>,
}

/// A graph, or another frontend that makes one.
#[derive(Debug, Clone)]
pub enum Graph {
    /// Our own.
    Definition(pb::Definition),
    /// Another frontend's.
    Frontend {
        /// `dockerfile.v0` or `gateway.v0`.
        name: String,
        /// Its options.
        options: BTreeMap<String, String>,
        /// Graphs that take the place of its contexts.
        inputs: BTreeMap<String, pb::Definition>,
    },
}

impl Solve {
    /// A graph, solved when it is needed, without caches.
    #[must_use]
    pub fn of(definition: pb::Definition) -> Self {
        let graph = Graph::Definition(definition);
        Self { graph, evaluate: false, cache_imports: Vec::new(), policies: Vec::new() }
    }
}

/// What came out of a solve.
#[derive(Debug, Clone, Default)]
pub struct Solved {
    /// The root file systems.
    pub refs: Refs,
    /// What the other frontend says about them, such as `containerimage.config`.
    pub metadata: BTreeMap<String, Vec<u8>>,
    /// Attestations by platform.
    pub attestations: BTreeMap<String, Attestations>,
}

/// One root file system or one for each platform.
#[derive(Debug, Clone)]
pub enum Refs {
    /// One; `None` is the empty root file system.
    Single(Option<Ref>),
    /// By platform id.
    ByPlatform(BTreeMap<String, Option<Ref>>),
}

impl Default for Refs {
    fn default() -> Self {
        Self::Single(None)
    }
}

impl Solved {
    /// The only ref, where a graph of ours gives exactly one.
    pub fn single(self) -> Result<Ref, Error> {
        match self.refs {
            Refs::Single(Some(only)) => Ok(only),
            _ => Err(Error::Incomplete { call: "Solve", missing: "a single ref" }),
        }
    }
}

impl Gateway {
    /// Digest and config of an image. The source that comes back is the one to use: policies of
    /// the builder may rewrite it, and a graph with the old one would get another image.
    pub async fn resolve_image(&self, query: ImageQuery<'_>) -> Result<ResolvedImage, Error> {
        if !self.frontend_caps.supports(SOURCE_META) {
            return self.resolve_image_config(query).await;
        }
        let asked = query.source.clone();
        let request = ResolveSourceMetaRequest {
            source: Some(query.source),
            platform: Some(query.platform.into()),
            log_name: query.log_name,
            resolve_mode: query.mode.to_owned(),
            image: Some(ResolveSourceImageRequest::default()),
            ..ResolveSourceMetaRequest::default()
        };
        let answer = self.client().resolve_source_meta(request).await;
        let answer = answer.map_err(Error::of_call("ResolveSourceMeta"))?.into_inner();
        let source = answer
            .source
            .ok_or(Error::Incomplete { call: "ResolveSourceMeta", missing: "a source" })?;
        let Some(image) = answer.image else {
            return Err(Error::NotAnImage { asked: asked.identifier, answered: source.identifier });
        };
        Ok(ResolvedImage { source, digest: image.digest, config: image.config })
    }

    /// The way of builders before 0.13.
    async fn resolve_image_config(&self, query: ImageQuery<'_>) -> Result<ResolvedImage, Error> {
        let mut source = query.source;
        let is_layout = source.identifier.starts_with(OCI_LAYOUT);
        let scheme = if is_layout { OCI_LAYOUT } else { DOCKER_IMAGE };
        let Some(reference) = source.identifier.strip_prefix(scheme).map(str::to_owned) else {
            let asked = source.identifier.clone();
            return Err(Error::NotAnImage { asked, answered: source.identifier });
        };
        let attribute = |name: &str| source.attrs.get(name).cloned().unwrap_or_default();
        let request = ResolveImageConfigRequest {
            r#ref: reference.clone(),
            platform: Some(query.platform.into()),
            resolve_mode: query.mode.to_owned(),
            log_name: query.log_name,
            resolver_type: i32::from(is_layout),
            session_id: attribute("oci.session"),
            store_id: attribute("oci.store"),
            source_policies: Vec::new(),
        };
        let answer = self.client().resolve_image_config(request).await;
        let answer = answer.map_err(Error::of_call("ResolveImageConfig"))?.into_inner();
        let reference = if answer.r#ref.is_empty() { reference } else { answer.r#ref };
        source.identifier = format!("{scheme}{reference}");
        Ok(ResolvedImage { source, digest: answer.digest, config: answer.config })
    }

    /// Solves a graph or lets another frontend do so.
    pub async fn solve(&self, solve: Solve) -> Result<Solved, Error> {
        let caches = solve.cache_imports.into_iter();
        let mut request = SolveRequest {
            allow_result_return: true,
            allow_result_array_ref: true,
            evaluate: solve.evaluate,
            cache_imports: caches
                .map(|cache| CacheOptionsEntry { r#type: cache.kind, attrs: cache.attributes })
                .collect(),
            source_policies: solve.policies,
            ..SolveRequest::default()
        };
        match solve.graph {
            Graph::Definition(definition) => request.definition = Some(definition),
            Graph::Frontend { name, options, inputs } => {
                request.frontend = name;
                request.frontend_opt = options;
                request.frontend_inputs = inputs;
            }
        }
        Error::check_size("Solve", &request)?;
        let answer = self.client().solve(request).await.map_err(Error::of_call("Solve"))?;
        let result = answer.into_inner().result;
        let result = result.ok_or(Error::Incomplete { call: "Solve", missing: "a result" })?;
        let present = |found: Ref| (!found.id.is_empty()).then(|| complete(found));
        let refs = match result.result {
            None => Refs::Single(None),
            Some(result::Result::Ref(only)) => Refs::Single(present(only)),
            Some(result::Result::Refs(map)) => Refs::ByPlatform(
                map.refs.into_iter().map(|(id, found)| (id, present(found))).collect(),
            ),
        };
        Ok(Solved { refs, metadata: result.metadata, attestations: result.attestations })
    }

    /// Runs what a ref stands for, if it has not run yet.
    pub async fn evaluate(&self, of: &Ref) -> Result<(), Error> {
        let request = EvaluateRequest { r#ref: of.id.clone() };
        self.client().evaluate(request).await.map_err(Error::of_call("Evaluate"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_what_has_no_digest_yet() {
        for (identifier, pinned) in [
            ("docker-image://dhi.io/node:24", "docker-image://dhi.io/node:24@sha256:1"),
            ("docker-image://dhi.io/node:24@sha256:2", "docker-image://dhi.io/node:24@sha256:2"),
            ("oci-layout://store@sha256:3", "oci-layout://store@sha256:3"),
        ] {
            let source = pb::SourceOp { identifier: identifier.to_owned(), ..Default::default() };
            let digest = "sha256:1".to_owned();
            let image = ResolvedImage { source, digest, config: Vec::new() };
            assert_eq!(image.pinned().identifier, pinned);
        }
    }
}
