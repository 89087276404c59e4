//! Reads tar archives as container engines do: ustar, the long names of GNU tar, and the extended
//! headers of pax with sizes, owners and attributes.
//!
//! A reader of its own, since the bytes come from people whom nobody knows: extended headers are
//! bounded, a size is always the one that the next header is looked for by, checksums count, and
//! what engines do not agree on is refused. Nothing is kept in memory but one header.

use std::io::{self, Read};

use rustix::fs::FileType;

use crate::inspect::escape::escape;

const BLOCK: usize = 512;
/// The longest extended header: names, and attributes such as capabilities.
const MAX_EXTENDED: u64 = 1 << 20;
/// The most extended headers in front of one file.
const MAX_HEADERS: usize = 8;
/// The attribute of capabilities, as Go's and Python's programs write it.
const CAPABILITY: &[u8] = b"SCHILY.xattr.security.capability";

/// What decides of a file where it is and whose.
const DECISIVE: [&[u8]; 6] = [b"path", b"linkpath", b"size", b"uid", b"gid", CAPABILITY];

/// An archive that is being read.
pub(super) struct Tar<R> {
    input: R,
    /// How much of the current file is unread, and the padding behind it.
    left: u64,
    padding: u64,
    /// Where the next byte stands.
    at: u64,
    /// Whether the end has to be marked, because nothing else would tell that something is missing.
    is_marked: bool,
    /// Passes over so many bytes; says how many there were.
    forward: fn(&mut R, u64) -> io::Result<u64>,
}

/// A file of an archive, without its content.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: Vec<u8>,
    /// What a link says.
    pub(super) link: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: u64,
    pub(super) capability: Option<Vec<u8>>,
    /// Where its content begins.
    pub(super) at: u64,
}

/// What a file of an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Link,
    /// Another name of a file.
    Name,
    Other(FileType),
}

