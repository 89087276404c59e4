//! The builder, as a frontend reaches it: over gRPC on stdin and stdout.
//!
//! The only module that knows tonic. A [`Gateway`] is one connection to one builder, pinged when
//! it is made; its methods are the builder's, with the shapes of older builders and of the wire
//! taken off. Failures keep what the builder said, details included, so that they can be returned
//! as they are. [`serve`] owns the process: it connects, builds, and returns exactly once.

mod caps;
mod connection;
mod definitions;
pub mod detail;
mod error;
mod files;
mod serve;
mod solve;
mod sources;
pub mod status;
mod together;

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use prost::Message as _;
use tokio::io::{AsyncRead, AsyncWrite};

pub use caps::{
    ATTESTATIONS, Caps, EVALUATE, FRONTEND_INPUTS, SOURCE_META, WARNINGS, feature, first_version,
};
pub use detail::SourceFile;
pub use error::{Error, ImageFailure, image_failure, is_missing_file, plain_text};
pub use files::{Entry, EntryKind};
pub use serve::{run, serve};
pub use solve::{Graph, ImageQuery, Refs, ResolvedImage, Solve, Solved};
pub use sources::{Meaning, ResolvedSource};
pub use together::side_by_side;

use crate::diagnostic::Span;
use crate::platform::Platform;
use crate::proto::frontend::{
    InputsRequest, PingRequest, Result as BuildResult, ReturnRequest, WarnRequest,
};
use crate::proto::{Status, pb};

/// A builder that hangs before it has said a word; every later call may take as long as a build.
const PING_SECONDS: u64 = 15;

/// Where BuildKit mounts the definition of the frontend's own image, since 0.10.
const OWN_DEFINITION: &str = "/run/config/buildkit/metadata/frontend.bin";

/// One connection to one builder.
#[derive(Debug)]
pub struct Gateway {
    client: connection::Client,
    frontend_caps: Caps,
    llb_caps: Caps,
    workers: Vec<Worker>,
    source_file: OnceLock<SourceFile>,
}

/// A machine behind the builder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Its name.
    pub id: String,
    /// What the first one can run, its own platform first.
    pub platforms: Vec<Platform>,
}

/// Something that the user should know while the build goes on.
#[derive(Debug, Clone)]
pub struct Warning {
    /// A vertex that the client has been shown, usually the one that loads the spec.
    pub vertex: String,
    /// One line.
    pub short: String,
    /// More lines, shown on request.
    pub detail: Vec<String>,
    /// A page about it; may be empty.
    pub url: String,
    /// Where in the source file.
    pub span: Option<Span>,
}

