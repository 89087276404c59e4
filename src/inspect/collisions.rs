//! What a folder of files runs into when it is poured onto a base: each path that both have where
//! the base has a folder or a link, or where the kinds differ.
//!
//! In: the tree that will be poured, the base, the destination. Out: `collisions.json`. The
//! frontend then makes folders as the base has them, and sends what lies below a link of the base
//! to where that link leads, so that no path of the base changes.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use rustix::fs::FileType;
use serde::{Deserialize, Serialize};

use super::arguments::run_mode;
use super::entry::{Attributes, Entry, Kind};
use super::escape::escape;
use super::facts::{entry, open};
use super::tree::{Folder, LastLink, Resolved, Tree};
use super::{output, read};

/// The version of the document.
pub const VERSION: u32 = 1;
/// The most collisions that are listed.
const MAX_COLLISIONS: usize = 10_000;
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
    let mut found = Collisions {
        version: VERSION,
        destination: to.to_owned(),
        entries: Vec::new(),
        truncated: false,
    };
    let from = resolve(source, from.as_bytes(), LastLink::Follow)?.path;
    let to = resolve(base, to.as_bytes(), LastLink::Follow)?.path;
    let mut pairs = vec![Pair { path: Vec::new(), source: from, base: to }];
    let mut folders = 0;
    while let Some(pair) = pairs.pop() {
        folders += 1;
        if folders > MAX_FOLDERS || found.entries.len() > MAX_COLLISIONS {
            found.truncated = true;
            break;
        }
        compare(base, source, &pair, &mut found.entries, &mut pairs)?;
    }
    found.truncated |= found.entries.len() > MAX_COLLISIONS;
    found.entries.sort_by(|one, other| one.path.split('/').cmp(other.path.split('/')));
    found.entries.truncate(MAX_COLLISIONS);
    Ok(found)
}

/// Compares one folder of the source with its folder of the base, name by name.
fn compare(
    base: &Tree,
    source: &Tree,
    pair: &Pair,
    found: &mut Vec<Collision>,
    pairs: &mut Vec<Pair>,
) -> Result<(), String> {
    let open = |tree, path| open(tree, path).map_err(|trouble| trouble.to_string());
    let Some(from) = open(source, &pair.source)? else { return Ok(()) };
    let Some(onto) = open(base, &pair.base)? else { return Ok(()) };
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
        let (collision, target) = collision(base, pair, &name, poured)?;
        found.push(collision);
        if let (Kind::Folder, Some(target)) = (poured, target) {
            let child = |path: &[u8]| [path, b"/", &name].concat();
            let (path, source) = (child(&pair.path), child(&pair.source));
            pairs.push(Pair { path, source, base: target });
        }
    }
    Ok(())
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
    let led = (entry.attributes.kind == Kind::Link)
        .then(|| base.resolve(&at, LastLink::Follow).ok())
        .flatten();
    let folder = match (&led, entry.attributes.kind) {
        (None, Kind::Folder) => Some(kept.path.clone()),
        (Some(Resolved { path, found: Some(found), .. }), _)
            if found.file_type() == FileType::Directory =>
        {
            Some(path.clone())
        }
        _ => None,
    };
    let collision = Collision {
        path: text(&path[1..]),
        at: text(&kept.path),
        base: entry,
        leads_to: led.as_ref().map(|led| text(&led.path)),
        leads_to_kind: led.and_then(|led| led.found).map(|found| found.file_type().into()),
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
