//! Reading from a ref: files, folders, what a path is.
//!
//! Every read makes the builder evaluate the ref. Paths are resolved by the builder inside the
//! ref's root. A large file is read in ranges, since no message may be larger than 16 MiB.

use super::{Error, Gateway};
use crate::proto::frontend::{FileRange, ReadDirRequest, ReadFileRequest, Ref, StatFileRequest};
use crate::proto::fsutil::types::Stat;

/// Half of what a message may hold.
const RANGE: usize = 8 << 20;

/// What stands under a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path, as the builder names it: relative to the folder that was read.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// Unix permission bits, set-id and sticky included.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// In bytes.
    pub size: u64,
}

/// What a path is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link and what it points to.
    Link(String),
    /// A device, pipe, socket, or something that Go does not know.
    Special,
}

impl From<Stat> for Entry {
    /// Takes Go's `os.FileMode` apart: its type and set-id bits are not where Unix has them.
    fn from(stat: Stat) -> Self {
        let has = |bit: u32| stat.mode & (1 << bit) != 0;
        let set_id = u32::from(has(23)) << 11 | u32::from(has(22)) << 10 | u32::from(has(20)) << 9;
        // Irregular 19, character device 21, socket 24, named pipe 25, device 26.
        let kind = if has(31) {
            EntryKind::Folder
        } else if has(27) {
            EntryKind::Link(stat.linkname)
        } else if [19, 21, 24, 25, 26].into_iter().any(has) {
            EntryKind::Special
        } else {
            EntryKind::File
        };
        Self {
            kind,
            mode: stat.mode & 0o777 | set_id,
            path: stat.path,
            uid: stat.uid,
            gid: stat.gid,
            size: u64::try_from(stat.size).unwrap_or(0),
        }
    }
}

impl Gateway {
    /// The bytes of a regular file of at most `limit` bytes.
    pub async fn read_file(&self, of: &Ref, path: &str, limit: usize) -> Result<Vec<u8>, Error> {
        let mut data = Vec::new();
        loop {
            // One byte more than the limit tells a file that fits from one that does not.
            let length = RANGE.min(limit.saturating_add(1) - data.len());
            let part = self.read_range(of, path, data.len(), length).await?;
            let is_last = part.len() < length;
            data.extend(part);
            if data.len() > limit {
                return Err(Error::TooLarge { path: path.to_owned(), limit });
            }
            if is_last {
                return Ok(data);
            }
        }
    }

    /// The first bytes of a regular file, at most `length`.
    pub async fn read_head(&self, of: &Ref, path: &str, length: usize) -> Result<Vec<u8>, Error> {
        self.read_range(of, path, 0, length.min(RANGE)).await
    }

    async fn read_range(
        &self,
        of: &Ref,
        path: &str,
        offset: usize,
        length: usize,
    ) -> Result<Vec<u8>, Error> {
        let number = |size: usize| i64::try_from(size).unwrap_or(i64::MAX);
        let request = ReadFileRequest {
            r#ref: of.id.clone(),
            file_path: path.to_owned(),
            range: Some(FileRange { offset: number(offset), length: number(length) }),
        };
        let answer = self.client().read_file(request).await;
        Ok(answer.map_err(Error::of_call("ReadFile"))?.into_inner().data)
    }

    /// What a folder holds, one level deep, links not followed; `pattern` may be empty.
    pub async fn read_dir(&self, of: &Ref, path: &str, pattern: &str) -> Result<Vec<Entry>, Error> {
        let request = ReadDirRequest {
            r#ref: of.id.clone(),
            dir_path: path.to_owned(),
            include_pattern: pattern.to_owned(),
        };
        let answer = self.client().read_dir(request).await.map_err(Error::of_call("ReadDir"))?;
        Ok(answer.into_inner().entries.into_iter().map(Entry::from).collect())
    }

    /// What a path is; links are followed inside the ref.
    pub async fn stat_file(&self, of: &Ref, path: &str) -> Result<Entry, Error> {
        let request = StatFileRequest { r#ref: of.id.clone(), path: path.to_owned() };
        let answer = self.client().stat_file(request).await.map_err(Error::of_call("StatFile"))?;
        let stat = answer.into_inner().stat;
        stat.map(Entry::from).ok_or(Error::Incomplete { call: "StatFile", missing: "a stat" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(mode: u32) -> (EntryKind, u32) {
        let stat = Stat { mode, linkname: "target".to_owned(), ..Stat::default() };
        let entry = Entry::from(stat);
        (entry.kind, entry.mode)
    }

    #[test]
    fn takes_gos_file_mode_apart() {
        let link = EntryKind::Link("target".to_owned());
        for (mode, kind, unix) in [
            (0o644, EntryKind::File, 0o644),
            (1 << 31 | 0o755, EntryKind::Folder, 0o755),
            (1 << 31 | 1 << 20 | 0o777, EntryKind::Folder, 0o1777),
            (1 << 27 | 0o777, link, 0o777),
            (1 << 23 | 0o755, EntryKind::File, 0o4755),
            (1 << 22 | 0o755, EntryKind::File, 0o2755),
            (1 << 23 | 1 << 22 | 1 << 20, EntryKind::File, 0o7000),
            (1 << 26 | 0o660, EntryKind::Special, 0o660),
            (1 << 26 | 1 << 21 | 0o666, EntryKind::Special, 0o666),
            (1 << 25 | 0o600, EntryKind::Special, 0o600),
            (1 << 24 | 0o600, EntryKind::Special, 0o600),
            (1 << 19, EntryKind::Special, 0),
        ] {
            assert_eq!(entry(mode), (kind, unix), "{mode:#o}");
        }
    }

    #[test]
    fn unix_set_id_bits_mean_nothing_in_go() {
        assert_eq!(entry(0o4755).1, 0o755);
    }

    #[test]
    fn a_negative_size_is_none() {
        assert_eq!(Entry::from(Stat { size: -1, ..Stat::default() }).size, 0);
    }
}
