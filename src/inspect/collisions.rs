//! What a folder of files runs into when it is poured onto a base: each path that both have where
//! the base has a folder or a link, or where the kinds differ.
//!
//! In: the tree that will be poured, the base, the destination. Out: `collisions.json`. The
//! frontend then makes folders as the base has them, and sends what lies below a link of the base
//! to where that link leads, so that no path of the base changes.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::arguments::run_mode;
use super::entry::{Attributes, Entry, Kind};
use super::escape::escape;
use super::facts::{Ancestor, ancestors, entry, open};
use super::tree::{Folder, LastLink, Resolved, Tree};
use super::{output, read};

/// The version of the document.
pub const VERSION: u32 = 1;
/// The most collisions that are listed.
const MAX_COLLISIONS: usize = 10_000;
/// The most bytes of paths that are listed: escaped, they fit into one answer of the gateway.
const MAX_BYTES: usize = 2 << 20;
/// The most folders of the source that are looked into.
const MAX_FOLDERS: usize = 1_000_000;
/// The file of the answer in the output folder.
pub const FILE: &str = "collisions.json";

/// All collisions of one folder with one base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collisions {
    /// The version of this document.
    pub version: u32,
    /// Where the folder is poured, as it was asked for.
    pub destination: String,
    /// In the order of their paths, a folder before what it holds.
    pub entries: Vec<Collision>,
    /// Whether there are more than are listed, or some could not be looked at.
    pub truncated: bool,
}

/// One path that both trees have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collision {
    /// Relative to both, without `/` in front.
    pub path: String,
    /// Where that is in the base, absolute and free of links up to the last name.
    pub at: String,
    /// What the base has.
    pub base: Entry,
    /// Where a link of the base leads: absolute, free of links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads_to: Option<String>,
    /// What is there; `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads_to_kind: Option<Kind>,
    /// If that is a folder: it and those above it, outermost first, `/` included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leads_through: Vec<Ancestor>,
    /// What will be poured.
    pub source: Kind,
    /// The path holds bytes that are no text, and stands here escaped.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub escaped: bool,
}

/// Why collisions are none.
#[derive(Debug, thiserror::Error)]
pub enum CollisionsError {
    /// Not the document.
    #[error("the collisions with the base are not readable: {0}")]
    Json(#[from] serde_json::Error),
    /// Written by another release.
    #[error("the collisions with the base have version {0}, this release reads {VERSION}")]
    Version(u32),
}

impl Collisions {
    /// Reads what [`run`] wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, CollisionsError> {
        let collisions: Self = serde_json::from_slice(json)?;
        match collisions.version {
            VERSION => Ok(collisions),
            other => Err(CollisionsError::Version(other)),
        }
    }
}

#[derive(Debug, clap::Parser)]
#[command(no_binary_name = true)]
struct Arguments {
    /// The root of the base.
    #[arg(long)]
    base: PathBuf,
    /// The root of the tree that holds what will be poured.
    #[arg(long)]
    source: PathBuf,
    /// The folder in that tree.
    #[arg(long, default_value = "/")]
    source_path: String,
    /// Where it will be poured.
    #[arg(long)]
    destination: String,
    /// The folder that gets the answer.
    #[arg(long)]
    out: PathBuf,
    /// The version of the rules; part of the cache key, of no other use.
    #[arg(long)]
    rules: Option<String>,
}

/// `hardpan collisions --base PATH --source PATH [--source-path PATH] --destination PATH --out PATH`.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    run_mode("collisions", arguments, |arguments: &Arguments| {
        let tree = |path: &PathBuf| {
            Tree::open(&[path]).map_err(|error| format!("{}: {error}", path.display()))
        };
        let (base, source) = (tree(&arguments.base)?, tree(&arguments.source)?);
        let found = collide(&base, &source, &arguments.source_path, &arguments.destination)?;
        output::write_json(&arguments.out, FILE, &found).map_err(|error| error.to_string())
    })
}

/// A folder of the source and the folder of the base that it is poured onto.
struct Pair {
    /// Relative path, with `/` in front of each name.
    path: Vec<u8>,
    source: Vec<u8>,
    base: Vec<u8>,
}

fn collide(base: &Tree, source: &Tree, from: &str, to: &str) -> Result<Collisions, String> {
    let path = resolve(source, from.as_bytes(), LastLink::Follow)?.path;
    let onto = resolve(base, to.as_bytes(), LastLink::Follow)?.path;
    let pairs = vec![Pair { path: Vec::new(), source: path, base: onto }];
    let mut pour = Pour { base, source, pairs, found: Vec::new(), bytes: 0 };
    let (mut folders, mut truncated) = (0, false);
    while let Some(pair) = pour.pairs.pop() {
        folders += 1;
        if folders > MAX_FOLDERS || pour.found.len() > MAX_COLLISIONS || pour.bytes > MAX_BYTES {
            truncated = true;
            break;
        }
        pour.compare(&pair)?;
    }
    let mut entries = pour.found;
    truncated |= entries.len() > MAX_COLLISIONS;
    entries.sort_by(|one, other| one.path.split('/').cmp(other.path.split('/')));
    entries.truncate(MAX_COLLISIONS);
    Ok(Collisions { version: VERSION, destination: to.to_owned(), entries, truncated })
}

