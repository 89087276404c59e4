//! The inventory as data: what `hardpan inventory` writes and `harden` judges.
//!
//! Every list is bounded, in the order of its paths, and says how many there were in all. Paths are
//! bytes in a file system and escaped here (`escape`), so they can be shown as they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::accounts::{Accounts, Identity, UserError};
use super::entry::{Attributes, Kind};
use super::escape::escape;
use super::names::Role;
use super::program::Program;
use super::secrets::SecretTrace;
use super::shadow::Shadow;
use super::shell::Traces;
use super::unlinked::Unlinked;

/// The version of the document.
pub const VERSION: u32 = 2;

/// Everything that the checks need to know about a root file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// The version of this document.
    pub version: u32,
    /// The version of the rules that chose what to look at.
    pub rules: String,
    /// What each layer adds to the whole, the base first; a whole root is one layer.
    pub layers: Vec<Contents>,
    /// passwd and group of the whole.
    pub accounts: Accounts,
    /// The lines of shadow.
    pub shadow: Vec<Shadow>,
    /// Why shadow cannot be read although it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow_trouble: Option<String>,
    /// What `/etc/shells` lists.
    pub listed_shells: Vec<String>,
    /// Who the configured user is.
    pub user: WhoRuns,
    /// Every path that was asked about, login shells and listed shells; sorted.
    pub asked: Vec<Lookup>,
    /// The file that the command's interpreter is told to read.
    pub start_file: Option<StartFile>,
    /// The folder that the process starts in.
    pub workdir: Option<Lookup>,
    /// Entrypoint and cmd, as one command.
    pub entrypoint: Option<Command>,
    /// What an init program in front of the entrypoint starts.
    pub wrapped: Option<Command>,
    /// The command of the health check.
    pub healthcheck: Option<Command>,
    /// Files that may be shells, by name or content.
    pub shells: List<ShellTrace>,
    /// Paths of the base whose kind, mode or owner a placed layer changes.
    pub changed: List<Changed>,
    /// Files of the base with another file placed over them.
    pub replaced: List<Changed>,
    /// Folders over files, files or links over folders, among placed layers.
    pub hidden: List<Changed>,
    /// Placed files called like files of keys and credentials, with another file placed over them.
    pub covered: List<Changed>,
    /// Regular files with a set-id bit.
    pub set_id: List<Item>,
    /// Regular files with capabilities; `None`: the file system could not be asked.
    pub capabilities: Option<List<Item>>,
    /// Files, and folders without the sticky bit, that everybody may write.
    pub world_writable: List<Item>,
    /// Files and folders that the user owns or may write, and that not everybody may.
    pub writable: List<Item>,
    /// Files and folders whose names stand for something; `detail` is the name of a program.
    pub noted: BTreeMap<Role, List<Item>>,
    /// Executable scripts, by what runs them.
    pub scripts: List<Scripts>,
    /// Files with keys, credentials or tokens in them.
    pub secrets: List<SecretTrace>,
    /// Libraries that programs need and do not find.
    pub unlinked: List<Unlinked>,
    /// Devices, named pipes and sockets.
    pub special: List<Item>,
    /// Names that start with `.wh.`: in a layer they say that something is deleted.
    pub whiteouts: List<Item>,
    /// What could not be looked at, and why.
    pub not_evaluated: List<Gap>,
}

/// How much a layer contributes to what a process sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Contents {
    /// Regular files; each name counts.
    pub files: u64,
    /// Folders.
    pub folders: u64,
    /// Links.
    pub links: u64,
    /// Everything else.
    pub others: u64,
    /// Sizes of the regular files.
    pub bytes: u64,
}

/// Who the configured user is in this root file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhoRuns {
    /// The process runs as this one.
    Known(Identity),
    /// The container does not start.
    Nobody(UserError),
}

/// A list with an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List<T> {
    /// The first ones by path.
    pub items: Vec<T>,
    /// How many there were.
    pub total: u64,
    /// Whether `items` lacks some of them.
    pub truncated: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { items: Vec::new(), total: 0, truncated: false }
    }
}

/// A path and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The path, escaped.
    pub path: String,
    /// The layer that it is seen from; 0 is the base, or the whole.
    pub layer: usize,
    /// Kind, permissions and owner.
    #[serde(flatten)]
    pub attributes: Attributes,
    /// A value of the check's own: the capabilities in hexadecimal, for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Executable scripts with the same first line in one layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scripts {
    /// The first of them, by path.
    pub path: String,
    /// The layer that they are seen from.
    pub layer: usize,
    /// How many there are.
    pub count: u64,
    /// Whether they belong to dependencies.
    pub dependency: bool,
    /// What the kernel makes of them.
    pub program: Box<Program>,
}

