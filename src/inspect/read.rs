//! Reads files and folders, each up to a limit: small files whole, large ones without their holes.

use std::io::Read as _;

use rustix::fd::AsFd;
use rustix::fs::{FileType, RawDir, SeekFrom};
use rustix::io::Errno;

use super::spool::Content;
use super::tree::{LastLink, Tree, Trouble};

/// Reads a regular file of the union, links followed, `limit` bytes at most.
///
/// What is not there, cannot be reached or is no regular file is `Ok(None)`; what is too large or
/// unreadable gives a sentence.
pub(crate) fn small_file(tree: &Tree, path: &[u8], limit: u64) -> Result<Option<Vec<u8>>, String> {
    let resolved = match tree.resolve(path, LastLink::Follow) {
        Ok(resolved) => resolved,
        Err(Trouble::Loop | Trouble::NotAFolder(_)) => return Ok(None),
        Err(trouble) => return Err(trouble.to_string()),
    };
    let (Some(found), Some(parent)) = (resolved.found, &resolved.parent) else { return Ok(None) };
    if found.file_type() != FileType::RegularFile {
        return Ok(None);
    }
    let opened = parent.open_file(resolved.name(), found.layer);
    let file: Content = opened.map_err(|trouble| trouble.to_string())?;
    let mut content = Vec::new();
    let mut limited = file.take(limit + 1);
    limited.read_to_end(&mut content).map_err(|error| error.to_string())?;
    if content.len() as u64 > limit {
        return Err(format!("it is larger than {limit} bytes"));
    }
    Ok(Some(content))
}

/// The most names of one folder that are looked at; beyond, the caller says that it stopped.
pub(crate) const MAX_NAMES: usize = 1_000_000;

/// How many bytes of names are asked for at once.
const LISTING: usize = 32 << 10;

/// The names in an open folder, sorted, and whether that is all of them.
pub(crate) fn names(folder: impl AsFd) -> Result<(Vec<Vec<u8>>, bool), Errno> {
    let mut names = Vec::new();
    rustix::fs::seek(&folder, SeekFrom::Start(0))?;
    let complete = each_name(folder, &mut Vec::new(), |name| {
        names.push(name.to_vec());
        Ok::<_, Errno>(())
    })?;
    names.sort_unstable();
    Ok((names, complete))
}

/// Hands out the names in a folder that was just opened, as they come; `false`: there are more. The
/// buffer is for use by the next folder: to allocate one costs more than to list a small folder.
pub(crate) fn each_name<E: From<Errno>>(
    folder: impl AsFd,
    buffer: &mut Vec<u8>,
    mut each: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<bool, E> {
    buffer.clear();
    buffer.reserve(LISTING);
    let mut listing = RawDir::new(folder, buffer.spare_capacity_mut());
    let mut count = 0;
    while let Some(entry) = listing.next() {
        if count == MAX_NAMES {
            return Ok(false);
        }
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            count += 1;
            each(name)?;
        }
    }
    Ok(true)
}

/// The data of a file: a hole, however long, reads as one NUL, so that padding hides nothing and
/// costs nothing.
#[derive(Debug)]
pub(crate) struct Data {
    file: Content,
    position: u64,
    /// Where the data at `position` ends.
    end: u64,
}

impl Data {
    /// The data from a place on.
    pub(crate) fn from(file: Content, position: u64) -> Self {
        Self { file, position, end: position }
    }

    /// Goes to the next data; `false` at the end of the file.
    fn advance(&mut self) -> std::io::Result<bool> {
        let Some(data) = self.file.data(self.position)? else { return Ok(false) };
        (self.position, self.end) = data;
        Ok(true)
    }
}

impl std::io::Read for Data {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.position >= self.end {
            let before = self.position;
            if !self.advance()? {
                return Ok(0);
            }
            if self.position > before
                && let Some(first) = buffer.first_mut()
            {
                *first = 0;
                return Ok(1);
            }
        }
        let left = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        let count = self.file.read_at(&mut buffer[..length], self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}
