//! Lays the layers of an image one over the other as container engines do: a folder joins the folder
//! below it, anything else takes the place of what is there, whiteouts take away what lower layers
//! have, a hard link may lead to a file of a lower layer.
//!
//! Names come from people whom nobody knows: what would lead out of the root, stands twice in one
//! layer or is longer than the kernel takes is refused. Links on the way to a name are followed here,
//! inside the root.

use std::collections::BTreeSet;

use rustix::fs::FileType;

use super::{Body, Id, Inode, Layered, Node, ROOT};
use crate::inspect::collector::MAX_CAPABILITY;
use crate::inspect::escape::escape;
use crate::inspect::spool::Stored;

/// The most names of an image.
const MAX_NODES: usize = 2_000_000;
/// The most names of links that are gone through to find where all of them belong.
pub(super) const MAX_FOLLOWED: usize = 10_000_000;
/// About how many bytes of memory names, links and what is gone may take.
pub(super) const MAX_HELD: usize = 320 << 20;
/// What a name takes besides its bytes; what a folder takes once something is in it; what a path takes
/// that is gone.
const OVERHEAD: usize = 120;
const FOLDER: usize = 256;
const GONE: usize = 96;
/// The longest path and the longest name that Linux takes.
const MAX_PATH: usize = 4_096;
const MAX_NAME: usize = 255;
/// The kernel gives up after this many links in one lookup.
const MAX_LINKS: usize = 40;
/// The bits of a mode that are permissions.
const PERMISSIONS: u32 = 0o7777;

/// Something that a layer places.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) capability: Option<Vec<u8>>,
    pub(crate) what: What,
}

/// What it is.
#[derive(Debug)]
pub(crate) enum What {
    Folder,
    File(Stored),
    /// A symbolic link and what it says.
    Link(Vec<u8>),
    /// Another name of a file.
    Name(Vec<u8>),
    /// A device or a pipe.
    Other(FileType),
}

/// Where a name is to be: its folder, and the folder's own path.
struct Spot<'a> {
    folder: Id,
    path: Vec<u8>,
    name: &'a [u8],
}

impl Spot<'_> {
    fn whole(&self) -> Vec<u8> {
        [&self.path, b"/".as_slice(), self.name].concat()
    }
}

impl Layered {
    /// Begins the next layer.
    pub(crate) fn begin(&mut self) {
        self.begun += 1;
        self.emptied.clear();
    }

    fn current(&self) -> u32 {
        self.begun.saturating_sub(1)
    }

    /// Lays something down.
    pub(crate) fn place(&mut self, path: &[u8], placed: &Placed) -> Result<(), String> {
        let names = names(path)?;
        if let What::Link(target) = &placed.what
            && (target.len() > MAX_PATH || target.contains(&0))
        {
            return Err(format!("{} is a link to what no path can be", escape(path)));
        }
        let Some(spot) = self.spot(&names)? else {
            return match placed.what {
                What::Folder => self.attribute(ROOT, placed),
                _ => Err("the root is not a folder".to_owned()),
            };
        };
        let there = self.child(spot.folder, spot.name);
        if let Some(id) = there {
            let is_folder = matches!(placed.what, What::Folder) && self.is_folder(id);
            if is_folder {
                return self.attribute(id, placed);
            }
            if self.node(id).layer == self.current() && self.begun > 0 {
                return Err(format!("{} stands in it twice", escape(path)));
            }
        }
        let inode = match &placed.what {
            What::Name(target) => self.second_name(target, placed, path)?,
            _ => self.new_inode(placed),
        };
        self.inodes[inode as usize].links += 1;
        let mut below = there.map(|id| self.take(&spot, id, false));
        if below.is_none() && self.has_history() {
            below = self.come_back(&spot.whole());
        }
        let names = matches!(placed.what, What::Folder).then(Box::default);
        let below = below.filter(|below| !below.is_empty()).map(Box::new);
        let node = Node { inode, layer: self.current(), names, below };
        self.add(spot.folder, spot.name, node).map(drop)
    }

