//! Root file systems as full listings: every path with type, mode, owner, link, size and content.
//!
//! Layers are flattened as container engines do it: a later entry takes the place of an earlier
//! one, a whiteout removes, a folder over a folder keeps what is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Cursor, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use tar::{Archive, Entry, EntryType};

use super::image::digest;

/// What an image says of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// `-` file, `d` folder, `l` link, `c`, `b` or `p`.
    pub kind: char,
    /// Permissions with set-id and sticky bits.
    pub mode: u32,
    /// Owner.
    pub uid: u64,
    /// Group.
    pub gid: u64,
    /// What a link says.
    pub link: String,
    /// The digest of a file's content.
    pub content: String,
    /// Extended attributes.
    pub xattrs: BTreeMap<String, Vec<u8>>,
}

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, mode, uid, gid, link, content, xattrs } = self;
        let content = content.get(7..19).unwrap_or_default();
        write!(f, "{kind} {mode:04o} {uid}:{gid} {link}{content}")?;
        if xattrs.is_empty() { Ok(()) } else { write!(f, " {:?}", xattrs.keys()) }
    }
}

/// What one layer holds.
#[derive(Debug, Default)]
pub struct Layer {
    /// Its entries in order, paths without a leading slash; the root is the empty path.
    pub entries: Vec<(String, Node)>,
    /// Paths that are removed from what lies below.
    pub removed: Vec<String>,
    /// Folders whose earlier content is removed.
    pub emptied: Vec<String>,
}

/// A root file system.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Every path, without a leading slash.
    pub nodes: BTreeMap<String, Node>,
    /// The number of the layer that each path is from.
    pub layers: BTreeMap<String, usize>,
}

impl Listing {
    /// The folder of a local export, or any other.
    pub fn of_folder(folder: &Path) -> Self {
        let mut listing = Self::default();
        listing.walk(folder, "");
        listing
    }

    fn walk(&mut self, folder: &Path, prefix: &str) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let node = node_on_disk(&entry.path());
            if node.kind == 'd' {
                self.walk(&entry.path(), &path);
            }
            self.nodes.insert(path, node);
        }
    }

    /// Puts a layer on top.
    pub fn apply(&mut self, number: usize, layer: &Layer) {
        for path in &layer.removed {
            self.remove_below(path);
            self.nodes.remove(path);
        }
        for path in &layer.emptied {
            self.remove_below(path);
        }
        for (path, node) in &layer.entries {
            if node.kind != 'd' {
                self.remove_below(path);
            }
            let mut node = node.clone();
            if node.kind == 'h' {
                node = self
                    .nodes
                    .get(&node.link)
                    .unwrap_or_else(|| panic!("a hard link to {}", node.link))
                    .clone();
            }
            self.nodes.insert(path.clone(), node);
            self.layers.insert(path.clone(), number);
        }
        self.nodes.remove("");
    }

    fn remove_below(&mut self, path: &str) {
        let prefix = format!("{path}/");
        self.nodes.retain(|other, _| !other.starts_with(&prefix));
    }

    /// What stands at a path (with or without a leading slash).
    #[track_caller]
    pub fn at(&self, path: &str) -> &Node {
        self.nodes
            .get(path.trim_start_matches('/'))
            .unwrap_or_else(|| panic!("no {path} in the image"))
    }

    /// Whether there is something at a path.
    pub fn has(&self, path: &str) -> bool {
        self.nodes.contains_key(path.trim_start_matches('/'))
    }

    /// The same with another owner everywhere: a local export gives everything to who asked for it.
    #[must_use]
    pub fn owned_by(mut self, uid: u64, gid: u64) -> Self {
        for node in self.nodes.values_mut() {
            (node.uid, node.gid) = (uid, gid);
        }
        self
    }

    /// One line for each path that is not the same in both: `-` here only, `+` there only.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let paths: BTreeSet<&String> = self.nodes.keys().chain(other.nodes.keys()).collect();
        let mut lines = Vec::new();
        for path in paths {
            let (here, there) = (self.nodes.get(path), other.nodes.get(path));
            if here != there {
                lines.extend(here.map(|node| format!("- /{path} {node}")));
                lines.extend(there.map(|node| format!("+ /{path} {node}")));
            }
        }
        lines
    }

    /// Fails with the differences if there are any.
    #[track_caller]
    pub fn assert_same(&self, other: &Self, what: &str) {
        let lines = self.differences(other);
        let shown = lines.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
        assert!(lines.is_empty(), "{what}: {} lines differ\n{shown}", lines.len());
    }
}

