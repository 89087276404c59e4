//! Opens what lies below an open folder, and nothing else: no link is followed, no file is opened
//! before it is known to be a regular one, and nothing blocks.
//!
//! In: an open folder and names from an inspected tree. Out: descriptors and attributes, or the
//! kernel's reason.

use std::fs::File;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

use super::tree::Trouble;

/// The longest name that Linux file systems take.
const MAX_NAME: usize = 255;
/// How much of a path is given to the kernel at once, well below `PATH_MAX`.
const MAX_PIECE: usize = 3_072;

/// Open folders and nothing but folders: `O_PATH` is not enough to list them.
pub(crate) const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Attributes of one name in an open folder; a name that cannot exist does not exist.
pub(crate) fn stat_at(folder: impl AsFd, name: &[u8]) -> Result<Option<Stat>, Trouble> {
    if name.len() > MAX_NAME || name.contains(&0) {
        return Ok(None);
    }
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => Ok(None),
        Err(error) => Err(Trouble::Io(error)),
    }
}

/// Opens a folder below another one without following any link.
pub(crate) fn open_folder(folder: impl AsFd, path: &[u8]) -> Result<OwnedFd, Errno> {
    open_beneath(folder.as_fd(), path, FOLDER)
}

/// Opens a folder far below another one, piece by piece: the kernel takes no path above `PATH_MAX`.
pub(crate) fn open_deep(root: &OwnedFd, path: &[u8]) -> Result<OwnedFd, Errno> {
    let mut rest = path.strip_prefix(b"/").unwrap_or(path);
    let mut folder = open_folder(root, b".")?;
    while !rest.is_empty() {
        let piece = match rest.get(..MAX_PIECE) {
            Some(start) => {
                start.iter().rposition(|byte| *byte == b'/').ok_or(Errno::NAMETOOLONG)?
            }
            None => rest.len(),
        };
        folder = open_folder(&folder, &rest[..piece])?;
        rest = rest.get(piece + 1..).unwrap_or_default();
    }
    Ok(folder)
}

/// Opens a regular file far below a folder.
pub(crate) fn open_below(root: &OwnedFd, path: &[u8]) -> Result<File, Errno> {
    let split = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    let folder = open_deep(root, &path[..split])?;
    open_file(&folder, path.get(split + 1..).unwrap_or_default()).map(File::from)
}

/// Opens a regular file for reading: looked at before it is opened, and again once it is open.
pub(crate) fn open_file(folder: impl AsFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    let is_file = |stat: &Stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    let stat = rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    if !is_file(&stat) {
        return Err(Errno::INVAL);
    }
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = open_beneath(folder.as_fd(), name, flags)?;
    if is_file(&rustix::fs::fstat(&file)?) { Ok(file) } else { Err(Errno::INVAL) }
}

/// `openat2`, or name by name with `openat`, which is as safe, where an old kernel or a seccomp
/// filter does not know the call.
fn open_beneath(folder: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(folder, path, flags, Mode::empty(), resolve) {
        Err(Errno::NOSYS | Errno::PERM) => open_by_names(folder, path, flags),
        opened => opened,
    }
}

fn open_by_names(folder: BorrowedFd<'_>, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut names: Vec<_> = path.split(|byte| *byte == b'/').collect();
    let last = names.pop().unwrap_or_default();
    if names.iter().chain([&last]).any(|name| matches!(*name, b"" | b"..")) {
        return Err(Errno::INVAL);
    }
    let mut above: Option<OwnedFd> = None;
    for name in names {
        let here = above.as_ref().map_or(folder, AsFd::as_fd);
        above = Some(rustix::fs::openat(here, name, FOLDER, Mode::empty())?);
    }
    let here = above.as_ref().map_or(folder, AsFd::as_fd);
    rustix::fs::openat(here, last, flags | OFlags::NOFOLLOW, Mode::empty())
}
