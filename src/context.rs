//! Where the spec and the build context are, and the two files that are read before anything is
//! built: the spec, and the patterns that the context leaves out.
//!
//! Both may be with the client, in a repository, in an archive or in the graph of another frontend.
//! The builder keeps what a client sends under a key of its own, so that an unchanged file costs a
//! look at its metadata.

mod ignore;
mod locate;
mod policy;
mod time;
mod unfetched;

use std::collections::BTreeMap;

pub use ignore::parse_ignore;
pub use locate::locate;
pub use policy::{PolicyFile, load_policy};
pub use time::{only_source, time_of};
pub use unfetched::{reason, unfetched};

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::emit::Tree;
use crate::gateway::{Error, Gateway, Solve, Solved, SourceFile};
use crate::llb::{Constraints, Graph, ImportError, Local, Source};
use crate::options::Options;
use crate::proto::pb;
use crate::remote;

/// As docker/dockerfile since 1.28: larger files are refused, not cut.
const MAX_FILE: usize = 16 << 20;

/// The name that a spec has unless one is given; Docker finds it in small letters, too.
const USUAL_NAME: &str = "Dockerfile";

/// Where the spec and the context are.
#[derive(Debug, Clone)]
pub struct Locations {
    /// Where the spec is.
    pub spec: Tree,
    /// Its path there.
    pub filename: String,
    /// The build context.
    pub context: Tree,
    /// What the context was fetched from, if it was.
    pub fetched: Option<Fetched>,
    /// Sessions of local sources, by name.
    sessions: BTreeMap<String, String>,
    /// The session of all others.
    session: String,
}

/// What the builder fetches as the build context.
#[derive(Debug, Clone)]
pub struct Fetched {
    address: String,
}

impl Fetched {
    fn of(address: &str) -> Self {
        Self { address: address.to_owned() }
    }

    /// What people call it.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.address.starts_with(locate::STDIN) {
            "on stdin".to_owned()
        } else {
            remote::shown(&self.address)
        }
    }
}

impl Locations {
    /// Everything with the client.
    fn on_client(options: &Options) -> Self {
        Self {
            spec: Tree::Local(options.spec.local().to_owned()),
            filename: options.spec.filename.clone(),
            context: Tree::Local("context".to_owned()),
            fetched: None,
            sessions: options.local_sessions.clone(),
            session: options.session.clone(),
        }
    }

    fn session_of(&self, local: &str) -> String {
        self.sessions.get(local).unwrap_or(&self.session).clone()
    }