    /// Takes away what lower layers have at a path.
    pub(crate) fn delete(&mut self, path: &[u8]) -> Result<(), String> {
        self.count_whiteout()?;
        let names = names(path)?;
        let Some(spot) = self.spot(&names)? else { return Err("the root is deleted".to_owned()) };
        let Some(id) = self.child(spot.folder, spot.name) else { return Ok(()) };
        let is_new = self.node(id).layer == self.current();
        if !is_new {
            let below = self.take(&spot, id, true);
            self.go(spot.whole(), below);
        } else if self.is_folder(id) {
            self.empty_folder(id, &spot.whole());
        }
        self.bounded()
    }

    /// Keeps in mind what was at a path that is deleted, as long as somebody asks for the base; what
    /// does not fit ends it all (`bounded`).
    fn go(&mut self, path: Vec<u8>, below: Vec<(u32, u32)>) {
        if self.has_history() && self.bounded().is_ok() {
            self.held += path.len() + GONE;
            self.deleted.insert(path, below);
        }
    }

    fn come_back(&mut self, path: &[u8]) -> Option<Vec<(u32, u32)>> {
        let below = self.deleted.remove(path)?;
        self.held = self.held.saturating_sub(path.len() + GONE);
        Some(below)
    }

    /// Takes away what lower layers have in a folder.
    pub(crate) fn empty(&mut self, path: &[u8]) -> Result<(), String> {
        self.count_whiteout()?;
        let names = names(path)?;
        let (id, path) = match self.spot(&names)? {
            None => (ROOT, Vec::new()),
            Some(spot) => match self.child(spot.folder, spot.name) {
                Some(id) => (id, spot.whole()),
                None => return Ok(()),
            },
        };
        self.empty_folder(id, &path);
        self.bounded()
    }

    /// Every folder once in a layer: nothing but what the layer itself has is in it afterwards.
    fn empty_folder(&mut self, id: Id, path: &[u8]) {
        let kept = self.holding_new(id);
        let mut folders = vec![(id, path.to_vec())];
        while let Some((folder, path)) = folders.pop() {
            if !self.emptied.insert(folder) {
                continue;
            }
            let inside: Vec<_> = self.names(folder).map(|(name, id)| (name.to_vec(), id)).collect();
            for (name, id) in inside {
                let spot = Spot { folder, path: path.clone(), name: &name };
                if self.node(id).layer == self.current() || kept.contains(&id) {
                    folders.push((id, spot.whole()));
                } else {
                    let below = self.take(&spot, id, true);
                    self.go(spot.whole(), below);
                }
            }
        }
    }

    /// The folders from one on down in which the current layer has something.
    fn holding_new(&self, id: Id) -> BTreeSet<Id> {
        let mut kept = BTreeSet::new();
        // Each folder behind the one that holds it, so that backwards is upwards.
        let mut folders = vec![(id, id)];
        let mut next = 0;
        while let Some((folder, _)) = folders.get(next).copied() {
            next += 1;
            if self.emptied.contains(&folder) {
                // What is left in it is new.
                if self.names(folder).next().is_some() {
                    kept.insert(folder);
                }
                continue;
            }
            for (_, id) in self.names(folder) {
                if self.node(id).layer == self.current() {
                    kept.insert(folder);
                }
                if self.is_folder(id) {
                    folders.push((id, folder));
                }
            }
        }
        for (folder, above) in folders.into_iter().rev() {
            if kept.contains(&folder) {
                kept.insert(above);
            }
        }
        kept
    }

    /// Takes a name out, and all below it; says what was there, for what takes its place.
    fn take(&mut self, spot: &Spot<'_>, id: Id, is_deleted: bool) -> Vec<(u32, u32)> {
        if let Some(names) = &mut self.nodes[spot.folder as usize].names {
            names.remove(spot.name);
        }
        let mut path = spot.path.clone();
        // Names and where each belongs in the path: whole paths of what a folder holds could be long.
        let mut gone: Vec<(Id, usize, Box<[u8]>)> = vec![(id, path.len(), spot.name.into())];
        while let Some((id, above, name)) = gone.pop() {
            path.truncate(above);
            path.push(b'/');
            path.extend_from_slice(&name);
            let below = self.nodes[id as usize].names.take().into_iter().flat_map(|names| *names);
            gone.extend(below.map(|(name, id)| (id, path.len(), name)));
            let (layer, inode) = (self.node(id).layer, self.node(id).inode);
            let links = &mut self.inodes[inode as usize].links;
            *links = links.saturating_sub(1);
            self.lose(&path, (layer, inode), is_deleted);
            if self.has_history() && above > spot.path.len() {
                let history = self.history(id);
                self.go(path.clone(), history);
            }
        }
        self.history(id)
    }

