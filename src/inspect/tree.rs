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
pub(crate) use super::resolve::{LastLink, Resolved, Steps};
use super::spool::Content;

/// Why a path leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("too many links")]
    Loop,
    #[error("too many names in one path")]
    TooLong,
    #[error("the paths of the image lead through too many names")]
    Spent,
    #[error("{0} is not a folder")]
    NotAFolder(String),
    #[error("{0}")]
    Io(#[from] Errno),
}

impl Trouble {
    /// Whether nobody has looked to the end: something may be there all the same.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(self, Self::TooLong | Self::Spent)
    }
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
    pub(crate) fn open_file(&self, layer: usize, path: &[u8]) -> std::io::Result<Content> {
        match &self.image {
            Some(image) => image.open(image.find(path).ok_or(Errno::NOENT)?),
            None => Ok(open_below(self.roots.get(layer).ok_or(Errno::NOENT)?, path)?.into()),
        }
    }

    /// Opens a folder of one layer by a path that is known to be free of links.
    pub(crate) fn open_part(&self, layer: usize, path: &[u8]) -> Result<OwnedFd, Errno> {
        let root = self.roots.get(layer).ok_or(Errno::NOENT)?;
        open_deep(root, path)
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

    /// What a name stands for here, and the folder that it is; a link is not followed.
    pub(super) fn step(&self, name: &[u8]) -> Result<(Option<Found>, Option<Self>), Trouble> {
        if let Some((image, id)) = &self.node {
            let Some(child) = image.child(*id, name) else { return Ok((None, None)) };
            let folder = image.is_folder(child).then(|| Self::of(image, child));
            return Ok((Some(image.found(child)), folder));
        }
        let (mut found, mut parts) = (None, Vec::new());
        for (layer, part) in &self.parts {
            let Some(stat) = stat_at(part, name)? else { continue };
            found = found.or(Some(Found { layer: *layer, stat }));
            if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
                break; // hides what the layers below have
            }
            parts.push((*layer, open_folder(part, name).map_err(Trouble::Io)?));
        }
        Ok((found, (!parts.is_empty()).then_some(Self { parts, node: None })))
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
        self.step(name).map(|(_, folder)| folder)
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
    pub(crate) fn open_file(&self, name: &[u8], layer: usize) -> Result<Content, Trouble> {
        if let Some((image, id)) = &self.node {
            let file = image.open(image.child(*id, name).ok_or(Errno::NOENT)?);
            let errno = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::IO);
            return Ok(file.map_err(errno)?);
        }
        let file = open_file(self.part(layer)?, name).map_err(Trouble::Io)?;
        Ok(File::from(file).into())
    }

    fn part(&self, layer: usize) -> Result<&OwnedFd, Trouble> {
        let part = self.parts.iter().find(|(index, _)| *index == layer);
        part.map(|(_, part)| part).ok_or(Trouble::Io(Errno::NOENT))
    }
}
