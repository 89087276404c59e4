//! Where the parts of an image are: files below a folder, or members of a tar archive.
//!
//! An archive is read once for the places of its members; then each is read from its place. Names of
//! parts come from the image itself: they are looked up among the members, or are digests.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::tar::{Kind, Tar};
use crate::words::escaped;

/// The most members of an archive of an image: a few for each layer.
const MAX_MEMBERS: usize = 100_000;
/// The bytes of their names.
const MAX_NAMES: usize = 16 << 20;
/// The largest index, manifest or config.
pub(super) const MAX_JSON: u64 = 8 << 20;
/// The most bytes of all of them: one may be named as often as its author likes.
const MAX_DOCUMENTS: u64 = 64 << 20;

/// The parts of an image.
pub(super) struct Blobs {
    from: Source,
    /// How much of documents may still be read.
    left: Cell<u64>,
}

/// Where they are.
enum Source {
    Folder(PathBuf),
    Archive(Archive),
}

/// A tar archive on disk and what it holds.
pub(super) struct Archive {
    file: File,
    /// How many bytes it had before anything was unpacked.
    length: u64,
    /// Begin and length.
    members: BTreeMap<Vec<u8>, (u64, u64)>,
    /// Names that stand for others, which old programs write for layers that are there already.
    links: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Archive {
    /// Looks through an archive.
    pub(super) fn open(file: File, length: u64) -> io::Result<Self> {
        let (mut members, mut links) = (BTreeMap::new(), BTreeMap::new());
        let mut reader = BufReader::with_capacity(64 << 10, file.try_clone()?);
        reader.rewind()?;
        let forward = |reader: &mut BufReader<File>, count| {
            reader.seek_relative(i64::try_from(count).unwrap_or(i64::MAX)).map(|()| count)
        };
        let mut tar = Tar::seeking(reader, forward).marked();
        let mut named = 0;
        while let Some(member) = tar.next()? {
            named += member.name.len() + member.link.len();
            if members.len() + links.len() == MAX_MEMBERS || named > MAX_NAMES {
                // A file system; no image has as many parts.
                break;
            }
            let name = tidy(&member.name);
            match member.kind {
                Kind::File => drop(members.insert(name, (member.at, member.size))),
                Kind::Link => {
                    let folder = name.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
                    let target = [&name[..folder], &member.link].concat();
                    links.insert(name, tidy(&target));
                }
                Kind::Name => drop(links.insert(name, tidy(&member.link))),
                Kind::Folder | Kind::Other(_) => {}
            }
        }
        Ok(Self { file, length, members, links })
    }

    fn find(&self, name: &str) -> Option<(u64, u64)> {
        let name = tidy(name.as_bytes());
        let name = self.links.get(&name).unwrap_or(&name);
        self.members.get(name).copied()
    }
}

/// A name without `./`, and with `..` taken back.
fn tidy(name: &[u8]) -> Vec<u8> {
    let mut names: Vec<&[u8]> = Vec::new();
    for part in name.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(names.pop()),
            part => names.push(part),
        }
    }
    names.join(&b'/')
}

impl Blobs {
    pub(super) fn of_folder(folder: PathBuf) -> Self {
        Self { from: Source::Folder(folder), left: Cell::new(MAX_DOCUMENTS) }
    }

    pub(super) fn of_archive(archive: Archive) -> Self {
        Self { from: Source::Archive(archive), left: Cell::new(MAX_DOCUMENTS) }
    }

    /// Opens a part and says how long it is.
    pub(super) fn open(&self, name: &str) -> Result<(Box<dyn Read + '_>, u64), String> {
        let shown = escaped(name);
        match &self.from {
            Source::Folder(folder) => {
                let file =
                    regular(&folder.join(name)).map_err(|error| format!("{shown}: {error}"))?;
                let length = file.metadata().map_err(|error| format!("{shown}: {error}"))?.len();
                Ok((Box::new(file), length))
            }
            Source::Archive(archive) => {
                let (at, left) = archive
                    .find(name)
                    .ok_or_else(|| format!("it lacks {shown}, which it names"))?;
                Ok((Box::new(Section { file: &archive.file, at, left }), left))
            }
        }
    }

    /// How many bytes there are that parts can be made of, each counted once.
    pub(super) fn length(&self, names: &BTreeSet<&str>) -> u64 {
        match &self.from {
            Source::Folder(_) => {
                let length = |name: &&str| self.open(name).map_or(0, |(_, length)| length);
                names.iter().map(length).fold(0, u64::saturating_add)
            }
            Source::Archive(archive) => archive.length,
        }
    }

    /// The one name of a part that may have several.
    pub(super) fn place(&self, name: &str) -> Vec<u8> {
        let name = tidy(name.as_bytes());
        match &self.from {
            Source::Folder(_) => name,
            Source::Archive(archive) => archive.links.get(&name).cloned().unwrap_or(name),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        match &self.from {
            Source::Folder(folder) => folder.join(name).is_file(),
            Source::Archive(archive) => archive.find(name).is_some(),
        }
    }

    /// Reads a part that is a document.
    pub(super) fn document(&self, name: &str) -> Result<Vec<u8>, String> {
        let (stream, length) = self.open(name)?;
        let shown = escaped(name);
        if length > MAX_JSON {
            return Err(format!("{shown} is larger than {} MiB", MAX_JSON >> 20));
        }
        let left = self.left.get().checked_sub(length).ok_or_else(|| {
            format!("its indexes, manifests and configs hold more than {} MiB", MAX_DOCUMENTS >> 20)
        })?;
        self.left.set(left);
        let mut bytes = Vec::new();
        stream
            .take(MAX_JSON)
            .read_to_end(&mut bytes)
            .map_err(|error| format!("{shown}: {error}"))?;
        if (bytes.len() as u64) < length {
            return Err(format!("{shown} is cut off"));
        }
        Ok(bytes)
    }
}

/// Opens a regular file; nothing else is waited for.
pub(super) fn regular(path: &Path) -> io::Result<File> {
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = File::options().read(true).custom_flags(nonblocking).open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
}

/// A part of a file.
struct Section<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let count = self.file.read_at(&mut buffer[..wanted], self.at)?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}
