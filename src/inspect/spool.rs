//! Contents of files, kept apart from memory in one temporary file that has no name: nothing is left
//! behind, however the program ends.
//!
//! In: streams of known length. Out: ordinary open files, each a copy of its own. Zeros become
//! holes, so that an archive of zeros takes no space.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

/// How much is copied at once.
const PIECE: usize = 64 << 10;
/// How many names are tried for a temporary file.
const TRIES: u32 = 64;

/// Where contents are kept.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    file: File,
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
        let folder = std::env::temp_dir();
        let file = unnamed(&folder)?;
        Ok(Self { folder, file, length: 0 })
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

    /// A content as a file of its own.
    pub(crate) fn open(&self, stored: Stored) -> Result<File> {
        let file = unnamed(&self.folder)?;
        copy(&mut self.read(stored), &file, 0)?;
        file.set_len(stored.length)?;
        Ok(file)
    }

    /// A content as a stream.
    pub(crate) fn read(&self, stored: Stored) -> Section<'_> {
        Section { file: &self.file, at: stored.at, left: stored.length }
    }
}

/// A part of a file as a stream; what lies behind its end reads as zeros.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let mut count = self.file.read_at(&mut buffer[..wanted], self.at)?;
        if count == 0 {
            // The last bytes may be a hole.
            buffer[..wanted].fill(0);
            count = wanted;
        }
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
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
            spool.open(stored).unwrap().read_to_end(&mut read).unwrap();
            assert_eq!(read, *content);
        }
    }

    #[test]
    fn refuses_a_stream_that_ends_early() {
        let mut spool = Spool::new().unwrap();
        assert!(spool.add(&mut b"abc".as_slice(), 4).is_err());
    }
}
