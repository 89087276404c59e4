//! The inventory of an image: base and placed layers, mounted apart, seen as the one root file
//! system that a container gets; or one whole root.
//!
//! In: the roots, lowest first, and the parts of the config that say what is started. Out:
//! `inventory.json` (`evidence`), without a clock and without a decision.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::arguments::run_mode;
use super::bounded::Bounded;
use super::collector::{self, Collector, Owner};
use super::evidence::{Inventory, VERSION, WhoRuns};
use super::facts::accounts_of;
use super::libraries::{self, Settings};
use super::lookup::{Finder, unwrap_init};
use super::output;
use super::tree::Tree;
use super::walk::walk;
use super::{secrets, shadow, started};

/// The file of the answer in the output folder.
pub const FILE: &str = "inventory.json";
/// The most layers that are united; overlay file systems take 500 and images have 127.
const MAX_LAYERS: usize = 512;

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
    /// `LD_LIBRARY_PATH` of `Env`.
    pub library_path: Option<String>,
    /// Further paths to look up.
    pub ask: Vec<String>,
    /// The file that the command's interpreter is told to read.
    pub start_file: Option<String>,
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
    let accounts = accounts_of(tree);
    let user = accounts.identify(&config.user).map_or_else(WhoRuns::Nobody, WhoRuns::Known);
    let has_capabilities = collector::supports_capabilities(tree);
    let owner = Owner::of(&user);
    let new = || Collector::new(tree.layers(), has_capabilities, owner.clone());
    let mut seen = walk(tree, new);
    seen.compare_roots(tree)?;
    seen.follow_links(tree);
    seen.read_namesakes(tree);
    let mut finder = Finder::new(tree, &config.workdir, config.path.as_deref());
    let read = seen.contents.search(tree, &mut seen.gaps);
    let scripts = started::scripts(&mut finder, read.scripts, &mut seen.gaps);
    let secrets = seen.texts.search(tree, &mut seen.gaps);
    let secrets = match tree.image() {
        Some(image) => secrets::search_lost(image, secrets, &mut seen.gaps),
        None => secrets,
    };
    let entrypoint = finder.command(&config.entrypoint);
    let wrapped = unwrap_init(&config.entrypoint).and_then(|argv| finder.command(argv));
    let settings = Settings {
        library_path: config.library_path.as_deref(),
        workdir: &config.workdir,
        user: match &user {
            WhoRuns::Known(identity) => Some(identity),
            WhoRuns::Nobody(_) => None,
        },
    };
    let commands = [entrypoint.as_ref(), wrapped.as_ref()];
    let unlinked = libraries::unlinked(tree, &settings, &commands, &read.objects, &mut seen.gaps);
    let (shadow, shadow_trouble) = match shadow::shadow(tree) {
        Ok(lines) => (lines, None),
        Err(trouble) => (Vec::new(), Some(trouble)),
    };
    let listed_shells = shadow::listed_shells(tree);
    let paths = config.ask.iter().cloned().chain(shadow::login_shells(&accounts));
    let asked = started::look_up(&mut finder, paths.chain(listed_shells.iter().cloned()));
    Ok(Inventory {
        version: VERSION,
        rules: rules.to_owned(),
        layers: seen.layers,
        accounts: accounts.bounded(),
        shadow,
        shadow_trouble,
        listed_shells,
        user,
        asked,
        start_file: config.start_file.as_deref().and_then(|path| started::start_file(tree, path)),
        workdir: Some(finder.workdir()),
        entrypoint,
        wrapped,
        healthcheck: finder.command(&config.healthcheck),
        shells: read.shells,
        changed: seen.changed.into_list(),
        replaced: seen.replaced.into_list(),
        hidden: seen.hidden.into_list(),
        covered: seen.covered.into_list(),
        set_id: seen.set_id.into_list(),
        capabilities: seen.capabilities.map(Bounded::into_list),
        world_writable: seen.world_writable.into_list(),
        writable: seen.writable.into_list(),
        noted: seen.noted.into_iter().map(|(role, list)| (role, list.into_list())).collect(),
        scripts,
        secrets,
        unlinked,
        special: seen.special.into_list(),
        whiteouts: seen.whiteouts.into_list(),
        not_evaluated: seen.gaps.into_list(),
    })
}
