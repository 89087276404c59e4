//! The file system that the layers of an archive make, in memory: names and attributes as nodes,
//! contents in a spool. Nothing of it ever becomes a file with a name, an owner or a mode of this
//! machine, so that any user may look at it and no name can lead out.
//!
//! In: what `placing` lays down, layer by layer. Out: the same answers as from a folder. Whoever asks
//! sees the result; what a layer covered or deleted is kept where a check wants it.

mod disk;
mod lost;
mod origin;
mod placing;

use std::collections::{BTreeMap, BTreeSet};

use rustix::fd::OwnedFd;
use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use super::spool::{Content, Spool, Stored};
use super::tree::Found;

pub(crate) use disk::read as read_folder;
pub(crate) use lost::Lost;
pub(crate) use placing::{Placed, What};

/// A node; 0 is the root.
pub(crate) type Id = u32;

pub(crate) const ROOT: Id = 0;

type Names = BTreeMap<Box<[u8]>, Id>;

/// A file system of layers.
#[derive(Debug)]
pub(crate) struct Layered {
    nodes: Vec<Node>,
    inodes: Vec<Inode>,
    pub(crate) spool: Spool,
    /// The folder that contents are read from where they are in none of the layers.
    disk: Option<OwnedFd>,
    /// Attributes that no archive has.
    blank: Stat,
    /// How many layers were begun.
    begun: u32,
    /// How many times a layer took something away.
    whiteouts: usize,
    /// How many names of links were gone through to find where something belongs.
    followed: usize,
    /// About how many bytes of memory names, links and what is gone take.
    held: usize,
    /// Folders in which the current layer has already taken away what lower ones have.
    emptied: BTreeSet<Id>,
    base: Base,
    /// What is gone or covered, in the order of the layers.
    lost: Vec<Lost>,
    /// The bytes of their paths, and whether some of it was not kept.
    lost_bytes: usize,
    lost_more: bool,
    /// What was at paths that a layer deleted, for what comes there later.
    deleted: BTreeMap<Vec<u8>, Vec<(u32, u32)>>,
    /// Folders that could not be read, and why.
    unread: Vec<(Vec<u8>, String)>,
}

/// What is known about the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    /// Nothing: all layers are one.
    Unknown,
    /// So many of the lowest layers are it.
    Layers(u32),
    /// It was compared path by path: 0 is what it has as well, 1 what it has not.
    Compared,
}

/// A name.
#[derive(Debug)]
struct Node {
    inode: u32,
    /// The layer that brought it, counted from 0.
    layer: u32,
    /// What a folder holds.
    names: Option<Box<Names>>,
    /// What lower layers had there, topmost first: layer and inode.
    #[expect(clippy::box_collection, reason = "most have none, and there are many nodes")]
    below: Option<Box<Vec<(u32, u32)>>>,
}

/// What a name stands for.
#[derive(Debug, Clone)]
struct Inode {
    /// With the bits of the kind.
    mode: u32,
    uid: u32,
    gid: u32,
    /// How many names it has.
    links: u32,
    capability: Option<Box<[u8]>>,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    None,
    File(Stored),
    Link(Box<[u8]>),
    /// A file of `disk`, by its path, and its size.
    Disk(Box<[u8]>, u64),
}

impl Inode {
    fn kind(&self) -> FileType {
        FileType::from_raw_mode(self.mode)
    }

    /// How many bytes of memory it takes besides itself.
    fn held(&self) -> usize {
        let body = match &self.body {
            Body::Link(text) | Body::Disk(text, _) => text.len(),
            Body::None | Body::File(_) => 0,
        };
        body + self.capability.as_ref().map_or(0, |value| value.len())
    }

    fn size(&self) -> u64 {
        match &self.body {
            Body::None => 0,
            Body::File(stored) => stored.length,
            Body::Link(target) => target.len() as u64,
            Body::Disk(_, size) => *size,
        }
    }
}

impl Layered {
    /// An empty root.
    pub(crate) fn new(base: Base) -> std::io::Result<Self> {
        let spool = Spool::new()?;
        let blank = rustix::fs::fstat(spool.file())?;
        let mode = FileType::Directory.as_raw_mode() | 0o755;
        let root = Inode { mode, uid: 0, gid: 0, links: 1, capability: None, body: Body::None };
        let node = Node { inode: 0, layer: 0, names: Some(Box::default()), below: None };
        Ok(Self {
            nodes: vec![node],
            inodes: vec![root],
            spool,
            disk: None,
            blank,
            begun: 0,
            whiteouts: 0,
            followed: 0,
            held: 0,
            emptied: BTreeSet::new(),
            base,
            lost: Vec::new(),
            lost_bytes: 0,
            lost_more: false,
            deleted: BTreeMap::new(),
            unread: Vec::new(),
        })
    }

    /// How many layers the result is told apart by: base and app's, or one.
    pub(crate) fn layers(&self) -> usize {
        match self.base {
            Base::Compared => 2,
            _ => self.shown(self.begun.saturating_sub(1)) + 1,
        }
    }

    /// The layer as it is told: 0 is the base, or everything.
    fn shown(&self, layer: u32) -> usize {
        match self.base {
            Base::Unknown => 0,
            Base::Layers(count) => (layer + 1).saturating_sub(count) as usize,
            Base::Compared => layer as usize,
        }
    }

    /// Whether it matters what was at a path before.
    fn has_history(&self) -> bool {
        matches!(self.base, Base::Layers(_))
    }

    fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    fn inode(&self, id: Id) -> &Inode {
        &self.inodes[self.node(id).inode as usize]
    }

