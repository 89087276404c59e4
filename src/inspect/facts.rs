//! Facts of a runtime base that the graph of an image cannot be written without: accounts, release
//! and, for each destination, what the base has there and above it.
//!
//! In: the base mounted read-only, destinations. Out: `facts.json`. A layer made on scratch cannot
//! see the base, so destinations are rewritten through the base's links and parents are made as the
//! base has them (product.md, "How the result is proven").

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::accounts::{self, Accounts};
use super::arguments::run_mode;
use super::entry::{Attributes, Entry, Kind};
use super::tree::{Folder, Found, LastLink, Resolved, Tree, Trouble};
use super::{os_release, output, read};

/// The version of the document.
pub const VERSION: u32 = 1;
/// The most destinations of one run; a spec has far fewer.
const MAX_DESTINATIONS: usize = 4_096;
/// The largest `os-release` that is read.
const MAX_OS_RELEASE: u64 = 64 << 10;
/// The file of the answer in the output folder.
pub const FILE: &str = "facts.json";

/// What the frontend knows about a base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The version of this document.
    pub version: u32,
    /// passwd and group.
    pub accounts: Accounts,
    /// The fields of `/etc/os-release`; empty where the base has none.
    pub os_release: BTreeMap<String, String>,
    /// One for each destination, in the order that they were asked for.
    pub destinations: Vec<Destination>,
}

/// A destination, seen on the base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// As it was asked for.
    pub path: String,
    /// Its place when the links of its parents are followed; the last name is not.
    pub place: Place,
    /// Where it leads if it is a link: its place when that is followed, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub followed: Option<Place>,
    /// Why it cannot be placed: a parent is a file, or links go round in circles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// A place in the base, free of links.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// Absolute, no links in it, no `/` at the end.
    pub path: String,
    /// What is there; `None`: nothing.
    pub entry: Option<Entry>,
    /// Every folder above it that the base has, outermost first, `/` included.
    pub ancestors: Vec<Ancestor>,
    /// What a folder there holds.
    pub holds: Holds,
}

/// A folder above a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ancestor {
    /// Absolute, free of links.
    pub path: String,
    /// The 12 permission bits.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// What a folder of the base holds that a folder poured into it may run into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Holds {
    /// Folders.
    pub folders: bool,
    /// Links.
    pub links: bool,
    /// Files and the rest.
    pub files: bool,
}

impl Holds {
    /// Whether pouring a folder here may change a path of the base, so that collisions must be
    /// listed first.
    pub fn may_collide(self) -> bool {
        self.folders || self.links || self.files
    }
}

impl Destination {
    /// The place that it is, or leads to.
    pub fn end(&self) -> &Place {
        self.followed.as_ref().unwrap_or(&self.place)
    }

    /// The folder of the base that this destination is, or leads to.
    pub fn folder(&self) -> Option<&Place> {
        let is_folder = |place: &&Place| {
            place.entry.as_ref().is_some_and(|entry| entry.attributes.kind == Kind::Folder)
        };
        Some(&self.place).filter(is_folder).or(self.followed.as_ref().filter(is_folder))
    }
}

/// Why facts are not facts.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// Not the document.
    #[error("the facts of the base are not readable: {0}")]
    Json(#[from] serde_json::Error),
    /// Written by another release.
    #[error("the facts of the base have version {0}, this release reads {VERSION}")]
    Version(u32),
}

impl Facts {
    /// Reads what [`run`] wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, FactsError> {
        let facts: Self = serde_json::from_slice(json)?;
        if facts.version == VERSION { Ok(facts) } else { Err(FactsError::Version(facts.version)) }
    }

    /// The facts about one destination, by the text that it was asked for with.
    pub fn destination(&self, path: &str) -> Option<&Destination> {
        self.destinations.iter().find(|destination| destination.path == path)
    }
}

#[derive(Debug, clap::Parser)]
#[command(no_binary_name = true)]
struct Arguments {
    /// The root of the base.
    #[arg(long)]
    base: PathBuf,
    /// The folder that gets the answer.
    #[arg(long)]
    out: PathBuf,
    /// A destination.
    #[arg(long = "destination")]
    destinations: Vec<String>,
    /// The version of the rules; part of the cache key, of no other use.
    #[arg(long)]
    rules: Option<String>,
}

/// `hardpan facts --base PATH --out PATH [--destination PATH]…`.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    run_mode("facts", arguments, |arguments: &Arguments| {
        let shown = arguments.base.display();
        let tree = Tree::open(&[&arguments.base]).map_err(|error| format!("{shown}: {error}"))?;
        if arguments.destinations.len() > MAX_DESTINATIONS {
            return Err(format!("more than {MAX_DESTINATIONS} destinations"));
        }
        let facts = gather(&tree, &arguments.destinations);
        output::write_json(&arguments.out, FILE, &facts).map_err(|error| error.to_string())
    })
}

fn gather(tree: &Tree, destinations: &[String]) -> Facts {
    let os_release = read::small_file(tree, b"/etc/os-release", MAX_OS_RELEASE);
    Facts {
        version: VERSION,
        accounts: accounts_of(tree).bounded(),
        os_release: os_release_fields(os_release),
        destinations: destinations.iter().map(|path| look_at(tree, path)).collect(),
    }
}

