//! Several root file systems, one over the other, seen as one: base and placed layers, mounted
//! apart, a single root, or what the layers of an archive make.
//!
//! Mounted layers hold no whiteouts. A folder is the sum of the folders of that path; anything else hides
//! what lies below it. Every lookup takes one name in one open folder and follows nothing, so no
//! link can lead out; links are followed here, over the union, as the kernel would in a container.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, FileType, Mode, Stat};
use rustix::io::Errno;

use super::beneath::{FOLDER, open_deep, open_file, open_folder};
pub(crate) use super::beneath::{open_below, stat_at};
use super::layered::{self, Layered};

/// The kernel gives up after this many links in one lookup (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;
/// The most names that one lookup may come to, links included; a kernel path has at most 2,048.
const MAX_NAMES: usize = 4_096;

/// Why a path leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("too many links")]
    Loop,
    #[error("too many names in one path")]
    TooLong,
    #[error("{0} is not a folder")]
    NotAFolder(String),
    #[error("{0}")]
    Io(#[from] Errno),
}

/// The union; the lowest layer has index 0.
#[derive(Debug)]
pub(crate) struct Tree {
    roots: Vec<OwnedFd>,
    /// Instead of the roots.
    image: Option<Arc<Layered>>,
}

/// One folder of the union: the open folders that it is the sum of, topmost first.
#[derive(Debug)]
pub(crate) struct Folder {
    parts: Vec<(usize, OwnedFd)>,
    /// Instead of the parts.
    node: Option<(Arc<Layered>, layered::Id)>,
}

/// Where something is that may be asked for more than its `Stat`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    /// Its folder in its layer.
    Folder(BorrowedFd<'a>),
    /// Itself.
    Node(&'a Layered, layered::Id),
}

/// Something that is there, and the layer that it is seen from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) layer: usize,
    pub(crate) stat: Stat,
}

impl Found {
    pub(crate) fn file_type(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }
}

/// Where a path leads.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// Absolute and free of links, as far as the tree has it; what is missing stands as written.
    pub(crate) path: Vec<u8>,
    /// What is there.
    pub(crate) found: Option<Found>,
    /// The folder that holds it, if that one is there, to open it from.
    pub(crate) parent: Option<Folder>,
    /// Every folder that was searched on the way, in order, each once.
    pub(crate) searched: Vec<(Vec<u8>, Found)>,
}

impl Resolved {
    /// The last name of the path; empty for the root.
    pub(crate) fn name(&self) -> &[u8] {
        self.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }
}

/// What to do with a link at the very end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastLink {
    Keep,
    Follow,
}

impl Tree {
    /// Opens the roots, lowest first.
    pub(crate) fn open<P: AsRef<Path>>(roots: &[P]) -> Result<Self, Errno> {
        let open = |root: &P| rustix::fs::openat(CWD, root.as_ref(), FOLDER, Mode::empty());
        Ok(Self { roots: roots.iter().map(open).collect::<Result<_, _>>()?, image: None })
    }

    /// What the layers of an archive make.
    pub(crate) fn of_image(image: Layered) -> Self {
        Self { roots: Vec::new(), image: Some(Arc::new(image)) }
    }

    /// What the layers of an archive make, if it is that.
    pub(crate) fn image(&self) -> Option<&Layered> {
        self.image.as_deref()
    }

    /// The roots as a folder.
    pub(crate) fn root(&self) -> Result<Folder, Trouble> {
        if let Some(image) = &self.image {
            return Ok(Folder::of(image, layered::ROOT));
        }
        let again = |(layer, root): (usize, &OwnedFd)| Ok((layer, open_folder(root, b".")?));
        let parts: Result<_, Errno> = self.roots.iter().enumerate().rev().map(again).collect();
        Ok(Folder { parts: parts.map_err(Trouble::Io)?, node: None })
    }

    /// How many layers there are.
    pub(crate) fn layers(&self) -> usize {
        self.image.as_ref().map_or(self.roots.len(), |image| image.layers())
    }

    /// Opens a file of one layer by a path that is known to be free of links.
    pub(crate) fn open_file(&self, layer: usize, path: &[u8]) -> std::io::Result<File> {
        match &self.image {
            Some(image) => image.open(image.find(path).ok_or(Errno::NOENT)?),
            None => Ok(open_below(self.roots.get(layer).ok_or(Errno::NOENT)?, path)?),
        }
    }