/// What extended headers say about the next file.
#[derive(Debug, Default)]
struct Extended {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    capability: Option<Vec<u8>>,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

fn wrong(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

impl<R: Read> Tar<R> {
    pub(super) fn new(input: R) -> Self {
        let forward = |input: &mut R, count| io::copy(&mut input.take(count), &mut io::sink());
        Self::seeking(input, forward)
    }

    /// For what can go forward without reading.
    pub(super) fn seeking(input: R, forward: fn(&mut R, u64) -> io::Result<u64>) -> Self {
        Self { input, left: 0, padding: 0, at: 0, is_marked: false, forward }
    }

    /// An archive that no digest vouches for.
    pub(super) fn marked(self) -> Self {
        Self { is_marked: true, ..self }
    }

    /// The next file; what was not read of the one before is skipped.
    pub(super) fn next(&mut self) -> io::Result<Option<Member>> {
        let mut extended = Extended::default();
        let mut before: Vec<u8> = Vec::new();
        for _ in 0..MAX_HEADERS {
            self.skip()?;
            let Some(header) = self.header()? else { return Ok(None) };
            let size = number(&header[124..136]).ok_or_else(|| wrong("a size is no number"))?;
            check_order(header[156], &before)?;
            before.push(header[156]);
            match header[156] {
                b'x' => self.records(size, &mut extended)?,
                b'L' => extended.long_name = Some(self.text(size)?),
                b'K' => extended.long_link = Some(self.text(size)?),
                // Says something about all files; engines leave it out.
                b'g' => drop(self.extended(size)?),
                flag => return self.member(&header, (flag, size), extended).map(Some),
            }
        }
        Err(wrong("one file has too many headers"))
    }

    fn member(
        &mut self,
        header: &[u8; BLOCK],
        (flag, size): (u8, u64),
        extended: Extended,
    ) -> io::Result<Member> {
        let ustar = &header[257..263] == b"ustar\0";
        let prefix = if ustar { text(&header[345..500]) } else { b"" };
        let plain = match prefix {
            b"" => text(&header[..100]).to_vec(),
            prefix => [prefix, b"/", text(&header[..100])].concat(),
        };
        let name = extended.long_name.or(extended.name).unwrap_or(plain);
        let link = extended.long_link.or(extended.link);
        let link = link.unwrap_or_else(|| text(&header[157..257]).to_vec());
        let shown = || escape(&name[..name.len().min(BLOCK)]);
        let size = extended.size.unwrap_or(size);
        let kind = kind(flag, name.ends_with(b"/"), size)
            .map_err(|why| wrong(format!("{} {why}", shown())))?;
        let size = if kind == Kind::File { size } else { 0 };
        let id = |at: usize, said: Option<u64>| {
            let id = said.or_else(|| number(&header[at..at + 8]));
            id.and_then(|id| u32::try_from(id).ok()).ok_or_else(|| {
                wrong(format!("{} has an owner that is no number of 32 bits", shown()))
            })
        };
        let (uid, gid) = (id(108, extended.uid)?, id(116, extended.gid)?);
        let mode = number(&header[100..108])
            .ok_or_else(|| wrong(format!("{} has a mode that is no number", shown())))?;
        self.left = size;
        self.padding = padding(size);
        Ok(Member {
            mode: u32::try_from(mode & 0o7777).unwrap_or(0),
            capability: extended.capability,
            at: self.at,
            name,
            link,
            kind,
            uid,
            gid,
            size,
        })
    }

    /// Reads a header; `None` at the end of the archive.
    fn header(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        let mut block = [0; BLOCK];
        let count = self.fill(&mut block)?;
        if count == 0 && !self.is_marked {
            return Ok(None);
        }
        if count == 0 {
            return Err(wrong("it ends without the mark of its end"));
        }
        if count < BLOCK {
            return Err(wrong("it ends in the middle of a header"));
        }
        if block.iter().all(|byte| *byte == 0) {
            let more = self.fill(&mut block)?;
            let is_end = block[..more].iter().all(|byte| *byte == 0);
            return if is_end { Ok(None) } else { Err(wrong("something follows its end")) };
        }
        let sum = number(&block[148..156]);
        let counted = |as_number: fn(u8) -> i64| -> i64 {
            let byte = |(at, byte): (usize, &u8)| {
                if (148..156).contains(&at) { i64::from(b' ') } else { as_number(*byte) }
            };
            block.iter().enumerate().map(byte).sum()
        };
        let sum = sum.and_then(|sum| i64::try_from(sum).ok());
        let sums = [counted(i64::from), counted(|byte| i64::from(byte.cast_signed()))];
        if sum.is_none_or(|sum| !sums.contains(&sum)) {
            return Err(wrong("a header is damaged"));
        }
        Ok(Some(block))
    }

    /// Reads as much as there is.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = 0;
        while count < buffer.len() {
            match self.input.read(&mut buffer[count..]) {
                Ok(0) => break,
                Ok(more) => count += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.at += count as u64;
        Ok(count)
    }

    /// Goes to the next header.
    fn skip(&mut self) -> io::Result<()> {
        let rest = self.left + self.padding;
        let skipped = if rest == 0 { 0 } else { (self.forward)(&mut self.input, rest)? };
        // The padding of the very last file may be cut off.
        if skipped < self.left {
            return Err(wrong("it ends in the middle of a file"));
        }
        self.at += skipped;
        (self.left, self.padding) = (0, 0);
        Ok(())
    }

    /// The content of an extended header.
    fn extended(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > MAX_EXTENDED {
            return Err(wrong(format!("an extended header has more than {MAX_EXTENDED} bytes")));
        }
        let mut content = vec![0; usize::try_from(size).unwrap_or(0)];
        if self.fill(&mut content)? < content.len() {
            return Err(wrong("it ends in the middle of a header"));
        }
        self.padding = padding(size);
        Ok(content)
    }

    /// A long name of GNU tar.
    fn text(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let name = text(&self.extended(size)?).to_vec();
        if name.is_empty() { Err(wrong("a long name is empty")) } else { Ok(name) }
    }

    /// The records of pax: `27 path=name of the file\n`.
    fn records(&mut self, size: u64, extended: &mut Extended) -> io::Result<()> {
        let content = self.extended(size)?;
        let mut rest = content.as_slice();
        let mut keys: Vec<&[u8]> = Vec::new();
        let broken = || wrong("an extended header is damaged");
        while !rest.is_empty() {
            let space = rest.iter().take(10).position(|byte| *byte == b' ').ok_or_else(broken)?;
            let length = decimal(&rest[..space]).and_then(|length| usize::try_from(length).ok());
            let length = length.filter(|length| *length > space + 1 && *length <= rest.len());
            let (record, behind) = rest.split_at(length.ok_or_else(broken)?);
            let record = record[space + 1..].strip_suffix(b"\n").ok_or_else(broken)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(broken)?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            if DECISIVE.contains(&key) {
                // Readers differ in which one counts, and in what nothing means.
                if keys.contains(&key) || value.is_empty() {
                    let key = escape(key);
                    return Err(wrong(format!("an extended header says {key} twice, or nothing")));
                }
                keys.push(key);
            }
            let number = || decimal(value).map(Some).ok_or_else(broken);
            match key {
                b"path" => extended.name = Some(value.to_vec()),
                b"linkpath" => extended.link = Some(value.to_vec()),
                b"size" => extended.size = number()?,
                b"uid" => extended.uid = number()?,
                b"gid" => extended.gid = number()?,
                CAPABILITY => extended.capability = Some(value.to_vec()),
                _ if key.starts_with(b"GNU.sparse.") => {
                    return Err(wrong("it has a sparse file, which no engine writes"));
                }
                _ => {}
            }
            rest = behind;
        }
        Ok(())
    }
}

impl<R: Read> Read for Tar<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let count = self.input.read(&mut buffer[..wanted])?;
        self.left -= count as u64;
        self.at += count as u64;
        Ok(count)
    }
}

fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

/// Whether a header may follow those in front of the same file. Some readers join two of a kind, some
/// take the last; to some a header for all files ends what was said before it.
fn check_order(flag: u8, before: &[u8]) -> io::Result<()> {
    let is_own = |flag: &u8| matches!(flag, b'x' | b'L' | b'K');
    if is_own(&flag) && before.contains(&flag) {
        return Err(wrong("one file has two extended headers of a kind"));
    }
    if flag == b'g' && before.iter().any(is_own) {
        return Err(wrong("a header for all files stands between a file and its own"));
    }
    Ok(())
}

/// What a file is; why it is refused otherwise.
fn kind(flag: u8, is_called_folder: bool, size: u64) -> Result<Kind, &'static str> {
    match flag {
        // Old archives mark folders so; nobody agrees on whether a content follows.
        0 if is_called_folder && size > 0 => Err("is a folder with a content"),
        0 if is_called_folder => Ok(Kind::Folder),
        b'0' | b'7' if is_called_folder => Err("is a file that is called like a folder"),
        0 | b'0' | b'7' => Ok(Kind::File),
        b'1' => Ok(Kind::Name),
        b'2' => Ok(Kind::Link),
        b'3' => Ok(Kind::Other(FileType::CharacterDevice)),
        b'4' => Ok(Kind::Other(FileType::BlockDevice)),
        b'5' => Ok(Kind::Folder),
        b'6' => Ok(Kind::Other(FileType::Fifo)),
        b'S' => Err("is a sparse file, which no engine writes"),
        _ => Err("is of a kind that engines do not unpack"),
    }
}

/// The bytes before the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn decimal(text: &[u8]) -> Option<u64> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    str::from_utf8(text).ok().filter(|_| is_number)?.parse().ok()
}

/// A number of a header: octal digits between blanks and NULs, or binary with the first bit set.
fn number(field: &[u8]) -> Option<u64> {
    if let [first, rest @ ..] = field
        && first & 0x80 != 0
    {
        // Negative numbers mean nothing here.
        let start = (first & 0x40 == 0).then_some(u64::from(first & 0x3f))?;
        return rest.iter().try_fold(start, |number, byte| {
            number.checked_mul(256).map(|number| number | u64::from(*byte))
        });
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !is_blank(byte)).unwrap_or(field.len());
    let end = field.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
    let digits = text(&field[start..end]);
    if digits.is_empty() {
        return Some(0);
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
        number.checked_mul(8)?.checked_add(u64::from(digit))
    })
}
