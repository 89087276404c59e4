//! The inventory of an image: base and placed layers, mounted apart, seen as the one root file
//! system that a container gets; or one whole root.
//!
//! In: the roots, lowest first, and the parts of the config that say what is started. Out:
//! `inventory.json` (`evidence`), without a clock and without a decision.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::arguments::run_mode;
use super::bounded::Bounded;
use super::content;
use super::entry::{Attributes, Kind};
use super::escape::escape;
use super::evidence::{Changed, Contents, Gap, Inventory, Item, Part, VERSION, WhoRuns};
use super::facts::accounts_of;
use super::lookup::{Finder, unwrap_init};
use super::output;
use super::tree::Tree;
use super::walk::{Seen, Visitor, walk};

/// The file of the answer in the output folder.
pub const FILE: &str = "inventory.json";
/// The most layers that are united; overlay file systems take 500 and images have 127.
const MAX_LAYERS: usize = 512;
/// The attribute that holds a file's capabilities.
const CAPABILITY: &str = "security.capability";

/// The parts of an image's config that say what is started, as one argument in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Started {
    /// `User`.
    pub user: String,
    /// `WorkingDir`.
    pub workdir: String,
    /// `PATH` of `Env`; `None`: not set.
    pub path: Option<String>,
    /// `Entrypoint` followed by `Cmd`.
    pub entrypoint: Vec<String>,
    /// `Healthcheck.Test` of the exec form, without the word `CMD`.
    pub healthcheck: Vec<String>,
}

#[derive(Debug, clap::Parser)]
#[command(no_binary_name = true)]
struct Arguments {
    /// The root of the base, or a whole root.
    #[arg(long)]
    base: PathBuf,
    /// The root of a placed layer; the last one lies on top.
    #[arg(long = "layer")]
    layers: Vec<PathBuf>,
    /// What is started, as JSON.
    #[arg(long, default_value = "{}")]
    config: String,
    /// The folder that gets the answer.
    #[arg(long)]
    out: PathBuf,
    /// The version of the rules.
    #[arg(long, default_value = "0")]
    rules: String,
    /// The platform of the image; part of the cache key, the evidence does not depend on it.
    #[arg(long)]
    platform: Option<String>,
}

/// `hardpan inventory --base PATH [--layer PATH]… --config JSON --out PATH --platform P --rules N`.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    run_mode("inventory", arguments, |arguments: &Arguments| {
        let config = serde_json::from_str(&arguments.config);
        let config: Started = config.map_err(|error| format!("--config: {error}"))?;
        if arguments.layers.len() > MAX_LAYERS {
            return Err(format!("more than {MAX_LAYERS} layers"));
        }
        raise_descriptor_limit();
        let roots: Vec<_> = [&arguments.base].into_iter().chain(&arguments.layers).collect();
        let open = |root: &&PathBuf| {
            Tree::open(&[root]).map_err(|error| format!("{}: {error}", root.display()))
        };
        roots.iter().try_for_each(|root| open(root).map(drop))?;
        let tree = Tree::open(&roots).map_err(|error| error.to_string())?;
        let inventory = take(&tree, &config, &arguments.rules)?;
        output::write_json(&arguments.out, FILE, &inventory).map_err(|error| error.to_string())
    })
}

/// A folder that all layers have is open once for each of them; the usual limit is 1,024.
fn raise_descriptor_limit() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
    // Where that is not allowed, few layers fit all the same.
    let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, raised);
}

/// Looks at everything once.
pub(crate) fn take(tree: &Tree, config: &Started, rules: &str) -> Result<Inventory, String> {
    let mut seen = Collector::new(tree.layers(), supports_capabilities(tree));
    seen.compare_roots(tree)?;
    walk(tree, &mut seen);
    let shells = seen.contents.search(tree, &mut seen.gaps);
    let accounts = accounts_of(tree);
    let user = accounts.identify(&config.user).map_or_else(WhoRuns::Nobody, WhoRuns::Known);
    let mut finder = Finder::new(tree, &config.workdir, config.path.as_deref());
    Ok(Inventory {
        version: VERSION,
        rules: rules.to_owned(),
        layers: seen.layers,
        accounts: accounts.bounded(),
        user,
        workdir: Some(finder.workdir()),
        entrypoint: finder.command(&config.entrypoint),
        wrapped: unwrap_init(&config.entrypoint).and_then(|argv| finder.command(argv)),
        healthcheck: finder.command(&config.healthcheck),
        shells,
        changed: seen.changed.into_list(),
        replaced: seen.replaced.into_list(),
        hidden: seen.hidden.into_list(),
        set_id: seen.set_id.into_list(),
        capabilities: seen.capabilities.map(Bounded::into_list),
        world_writable: seen.world_writable.into_list(),
        special: seen.special.into_list(),
        whiteouts: seen.whiteouts.into_list(),
        not_evaluated: seen.gaps.into_list(),
    })
}

/// Whether the file system can be asked for capabilities, through `/proc`: there is no call that
/// takes an open folder and a name.
fn supports_capabilities(tree: &Tree) -> bool {
    let Ok(root) = tree.open_part(0, b"/") else { return false };
    let answer = capability(rustix::fd::AsFd::as_fd(&root), b".");
    matches!(answer, Ok(_) | Err(Errno::NODATA))
}