    /// Opens a folder of one layer by a path that is known to be free of links.
    pub(crate) fn open_part(&self, layer: usize, path: &[u8]) -> Result<OwnedFd, Errno> {
        let root = self.roots.get(layer).ok_or(Errno::NOENT)?;
        open_deep(root, path)
    }

    /// Follows a path from the root of the union. What does not exist is no trouble.
    pub(crate) fn resolve(&self, path: &[u8], last: LastLink) -> Result<Resolved, Trouble> {
        let mut walk = Walk::new(self, path)?;
        while let Some(name) = walk.pending.pop() {
            walk.step(&name, last)?;
        }
        Ok(walk.finish())
    }
}

/// The state of one lookup.
struct Walk<'a> {
    tree: &'a Tree,
    /// Names still to be walked, the next one last.
    pending: Vec<Vec<u8>>,
    /// Names walked so far, free of links.
    names: Vec<Vec<u8>>,
    /// What is at `names`.
    found: Option<Found>,
    /// The folder at `names`, if it is one.
    here: Option<Folder>,
    /// The folder that holds the last name.
    parent: Option<Folder>,
    searched: Vec<(Vec<u8>, Found)>,
    links: usize,
    steps: usize,
}

impl<'a> Walk<'a> {
    fn new(tree: &'a Tree, path: &[u8]) -> Result<Self, Trouble> {
        let root = tree.root()?;
        Ok(Self {
            tree,
            pending: split(path).rev().collect(),
            names: Vec::new(),
            found: Some(root.itself()?),
            here: Some(root),
            parent: None,
            searched: Vec::new(),
            links: 0,
            steps: 0,
        })
    }

    fn step(&mut self, name: &[u8], last: LastLink) -> Result<(), Trouble> {
        self.steps += 1;
        if self.steps > MAX_NAMES {
            return Err(Trouble::TooLong);
        }
        if let Some(found) = self.found
            && self.here.is_none()
        {
            debug_assert_ne!(found.file_type(), FileType::Directory);
            return Err(Trouble::NotAFolder(super::escape::escape(&join(&self.names))));
        }
        self.note_search();
        if name == b".." {
            self.names.pop();
            return self.reopen();
        }
        let Some(folder) = self.here.take() else {
            self.names.push(name.to_vec());
            return Ok(());
        };
        self.found = folder.look(name)?;
        match self.found {
            Some(found)
                if found.file_type() == FileType::Symlink
                    && (last == LastLink::Follow || !self.pending.is_empty()) =>
            {
                return self.follow(folder, name, found);
            }
            Some(found) if found.file_type() == FileType::Directory => {
                self.here = folder.enter(name)?;
            }
            _ => {}
        }
        self.names.push(name.to_vec());
        self.parent = Some(folder);
        Ok(())
    }

    /// Puts what a link says in front of what is still to be walked.
    fn follow(&mut self, folder: Folder, name: &[u8], link: Found) -> Result<(), Trouble> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Trouble::Loop);
        }
        let target = folder.read_link(name, link.layer)?;
        self.pending.extend(split(&target).rev());
        if self.pending.len() > MAX_NAMES {
            return Err(Trouble::TooLong);
        }
        if target.first() == Some(&b'/') {
            self.names.clear();
            return self.reopen();
        }
        self.found = Some(folder.itself()?);
        self.here = Some(folder);
        Ok(())
    }

    /// Opens the folder at `names` again, from the root: holding every folder of a deep path open
    /// would run out of descriptors.
    fn reopen(&mut self) -> Result<(), Trouble> {
        let mut folder = self.tree.root()?;
        self.parent = None;
        for name in &self.names {
            let Some(next) = folder.enter(name)? else {
                self.found = None;
                self.here = None;
                return Ok(());
            };
            self.parent = Some(std::mem::replace(&mut folder, next));
        }
        self.found = Some(folder.itself()?);
        self.here = Some(folder);
        Ok(())
    }

    fn note_search(&mut self) {
        if let (Some(found), Some(_)) = (self.found, &self.here) {
            let path = join(&self.names);
            if !self.searched.iter().any(|(known, _)| *known == path) {
                self.searched.push((path, found));
            }
        }
    }

    fn finish(self) -> Resolved {
        Resolved {
            path: join(&self.names),
            found: self.found,
            // A parent is of use only to open what it holds.
            parent: self.parent.filter(|_| self.found.is_some()),
            searched: self.searched,
        }
    }
}

