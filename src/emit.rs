//! A plan → the graph that BuildKit runs.
//!
//! Every op carries the lines of the spec that it comes from, so that a step that fails is shown in
//! the user's own file, and a name that reads like docker/dockerfile's. The image is the runtime base
//! with one layer for each item merged on top; nothing is run in it.

mod files;
mod picks;
mod probes;
mod roots;
mod scan;
mod stages;
mod testing;
mod trial;
mod whole;
mod written;

pub use probes::{Again, CollisionsProbe, InventoryProbe, ProbeSettings, newest};
pub use scan::{CORE, Scanner};
pub use trial::trial;
pub use whole::Whole;
pub use written::Written;

use std::collections::{BTreeMap, BTreeSet};

use crate::bases::Resolved;
use crate::diagnostic::Span;
use crate::llb::caps;
use crate::llb::{
    Constraints, FileOps, Folder, Graph, ImportError, Location, Network, Output, Source,
};
use crate::llb::{Copy, HostIp, Http, Local, MakeDir, MakeFile, MakeLink, Ulimit};
use crate::plan::{Draft, Layer, LayerEntry, Origin, Plan, Stage, What};
use crate::platform::Platform;
use crate::proto::pb;

/// What the options of the build add to every plan.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whether names say which platform they are for.
    pub several_platforms: bool,
    /// The build context.
    pub context: Tree,
    /// Sessions of local sources, by name.
    pub sessions: BTreeMap<String, String>,
    /// The session of all others.
    pub session: String,
    /// Patterns of files that the context leaves out.
    pub ignore: Vec<String>,
    /// Whether every step runs again.
    pub no_cache: bool,
    /// Stages whose steps run again.
    pub no_cache_stages: Vec<String>,
    /// What ids of cache mounts start with.
    pub cache_namespace: String,
    /// What steps see of the network.
    pub network: Network,
    /// Proxies; no part of any cache key.
    pub proxy: Option<pb::ProxyEnv>,
    /// `--add-host`.
    pub extra_hosts: Vec<HostIp>,
    /// `--ulimit`.
    pub ulimits: Vec<Ulimit>,
    /// `--shm-size` in bytes; 0: the builder's.
    pub shm_size: i64,
    /// `--cgroup-parent`.
    pub cgroup_parent: String,
    /// The host name in steps.
    pub hostname: String,
    /// `--memory` and its kind; no part of any cache key.
    pub resources: Option<pb::LinuxResources>,
    /// `SOURCE_DATE_EPOCH` in nanoseconds, for what is made anew.
    pub epoch: Option<i64>,
    /// What the daemon can do.
    pub builder: Abilities,
}

/// Where builders differ and the graph does, too; the files that come out are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Layers can be merged: not with a graph driver of Docker Engine.
    pub can_merge: bool,
    /// There is an action that makes a symbolic link (BuildKit v0.19).
    pub can_link: bool,
}

impl Abilities {
    /// As a builder says of itself, by capability.
    #[must_use]
    pub fn of(supports: impl Fn(&str) -> bool) -> Self {
        Self { can_merge: supports(caps::MERGE), can_link: supports(caps::FILE_SYMLINK) }
    }
}

impl Default for Abilities {
    fn default() -> Self {
        Self::of(|_| true)
    }
}

/// A tree of files.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    /// A folder of the client, by the name under which it is offered.
    Local(String),
    /// What a graph gives that was made before; it has been taken into a graph once.
    Graph(pb::Definition),
}

impl Default for Tree {
    fn default() -> Self {
        Self::Local("context".to_owned())
    }
}

/// A graph in the making, for one platform.
#[derive(Debug)]
pub struct Emitter<'a> {
    images: &'a [Resolved],
    stages: &'a [Stage],
    context_paths: Option<&'a [String]>,
    image_paths: &'a [Option<Vec<String>>],
    platform: &'a Platform,
    settings: &'a Settings,
    graph: Graph,
    stage_outputs: Vec<Output>,
    /// A context that is a graph, once it was taken in.
    context_output: Option<Output>,
    image_outputs: BTreeMap<usize, Output>,
    apps: BTreeMap<String, Output>,
    /// What comes of steps that run again: what depends on it must run again, too, since BuildKit
    /// would find it by the definition alone.
    again: BTreeSet<Output>,
    /// The step or item that is being written down: what is fetched for it comes from there.
    place: Span,
}

/// The parts of an image in a graph.
#[derive(Debug, Clone)]
pub struct Emitted {
    /// The runtime base.
    pub base: Output,
    /// What is placed on it, one output for each layer of the plan.
    pub layers: Vec<Output>,
    /// All of them, one over the other.
    pub image: Output,
}

impl<'a> Emitter<'a> {
    /// Starts a graph for a draft's stages and images.
    #[must_use]
    pub fn new(draft: &'a Draft, settings: &'a Settings) -> Self {
        Self {
            images: &draft.images,
            stages: &draft.stages,
            context_paths: draft.context_paths.as_deref(),
            image_paths: &draft.image_paths,
            platform: &draft.platform,
            settings,
            graph: Graph::new(),
            stage_outputs: Vec::new(),
            context_output: None,
            image_outputs: BTreeMap::new(),
            apps: BTreeMap::new(),
            again: BTreeSet::new(),
            place: Span::START,
        }
    }