fn node_on_disk(path: &Path) -> Node {
    let data = fs::symlink_metadata(path).unwrap();
    let kind = data.file_type();
    let mut node = Node {
        kind: if kind.is_dir() {
            'd'
        } else if kind.is_symlink() {
            'l'
        } else {
            '-'
        },
        mode: data.mode() & 0o7777,
        uid: data.uid().into(),
        gid: data.gid().into(),
        link: String::new(),
        content: String::new(),
        xattrs: BTreeMap::new(),
    };
    if kind.is_symlink() {
        node.link = fs::read_link(path).unwrap().to_string_lossy().into_owned();
    } else if kind.is_file() {
        node.content = digest(&fs::read(path).unwrap());
    }
    node
}

/// Reads the archive of a layer.
pub fn read_layer(archive: &[u8]) -> Layer {
    let mut layer = Layer::default();
    for entry in Archive::new(Cursor::new(archive)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = path_of(&entry);
        match whiteout(&path) {
            Some(Whiteout::Of(path)) => layer.removed.push(path),
            Some(Whiteout::Below(path)) => layer.emptied.push(path),
            None => {
                let node = node_in_archive(&mut entry);
                layer.entries.push((path, node));
            }
        }
    }
    layer
}

enum Whiteout {
    Of(String),
    Below(String),
}

fn whiteout(path: &str) -> Option<Whiteout> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = name.strip_prefix(".wh.")?;
    if name == ".wh..opq" {
        return Some(Whiteout::Below(folder.to_owned()));
    }
    Some(Whiteout::Of(format!("{folder}/{name}").trim_start_matches('/').to_owned()))
}

fn path_of<R: std::io::Read>(entry: &Entry<'_, R>) -> String {
    let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    let path = path.strip_prefix("./").unwrap_or(&path).trim_matches('/');
    if path == "." { String::new() } else { path.to_owned() }
}

fn node_in_archive<R: std::io::Read>(entry: &mut Entry<'_, R>) -> Node {
    let header = entry.header();
    let kind = match header.entry_type() {
        EntryType::Directory => 'd',
        EntryType::Symlink => 'l',
        EntryType::Link => 'h',
        EntryType::Char => 'c',
        EntryType::Block => 'b',
        EntryType::Fifo => 'p',
        _ => '-',
    };
    let mut node = Node {
        kind,
        mode: header.mode().unwrap() & 0o7777,
        uid: header.uid().unwrap(),
        gid: header.gid().unwrap(),
        link: String::new(),
        content: String::new(),
        xattrs: BTreeMap::new(),
    };
    if let Some(link) = entry.link_name_bytes() {
        node.link = String::from_utf8_lossy(&link).into_owned();
    }
    for one in entry.pax_extensions().unwrap().into_iter().flatten() {
        let one = one.unwrap();
        if let Some(name) = one.key().unwrap().strip_prefix("SCHILY.xattr.") {
            node.xattrs.insert(name.to_owned(), one.value_bytes().to_vec());
        }
    }
    if kind == '-' {
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        node.content = digest(&bytes);
    }
    node
}

/// The content of one file of a layer.
pub fn read_file(archive: &[u8], path: &str) -> Vec<u8> {
    let mut archive = Archive::new(Cursor::new(archive));
    let mut found = archive.entries().unwrap().map(Result::unwrap);
    let mut entry = found.find(|entry| path_of(entry) == path).unwrap();
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Writes a layer over what is in a folder.
pub fn unpack_layer(archive: &[u8], folder: &Path) {
    let mut archive = Archive::new(Cursor::new(archive));
    archive.set_preserve_ownerships(true);
    archive.set_preserve_permissions(true);
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = path_of(&entry);
        match whiteout(&path) {
            Some(Whiteout::Of(path)) => remove(&folder.join(path)),
            Some(Whiteout::Below(path)) => empty(&folder.join(path)),
            None => {
                let is_folder = entry.header().entry_type() == EntryType::Directory;
                let place = folder.join(std::ffi::OsStr::from_bytes(path.as_bytes()));
                if !is_folder || fs::symlink_metadata(&place).is_ok_and(|data| !data.is_dir()) {
                    remove(&place);
                }
                assert!(entry.unpack_in(folder).unwrap(), "{path} leads out of the image");
            }
        }
    }
}

fn remove(path: &Path) {
    match fs::symlink_metadata(path) {
        Ok(data) if data.is_dir() => fs::remove_dir_all(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
}

fn empty(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        remove(&entry.unwrap().path());
    }
}