    /// A look at some files of a tree of the client.
    fn look(&self, local: &str, files: &[&str]) -> Local {
        Local {
            name: local.to_owned(),
            session: Some(self.session_of(local)),
            follow: files.iter().map(|&file| file.to_owned()).collect(),
            differ: Some("none".to_owned()),
            ..Local::default()
        }
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

impl From<ImportError> for LoadError {
    fn from(error: ImportError) -> Self {
        let message = format!("what the client gives as an input cannot be used: {error}");
        Self::Mistake(Diagnostic::error(Code::Internal, Span::START, message))
    }
}

/// Reads the spec, and the ignore file that belongs to it alone.
pub async fn load_spec(gateway: &Gateway, locations: &Locations) -> Result<Loaded, LoadError> {
    let filename = &locations.filename;
    let ignore_name = format!("{filename}.dockerignore");
    let lower = in_small_letters(filename);
    let definition = match &locations.spec {
        Tree::Graph(definition) => definition.clone(),
        Tree::Local(name) => {
            let mut files = vec![filename.as_str(), ignore_name.as_str()];
            files.extend(lower.as_deref());
            let local =
                Local { shared_key_hint: Some(name.clone()), ..locations.look(name, &files) };
            local_graph(local, format!("[internal] load build definition from {filename}"))
        }
    };
    let vertex = head_of(&definition)?;
    // At once, so that what cannot be fetched is told from what is not there.
    let evaluate = matches!(locations.spec, Tree::Graph(_));
    let solve = Solve { evaluate, ..Solve::of(definition.clone()) };
    let explain = |error| locations.explain(error, &locations.spec);
    let found = gateway.solve(solve).await.and_then(Solved::single).map_err(explain)?;
    let (bytes, own_ignore) = tokio::join!(
        gateway.read_file(&found, filename, MAX_FILE),
        gateway.read_file(&found, &ignore_name, MAX_FILE)
    );
    let (filename, bytes) = match (bytes, &lower) {
        (Err(error), Some(lower)) if error.is_missing_file() => {
            (lower, gateway.read_file(&found, lower, MAX_FILE).await)
        }
        (bytes, _) => (filename, bytes),
    };
    let bytes = match bytes {
        Err(error) if error.is_missing_file() => {
            return Err(LoadError::Mistake(missing(locations)));
        }
        bytes => bytes.map_err(explain)?,
    };
    let own_ignore = optional(own_ignore).map_err(explain)?;
    let file = SourceFile {
        filename: filename.clone(),
        text: String::from_utf8_lossy(&bytes).into_owned(),
        language: "YAML".to_owned(),
        definition: Some(definition),
    };
    Ok(Loaded { bytes, file, vertex, own_ignore })
}

/// The patterns of `.dockerignore`: what the build context leaves out, unless the spec has a file of
/// its own for that. Only a context of the client has one.
pub async fn load_ignore(
    gateway: &Gateway,
    locations: &Locations,
) -> Result<Vec<String>, LoadError> {
    const NAME: &str = ".dockerignore";
    let Tree::Local(name) = &locations.context else { return Ok(Vec::new()) };
    let local =
        Local { shared_key_hint: Some(format!("{name}-{NAME}")), ..locations.look(name, &[NAME]) };
    let definition = local_graph(local, format!("[internal] load {NAME}"));
    let explain = |error| locations.explain(error, &locations.context);
    let found = gateway.solve(Solve::of(definition)).await.and_then(Solved::single);
    let found = found.map_err(explain)?;
    let bytes = optional(gateway.read_file(&found, NAME, MAX_FILE).await).map_err(explain)?;
    Ok(bytes.map(|bytes| parse_ignore(&bytes)).unwrap_or_default())
}

fn local_graph(local: Local, name: String) -> pb::Definition {
    let mut graph = Graph::new();
    let output = graph.source(&Source::Local(local), &Constraints::named(name));
    graph.marshal(output, &[])
}

/// The vertex that a definition gives.
fn head_of(definition: &pb::Definition) -> Result<String, ImportError> {
    let mut graph = Graph::new();
    let output = graph.import(definition)?;
    Ok(graph.digest(output).map(|digest| digest.to_string()).unwrap_or_default())
}

fn in_small_letters(filename: &str) -> Option<String> {
    let folder = filename.strip_suffix(USUAL_NAME)?;
    let is_name = folder.is_empty() || folder.ends_with('/');
    is_name.then(|| format!("{folder}{}", USUAL_NAME.to_lowercase()))
}

fn optional(read: Result<Vec<u8>, Error>) -> Result<Option<Vec<u8>>, Error> {
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.is_missing_file() => Ok(None),
        Err(error) => Err(error),
    }
}

fn missing(locations: &Locations) -> Diagnostic {
    let filename = &locations.filename;
    let (place, help) = match (&locations.spec, &locations.fetched) {
        (Tree::Graph(_), Some(fetched)) => (
            format!(" in the build context {}", fetched.shown()),
            "name the spec with `-f` and its path there, such as `-f hardpan.yaml`",
        ),
        _ => (
            String::new(),
            "name the spec with `-f`, such as `docker buildx build -f hardpan.yaml .`",
        ),
    };
    let message = format!("there is no file {filename:?}{place}");
    Diagnostic::error(Code::SpecNotFound, Span::START, message).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_usual_name_is_looked_for_in_small_letters() {
        for (name, lower) in [
            ("Dockerfile", Some("dockerfile")),
            ("deploy/Dockerfile", Some("deploy/dockerfile")),
            ("app.Dockerfile", None),
            ("Dockerfile.web", None),
            ("hardpan.yaml", None),
        ] {
            assert_eq!(in_small_letters(name).as_deref(), lower, "{name}");
        }
    }
}
