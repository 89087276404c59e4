//! Trees as text, tar archives from such text, and text from tar archives.
//!
//! One line for each path, without the leading slash: `d 0755 0:0 etc`, `f 0644 0:0 etc/hosts text`,
//! `l 0:0 bin -> usr/bin`, `h a -> b` (a second name of b), `p 0644 0:0 pipe`. `\xNN` is a byte,
//! a trailing `{name=text}` an extended attribute. Times are not part of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

const BLOCK: usize = 512;

/// A tree: paths, and what a line says before and after the path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree(pub BTreeMap<String, Entry>);

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The letter at the beginning of the line.
    pub kind: char,
    /// Permission bits; 0 for links.
    pub mode: u32,
    /// Owner and group.
    pub owner: (u32, u32),
    /// Content, or what a link points to.
    pub text: String,
    /// Extended attributes.
    pub attributes: BTreeMap<String, String>,
}

impl Tree {
    /// Reads the lines of a tree.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty());
        Self(lines.map(parse_line).collect())
    }

    /// This tree with lines of another laid over it; a line `- path` takes away.
    pub fn with(&self, text: &str) -> Self {
        let mut tree = self.clone();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(path) = line.strip_prefix("- ") {
                tree.0
                    .remove(path)
                    .unwrap_or_else(|| panic!("\"{path}\" is not there to be taken away"));
            } else {
                let (path, entry) = parse_line(line);
                tree.0.insert(path, entry);
            }
        }
        tree
    }

    /// The lines that only one of two trees has.
    pub fn difference(&self, other: &Self) -> String {
        let mut text = String::new();
        for (sign, one, two) in [('-', self, other), ('+', other, self)] {
            for (path, entry) in
                one.0.iter().filter(|(path, entry)| two.0.get(*path) != Some(entry))
            {
                let _ = writeln!(text, "{sign} {}", show(path, entry));
            }
        }
        text
    }

    /// A tar archive of the tree, parents before what they hold.
    pub fn to_tar(&self) -> Vec<u8> {
        let mut tar = Vec::new();
        let second_names =
            |wanted: bool| self.0.iter().filter(move |(_, entry)| (entry.kind == 'h') == wanted);
        for (path, entry) in second_names(false).chain(second_names(true)) {
            // a second name says mode and owner again, and unpacking applies them
            let first = self.0.get(&entry.text).filter(|_| entry.kind == 'h').unwrap_or(entry);
            let entry = Entry { mode: first.mode, owner: first.owner, ..entry.clone() };
            add_entry(&mut tar, &unescape(path), &entry);
        }
        tar.resize(tar.len() + 2 * BLOCK, 0);
        tar
    }

    /// Reads a tar archive.
    pub fn from_tar(tar: &[u8]) -> Self {
        let mut tree = Self::default();
        let mut extra = BTreeMap::new();
        let mut at = 0;
        while tar.len() >= at + BLOCK && tar[at] != 0 {
            let header = &tar[at..at + BLOCK];
            let size = usize::try_from(number(&header[124..136])).unwrap();
            let data = &tar[at + BLOCK..at + BLOCK + size];
            at += BLOCK + size.next_multiple_of(BLOCK);
            if header[156] == b'x' {
                extra = records(data);
                continue;
            }
            let (path, entry) = read_member(header, data, std::mem::take(&mut extra));
            let path = path.trim_start_matches("./").trim_matches('/');
            if !path.is_empty() {
                tree.0.insert(path.to_owned(), entry);
            }
        }
        tree
    }
}

/// One member of an archive; the records before it win over its header.
fn read_member(
    header: &[u8],
    data: &[u8],
    mut extra: BTreeMap<String, Vec<u8>>,
) -> (String, Entry) {
    let name =
        |from: usize, to: usize| header[from..to].split(|byte| *byte == 0).next().unwrap().to_vec();
    let path = extra.remove("path").unwrap_or_else(|| match name(345, 500) {
        prefix if prefix.is_empty() => name(0, 100),
        prefix => [prefix, name(0, 100)].join(&b'/'),
    });
    let link = extra.remove("linkpath").unwrap_or_else(|| name(157, 257));
    let mut id = |key: &str, at: usize| match extra.remove(key) {
        Some(text) => str::from_utf8(&text).unwrap().parse().unwrap(),
        None => u32::try_from(number(&header[at..at + 8])).unwrap(),
    };
    let owner = (id("uid", 108), id("gid", 116));
    let mode = u32::try_from(number(&header[100..108])).unwrap() & 0o7777;
    let kind = match header[156] {
        b'1' => 'h',
        b'2' => 'l',
        b'3' => 'c',
        b'5' => 'd',
        b'6' => 'p',
        _ => 'f',
    };
    let attributes = extra.into_iter();
    let attributes = attributes.filter_map(|(key, value)| {
        Some((key.strip_prefix("SCHILY.xattr.")?.to_owned(), escape(&value)))
    });
    let entry = Entry {
        kind,
        mode: if matches!(kind, 'l' | 'h') { 0 } else { mode },
        owner: if kind == 'h' { (0, 0) } else { owner },
        text: if kind == 'f' { content(data) } else { escape(&link) },
        attributes: attributes.collect(),
    };
    (escape(&path), entry)
}