    /// What a folder holds, sorted.
    pub(crate) fn names(&self, id: Id) -> impl Iterator<Item = (&[u8], Id)> {
        self.node(id).names.iter().flat_map(|names| names.iter()).map(|(name, id)| (&**name, *id))
    }

    pub(crate) fn child(&self, id: Id, name: &[u8]) -> Option<Id> {
        self.node(id).names.as_ref()?.get(name).copied()
    }

    /// What a path without links leads to.
    pub(crate) fn find(&self, path: &[u8]) -> Option<Id> {
        let mut names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
        names.try_fold(ROOT, |id, name| self.child(id, name))
    }

    pub(crate) fn is_folder(&self, id: Id) -> bool {
        self.node(id).names.is_some()
    }

    pub(crate) fn found(&self, id: Id) -> Found {
        let node = self.node(id);
        Found { layer: self.shown(node.layer), stat: self.stat(node.inode) }
    }

    /// What the layers have there, topmost first.
    pub(crate) fn versions(&self, id: Id) -> Vec<(usize, Stat)> {
        let node = self.node(id);
        let all = [(node.layer, node.inode)].into_iter();
        let below = node.below.iter().flat_map(|below| below.iter().copied());
        let mut versions: Vec<(usize, Stat)> = Vec::with_capacity(1);
        for (layer, inode) in all.chain(below) {
            let layer = self.shown(layer);
            if versions.last().is_none_or(|(above, _)| *above != layer) {
                versions.push((layer, self.stat(inode)));
            }
        }
        versions
    }

    fn stat(&self, inode: u32) -> Stat {
        let of = &self.inodes[inode as usize];
        let mut stat = self.blank;
        (stat.st_mode, stat.st_uid, stat.st_gid) = (of.mode, of.uid, of.gid);
        stat.st_ino = u64::from(inode) + 1;
        stat.st_dev = 0;
        stat.st_nlink = of.links.into();
        stat.st_size = fit(of.size());
        stat.st_blocks = fit(of.size().div_ceil(512));
        stat.st_mtime = 0;
        stat
    }

    /// What a link says.
    pub(crate) fn link(&self, id: Id) -> Result<Vec<u8>, Errno> {
        match &self.inode(id).body {
            Body::Link(target) => Ok(target.to_vec()),
            _ => Err(Errno::INVAL),
        }
    }

    /// The attribute that holds a file's capabilities.
    pub(crate) fn capability(&self, id: Id) -> Option<&[u8]> {
        self.inode(id).capability.as_deref()
    }

    /// Opens a regular file.
    pub(crate) fn open(&self, id: Id) -> std::io::Result<Content> {
        self.open_inode(self.node(id).inode)
    }

    fn open_inode(&self, inode: u32) -> std::io::Result<Content> {
        match (&self.inodes[inode as usize].body, &self.disk) {
            (Body::File(stored), _) => Ok(self.spool.open(*stored)),
            (Body::Disk(path, _), Some(root)) => Ok(super::tree::open_below(root, path)?.into()),
            _ => Err(Errno::INVAL.into()),
        }
    }

    /// Folders that could not be read, and why.
    pub(crate) fn unread(&self) -> &[(Vec<u8>, String)] {
        &self.unread
    }
}

/// The number in the type that this platform has for it.
fn fit<T: TryFrom<u64> + Default>(number: u64) -> T {
    T::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(what: What) -> Placed {
        Placed { mode: 0o755, uid: 0, gid: 0, capability: None, what }
    }

    fn image() -> Layered {
        let mut image = Layered::new(Base::Layers(1)).unwrap();
        image.begin();
        image
    }

    #[test]
    fn what_names_and_links_take_is_bounded() {
        let mut image = image();
        image.place(b"a", &placed(What::Link(vec![b'x'; 4_000]))).unwrap();
        assert!(image.held > 4_000);
        image.held = placing::MAX_HELD - 1_000;
        image.place(b"b", &placed(What::Link(vec![b'x'; 400]))).unwrap();
        let error = image.place(b"c", &placed(What::Link(vec![b'x'; 400]))).unwrap_err();
        assert_eq!(error, "names and links of the image take more than 320 MiB");
    }

    #[test]
    fn what_is_deleted_takes_no_more_than_there_is() {
        let mut image = image();
        for number in 0..100 {
            image.place(format!("d/{number}").as_bytes(), &placed(What::Folder)).unwrap();
        }
        image.begin();
        image.held = placing::MAX_HELD;
        assert!(image.delete(b"d").is_err());
        assert!(image.deleted.len() < 3, "{}", image.deleted.len());
    }

    #[test]
    fn ways_through_links_are_counted_together() {
        let mut image = image();
        image.place(b"d/e/f", &placed(What::Folder)).unwrap();
        image.place(b"l", &placed(What::Link(b"d/e".to_vec()))).unwrap();
        image.place(b"d/e/f/1", &placed(What::Folder)).unwrap();
        assert_eq!(image.followed, 0);
        image.place(b"l/f/2", &placed(What::Folder)).unwrap();
        assert_eq!(image.followed, 3);
        image.followed = placing::MAX_FOLLOWED - 2;
        let error = image.place(b"l/f/3", &placed(What::Folder)).unwrap_err();
        assert_eq!(error, "names of the image lead through too many links");
    }

    #[test]
    fn of_a_capability_no_more_is_kept_than_tells_that_it_is_none() {
        let mut image = image();
        let file = Placed { capability: Some(vec![1; 1 << 20]), ..placed(What::Folder) };
        image.place(b"x", &file).unwrap();
        assert_eq!(image.capability(image.find(b"/x").unwrap()).unwrap().len(), 65);
    }
}