    /// Adds another app of the file, to copy from.
    pub fn add_app(&mut self, name: String, app: &pb::Definition) -> Result<(), ImportError> {
        let output = self.graph.import(app)?;
        self.apps.insert(name, output);
        Ok(())
    }

    /// The graph, to be marshalled.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The stages, base and layers of an image.
    pub fn image(&mut self, plan: &Plan) -> Emitted {
        self.stages();
        let total = plan.layers.len();
        let base = self.base(plan.runtime);
        let mut layers = Vec::new();
        for (index, layer) in plan.layers.iter().enumerate() {
            let name = self.name("image", (index + 1, total), &layer.title);
            layers.push(self.layer(layer, &name));
        }
        let image = self.unite(base, &layers);
        Emitted { base, layers, image }
    }

    /// The runtime base.
    pub fn base(&mut self, runtime: usize) -> Output {
        let title = format!("FROM {}", self.images[runtime].shown());
        let name = self.plain_name("image", &title);
        self.image_source(runtime, name)
    }

    /// The image, handed on only once the probes have run: a cache export carries them along, and
    /// the provenance lists them.
    pub fn pass(&mut self, image: Output, probes: &[Output], summary: &str) -> Output {
        let name = self.plain_name("proof", summary);
        let inputs = [&[image], probes].concat();
        let with = self.again_if(&inputs, Constraints::named(name));
        self.graph.passthrough(image, probes, &with)
    }

    /// Where the files of a placement come from.
    pub fn source_of(&mut self, files: &crate::plan::Files) -> Output {
        self.stages();
        self.origin(&files.origin)
    }

    /// What a placement would put into the root of an empty file system.
    pub fn poured(&mut self, files: &crate::plan::Files) -> Output {
        self.stages();
        let entry = LayerEntry::whole(What::Files(files.clone()), "/".to_owned());
        let mut ops = FileOps::on(Output::SCRATCH);
        self.place_files(&mut ops, &[entry], files);
        let name = self.plain_name("proof", "gather what is placed on folders of the base");
        let source = self.origin(&files.origin);
        let with = self.again_if(&[source], Constraints::named(name));
        let output = self.graph.file(&ops, &with);
        self.mark(output, &with)
    }

    /// All layers on the base: merged, or copied where the daemon cannot merge.
    fn unite(&mut self, base: Output, layers: &[Output]) -> Output {
        if self.settings.builder.can_merge {
            let inputs: Vec<Output> = [base].into_iter().chain(layers.iter().copied()).collect();
            let name = self.plain_name("image", "MERGE");
            let with = self.again_if(&inputs, Constraints::named(name));
            let image = self.graph.merge(&inputs, &with);
            return self.mark(image, &with);
        }
        let mut image = base;
        for layer in layers.iter().filter(|layer| **layer != Output::SCRATCH) {
            let mut ops = FileOps::on(image);
            let all = Copy {
                from: "/".to_owned(),
                to: "/".to_owned(),
                contents: true,
                replace: true,
                ..Copy::default()
            };
            ops.copy(*layer, all);
            let name = self.plain_name("image", "COPY layer");
            let with = self.again_if(&[image, *layer], Constraints::named(name));
            image = self.graph.file(&ops, &with);
            image = self.mark(image, &with);
        }
        image
    }

    fn layer(&mut self, layer: &Layer, name: &str) -> Output {
        self.place = layer.span;
        let mut ops = FileOps::on(Output::SCRATCH);
        for entries in layer.entries.chunk_by(|left, right| left.what == right.what) {
            match &entries[0].what {
                What::Files(files) => self.place_files(&mut ops, entries, files),
                What::Folder { .. } => {} // among the layer's folders
                What::Content { .. } | What::Link { .. } => {
                    for entry in entries {
                        self.make(&mut ops, entry);
                    }
                }
            }
        }
        // Last: a copy changes every nested folder that it meets.
        let folders = layer.folders.iter().map(|folder| Folder {
            path: folder.path.clone(),
            mode: folder.mode,
            owner: crate::llb::Owner { uid: folder.uid, gid: folder.gid },
        });
        ops.set_folders(&folders.collect::<Vec<_>>());
        if ops.is_empty() {
            return Output::SCRATCH;
        }
        let sources: Vec<Output> = self.sources(layer.entries.iter().map(|entry| &entry.what));
        let with = self.again_if(&sources, at(layer.span, name.to_owned()));
        let output = self.graph.file(&ops, &with);
        self.mark(output, &with)
    }

