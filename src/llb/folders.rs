//! Folders with exactly the mode and owner that they are told, whether they are there or not.
//!
//! mkdir cannot do that: it masks sticky and set-id bits away, gives parents the mode of the child,
//! and leaves alone what is there; and a copy changes every nested folder that it meets. Unpacking
//! an archive sets all of it, so the folders are written as a small tar archive, made as a file in a
//! side chain of the same op, and unpacked over the result. The time is fixed, so the layer does
//! not depend on the clock.

use std::collections::BTreeMap;
use std::io::BufRead as _;

use super::file::{Copy, FileOps, MakeFile, Owner};
use super::graph::Output;

const BLOCK: usize = 512;
/// Seconds since 1970 for every folder: 0 is read as "no time" by some tools.
const TIME: u32 = 1;
/// The longest name that fits into a header beside its slash.
const NAME_MAX: usize = 99;
/// The largest number of seven octal digits.
const NUMBER_MAX: u32 = 0o777_7777;
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
        let data = archive(&folders);
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
pub(super) fn listing(path: &str, mut tar: &[u8]) -> Option<Vec<String>> {
    let mut folders = Vec::new();
    let mut extra = Vec::new();
    let number = |field: &[u8]| u32::from_str_radix(str::from_utf8(field).ok()?, 8).ok();
    while path == ARCHIVE && tar.first().is_some_and(|byte| *byte != 0) {
        let (header, rest) = tar.split_at_checked(BLOCK)?;
        let size = number(&header[124..135])? as usize;
        let data = rest.get(..size)?;
        tar = rest.get(size.next_multiple_of(BLOCK)..)?;
        if header[156] == b'x' {
            extra = data.lines().map_while(Result::ok).collect();
            continue;
        }
        let said = |key: &str| {
            extra
                .iter()
                .find_map(|line: &String| line.split_once(key).map(|(_, value)| value.to_owned()))
        };
        let name = header[..NAME_MAX].split(|byte| *byte == 0).next()?;
        let name = said(" path=").unwrap_or_else(|| String::from_utf8_lossy(name).into_owned());
        let id = |key: &str, field: &[u8]| said(key).or_else(|| Some(number(field)?.to_string()));
        let (uid, gid) = (id(" uid=", &header[108..115])?, id(" gid=", &header[116..123])?);
        let mode = number(&header[100..107])?;
        folders.push(format!("/{} {mode:04o} {uid}:{gid}", name.trim_end_matches('/')));
        extra.clear();
    }
    (!folders.is_empty()).then_some(folders)
}

/// A tar archive of the folders, which come sorted: parents before what they hold. The root of the
/// file system cannot be in it.
fn archive(folders: &BTreeMap<&str, &Folder>) -> Vec<u8> {
    let mut tar = Vec::new();
    for (path, folder) in folders.iter().filter(|(path, _)| !path.is_empty()) {
        let path = format!("{path}/");
        let Owner { uid, gid } = folder.owner;
        let mut records = Vec::new();
        if path.len() > NAME_MAX || !path.is_ascii() {
            records.extend(record("path", &path));
        }
        for (key, id) in [("uid", uid), ("gid", gid)] {
            if id > NUMBER_MAX {
                records.extend(record(key, &id.to_string()));
            }
        }
        if !records.is_empty() {
            tar.extend(header("folder", b'x', (0o644, Owner::ROOT), records.len()));
            tar.extend(&records);
            tar.resize(tar.len().next_multiple_of(BLOCK), 0);
        }
        tar.extend(header(&path, b'5', (folder.mode & 0o7777, folder.owner), 0));
    }
    if !tar.is_empty() {
        tar.resize(tar.len() + 2 * BLOCK, 0);
    }
    tar
}

/// A ustar header; what does not fit is cut, a record before it says the rest.
fn header(name: &str, kind: u8, (mode, owner): (u32, Owner), size: usize) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &name.as_bytes()[..name.len().min(NAME_MAX)]);
    put(100, format!("{mode:07o}").as_bytes());
    put(108, format!("{:07o}", owner.uid.min(NUMBER_MAX)).as_bytes());
    put(116, format!("{:07o}", owner.gid.min(NUMBER_MAX)).as_bytes());
    put(124, format!("{size:011o}").as_bytes());
    put(136, format!("{TIME:011o}").as_bytes());
    put(148, b"        "); // the sum counts its own field as blanks
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// A PAX record: its length in decimal, which counts itself, then key and value.
fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len() + 1;
    while length != rest.len() + length.to_string().len() {
        length += 1;
    }
    format!("{length}{rest}").into_bytes()
}

#[cfg(test)]
mod tests {
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
    fn records_count_their_own_length() {
        for length in 0..2000 {
            let record = record("k", &"v".repeat(length));
            let text = str::from_utf8(&record).unwrap();
            assert_eq!(text.split(' ').next().unwrap().parse::<usize>().unwrap(), record.len());
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