fn parse_line(line: &str) -> (String, Entry) {
    let mut attributes = BTreeMap::new();
    let mut line = line.trim_end();
    while let Some((rest, attribute)) =
        line.strip_suffix('}').and_then(|line| line.rsplit_once(" {"))
    {
        let (name, value) = attribute.split_once('=').unwrap();
        attributes.insert(name.to_owned(), value.to_owned());
        line = rest;
    }
    let kind = line.chars().next().unwrap();
    let mut rest = line[1..].trim_start();
    let mut word = || {
        let (word, tail) = rest.split_once(' ').unwrap_or((rest, ""));
        rest = tail;
        word
    };
    let mode = if matches!(kind, 'l' | 'h') { 0 } else { u32::from_str_radix(word(), 8).unwrap() };
    let owner = if kind == 'h' { "0:0" } else { word() };
    let (uid, gid) = owner.split_once(':').unwrap_or_else(|| panic!("no owner in \"{line}\""));
    let path = word().to_owned();
    let text = rest.strip_prefix("-> ").unwrap_or(rest).to_owned();
    (
        path,
        Entry { kind, mode, owner: (uid.parse().unwrap(), gid.parse().unwrap()), text, attributes },
    )
}

fn show(path: &str, entry: &Entry) -> String {
    let Entry { kind, mode, owner: (uid, gid), text, attributes } = entry;
    let mut line = match kind {
        'l' => format!("l {uid}:{gid} {path} -> {text}"),
        'h' => format!("h {path} -> {text}"),
        'f' if !text.is_empty() => format!("f {mode:04o} {uid}:{gid} {path} {text}"),
        _ => format!("{kind} {mode:04o} {uid}:{gid} {path}"),
    };
    for (name, value) in attributes {
        let _ = write!(line, " {{{name}={value}}}");
    }
    line
}

fn add_entry(tar: &mut Vec<u8>, path: &[u8], entry: &Entry) {
    let mut records = Vec::new();
    let text = unescape(&entry.text);
    if path.len() > 99 {
        records.extend(record("path", path));
    }
    for (name, value) in &entry.attributes {
        records.extend(record(&format!("SCHILY.xattr.{name}"), &unescape(value)));
    }
    if !records.is_empty() {
        add_member(tar, b"extra", b'x', (0o644, (0, 0)), (b"", &records));
    }
    let type_flag = match entry.kind {
        'd' => b'5',
        'l' => b'2',
        'h' => b'1',
        'p' => b'6',
        'c' => b'3',
        _ => b'0',
    };
    let (link, data): (&[u8], &[u8]) = if entry.kind == 'f' { (b"", &text) } else { (&text, b"") };
    add_member(tar, path, type_flag, (entry.mode, entry.owner), (link, data));
}

fn add_member(
    tar: &mut Vec<u8>,
    path: &[u8],
    type_flag: u8,
    (mode, (uid, gid)): (u32, (u32, u32)),
    (link, data): (&[u8], &[u8]),
) {
    let mut header = [0_u8; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &path[..path.len().min(99)]);
    put(100, format!("{mode:07o}").as_bytes());
    put(108, format!("{uid:07o}").as_bytes());
    put(116, format!("{gid:07o}").as_bytes());
    put(124, format!("{:011o}", data.len()).as_bytes());
    put(136, b"14000000000");
    put(148, b"        ");
    put(156, &[type_flag]);
    put(157, link);
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend(header);
    tar.extend(data);
    tar.resize(tar.len().next_multiple_of(BLOCK), 0);
}

/// A PAX record, which counts its own length.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let bare = key.len() + value.len() + 3;
    let mut length = bare + bare.to_string().len();
    length = bare + length.to_string().len();
    let mut bytes = format!("{length} {key}=").into_bytes();
    bytes.extend(value);
    bytes.push(b'\n');
    bytes
}

fn records(mut data: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut records = BTreeMap::new();
    while let Some(blank) = data.iter().position(|byte| *byte == b' ') {
        let length: usize = str::from_utf8(&data[..blank]).unwrap().parse().unwrap();
        let (record, rest) = data.split_at(length);
        let equals = record.iter().position(|byte| *byte == b'=').unwrap();
        let key = String::from_utf8(record[blank + 1..equals].to_vec()).unwrap();
        records.insert(key, record[equals + 1..length - 1].to_vec());
        data = rest;
    }
    records
}

/// The content of a file, or its hash if that is shorter to read.
fn content(data: &[u8]) -> String {
    if data.len() > 1024 { hardpan::llb::Digest::of(data).to_string() } else { escape(data) }
}

fn number(field: &[u8]) -> u64 {
    let text = str::from_utf8(field).unwrap().trim_matches(['\0', ' ']);
    if text.is_empty() { 0 } else { u64::from_str_radix(text, 8).unwrap() }
}

fn unescape(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    bytes
}

/// Bytes as a line of a tree writes them.
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => {
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
    }
    text
}
