//! The file that is built and the patterns that its context leaves out, read from the client.
//!
//! The builder keeps what a client sends under a key of its own, so that an unchanged file costs a
//! look at its metadata.

mod ignore;

pub use ignore::parse_ignore;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::gateway::{Error, Gateway, Solve, SourceFile};
use crate::llb::{Constraints, Graph, Local, Source};
use crate::proto::pb;

/// As docker/dockerfile since 1.28: larger files are refused, not cut.
const MAX_FILE: usize = 16 << 20;

/// Where the spec and the context are.
#[derive(Debug, Clone)]
pub struct Locations {
    /// The local source with the spec.
    pub spec_local: String,
    /// The path of the spec in it.
    pub filename: String,
    /// The local source that is the build context.
    pub context_local: String,
    /// Sessions of local sources, by name.
    pub sessions: std::collections::BTreeMap<String, String>,
    /// The session of all others.
    pub session: String,
}

impl Locations {
    fn session_of(&self, local: &str) -> String {
        self.sessions.get(local).unwrap_or(&self.session).clone()
    }
}

/// The file that is built.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Its bytes, as they are.
    pub bytes: Vec<u8>,
    /// The same for excerpts.
    pub file: SourceFile,
    /// The vertex that read it: what warnings hang on.
    pub vertex: String,
    /// `<spec>.dockerignore`, if there is one.
    pub own_ignore: Option<Vec<u8>>,
}

/// Why there is no file.
#[derive(Debug)]
pub enum LoadError {
    /// What the user can do something about.
    Mistake(Diagnostic),
    /// The builder failed.
    Gateway(Error),
}

impl From<Error> for LoadError {
    fn from(error: Error) -> Self {
        Self::Gateway(error)
    }
}

/// Reads the spec, and the ignore file that belongs to it alone.
pub async fn load_spec(gateway: &Gateway, locations: &Locations) -> Result<Loaded, LoadError> {
    let filename = &locations.filename;
    let ignore_name = format!("{filename}.dockerignore");
    let local = Local {
        name: locations.spec_local.clone(),
        session: Some(locations.session_of(&locations.spec_local)),
        follow: vec![filename.clone(), ignore_name.clone()],
        shared_key_hint: Some(locations.spec_local.clone()),
        differ: Some("none".to_owned()),
        ..Local::default()
    };
    let name = format!("[internal] load build definition from {filename}");
    let (definition, vertex) = local_graph(local, name);
    let found = gateway.solve(Solve::of(definition.clone())).await?.single()?;
    let (bytes, own_ignore) = tokio::join!(
        gateway.read_file(&found, filename, MAX_FILE),
        gateway.read_file(&found, &ignore_name, MAX_FILE)
    );
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(error) if error.is_missing_file() => return Err(LoadError::Mistake(missing(filename))),
        Err(Error::TooLarge { limit, .. }) => {
            let message = format!("{filename:?} is larger than {} MiB", limit >> 20);
            return Err(LoadError::Mistake(Diagnostic::error(
                Code::TooLarge,
                Span::START,
                message,
            )));
        }
        Err(error) => return Err(error.into()),
    };
    let own_ignore = optional(own_ignore)?;
    let file = SourceFile {
        filename: filename.clone(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
        language: "YAML".to_owned(),
        definition: Some(definition),
    };
    Ok(Loaded { bytes, file, vertex, own_ignore })
}

/// The patterns of `.dockerignore`: what the build context leaves out, unless the spec has a file of
/// its own for that.
pub async fn load_ignore(
    gateway: &Gateway,
    locations: &Locations,
) -> Result<Vec<String>, LoadError> {
    let local = Local {
        name: locations.context_local.clone(),
        session: Some(locations.session_of(&locations.context_local)),
        follow: vec![".dockerignore".to_owned()],
        shared_key_hint: Some(format!("{}-.dockerignore", locations.context_local)),
        differ: Some("none".to_owned()),
        ..Local::default()
    };
    let (definition, _) = local_graph(local, "[internal] load .dockerignore".to_owned());
    let found = gateway.solve(Solve::of(definition)).await?.single()?;
    let bytes = optional(gateway.read_file(&found, ".dockerignore", MAX_FILE).await)?;
    Ok(bytes.map(|bytes| parse_ignore(&bytes)).unwrap_or_default())
}

fn local_graph(local: Local, name: String) -> (pb::Definition, String) {
    let mut graph = Graph::new();
    let output = graph.source(&Source::Local(local), &Constraints::named(name));
    let vertex = graph.digest(output).map(|digest| digest.to_string()).unwrap_or_default();
    (graph.marshal(output, &[]), vertex)
}

fn optional(read: Result<Vec<u8>, Error>) -> Result<Option<Vec<u8>>, Error> {
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_missing_file() => Ok(None),
        Err(error) => Err(error),
    }
}

fn missing(filename: &str) -> Diagnostic {
    Diagnostic::error(Code::SpecNotFound, Span::START, format!("there is no file {filename:?}"))
        .help("name the spec with `-f`, such as `docker buildx build -f hardpan.yaml .`")
}
