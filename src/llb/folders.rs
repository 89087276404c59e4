//! Folders with exactly the mode and owner that they are told, whether they are there or not.
//!
//! mkdir cannot do that: it masks sticky and set-id bits away, gives parents the mode of the child,
//! and leaves alone what is there; and a copy changes every nested folder that it meets. Unpacking
//! an archive sets all of it, so the folders are written as a small tar archive, made as a file in a
//! side chain of the same op, and unpacked over the result. The time is fixed, so the layer does
//! not depend on the clock.

use std::collections::BTreeMap;

use super::file::{Copy, FileOps, MakeFile, MakeLink, Owner};
use super::graph::Output;
use super::tar::{self, Member};

const ARCHIVE: &str = "/folders.tar";

/// A folder as it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Where, absolute, not through a link.
    pub path: String,
    /// Permission bits, sticky and set-id included.
    pub mode: u32,
    /// Owner and group.
    pub owner: Owner,
}

impl FileOps {
    /// Makes folders, or gives those that are there their mode and owner. Of several with one path
    /// the last counts. What is no folder at such a path is replaced.
    pub fn set_folders(&mut self, folders: &[Folder]) -> &mut Self {
        let folders: BTreeMap<&str, &Folder> =
            folders.iter().map(|folder| (folder.path.trim_matches('/'), folder)).collect();
        self.unpack(archive(&folders))
    }

    /// Makes a symbolic link without the action for it. What stands in its place is replaced.
    pub fn unpack_link(&mut self, link: &MakeLink) -> &mut Self {
        let member = Member {
            path: link.path.trim_matches('/'),
            mode: 0o777,
            owner: link.owner.unwrap_or(Owner::ROOT),
            target: Some(&link.target),
            time: link.time,
        };
        self.unpack(tar::archive([member].into_iter()))
    }

    fn unpack(&mut self, data: Vec<u8>) -> &mut Self {
        if data.is_empty() {
            return self;
        }
        let here = self.here();
        let file = MakeFile { path: ARCHIVE.to_owned(), mode: 0o600, data, ..MakeFile::default() };
        let tar = self.restart(Output::SCRATCH).make_file(file).here();
        let copy =
            Copy { from: ARCHIVE.to_owned(), to: "/".to_owned(), unpack: true, ..Copy::default() };
        self.restart(here).copy(tar, copy)
    }
}

/// The folders of an archive of ours, in words; none if the file is another one.
pub(super) fn listing(path: &str, data: &[u8]) -> Option<Vec<String>> {
    if path == ARCHIVE { tar::listing(data) } else { None }
}

/// A tar archive of the folders, which come sorted: parents before what they hold. The root of the
/// file system cannot be in it.
fn archive(folders: &BTreeMap<&str, &Folder>) -> Vec<u8> {
    let named = folders.iter().filter(|(path, _)| !path.is_empty());
    tar::archive(named.map(|(path, folder)| Member {
        path,
        mode: folder.mode,
        owner: folder.owner,
        target: None,
        time: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::tar::BLOCK;
    use super::*;

    fn folder(path: &str, mode: u32, uid: u32) -> Folder {
        Folder { path: path.to_owned(), mode, owner: Owner { uid, gid: 0 } }
    }

    fn archive_of(folders: &[Folder]) -> Vec<u8> {
        archive(&folders.iter().map(|folder| (folder.path.trim_matches('/'), folder)).collect())
    }

    #[test]
    fn parents_come_first_and_the_root_is_left_out() {
        let tar = archive_of(&[
            folder("/a/b", 0o1777, 5),
            folder("/a/", 0o700, 0),
            folder("/", 0o700, 0),
        ]);
        assert_eq!(tar.len(), 4 * BLOCK);
        assert_eq!(
            (&tar[..4], &tar[BLOCK..BLOCK + 5]),
            (b"a/\0\0".as_slice(), b"a/b/\0".as_slice())
        );
        assert_eq!(&tar[BLOCK + 100..BLOCK + 115], b"0001777\x000000005");
    }

    #[test]
    fn what_does_not_fit_a_header_gets_a_record() {
        let long = "n".repeat(200);
        let cases = [
            (folder(&long, 0o755, 0), format!("211 path={long}/\n")),
            (folder("/ä", 0o755, 0), "12 path=ä/\n".to_owned()),
            (folder("/a", 0o755, u32::MAX), "18 uid=4294967295\n".to_owned()),
        ];
        for (folder, expected) in cases {
            let tar = archive_of(&[folder]);
            assert_eq!(tar[156], b'x');
            assert_eq!(str::from_utf8(&tar[BLOCK..BLOCK + expected.len()]).unwrap(), expected);
            assert_eq!(tar.len(), 5 * BLOCK);
        }
    }

    #[test]
    fn an_archive_can_be_shown() {
        let long = "n".repeat(120);
        let tar = archive_of(&[
            folder("/tmp", 0o1777, 0),
            folder(&long, 0o755, u32::MAX),
            folder("/b", 0o700, 7),
        ]);
        let expected = [
            "/b 0700 7:0".to_owned(),
            format!("/{long} 0755 4294967295:0"),
            "/tmp 1777 0:0".to_owned(),
        ];
        assert_eq!(listing(ARCHIVE, &tar).unwrap(), expected);
        assert_eq!(listing("/other.tar", &tar), None);
        assert_eq!(listing(ARCHIVE, b"no archive"), None);
        assert_eq!(listing(ARCHIVE, b""), None);
        let whole = &tar[..tar.len() - 2 * BLOCK];
        (1..whole.len()).step_by(100).for_each(|cut| drop(listing(ARCHIVE, &whole[..cut])));
    }

    #[test]
    fn no_folders_are_no_action() {
        let mut ops = FileOps::on(Output::SCRATCH);
        ops.set_folders(&[]).set_folders(&[folder("/", 0o755, 0)]);
        assert!(ops.is_empty());
    }
}
