//! Small tar archives for the side chains of file ops: what unpacking can make and no action can.
//!
//! The time is the caller's or a fixed one, so that a layer does not depend on the clock.

use std::io::BufRead as _;

use super::file::Owner;

pub(super) const BLOCK: usize = 512;
/// Seconds since 1970 where nobody says: 0 is read as "no time" by some tools.
const TIME: u64 = 1;
/// The longest name that fits into a header beside its slash, and the longest target of a link.
const NAME_MAX: usize = 99;
/// The largest number of seven octal digits.
const NUMBER_MAX: u32 = 0o777_7777;

/// A folder or a symbolic link in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member<'a> {
    /// Relative to where it is unpacked.
    pub(super) path: &'a str,
    /// Permission bits, sticky and set-id included.
    pub(super) mode: u32,
    /// Owner and group.
    pub(super) owner: Owner,
    /// What a link says; a folder without.
    pub(super) target: Option<&'a str>,
    /// Nanoseconds since 1970.
    pub(super) time: Option<i64>,
}

/// An archive of members, parents before what they hold; empty without any.
pub(super) fn archive<'a>(members: impl Iterator<Item = Member<'a>>) -> Vec<u8> {
    let mut tar = Vec::new();
    for member in members {
        add(&mut tar, &member);
    }
    if !tar.is_empty() {
        tar.resize(tar.len() + 2 * BLOCK, 0);
    }
    tar
}

fn add(tar: &mut Vec<u8>, member: &Member<'_>) {
    let slash = if member.target.is_none() { "/" } else { "" };
    let path = format!("{}{slash}", member.path);
    let target = member.target.unwrap_or_default();
    let Owner { uid, gid } = member.owner;
    let mut records = Vec::new();
    for (key, text) in [("path", path.as_str()), ("linkpath", target)] {
        if text.len() > NAME_MAX || !text.is_ascii() {
            records.extend(record(key, text));
        }
    }
    for (key, id) in [("uid", uid), ("gid", gid)] {
        if id > NUMBER_MAX {
            records.extend(record(key, &id.to_string()));
        }
    }
    if !records.is_empty() {
        let path = if member.target.is_none() { "folder" } else { "link" };
        let extra = Member { path, mode: 0o644, owner: Owner::ROOT, target: None, time: None };
        tar.extend(header(&extra, path, (b'x', records.len())));
        tar.extend(&records);
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    let kind = if member.target.is_none() { b'5' } else { b'2' };
    tar.extend(header(member, &path, (kind, 0)));
}

/// A ustar header; what does not fit is cut, a record before it says the rest.
fn header(member: &Member<'_>, name: &str, (kind, size): (u8, usize)) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    let cut = |text: &str| text.as_bytes()[..text.len().min(NAME_MAX)].to_vec();
    let Owner { uid, gid } = member.owner;
    let seconds = member.time.and_then(|time| u64::try_from(time / 1_000_000_000).ok());
    put(0, &cut(name));
    put(100, format!("{:07o}", member.mode & 0o7777).as_bytes());
    put(108, format!("{:07o}", uid.min(NUMBER_MAX)).as_bytes());
    put(116, format!("{:07o}", gid.min(NUMBER_MAX)).as_bytes());
    put(124, format!("{size:011o}").as_bytes());
    put(136, format!("{:011o}", seconds.unwrap_or(TIME).min(0o777_7777_7777)).as_bytes());
    put(148, b"        "); // the sum counts its own field as blanks
    put(156, &[kind]);
    put(157, &cut(member.target.unwrap_or_default()));
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

/// The members of an archive, in words; none if it is no archive of ours.
pub(super) fn listing(mut tar: &[u8]) -> Option<Vec<String>> {
    let mut members = Vec::new();
    let mut extra = Vec::new();
    let number = |field: &[u8]| u32::from_str_radix(str::from_utf8(field).ok()?, 8).ok();
    while tar.first().is_some_and(|byte| *byte != 0) {
        let (header, rest) = tar.split_at_checked(BLOCK)?;
        let size = number(&header[124..135])? as usize;
        let data = rest.get(..size)?;
        tar = rest.get(size.next_multiple_of(BLOCK)..)?;
        if header[156] == b'x' {
            extra = data.lines().map_while(Result::ok).collect();
            continue;
        }
        let said = |key: &str| {
            extra.iter().find_map(|line: &String| {
                line.split_once(key).map(|(_, value): (&str, &str)| value.to_owned())
            })
        };
        let text = |key: &str, at: usize| {
            let field = header[at..at + NAME_MAX].split(|byte| *byte == 0).next()?;
            said(key).or_else(|| Some(String::from_utf8_lossy(field).into_owned()))
        };
        let id = |key: &str, field: &[u8]| said(key).or_else(|| Some(number(field)?.to_string()));
        let (uid, gid) = (id(" uid=", &header[108..115])?, id(" gid=", &header[116..123])?);
        let (path, mode) = (text(" path=", 0)?, number(&header[100..107])?);
        members.push(if header[156] == b'2' {
            format!("/{path} -> {} {uid}:{gid}", text(" linkpath=", 157)?)
        } else {
            format!("/{} {mode:04o} {uid}:{gid}", path.trim_end_matches('/'))
        });
        extra.clear();
    }
    (!members.is_empty()).then_some(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_count_their_own_length() {
        for length in 0..2000 {
            let record = record("k", &"v".repeat(length));
            let text = str::from_utf8(&record).unwrap();
            assert_eq!(text.split(' ').next().unwrap().parse::<usize>().unwrap(), record.len());
        }
    }

    #[test]
    fn others_read_a_link_as_it_was_meant() {
        let long = "n".repeat(150);
        for (path, target) in
            [("usr/bin/x", "../lib/x.so"), (long.as_str(), "/a"), ("a", &long), ("a", "ä/b")]
        {
            let owner = Owner { uid: 7, gid: 8 };
            let time = Some(1_700_000_000_500_000_000);
            let member = Member { path, mode: 0o777, owner, target: Some(target), time };
            let bytes = archive([member].into_iter());
            let mut read = tar::Archive::new(bytes.as_slice());
            let entry = read.entries().unwrap().next().unwrap().unwrap();
            assert_eq!(entry.path().unwrap().to_str(), Some(path));
            assert_eq!(entry.link_name().unwrap().unwrap().to_str(), Some(target));
            let header = entry.header();
            assert!(header.entry_type().is_symlink());
            let numbers = (header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap());
            assert_eq!(numbers, (7, 8, 1_700_000_000));
            assert_eq!(listing(&bytes).unwrap(), [format!("/{path} -> {target} 7:8")]);
        }
    }
}
