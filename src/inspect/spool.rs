//! Contents of files, kept apart from memory in one temporary file that has no name: nothing is left
//! behind, however the program ends.
//!
//! In: streams of known length. Out: parts of the file that read like files of their own. Zeros become
//! holes, so that an archive of zeros takes no space.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Seek};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::sync::Arc;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

/// How much is copied at once.
const PIECE: usize = 64 << 10;
/// How many names are tried for a temporary file.
const TRIES: u32 = 64;

/// Where contents are kept.
#[derive(Debug)]
pub(crate) struct Spool {
    file: Arc<File>,
    length: u64,
}

/// A content that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    at: u64,
    pub(crate) length: u64,
}

impl Spool {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { file: Arc::new(unnamed(&std::env::temp_dir())?), length: 0 })
    }

    /// Any file, to copy what is no matter of contents from its attributes.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Keeps exactly so many bytes of a stream.
    pub(crate) fn add(&mut self, source: &mut dyn Read, length: u64) -> Result<Stored> {
        let stored = Stored { at: self.length, length };
        let copied = copy(&mut source.take(length), &self.file, self.length)?;
        if copied < length {
            return Err(Error::new(ErrorKind::UnexpectedEof, "it ends in the middle of a file"));
        }
        self.length += length;
        Ok(stored)
    }

    /// A content, without a copy.
    pub(crate) fn open(&self, stored: Stored) -> Content {
        let (file, length) = (self.file.clone(), Some(stored.length));
        Content { file, at: stored.at, length, position: 0 }
    }
}

/// What a file holds: all of a file on disk, or a part of the spool, read from its beginning or anywhere.
#[derive(Debug)]
pub(crate) struct Content {
    file: Arc<File>,
    /// Where it begins in the file, and how long it is if that is not the end of the file.
    at: u64,
    length: Option<u64>,
    /// How much of it was read as a stream.
    position: u64,
}

impl From<File> for Content {
    fn from(file: File) -> Self {
        Self { file: Arc::new(file), at: 0, length: None, position: 0 }
    }
}

impl Content {
    /// The same from its beginning.
    pub(crate) fn again(&self) -> Self {
        Self { file: self.file.clone(), position: 0, ..*self }
    }

    /// How many bytes it has.
    pub(crate) fn size(&self) -> Result<u64> {
        self.length.map_or_else(|| self.file.metadata().map(|file| file.len()), Ok)
    }

    /// Reads at a place; what lies behind the end of the spool reads as zeros.
    pub(crate) fn read_at(&self, buffer: &mut [u8], place: u64) -> Result<usize> {
        let Some(length) = self.length else { return self.file.read_at(buffer, place) };
        let left = usize::try_from(length.saturating_sub(place)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        match self.file.read_at(&mut buffer[..wanted], self.at + place)? {
            // The last bytes may be a hole.
            0 => {
                buffer[..wanted].fill(0);
                Ok(wanted)
            }
            count => Ok(count),
        }
    }

    /// Reads as many bytes as there is room for.
    pub(crate) fn read_exact_at(&self, mut buffer: &mut [u8], mut place: u64) -> Result<()> {
        while !buffer.is_empty() {
            match self.read_at(buffer, place)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => (buffer, place) = (&mut buffer[count..], place + count as u64),
            }
        }
        Ok(())
    }

    /// Where the next data from a place on begins and ends, holes left out; `None`: there is none.
    pub(crate) fn data(&self, place: u64) -> Result<Option<(u64, u64)>> {
        let end = self.length.unwrap_or(u64::MAX);
        let start = match rustix::fs::seek(&self.file, SeekFrom::Data(self.at + place)) {
            Ok(start) => start - self.at,
            Err(Errno::NXIO) => return Ok(None),
            // A file system that cannot tell.
            Err(Errno::INVAL) => return Ok((place < end).then_some((place, end))),
            Err(error) => return Err(error.into()),
        };
        let hole = rustix::fs::seek(&self.file, SeekFrom::Hole(self.at + start))? - self.at;
        Ok((start < end).then_some((start, hole.min(end))))
    }
}

impl Read for Content {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Content {
    fn seek(&mut self, to: std::io::SeekFrom) -> Result<u64> {
        let end = || match self.length {
            Some(length) => Ok(length),
            None => self.file.metadata().map(|about| about.len()),
        };
        let place = match to {
            std::io::SeekFrom::Start(place) => Some(place),
            std::io::SeekFrom::End(more) => end()?.checked_add_signed(more),
            std::io::SeekFrom::Current(more) => self.position.checked_add_signed(more),
        };
        self.position = place.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

/// Keeps a whole stream.
pub(crate) fn keep(source: &mut dyn Read) -> Result<File> {
    let file = unnamed(&std::env::temp_dir())?;
    let length = copy(source, &file, 0)?;
    file.set_len(length)?;
    Ok(file)
}

/// Copies a stream to a place in a file, without its zeros; says how long it was.
fn copy(source: &mut dyn Read, file: &File, mut at: u64) -> Result<u64> {
    let start = at;
    let mut buffer = vec![0; PIECE];
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => return Ok(at - start),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = &buffer[..count];
        if piece.iter().any(|byte| *byte != 0) {
            file.write_all_at(piece, at)?;
        }
        at += count as u64;
    }
}

/// A new file whose name is taken away at once.
fn unnamed(folder: &std::path::Path) -> Result<File> {
    let process = std::process::id();
    for attempt in 0..TRIES {
        let mut random = [0; 8];
        File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut random))?;
        let number = u64::from_ne_bytes(random);
        let path = folder.join(format!("hardpan-{process}-{attempt}-{number:016x}"));
        let options =
            File::options().read(true).write(true).create_new(true).mode(0o600).open(&path);
        match options {
            Ok(file) => {
                std::fs::remove_file(&path)?;
                return Ok(file);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::new(ErrorKind::AlreadyExists, "no name is free in the folder for temporary files"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_it_was_given() {
        let mut spool = Spool::new().unwrap();
        let zeros = vec![0; 200_000];
        let contents: [&[u8]; 4] = [b"one", b"", &zeros, b"two\0\0"];
        let stored: Vec<_> = contents
            .iter()
            .map(|content| spool.add(&mut &**content, content.len() as u64).unwrap())
            .collect();
        for (content, stored) in contents.iter().zip(stored) {
            let mut read = Vec::new();
            spool.open(stored).read_to_end(&mut read).unwrap();
            assert_eq!(read, *content);
        }
    }

    #[test]
    fn refuses_a_stream_that_ends_early() {
        let mut spool = Spool::new().unwrap();
        assert!(spool.add(&mut b"abc".as_slice(), 4).is_err());
    }
}