/// The capabilities of a file in an open folder, in hexadecimal.
fn capability(folder: rustix::fd::BorrowedFd<'_>, name: &[u8]) -> Result<String, Errno> {
    use rustix::fd::AsRawFd as _;
    let path = [format!("/proc/self/fd/{}/", folder.as_raw_fd()).as_bytes(), name].concat();
    let mut value = [0; 64];
    match rustix::fs::lgetxattr(path, CAPABILITY, &mut value) {
        Ok(length) => Ok(hexadecimal(&value[..length])),
        // Longer than any version of the format, or of another user namespace: it has some.
        Err(Errno::RANGE | Errno::OVERFLOW) => Ok("unreadable".to_owned()),
        Err(error) => Err(error),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What the walk gathers.
struct Collector {
    layers: Vec<Contents>,
    contents: content::Contents,
    changed: Bounded<Changed>,
    replaced: Bounded<Changed>,
    hidden: Bounded<Changed>,
    set_id: Bounded<Item>,
    capabilities: Option<Bounded<Item>>,
    world_writable: Bounded<Item>,
    special: Bounded<Item>,
    whiteouts: Bounded<Item>,
    gaps: Bounded<Gap>,
}

impl Collector {
    fn new(layers: usize, capabilities: bool) -> Self {
        Self {
            layers: vec![Contents::default(); layers],
            contents: content::Contents::new(),
            changed: Bounded::default(),
            replaced: Bounded::default(),
            hidden: Bounded::default(),
            set_id: Bounded::default(),
            capabilities: capabilities.then(Bounded::default),
            world_writable: Bounded::default(),
            special: Bounded::default(),
            whiteouts: Bounded::default(),
            gaps: Bounded::default(),
        }
    }

    /// The root itself is no name in any folder.
    fn compare_roots(&mut self, tree: &Tree) -> Result<(), String> {
        let root = tree.root().map_err(|trouble| trouble.to_string())?;
        let stat = |(layer, part)| rustix::fs::fstat(part).map(|stat| (layer, stat));
        let versions: Result<Vec<_>, _> = root.parts().map(stat).collect();
        self.overlaid(b"/", &versions.map_err(|error| error.to_string())?);
        Ok(())
    }

    fn see_file(&mut self, seen: &Seen<'_>) {
        let mode = seen.stat.st_mode;
        if mode & 0o6000 != 0 {
            self.set_id.add(seen.path(), item(seen, None));
        }
        if mode & 0o002 != 0 {
            self.world_writable.add(seen.path(), item(seen, None));
        }
        if let Some(capabilities) = &mut self.capabilities {
            match capability(seen.open, seen.name) {
                Ok(value) => capabilities.add(seen.path(), item(seen, Some(value))),
                Err(Errno::NODATA) => {}
                Err(error) => self.gaps.gap(&seen.path(), Part::Attributes, &error.to_string()),
            }
        }
        self.contents.note_file(seen);
    }
}

fn item(seen: &Seen<'_>, detail: Option<String>) -> Item {
    let attributes = Attributes::from(seen.stat);
    Item { path: escape(&seen.path()), layer: seen.layer, attributes, detail }
}

impl Visitor for Collector {
    fn see(&mut self, seen: &Seen<'_>) {
        let kind = seen.file_type();
        if seen.name.starts_with(b".wh.") {
            self.whiteouts.add(seen.path(), item(seen, None));
        }
        let Some(counts) = self.layers.get_mut(seen.layer) else { return };
        match kind {
            FileType::RegularFile => {
                counts.files += 1;
                counts.bytes += u64::try_from(seen.stat.st_size).unwrap_or(0);
                self.see_file(seen);
            }
            FileType::Directory => {
                counts.folders += 1;
                if seen.stat.st_mode & 0o1002 == 0o002 {
                    self.world_writable.add(seen.path(), item(seen, None));
                }
            }
            FileType::Symlink => {
                counts.links += 1;
                self.contents.note_link(seen.path(), seen.layer);
            }
            _ => {
                counts.others += 1;
                self.special.add(seen.path(), item(seen, None));
            }
        }
    }

    fn overlaid(&mut self, path: &[u8], versions: &[(usize, Stat)]) {
        let Some((&(layer, top), below)) = versions.split_first() else { return };
        let changed = |below: usize, before: &Stat, layer: usize, after: &Stat| Changed {
            path: escape(path),
            below,
            before: before.into(),
            layer,
            after: after.into(),
        };
        if let Some((0, base)) = below.last() {
            let change = changed(0, base, layer, &top);
            if change.before.kind != Kind::Folder && change.after.kind != Kind::Folder {
                self.replaced.add(path.to_vec(), change.clone());
            }
            if change.before != change.after {
                self.changed.add(path.to_vec(), change);
            }
        }
        for pair in versions.windows(2) {
            let [(upper, after), (lower, before)] = pair else { continue };
            let change = changed(*lower, before, *upper, after);
            let folder = change.before.kind == Kind::Folder || change.after.kind == Kind::Folder;
            if *lower > 0 && folder && change.before.kind != change.after.kind {
                self.hidden.add(path.to_vec(), change);
            }
        }
    }

    fn skip(&mut self, path: &[u8], reason: &str) {
        let path = if path.is_empty() { b"/" } else { path };
        self.gaps.gap(path, Part::Folder, reason);
    }
}
