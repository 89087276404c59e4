//! Options → where the spec and the build context are, as docker/dockerfile v1.28 finds them
//! (frontend/dockerui/context.go).
//!
//! A context from git, from the web, on the client's stdin or of another frontend becomes a graph,
//! which the build takes in as it is; only a context of the client stays a name. `.dockerignore`
//! belongs to the latter alone, as with Docker: whoever packs a context packs what is wanted.

use super::unfetched::unfetched;
use super::{Fetched, LoadError, Locations};
use crate::archive;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::emit::Tree;
use crate::gateway::{Gateway, Solve, Solved};
use crate::llb::{Constraints, Copy, FileOps, Git, Graph, Http, Source, caps};
use crate::options::Options;
use crate::paths;
use crate::proto::pb;
use crate::remote::{self, Remote};

/// The name that a file from the web is given.
pub(super) const FILE: &str = "context";
/// The input that takes the place of the context.
const CONTEXT_INPUT: &str = "context";
/// Where a client's stdin is served.
pub(super) const STDIN: &str = "http://buildkit-session/";

/// Finds the spec and the context; what is on the web is fetched to see what it is.
pub async fn locate(gateway: &Gateway, options: &Options) -> Result<Locations, LoadError> {
    let mut locations = Locations::on_client(options);
    let address = options.context.remote.as_deref().unwrap_or_default();
    let remote = remote::parse_context(address).map_err(|error| {
        let shown = remote::shown(address);
        let message = format!("the build context cannot be {shown:?}: {error}");
        let mistake = Diagnostic::error(Code::InvalidOption, Span::START, message);
        LoadError::Mistake(mistake.help(error.help()))
    })?;
    match remote {
        Some(Remote::Git(git)) => {
            let source = Source::Git(as_asked(git, gateway, options));
            let name = format!("[internal] load git source {}", remote::shown(address));
            let fetched = Fetched::of(address);
            let context = alone(&source, name);
            locations.use_fetched(fetched, context, options);
        }
        Some(Remote::Http(url)) => {
            let filename = Some(FILE.to_owned());
            let source = Source::Http(Http { url, filename, ..Http::default() });
            let file = alone(&source, "[internal] load remote build context".to_owned());
            let fetched = Fetched::of(address);
            let archive = unpacked(&file)?;
            let context = if is_archive(gateway, &fetched, [&file, &archive]).await? {
                archive
            } else {
                if options.spec.forced_local.is_none() {
                    FILE.clone_into(&mut locations.filename);
                }
                file
            };
            locations.use_fetched(fetched, context, options);
        }
        None => take_inputs(gateway, options, &mut locations).await?,
    }
    let folder = &options.context.subdir;
    if let Tree::Graph(context) = &locations.context
        && !folder.is_empty()
    {
        if paths::leads_out(folder) {
            let message = format!(
                "the option \"contextsubdir\" cannot be {folder:?}: it leads out of the context"
            );
            let mistake = Diagnostic::error(Code::InvalidOption, Span::START, message);
            return Err(LoadError::Mistake(mistake.help("name a folder in it, such as `app`")));
        }
        locations.context = Tree::Graph(below(context, folder)?);
    }
    Ok(locations)
}

/// Graphs of another frontend, or of bake, in the place of the client's folders.
async fn take_inputs(
    gateway: &Gateway,
    options: &Options,
    locations: &mut Locations,
) -> Result<(), LoadError> {
    let mut inputs = gateway.inputs().await?;
    if options.spec.forced_local.is_none()
        && let Some(input) = inputs.get(options.spec.local()).cloned()
    {
        locations.spec = Tree::Graph(checked(input)?);
    }
    if let Some(input) = inputs.remove(CONTEXT_INPUT) {
        locations.context = Tree::Graph(checked(input)?);
    }
    Ok(())
}

impl Locations {
    /// The spec comes from where the context comes from, unless the client has it.
    fn use_fetched(&mut self, fetched: Fetched, context: pb::Definition, options: &Options) {
        if options.spec.forced_local.is_none() {
            self.spec = Tree::Graph(context.clone());
        }
        self.context = Tree::Graph(context);
        self.fetched = Some(fetched);
    }
}