    /// A file or a link that the spec gives.
    fn make(&self, ops: &mut FileOps, entry: &LayerEntry) {
        let owner = Some(crate::llb::Owner { uid: entry.owner.uid, gid: entry.owner.gid });
        let (path, time) = (entry.dest.clone(), self.settings.epoch);
        self.make_parent(ops, &path);
        match &entry.what {
            What::Content { text, mode } => {
                let data = text.clone().into_bytes();
                ops.make_file(MakeFile { path, mode: *mode, data, owner, time });
            }
            What::Link { target } => {
                self.link(ops, MakeLink { path, target: target.clone(), owner, time });
            }
            What::Files(_) | What::Folder { .. } => {}
        }
    }

    /// A symbolic link, by whichever way the daemon has.
    fn link(&self, ops: &mut FileOps, link: MakeLink) {
        if self.settings.builder.can_link {
            ops.make_link(link);
        } else {
            ops.unpack_link(&link);
        }
    }

    /// The same, to run again if everything must, or something that it depends on does.
    fn again_if(&self, inputs: &[Output], with: Constraints) -> Constraints {
        let again = self.settings.no_cache || inputs.iter().any(|input| self.again.contains(input));
        Constraints { ignore_cache: with.ignore_cache || again, ..with }
    }

    /// Remembers that an output comes of something that runs again.
    fn mark(&mut self, output: Output, with: &Constraints) -> Output {
        if with.ignore_cache {
            self.again.insert(output);
        }
        output
    }

    /// Where placed files come from.
    fn sources<'p>(&mut self, placed: impl Iterator<Item = &'p What>) -> Vec<Output> {
        let mut outputs = Vec::new();
        for what in placed {
            if let What::Files(files) = what {
                outputs.push(self.origin(&files.origin));
            }
        }
        outputs
    }

    fn make_parent(&self, ops: &mut FileOps, path: &str) {
        let parent = crate::paths::parent(path);
        if parent != "/" {
            ops.make_dir(MakeDir {
                path: parent.to_owned(),
                mode: 0o755,
                make_parents: true,
                owner: Some(crate::llb::Owner::ROOT),
                time: self.settings.epoch,
            });
        }
    }

    /// The files of an origin, as a file system.
    fn origin(&mut self, origin: &Origin) -> Output {
        match origin {
            Origin::Context => self.context(),
            Origin::Stage(index) => self.stage_outputs[*index],
            // The frontend has added every app that the draft names.
            Origin::App(name) => self.apps.get(name).copied().unwrap_or(Output::SCRATCH),
            Origin::Image(index) => {
                let title = format!("FROM {}", self.images[*index].shown());
                let name = self.plain_name("source", &title);
                self.image_source(*index, name)
            }
            Origin::Http { url, checksum, filename } => {
                let source = Http {
                    url: url.clone(),
                    checksum: Some(checksum.clone()),
                    filename: Some(filename.clone()),
                    ..Http::default()
                };
                let shown = url.split(['?', '#']).next().unwrap_or_default().to_owned();
                self.graph.source(&Source::Http(source), &at(self.place, shown))
            }
            Origin::Git(git) => {
                let name = format!("{}#{}", git.url, git.reference);
                self.graph.source(&Source::Git((**git).clone()), &at(self.place, name))
            }
        }
    }

    /// The build context, with the paths that the app uses.
    ///
    /// # Panics
    ///
    /// If the context is a graph that cannot be imported; `context::locate` gives none.
    pub fn context(&mut self) -> Output {
        let name = match &self.settings.context {
            Tree::Local(name) => name.clone(),
            Tree::Graph(definition) => {
                let graph = &mut self.graph;
                let import = || graph.import(definition).expect("`context::locate` took it in");
                return *self.context_output.get_or_insert_with(import);
            }
        };
        let local = Local {
            session: Some(self.session(&name)),
            exclude: self.settings.ignore.clone(),
            follow: self.context_paths.map(<[String]>::to_vec).unwrap_or_default(),
            shared_key_hint: Some(name.clone()),
            name,
            ..Local::default()
        };
        let constraints = Constraints::named("[internal] load build context");
        self.graph.source(&Source::Local(local), &constraints)
    }

    fn session(&self, name: &str) -> String {
        self.settings.sessions.get(name).unwrap_or(&self.settings.session).clone()
    }

    fn image_source(&mut self, index: usize, name: String) -> Output {
        if let Some(output) = self.image_outputs.get(&index) {
            return *output;
        }
        let output = self.root(index, name);
        self.image_outputs.insert(index, output);
        output
    }

    /// `[build 2/4] RUN npm ci`, with the platform in front where there are several.
    fn name(&self, group: &str, (number, total): (usize, usize), title: &str) -> String {
        format!("[{}{group} {number}/{total}] {title}", self.platform_prefix())
    }

    fn plain_name(&self, group: &str, title: &str) -> String {
        format!("[{}{group}] {title}", self.platform_prefix())
    }

    fn platform_prefix(&self) -> String {
        if self.settings.several_platforms {
            format!("{} ", self.platform.id())
        } else {
            String::new()
        }
    }
}

/// Constraints of an op that comes from a place in the spec.
fn at(span: Span, name: String) -> Constraints {
    Constraints {
        locations: vec![Location { file: 0, spans: vec![span] }],
        ..Constraints::named(name)
    }
}