    /// What is at a node and was below it, as long as somebody asks for the base.
    fn history(&mut self, id: Id) -> Vec<(u32, u32)> {
        if !self.has_history() {
            return Vec::new();
        }
        let node = &mut self.nodes[id as usize];
        let below = node.below.take().map_or_else(Vec::new, |below| *below);
        [(node.layer, node.inode)].into_iter().chain(below).collect()
    }

    /// Gives a folder that is there the attributes of the current layer.
    fn attribute(&mut self, id: Id, placed: &Placed) -> Result<(), String> {
        let current = self.current();
        if self.has_history() && self.node(id).layer != current {
            let history = self.history(id);
            let inode = self.new_inode(placed);
            self.inodes[inode as usize].links = 1;
            let node = &mut self.nodes[id as usize];
            (node.inode, node.below) = (inode, Some(Box::new(history)));
        } else {
            let inode = &mut self.inodes[self.nodes[id as usize].inode as usize];
            inode.mode = FileType::Directory.as_raw_mode() | placed.mode & PERMISSIONS;
            (inode.uid, inode.gid) = (placed.uid, placed.gid);
        }
        self.nodes[id as usize].layer = current;
        self.bounded()
    }

    fn new_inode(&mut self, placed: &Placed) -> u32 {
        let (kind, body) = match &placed.what {
            What::Folder => (FileType::Directory, Body::None),
            What::File(stored) => (FileType::RegularFile, Body::File(*stored)),
            What::Link(target) => (FileType::Symlink, Body::Link(target.as_slice().into())),
            What::Name(_) => (FileType::Unknown, Body::None),
            What::Other(kind) => (*kind, Body::None),
        };
        let mode = match kind {
            // As every file system of Linux has it.
            FileType::Symlink => 0o777,
            _ => placed.mode & PERMISSIONS,
        };
        self.inodes.push(Inode {
            mode: kind.as_raw_mode() | mode,
            uid: placed.uid,
            gid: placed.gid,
            links: 0,
            capability: placed.capability.as_deref().map(kept),
            body,
        });
        u32::try_from(self.inodes.len() - 1).unwrap_or(u32::MAX)
    }

    /// The file that a hard link names; engines apply what the link says of its mode and owner.
    fn second_name(&mut self, target: &[u8], placed: &Placed, path: &[u8]) -> Result<u32, String> {
        let wrong = |why: &str| {
            format!("{} is a hard link to {}, which {why}", escape(path), escape(target))
        };
        // Some builders write them from the root of the image.
        let relative = target.strip_prefix(b"/").unwrap_or(target);
        let names = names(relative).map_err(|_| wrong("is no path in the image"))?;
        let spot = self.spot(&names)?.ok_or_else(|| wrong("is the root"))?;
        let id = self.child(spot.folder, spot.name).ok_or_else(|| wrong("is not there"))?;
        if self.is_folder(id) {
            return Err(wrong("is a folder"));
        }
        let number = self.node(id).inode;
        let inode = &mut self.inodes[number as usize];
        if inode.kind() != FileType::Symlink {
            inode.mode = inode.kind().as_raw_mode() | placed.mode & PERMISSIONS;
        }
        (inode.uid, inode.gid) = (placed.uid, placed.gid);
        if let Some(capability) = &placed.capability {
            inode.capability = Some(kept(capability));
        }
        Ok(number)
    }

    pub(super) fn add(&mut self, folder: Id, name: &[u8], node: Node) -> Result<Id, String> {
        let id = u32::try_from(self.nodes.len()).map_err(|_| "it has too many names".to_owned())?;
        self.held += name.len() + OVERHEAD + self.inodes[node.inode as usize].held();
        self.nodes.push(node);
        if let Some(names) = &mut self.nodes[folder as usize].names {
            self.held += if names.is_empty() { FOLDER } else { 0 };
            names.insert(name.into(), id);
        }
        self.bounded()?;
        Ok(id)
    }

