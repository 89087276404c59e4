//! Files that a later layer deletes or covers: nobody sees them in a container, and everybody can
//! take them out of the image.

use super::{Base, Body, Layered};
use crate::inspect::entry::Attributes;
use crate::inspect::secrets;
use crate::inspect::spool::Content;

/// The most files that are kept in mind, and the bytes of their paths.
const MAX_LOST: usize = 20_000;
const MAX_PATHS: usize = 8 << 20;

/// A file that is no longer seen.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) path: Vec<u8>,
    inode: u32,
    /// The layer that has it, counted from 0 over the whole image.
    pub(crate) layer: u32,
    /// The layer that takes it away.
    pub(crate) by: u32,
    /// Whether nothing took its place.
    pub(crate) is_deleted: bool,
}

impl Layered {
    /// Keeps a file in mind that nobody sees any more, if it may hold a secret.
    pub(super) fn lose(&mut self, path: &[u8], (layer, inode): (u32, u32), is_deleted: bool) {
        let of = &self.inodes[inode as usize];
        let is_file = matches!(of.body, Body::File(_)) && of.size() > 0;
        if !is_file || of.links > 0 || !secrets::may_hold(path, of.size()) {
            return;
        }
        self.lost_bytes += path.len();
        if self.lost.len() == MAX_LOST || self.lost_bytes > MAX_PATHS {
            self.lost_more = true;
            return;
        }
        let by = self.begun.saturating_sub(1);
        self.lost.push(Lost { path: path.to_vec(), inode, layer, by, is_deleted });
    }

    /// What is no longer seen, and whether there is more of it.
    pub(crate) fn lost(&self) -> (&[Lost], bool) {
        (&self.lost, self.lost_more)
    }

    pub(crate) fn attributes_of(&self, lost: &Lost) -> Attributes {
        Attributes::from(&self.stat(lost.inode))
    }

    pub(crate) fn open_lost(&self, lost: &Lost) -> std::io::Result<Content> {
        self.open_inode(lost.inode)
    }

    /// The layer of a lost file as it is told.
    pub(crate) fn layer_of(&self, lost: &Lost) -> usize {
        match self.base {
            // Which of them it was is not known; that it is not seen now is the app's doing.
            Base::Compared => 1,
            _ => self.shown(lost.layer),
        }
    }

    /// How many layers the image has.
    pub(crate) fn begun(&self) -> u32 {
        self.begun
    }
}