/// The file that an interpreter starts with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartFile {
    /// Its path, escaped.
    pub path: String,
    /// The layer that it is seen from.
    pub layer: usize,
    /// Calls in it that start a shell.
    pub shell_calls: Vec<String>,
}

/// A path that two layers have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The path, escaped.
    pub path: String,
    /// The lower layer.
    pub below: usize,
    /// What the lower layer has.
    pub before: Attributes,
    /// The upper layer.
    pub layer: usize,
    /// What a process sees.
    pub after: Attributes,
}

/// A file that may be a shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShellTrace {
    /// The path, escaped; the first one of several hard links.
    pub path: String,
    /// The layer that it is seen from.
    pub layer: usize,
    /// Permissions and owner.
    #[serde(flatten)]
    pub attributes: Attributes,
    /// The size in bytes.
    pub size: u64,
    /// How the file begins.
    pub format: Format,
    /// The shell that one of its names belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
    /// What its content tells.
    pub traces: Traces,
    /// Its other names: links that lead to it and hard links, escaped.
    pub aliases: Vec<String>,
    /// How many more names it has.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_aliases: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// How a file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// An ELF file.
    Elf,
    /// `#!`.
    Script,
    /// Anything else.
    Other,
}

/// Something that could not be looked at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// The path, escaped.
    pub path: String,
    /// What was not done.
    pub part: Part,
    /// Why, as a half sentence.
    pub reason: String,
}

/// What may remain undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// A folder was not listed, or not to its end.
    Folder,
    /// The content of a file was not searched.
    Content,
    /// The extended attributes could not be read.
    Attributes,
    /// A file of keys or credentials was not read.
    Secrets,
    /// Other text was not searched for secrets.
    Texts,
    /// The libraries of programs were not followed.
    Programs,
    /// What runs scripts was not looked up.
    Scripts,
    /// A link called like a program was not followed.
    Links,
}

impl Part {
    /// The word that stands for it in the document.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Content => "content",
            Self::Attributes => "attributes",
            Self::Secrets => "secrets",
            Self::Texts => "texts",
            Self::Programs => "programs",
            Self::Scripts => "scripts",
            Self::Links => "links",
        }
    }
}

/// A command and what its first word finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The words, as configured.
    pub argv: Vec<String>,
    /// The places that are tried for the first word, in order, up to the first that has a file.
    pub tried: Vec<Lookup>,
    /// Whether places or programs were left out because there are too many.
    pub truncated: bool,
}

/// One path, looked up as the kernel would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// The path that is asked for, escaped.
    pub path: String,
    /// Every folder that is searched on the way, outermost first.
    pub searched: Vec<Step>,
    /// What is found.
    pub found: Option<Target>,
    /// Why nothing can be found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// A folder that a lookup passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The path, escaped, free of links.
    pub path: String,
    /// Permissions and owner.
    #[serde(flatten)]
    pub attributes: Attributes,
}

/// The end of a lookup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The path, escaped, free of links.
    pub path: String,
    /// The layer that it is seen from.
    pub layer: usize,
    /// Kind, permissions and owner.
    #[serde(flatten)]
    pub attributes: Attributes,
    /// What the kernel makes of a regular file; `None`: not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Box<Program>>,
}

/// Why an inventory is none.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// Not the document.
    #[error("the inventory of the image is not readable: {0}")]
    Json(#[from] serde_json::Error),
    /// Written by another release.
    #[error("the inventory of the image has version {0}, this release reads {VERSION}")]
    Version(u32),
}

impl Inventory {
    /// Reads what `hardpan inventory` wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, InventoryError> {
        let inventory: Self = serde_json::from_slice(json)?;
        match inventory.version {
            VERSION => Ok(inventory),
            other => Err(InventoryError::Version(other)),
        }
    }

    /// What was found at a path that was asked about.
    pub fn asked(&self, path: &str) -> Option<&Lookup> {
        let path = escape(path.as_bytes());
        self.asked.iter().find(|lookup| lookup.path == path)
    }

    /// What has a role by its name: first what was placed, last what belongs to dependencies.
    pub fn noted(&self, role: Role) -> &[Item] {
        self.noted.get(&role).map_or(&[], |list| &list.items)
    }

    /// Whether there is more of a role than is listed.
    pub fn is_cut(&self, role: Role) -> bool {
        self.noted.get(&role).is_some_and(|list| list.truncated)
    }

    /// How many regular files a process sees.
    pub fn files(&self) -> u64 {
        self.layers.iter().map(|layer| layer.files).sum()
    }
}

impl Lookup {
    /// What is found, if it is of a kind.
    pub fn found_kind(&self, kind: Kind) -> Option<&Target> {
        self.found.as_ref().filter(|target| target.attributes.kind == kind)
    }
}