    pub(super) fn bounded(&self) -> Result<(), String> {
        if self.held > MAX_HELD {
            let most = MAX_HELD >> 20;
            return Err(format!("names and links of the image take more than {most} MiB"));
        }
        if self.nodes.len().max(self.inodes.len()) > MAX_NODES {
            return Err(format!("the image has more than {MAX_NODES} files"));
        }
        Ok(())
    }

    fn count_whiteout(&mut self) -> Result<(), String> {
        self.whiteouts += 1;
        if self.whiteouts > MAX_NODES {
            return Err(format!("the layers take something away more than {MAX_NODES} times"));
        }
        Ok(())
    }

    /// The folder of a path, made where it is not there; `None`: the path is the root.
    fn spot<'a>(&mut self, names: &[&'a [u8]]) -> Result<Option<Spot<'a>>, String> {
        let Some((name, folders)) = names.split_last() else { return Ok(None) };
        let mut pending: Vec<Vec<u8>> = folders.iter().rev().map(|name| name.to_vec()).collect();
        let mut above: Vec<(Id, usize)> = Vec::new();
        let (mut here, mut path) = (ROOT, Vec::new());
        let mut links = 0;
        while let Some(name) = pending.pop() {
            if links > 0 {
                self.followed += 1;
            }
            if self.followed > MAX_FOLLOWED {
                return Err("names of the image lead through too many links".to_owned());
            }
            if name == b".." {
                let out = || format!("{} leads out of the image", shown(names));
                let length;
                (here, length) = above.pop().ok_or_else(out)?;
                path.truncate(length);
                continue;
            }
            let id = match self.child(here, &name) {
                Some(id) => id,
                None => self.implied(here, &name)?,
            };
            if let Body::Link(target) = &self.inode(id).body {
                links += 1;
                if links > MAX_LINKS || pending.len() > MAX_PATH {
                    return Err(format!("{} leads through too many links", shown(names)));
                }
                let target = target.to_vec();
                if target.first() == Some(&b'/') {
                    (here, path) = (ROOT, Vec::new());
                    above.clear();
                }
                let parts = target.split(|byte| *byte == b'/').rev();
                pending
                    .extend(parts.filter(|part| !matches!(*part, b"" | b".")).map(<[u8]>::to_vec));
                continue;
            }
            if !self.is_folder(id) {
                return Err(format!("{} lies below a file", shown(names)));
            }
            above.push((here, path.len()));
            here = id;
            path.extend_from_slice(b"/");
            path.extend_from_slice(&name);
            if path.len() > MAX_PATH {
                return Err(format!("{} leads to where no path can be", shown(names)));
            }
        }
        Ok(Some(Spot { folder: here, path, name }))
    }

    /// A folder that no layer names but something lies in.
    fn implied(&mut self, folder: Id, name: &[u8]) -> Result<Id, String> {
        let placed = Placed { mode: 0o755, uid: 0, gid: 0, capability: None, what: What::Folder };
        let inode = self.new_inode(&placed);
        self.inodes[inode as usize].links = 1;
        let (layer, names) = (self.current(), Some(Box::default()));
        self.add(folder, name, Node { inode, layer, names, below: None })
    }
}

/// As much of a value as tells that it is none: one byte more than any has.
fn kept(capability: &[u8]) -> Box<[u8]> {
    capability[..capability.len().min(MAX_CAPABILITY + 1)].into()
}

fn shown(names: &[&[u8]]) -> String {
    escape(&names.join(&b'/'))
}

/// The names of a path in a layer; what no engine would unpack in one and the same way is refused.
fn names(path: &[u8]) -> Result<Vec<&[u8]>, String> {
    let wrong = |why: &str| Err(format!("{} {why}", escape(&path[..path.len().min(MAX_NAME)])));
    if path.first() == Some(&b'/') && path != b"/" {
        return wrong("is an absolute path");
    }
    if path.len() > MAX_PATH || path.contains(&0) {
        return wrong("is longer than a path can be, or holds a NUL");
    }
    let names = path.split(|byte| *byte == b'/').filter(|name| !matches!(*name, b"" | b"."));
    let names: Vec<_> = names.collect();
    if names.contains(&b"..".as_slice()) {
        return wrong("leads out of its folder");
    }
    if names.iter().any(|name| name.len() > MAX_NAME) {
        return wrong("has a name of more than 255 bytes");
    }
    Ok(names)
}