impl Gateway {
    /// A builder at the other end of a stream.
    pub async fn over<S>(stream: S) -> Result<Self, Error>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let client = connection::connect(stream).await?;
        let mut first = client.clone();
        let answer = first.ping(PingRequest {});
        let pong = tokio::time::timeout(Duration::from_secs(PING_SECONDS), answer)
            .await
            .map_err(|_| Error::Silent(PING_SECONDS))?
            .map_err(Error::of_call("Ping"))?
            .into_inner();
        let workers = pong.workers.into_iter().map(|worker| Worker {
            id: worker.id,
            platforms: worker.platforms.iter().map(Platform::from).collect(),
        });
        Ok(Self {
            client,
            frontend_caps: Caps::from_pong(pong.frontend_api_caps, caps::FROZEN_FRONTEND),
            llb_caps: Caps::from_pong(pong.llb_caps, caps::FROZEN_LLB),
            workers: workers.collect(),
            source_file: OnceLock::new(),
        })
    }

    /// What the builder offers to frontends.
    pub fn frontend_caps(&self) -> &Caps {
        &self.frontend_caps
    }

    /// What the builder understands in a graph.
    pub fn llb_caps(&self) -> &Caps {
        &self.llb_caps
    }

    /// The machines behind the builder, the default one first.
    pub fn workers(&self) -> &[Worker] {
        &self.workers
    }

    /// Remembers the file that failures point into from now on, those too that know no place, and
    /// a bug. The first one counts.
    pub fn set_source_file(&self, file: SourceFile) {
        let _ = self.source_file.set(file);
    }

    /// The file of `set_source_file`.
    pub fn source_file(&self) -> Option<&SourceFile> {
        self.source_file.get()
    }

    /// Graphs that another frontend or bake hands over, by name, ready to be sent again.
    pub async fn inputs(&self) -> Result<BTreeMap<String, pb::Definition>, Error> {
        if !self.frontend_caps.supports(FRONTEND_INPUTS) {
            return Ok(BTreeMap::new());
        }
        let answer = self.client().inputs(InputsRequest {}).await;
        let found = answer.map_err(Error::of_call("Inputs"))?.into_inner().definitions;
        let complete = |(name, input)| (name, definitions::without_empty_entries(input));
        Ok(found.into_iter().map(complete).collect())
    }

    /// Shows a warning to the user; a builder that cannot is not an error.
    pub async fn warn(&self, warning: Warning) -> Result<(), Error> {
        if !self.frontend_caps.supports(WARNINGS) {
            return Ok(());
        }
        let info = self.source_file().map(|file| pb::SourceInfo {
            filename: file.filename.clone(),
            data: file.text.clone().into_bytes(),
            definition: file.definition.clone(),
            language: file.language.clone(),
        });
        let request = WarnRequest {
            digest: warning.vertex,
            level: 1, // 0 is hidden
            short: warning.short.into_bytes(),
            detail: warning.detail.into_iter().map(String::into_bytes).collect(),
            url: warning.url,
            ranges: warning.span.filter(|_| info.is_some()).map(range).into_iter().collect(),
            info,
        };
        self.client().warn(request).await.map_err(Error::of_call("Warn"))?;
        Ok(())
    }

    /// Ends the build with a result.
    pub async fn return_result(self, result: BuildResult) -> Result<(), Error> {
        self.finish(ReturnRequest { result: Some(result), error: None }).await
    }

    /// Ends the build with a failure, at a place of the source file if there is one.
    pub async fn return_error(self, error: Status) -> Result<(), Error> {
        let error = match self.source_file() {
            Some(file) => status::point_at(error, file, Span::START),
            None => error,
        };
        self.finish(ReturnRequest { result: None, error: Some(error) }).await
    }

    /// What cannot be sent because of its size is replaced by a failure that says so, since
    /// something must be returned.
    async fn finish(self, mut request: ReturnRequest) -> Result<(), Error> {
        let sized = Error::check_size("Return", &request);
        if let Err(oversized) = &sized {
            let bare = request.error.map(|error| Status { details: Vec::new(), ..error });
            let error = bare.unwrap_or_else(|| status::failure(oversized.to_string()));
            request = ReturnRequest { result: None, error: Some(error) };
        }
        self.client().r#return(request).await.map_err(Error::of_call("Return"))?;
        sized
    }

    /// A handle of its own for one call: calls may run side by side.
    fn client(&self) -> connection::Client {
        self.client.clone()
    }
}

/// The pinned image of this very process, to mount our own binary into steps. `None` where the
/// builder did not provide it or the container may not read it (user namespaces): then resolve the
/// image that the option `source` names and pin that.
pub fn own_definition() -> Result<Option<pb::Definition>, Error> {
    use std::io::ErrorKind::{NotADirectory, NotFound, PermissionDenied};
    match std::fs::read(OWN_DEFINITION) {
        Ok(bytes) => parse_definition(&bytes).map(Some),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | PermissionDenied) => {
            Ok(None)
        }
        Err(error) => Err(Error::OwnDefinition(error.to_string())),
    }
}

fn parse_definition(bytes: &[u8]) -> Result<pb::Definition, Error> {
    let definition = pb::Definition::decode(bytes);
    let definition = definition.map_err(|error| Error::OwnDefinition(error.to_string()))?;
    if definition.def.is_empty() {
        return Err(Error::OwnDefinition("it has no vertices".to_owned()));
    }
    Ok(definition)
}

fn range(span: Span) -> pb::Range {
    let position = |place: crate::diagnostic::Position| pb::Position {
        line: i32::try_from(place.line).unwrap_or(i32::MAX),
        character: i32::try_from(place.column).unwrap_or(i32::MAX),
    };
    pb::Range { start: Some(position(span.start)), end: Some(position(span.end)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_must_have_vertices() {
        let definition = pb::Definition { def: vec![vec![1]], ..pb::Definition::default() };
        assert_eq!(parse_definition(&definition.encode_to_vec()).unwrap(), definition);
        for broken in [b"" as &[u8], b"garbage", &[0x0a, 0x7f]] {
            assert!(parse_definition(broken).is_err(), "{broken:?}");
        }
    }

    #[test]
    fn outside_of_a_builder_there_is_no_definition() {
        assert!(own_definition().unwrap().is_none());
    }
}
