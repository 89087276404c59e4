//! Looks at root file systems: execs of hardpan's own image, without network, with everything that
//! they look at mounted read-only.
//!
//! They run on the builder's platform whatever the image is for: nothing of it is executed. The
//! content of the mounts stays out of the cache key (`content_cache` off), where the graph says it
//! all; hashing a whole root file system would cost more than looking at it.

use super::Emitter;
use crate::llb::{Constraints, ContentCache, Exec, Graph, ImportError, Mount, Network, Output};
use crate::platform::Platform;
use crate::proto::pb;

/// Where the runtime base is mounted.
const BASE: &str = "/run/hp/base";
/// Where the answer goes.
const OUT: &str = "/run/hp/out";

/// Who looks.
#[derive(Debug, Clone)]
pub struct ProbeSettings {
    /// hardpan's own image, as BuildKit pinned it.
    pub frontend: pb::Definition,
    /// The path of the binary in it.
    pub binary: String,
    /// The builder's platform.
    pub platform: Platform,
    /// Whether the finished image is looked at again although it was before.
    pub again: Again,
}

/// When an image is looked at again that the builder remembers to have been looked at.
///
/// The builder finds what was found by the definition of the image. A program that runs in a stage
/// may give other files under the same definition: what was found belongs to those of some other
/// run. It is not enough that a builder of ours ran it, since any other frontend's steps of the same
/// definition share the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Again {
    /// If a program was run for it.
    #[default]
    IfRun,
    /// In any case.
    Always,
    /// Never: the user trusts the builder's cache.
    Never,
}

impl Again {
    pub(super) fn holds(self, runs: bool) -> bool {
        match self {
            Self::IfRun => runs,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// What the inventory looks at.
#[derive(Debug, Clone)]
pub struct InventoryProbe<'a> {
    /// The runtime base.
    pub base: Output,
    /// The layers on it.
    pub layers: &'a [Output],
    /// Words for the command line besides the mounts.
    pub args: Vec<String>,
}

/// A folder that will be poured onto the base.
#[derive(Debug, Clone)]
pub struct CollisionsProbe {
    /// The runtime base.
    pub base: Output,
    /// The layer as it would be, without regard to the base.
    pub source: Output,
    /// Where it goes.
    pub destination: String,
}

/// One look, as an exec.
pub(super) struct Probe {
    args: Vec<String>,
    name: String,
    /// Whether it is taken again although its result is known.
    again: bool,
}

impl Emitter<'_> {
    /// Looks at destinations on the runtime base.
    pub fn facts(
        &mut self,
        settings: &ProbeSettings,
        base: Output,
        destinations: &[String],
    ) -> Result<Output, ImportError> {
        let mut args = words(&["facts", "--base", BASE, "--out", OUT]);
        for destination in destinations {
            args.extend(words(&["--destination", destination]));
        }
        let name = format!("[{}proof] look at the runtime base", self.platform_prefix());
        self.probe(settings, Probe { args, name, again: false }, vec![look(BASE, base)])
    }

    /// Looks at what a folder would run into.
    pub fn collisions(
        &mut self,
        settings: &ProbeSettings,
        probe: &CollisionsProbe,
    ) -> Result<Output, ImportError> {
        const SOURCE: &str = "/run/hp/source";
        let args = words(&[
            "collisions",
            "--base",
            BASE,
            "--source",
            SOURCE,
            "--destination",
            &probe.destination,
            "--out",
            OUT,
        ]);
        let name = format!(
            "[{}proof] compare {} with the runtime base",
            self.platform_prefix(),
            probe.destination
        );
        let mounts = vec![look(BASE, probe.base), look(SOURCE, probe.source)];
        self.probe(settings, Probe { args, name, again: false }, mounts)
    }

    /// Looks at the whole image, base and layers apart.
    pub fn inventory(
        &mut self,
        settings: &ProbeSettings,
        probe: &InventoryProbe<'_>,
    ) -> Result<Output, ImportError> {
        let name = format!("[{}proof] inspect the image", self.platform_prefix());
        let files: Vec<Output> = [probe.base].into_iter().chain(probe.layers.to_vec()).collect();
        let again = settings.again.holds(self.graph.runs(&files));
        let (probe, mounts) = inventory(probe, name, again);
        let output = self.probe(settings, probe, mounts)?;
        // The image is handed on anew as well: with the one that was looked at, not an older one.
        Ok(self.mark(output, &Constraints { ignore_cache: again, ..Constraints::default() }))
    }

    fn probe(
        &mut self,
        settings: &ProbeSettings,
        Probe { args, name, again }: Probe,
        looks: Vec<Mount>,
    ) -> Result<Output, ImportError> {
        let inputs: Vec<Output> = looks.iter().filter_map(Mount::source).collect();
        let again = again || self.again_if(&inputs, Constraints::default()).ignore_cache;
        add(&mut self.graph, settings, Probe { args, name, again }, looks)
    }
}

/// Looks at base and layers of an image, or at the whole of one that has no base of its own.
pub(super) fn inventory(
    probe: &InventoryProbe<'_>,
    name: String,
    again: bool,
) -> (Probe, Vec<Mount>) {
    let mut args = words(&["inventory", "--base", BASE, "--out", OUT]);
    let mut mounts = vec![look(BASE, probe.base)];
    for (index, layer) in probe.layers.iter().enumerate() {
        let target = format!("/run/hp/layer/{index}");
        args.extend(words(&["--layer", &target]));
        mounts.push(look(&target, *layer));
    }
    args.extend(probe.args.iter().cloned());
    (Probe { args, name, again }, mounts)
}

/// The graph of a look at a tree by itself: when its newest file was changed.
pub fn newest(
    settings: &ProbeSettings,
    tree: &pb::Definition,
) -> Result<pb::Definition, ImportError> {
    const TREE: &str = "/run/hp/tree";
    let mut graph = Graph::new();
    let tree = graph.import(tree)?;
    let args = words(&["newest", "--tree", TREE, "--out", OUT]);
    let name = "[internal] look for the newest file of the archive".to_owned();
    let probe = Probe { args, name, again: false };
    let output = add(&mut graph, settings, probe, vec![look(TREE, tree)])?;
    Ok(graph.marshal(output, &[]))
}

/// The exec of a look.
pub(super) fn add(
    graph: &mut Graph,
    settings: &ProbeSettings,
    Probe { args, name, again }: Probe,
    looks: Vec<Mount>,
) -> Result<Output, ImportError> {
    let frontend = graph.import(&settings.frontend)?;
    let root = Mount::read_only("/", frontend).content_cache(ContentCache::Off);
    let out = Mount::output(OUT, Output::SCRATCH);
    let exec = Exec {
        args: [settings.binary.clone()].into_iter().chain(args).collect(),
        cwd: "/".to_owned(),
        // In full: up to v0.17 half of it is looked up in a passwd, which our image lacks.
        user: "0:0".to_owned(),
        network: Network::None,
        mounts: [root].into_iter().chain(looks).chain([out]).collect(),
        ..Exec::default()
    };
    let constraints = Constraints {
        platform: Some((&settings.platform).into()),
        ignore_cache: again,
        ..Constraints::named(name)
    };
    // One output: the mount that is written.
    Ok(graph.exec(&exec, &constraints).first().copied().unwrap_or(Output::SCRATCH))
}

fn look(target: &str, output: Output) -> Mount {
    Mount::read_only(target, output).content_cache(ContentCache::Off)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}