/// The state of one comparison.
struct Pour<'a> {
    base: &'a Tree,
    source: &'a Tree,
    /// Folders still to be compared.
    pairs: Vec<Pair>,
    found: Vec<Collision>,
    /// How long the paths in `found` are.
    bytes: usize,
}

impl Pour<'_> {
    /// Compares one folder of the source with its folder of the base, name by name.
    fn compare(&mut self, pair: &Pair) -> Result<(), String> {
        let open = |tree, path| open(tree, path).map_err(|trouble| trouble.to_string());
        let Some(from) = open(self.source, &pair.source)? else { return Ok(()) };
        let Some(onto) = open(self.base, &pair.base)? else { return Ok(()) };
        let (names, complete) = names(&from)?;
        if !complete {
            return Err(format!("{} has too many entries", escape(&pair.source)));
        }
        for name in names {
            let look = |folder: &Folder| folder.look(&name).map_err(|trouble| trouble.to_string());
            let (Some(poured), Some(there)) = (look(&from)?, look(&onto)?) else { continue };
            let poured = Attributes::from(&poured.stat).kind;
            let kind: Kind = there.file_type().into();
            if kind == poured && !matches!(kind, Kind::Folder | Kind::Link) {
                continue;
            }
            let (collision, target) = collision(self.base, pair, &name, poured)?;
            self.bytes += collision.path.len() + collision.at.len();
            self.found.push(collision);
            if let (Kind::Folder, Some(target)) = (poured, target) {
                let child = |path: &[u8]| [path, b"/", &name].concat();
                let (path, source) = (child(&pair.path), child(&pair.source));
                self.pairs.push(Pair { path, source, base: target });
            }
        }
        Ok(())
    }
}

/// Describes one collision, and the folder of the base in which the next ones are.
fn collision(
    base: &Tree,
    pair: &Pair,
    name: &[u8],
    source: Kind,
) -> Result<(Collision, Option<Vec<u8>>), String> {
    let at = [&pair.base, b"/".as_slice(), name].concat();
    let kept = resolve(base, &at, LastLink::Keep)?;
    let Some(entry) = entry(&kept)? else { return Err("the base changed".to_owned()) };
    let path = [&pair.path, b"/".as_slice(), name].concat();
    let escaped = str::from_utf8(&path).is_err() || str::from_utf8(&kept.path).is_err();
    let text = |path: &[u8]| str::from_utf8(path).map_or_else(|_| escape(path), str::to_owned);
    // A link that goes round in circles leads nowhere; the frontend refuses it as it is.
    let is_link = entry.attributes.kind == Kind::Link;
    let led = is_link.then(|| base.resolve(&at, LastLink::Follow).ok()).flatten();
    let leads_to = led.as_ref().map(|led| text(&led.path));
    let leads_to_kind =
        led.as_ref().and_then(|led| led.found).map(|found| found.file_type().into());
    let folder = match led {
        Some(led) => Some(led.path).filter(|_| leads_to_kind == Some(Kind::Folder)),
        None => Some(kept.path.clone()).filter(|_| entry.attributes.kind == Kind::Folder),
    };
    let leads_through = match folder.as_ref().filter(|_| is_link) {
        // What stands above something in the folder.
        Some(folder) => ancestors(base, &[folder, b"/x".as_slice()].concat())
            .map_err(|trouble| format!("{}: {trouble}", escape(folder)))?,
        None => Vec::new(),
    };
    let collision = Collision {
        path: text(&path[1..]),
        at: text(&kept.path),
        base: entry,
        leads_to,
        leads_to_kind,
        leads_through,
        source,
        escaped,
    };
    Ok((collision, folder))
}

fn resolve(tree: &Tree, path: &[u8], last: LastLink) -> Result<Resolved, String> {
    tree.resolve(path, last).map_err(|trouble| format!("{}: {trouble}", escape(path)))
}

fn names(folder: &Folder) -> Result<(Vec<Vec<u8>>, bool), String> {
    let mut all = (Vec::new(), true);
    for (_, part) in folder.parts() {
        let (names, complete) = read::names(part).map_err(|error| error.to_string())?;
        all.0.extend(names);
        all.1 &= complete;
    }
    Ok(all)
}