impl Folder {
    fn of(image: &Arc<Layered>, id: layered::Id) -> Self {
        Self { parts: Vec::new(), node: Some((image.clone(), id)) }
    }

    /// The attributes of the folder: those of its topmost part.
    pub(crate) fn itself(&self) -> Result<Found, Trouble> {
        if let Some((image, id)) = &self.node {
            return Ok(image.found(*id));
        }
        let Some((layer, part)) = self.parts.first() else { return Err(Trouble::Io(Errno::NOENT)) };
        let stat = rustix::fs::fstat(part).map_err(Trouble::Io)?;
        Ok(Found { layer: *layer, stat })
    }

    /// The open folders that it is the sum of, topmost first.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (usize, BorrowedFd<'_>)> {
        self.parts.iter().map(|(layer, part)| (*layer, part.as_fd()))
    }

    /// What a name stands for here; a link is not followed.
    pub(crate) fn look(&self, name: &[u8]) -> Result<Option<Found>, Trouble> {
        if let Some((image, id)) = &self.node {
            return Ok(image.child(*id, name).map(|id| image.found(id)));
        }
        for (layer, part) in &self.parts {
            if let Some(stat) = stat_at(part, name)? {
                return Ok(Some(Found { layer: *layer, stat }));
            }
        }
        Ok(None)
    }

    /// The folder of a name, if it is one.
    pub(crate) fn enter(&self, name: &[u8]) -> Result<Option<Self>, Trouble> {
        if let Some((image, id)) = &self.node {
            let folder = image.child(*id, name).filter(|id| image.is_folder(*id));
            return Ok(folder.map(|id| Self::of(image, id)));
        }
        let mut parts = Vec::new();
        for (layer, part) in &self.parts {
            match stat_at(part, name)? {
                None => {}
                Some(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
                    parts.push((*layer, open_folder(part, name).map_err(Trouble::Io)?));
                }
                Some(_) => break, // hides what the layers below have
            }
        }
        Ok((!parts.is_empty()).then_some(Self { parts, node: None }))
    }

    /// What a link of a layer says.
    pub(crate) fn read_link(&self, name: &[u8], layer: usize) -> Result<Vec<u8>, Trouble> {
        if let Some((image, id)) = &self.node {
            let link = image.child(*id, name).ok_or(Errno::NOENT)?;
            return Ok(image.link(link)?);
        }
        let part = self.part(layer)?;
        let target = rustix::fs::readlinkat(part, name, Vec::new()).map_err(Trouble::Io)?;
        Ok(target.into_bytes())
    }

    /// Opens a file of a layer; anything but a regular file is refused, and nothing blocks.
    pub(crate) fn open_file(&self, name: &[u8], layer: usize) -> Result<OwnedFd, Trouble> {
        if let Some((image, id)) = &self.node {
            let file = image.open(image.child(*id, name).ok_or(Errno::NOENT)?);
            let errno = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
            return Ok(file.map_err(errno)?.into());
        }
        open_file(self.part(layer)?, name).map_err(Trouble::Io)
    }

    fn part(&self, layer: usize) -> Result<&OwnedFd, Trouble> {
        let part = self.parts.iter().find(|(index, _)| *index == layer);
        part.map(|(_, part)| part).ok_or(Trouble::Io(Errno::NOENT))
    }
}

/// The names of a path; `.` and empty ones mean nothing.
fn split(path: &[u8]) -> impl DoubleEndedIterator<Item = Vec<u8>> {
    let names = path.split(|byte| *byte == b'/');
    names.filter(|name| !name.is_empty() && *name != b".").map(<[u8]>::to_vec)
}

/// The absolute path of names.
pub(crate) fn join(names: &[Vec<u8>]) -> Vec<u8> {
    if names.is_empty() {
        return b"/".to_vec();
    }
    names.iter().flat_map(|name| [b"/".as_slice(), name].concat()).collect()
}