/// A repository with what the options add to its address.
fn as_asked(git: Git, gateway: &Gateway, options: &Options) -> Git {
    // A wish of ours, unlike the parameter `mtime`: builders without it do without it.
    let knows_times = gateway.llb_caps().supports(caps::GIT_MTIME);
    let wants_times = options.epoch.is_some() && knows_times;
    Git {
        keep_git_dir: git.keep_git_dir || options.keep_git_dir,
        mtime: git.mtime.or_else(|| wants_times.then(|| "commit".to_owned())),
        advice: options.git_advice,
        ..git
    }
}

/// Whether a file from the web is an archive, which can be unpacked then, or else a spec.
async fn is_archive(
    gateway: &Gateway,
    fetched: &Fetched,
    [file, archive]: [&pb::Definition; 2],
) -> Result<bool, LoadError> {
    let explain = |error| unfetched(fetched, error);
    let found = gateway.solve(Solve::of(file.clone())).await.and_then(Solved::single);
    let found = found.map_err(explain)?;
    let head = gateway.read_head(&found, FILE, archive::HEAD).await.map_err(explain)?;
    if !archive::is_archive(&head) {
        return match why_no_spec(&head) {
            Some(why) => Err(unusable(fetched, why)),
            None => Ok(false),
        };
    }
    let solve = Solve { evaluate: true, ..Solve::of(archive.clone()) };
    match gateway.solve(solve).await.map_err(explain)?.single() {
        // The builder copies what it cannot unpack as it is.
        Ok(found) => match gateway.read_head(&found, FILE, archive::HEAD).await {
            Ok(copied) if copied == head => Err(unusable(fetched, "it cannot be unpacked")),
            _ => Ok(true),
        },
        Err(_) => Err(unusable(fetched, "it is an archive without files")),
    }
}

fn why_no_spec(head: &[u8]) -> Option<&'static str> {
    if head.is_empty() {
        Some("it is empty")
    } else if head.starts_with(b"PK\x03\x04") {
        Some("it is a zip archive")
    } else if head.iter().all(|byte| *byte == 0) {
        Some("it is an archive without files")
    } else {
        None
    }
}

fn unusable(fetched: &Fetched, why: &str) -> LoadError {
    let message = format!("the build context {} cannot be used: {why}", fetched.shown());
    let mistake = Diagnostic::error(Code::ContextNotFetched, Span::START, message);
    LoadError::Mistake(mistake.help(
        "give a tar archive with the spec in it (plain, or packed by gzip, bzip2, xz or zstd), or a \
         spec",
    ))
}

/// One source, nothing else.
pub(super) fn alone(source: &Source, name: String) -> pb::Definition {
    let mut graph = Graph::new();
    let output = graph.source(source, &Constraints::named(name));
    graph.marshal(output, &[])
}

/// What an archive holds.
pub(super) fn unpacked(file: &pb::Definition) -> Result<pb::Definition, LoadError> {
    let copy =
        Copy { from: format!("/{FILE}"), to: "/".to_owned(), unpack: true, ..Copy::default() };
    copied(file, copy, "[internal] unpack build context")
}

/// A folder of a context.
fn below(context: &pb::Definition, folder: &str) -> Result<pb::Definition, LoadError> {
    let copy = Copy {
        from: paths::join("/", folder),
        to: "/".to_owned(),
        contents: true,
        ..Copy::default()
    };
    copied(context, copy, &format!("[internal] take {folder} of the build context"))
}

fn copied(from: &pb::Definition, copy: Copy, name: &str) -> Result<pb::Definition, LoadError> {
    let mut graph = Graph::new();
    let from = graph.import(from)?;
    let mut ops = FileOps::on(crate::llb::Output::SCRATCH);
    ops.copy(from, copy);
    let output = graph.file(&ops, &Constraints::named(name));
    Ok(graph.marshal(output, &[]))
}

/// What others made, once it is known that it can be taken in.
fn checked(definition: pb::Definition) -> Result<pb::Definition, LoadError> {
    Graph::new().import(&definition)?;
    Ok(definition)
}