fn os_release_fields(content: Result<Option<Vec<u8>>, String>) -> BTreeMap<String, String> {
    content.ok().flatten().map(|content| os_release::parse(&content)).unwrap_or_default()
}

/// passwd and group of a tree. As in BuildKit, what is no regular file counts as absent, and what
/// is too large as unusable.
pub(crate) fn accounts_of(tree: &Tree) -> Accounts {
    let read = |path: &str| read::small_file(tree, path.as_bytes(), accounts::MAX_FILE);
    let (passwd, group) = (read("/etc/passwd"), read("/etc/group"));
    let content = |file: &Result<Option<Vec<u8>>, String>| file.clone().ok().flatten();
    let mut accounts = Accounts::parse(content(&passwd).as_deref(), content(&group).as_deref());
    let trouble = |file, error| format!("{file} cannot be read: {error}");
    if let Err(error) = passwd {
        accounts.passwd_trouble = Some(trouble("/etc/passwd", error));
    }
    if let Err(error) = group {
        accounts.group_trouble = Some(trouble("/etc/group", error));
    }
    accounts
}

fn look_at(tree: &Tree, path: &str) -> Destination {
    let place = place(tree, path.as_bytes(), LastLink::Keep);
    let is_link = |place: &Place| {
        place.entry.as_ref().is_some_and(|entry| entry.attributes.kind == Kind::Link)
    };
    let (place, followed, trouble) = match place {
        Ok(kept) if is_link(&kept) => match self::place(tree, path.as_bytes(), LastLink::Follow) {
            Ok(followed) => (kept, Some(followed), None),
            Err(trouble) => (kept, None, Some(trouble)),
        },
        Ok(kept) => (kept, None, None),
        Err(trouble) => (Place { path: path.to_owned(), ..Place::default() }, None, Some(trouble)),
    };
    Destination { path: path.to_owned(), place, followed, trouble }
}

fn place(tree: &Tree, path: &[u8], last: LastLink) -> Result<Place, String> {
    let resolved = tree.resolve(path, last).map_err(|trouble| trouble.to_string())?;
    let ancestors = ancestors(tree, &resolved.path).map_err(|trouble| trouble.to_string())?;
    let is_folder = |found: &Found| Attributes::from(&found.stat).kind == Kind::Folder;
    let holds = match resolved.found {
        Some(found) if is_folder(&found) => holds(tree, &resolved.path)?,
        _ => Holds::default(),
    };
    let entry = entry(&resolved)?;
    let text = |path: Vec<u8>| {
        String::from_utf8(path).map_err(|_| "it leads to a name that is not UTF-8".to_owned())
    };
    Ok(Place { path: text(resolved.path)?, entry, ancestors, holds })
}

/// What is at a resolved path, with the text of a link.
pub(crate) fn entry(resolved: &Resolved) -> Result<Option<Entry>, String> {
    let Some(found) = resolved.found else { return Ok(None) };
    let attributes = Attributes::from(&found.stat);
    let target = match &resolved.parent {
        Some(parent) if attributes.kind == Kind::Link => {
            let target = parent.read_link(resolved.name(), found.layer);
            Some(super::escape::escape(&target.map_err(|trouble| trouble.to_string())?))
        }
        _ => None,
    };
    Ok(Some(Entry { attributes, target }))
}

/// The folders above a path that is free of links, as far as they exist.
pub(super) fn ancestors(tree: &Tree, path: &[u8]) -> Result<Vec<Ancestor>, Trouble> {
    let mut ancestors = Vec::new();
    let mut folder = tree.root()?;
    let mut so_far = Vec::new();
    let mut names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).peekable();
    while let Some(name) = names.next() {
        let Attributes { mode, uid, gid, .. } = Attributes::from(&folder.itself()?.stat);
        let shown = if so_far.is_empty() { b"/".as_slice() } else { &so_far };
        let path = String::from_utf8_lossy(shown).into_owned();
        ancestors.push(Ancestor { path, mode, uid, gid });
        so_far.extend_from_slice(b"/");
        so_far.extend_from_slice(name);
        if names.peek().is_none() {
            break;
        }
        let Some(next) = folder.enter(name)? else { break };
        folder = next;
    }
    Ok(ancestors)
}

fn holds(tree: &Tree, path: &[u8]) -> Result<Holds, String> {
    let mut holds = Holds::default();
    let folder = open(tree, path).map_err(|trouble| trouble.to_string())?;
    for (_, part) in folder.iter().flat_map(Folder::parts) {
        let (names, _) = read::names(part).map_err(|error| error.to_string())?;
        for name in names {
            let stat = super::tree::stat_at(part, &name).map_err(|trouble| trouble.to_string())?;
            match stat.map(|stat| Attributes::from(&stat).kind) {
                Some(Kind::Folder) => holds.folders = true,
                Some(Kind::Link) => holds.links = true,
                Some(_) => holds.files = true,
                None => {}
            }
        }
    }
    Ok(holds)
}

/// The open folder of a path that is free of links.
pub(crate) fn open(tree: &Tree, path: &[u8]) -> Result<Option<Folder>, Trouble> {
    let mut folder = tree.root()?;
    for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        let Some(next) = folder.enter(name)? else { return Ok(None) };
        folder = next;
    }
    Ok(Some(folder))
}
