//! What the dynamic section of an ELF file says: the libraries it needs, where to look for them, and
//! the versions of symbols that it wants and gives.
//!
//! Everything is read at offsets that the file itself claims, so every read has a bound.

use std::collections::{BTreeMap, BTreeSet};

use object::elf;
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, ReadCache};

use super::spool::Content;

/// The most entries of the dynamic section, of version tables, and of loadable segments.
const MAX_ENTRIES: u64 = 4_096;
const MAX_VERSIONS: usize = 4_096;
const MAX_SEGMENTS: usize = 64;
/// The longest name that is read.
const MAX_NAME: usize = 1_024;
/// What the allocator and the tree take for each name, about.
const OVERHEAD: usize = 64;

const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_SONAME: u64 = 14;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;
const DT_VERDEF: u64 = 0x6fff_fffc;
const DT_VERNEED: u64 = 0x6fff_fffe;
/// A wanted version that may be absent (`VER_FLG_WEAK`).
const WEAK: u16 = 2;

/// The part of an ELF file that a loader works with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dynamic {
    pub(crate) bits: u8,
    pub(crate) machine: u16,
    pub(crate) little_endian: bool,
    /// `PT_INTERP`.
    pub(crate) loader: Option<Vec<u8>>,
    /// Whether it ends before what is to be loaded of it.
    pub(crate) cut: bool,
    /// `DT_SONAME`.
    pub(crate) soname: Option<Vec<u8>>,
    /// `DT_NEEDED`, in order.
    pub(crate) needed: Vec<Vec<u8>>,
    /// `DT_RPATH`, where there is no `DT_RUNPATH`.
    pub(crate) rpath: Vec<u8>,
    pub(crate) runpath: Vec<u8>,
    /// The versions that are wanted, by the library that has to have them.
    pub(crate) wants: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
    /// The versions that it has.
    pub(crate) gives: BTreeSet<Vec<u8>>,
}

impl Dynamic {
    /// About how many bytes of memory it takes.
    pub(crate) fn weight(&self) -> usize {
        let names = self.needed.iter().chain(self.wants.values().flatten()).chain(&self.gives);
        names
            .chain(self.wants.keys())
            .chain([&self.rpath, &self.runpath])
            .map(|name| name.len() + OVERHEAD)
            .sum()
    }
}

/// Reads an open file; `None` if it is no ELF file or damaged.
pub(crate) fn read(file: &Content) -> Option<Dynamic> {
    let mut head = [0; 5];
    file.read_exact_at(&mut head, 0).ok()?;
    match head {
        [0x7f, b'E', b'L', b'F', 1] => parse::<elf::FileHeader32<Endianness>>(file, 32),
        [0x7f, b'E', b'L', b'F', 2] => parse::<elf::FileHeader64<Endianness>>(file, 64),
        _ => None,
    }
}

/// Reads numbers and names of one file.
struct Reader<'a> {
    file: &'a Content,
    little_endian: bool,
    bits: u8,
    /// Loadable segments: address, offset, size.
    segments: Vec<(u64, u64, u64)>,
    /// The offset of the names.
    names: u64,
}

fn parse<H: FileHeader<Endian = Endianness>>(file: &Content, bits: u8) -> Option<Dynamic> {
    let cache = ReadCache::new(file.again());
    let header = H::parse(&cache).ok()?;
    let endian = header.endian().ok()?;
    let little_endian = header.is_little_endian();
    let mut reader = Reader { file, little_endian, bits, segments: Vec::new(), names: 0 };
    let machine = header.e_machine(endian).0;
    let mut dynamic = Dynamic { bits, machine, little_endian, ..Dynamic::default() };
    if u64::from(header.e_phnum(endian)) > MAX_ENTRIES {
        return None;
    }
    let length = file.size().ok()?;
    let mut table = None;
    for segment in header.program_headers(endian, &cache).ok()? {
        let (offset, size) = (segment.p_offset(endian).into(), segment.p_filesz(endian).into());
        let kind = segment.p_type(endian);
        if kind == elf::PT_LOAD && reader.segments.len() < MAX_SEGMENTS {
            dynamic.cut |= offset.saturating_add(size) > length;
            reader.segments.push((segment.p_vaddr(endian).into(), offset, size));
        } else if kind == elf::PT_DYNAMIC {
            table = Some((offset, size));
        } else if kind == elf::PT_INTERP {
            dynamic.loader = reader.text(offset);
        }
    }
    if let Some((offset, size)) = table {
        reader.dynamic(offset, size, &mut dynamic);
    }
    Some(dynamic)
}

impl Reader<'_> {
    fn dynamic(&mut self, offset: u64, size: u64, dynamic: &mut Dynamic) {
        let word = u64::from(self.bits / 8);
        let count = (size / (2 * word)).min(MAX_ENTRIES);
        let entry = |index: u64| {
            let at = offset.checked_add(index * 2 * word)?;
            Some((self.word(at)?, self.word(at.checked_add(word)?)?))
        };
        let entries: Vec<_> =
            (0..count).map_while(entry).take_while(|(tag, _)| *tag != 0).collect();
        let find = |wanted: u64| entries.iter().find(|(tag, _)| *tag == wanted).map(|(_, v)| *v);
        let Some(names) = find(DT_STRTAB).and_then(|address| self.offset_of(address)) else {
            return;
        };
        self.names = names;
        let needed = entries.iter().filter(|(tag, _)| *tag == DT_NEEDED);
        dynamic.needed = needed.filter_map(|(_, name)| self.name(*name)).collect();
        let path = |tag| find(tag).and_then(|name| self.name(name)).unwrap_or_default();
        dynamic.soname = find(DT_SONAME).and_then(|name| self.name(name));
        dynamic.runpath = path(DT_RUNPATH);
        if dynamic.runpath.is_empty() {
            dynamic.rpath = path(DT_RPATH);
        }
        if let Some(at) = find(DT_VERNEED).and_then(|address| self.offset_of(address)) {
            self.wanted(at, &mut dynamic.wants);
        }
        if let Some(at) = find(DT_VERDEF).and_then(|address| self.offset_of(address)) {
            dynamic.gives = self.given(at);
        }
    }

    /// `Verneed`: for each library a list of `Vernaux`.
    fn wanted(&self, mut at: u64, wants: &mut BTreeMap<Vec<u8>, Vec<Vec<u8>>>) {
        let mut left = MAX_VERSIONS;
        while left > 0 {
            let header = (self.half(at + 2), self.number(at + 4), self.number(at + 8));
            let (Some(count), Some(file), Some(first)) = header else { return };
            let Some(library) = self.name(u64::from(file)) else { return };
            let list = wants.entry(library).or_default();
            let mut aux = at.saturating_add(u64::from(first));
            for _ in 0..count {
                left = left.saturating_sub(1);
                let entry = (self.half(aux + 4), self.number(aux + 8), self.number(aux + 12));
                let (Some(flags), Some(name), Some(next)) = entry else { return };
                if flags & WEAK == 0 {
                    list.extend(self.name(u64::from(name)));
                }
                if next == 0 || left == 0 {
                    break;
                }
                aux = aux.saturating_add(u64::from(next));
            }
            left = left.saturating_sub(1);
            match self.number(at + 12) {
                Some(next) if next > 0 => at = at.saturating_add(u64::from(next)),
                _ => return,
            }
        }
    }

    /// `Verdef`: the first `Verdaux` of each is its name.
    fn given(&self, mut at: u64) -> BTreeSet<Vec<u8>> {
        let mut names = BTreeSet::new();
        for _ in 0..MAX_VERSIONS {
            let Some(aux) = self.number(at + 12) else { break };
            let name = self.number(at.saturating_add(u64::from(aux)));
            names.extend(name.and_then(|name| self.name(u64::from(name))));
            match self.number(at + 16) {
                Some(next) if next > 0 => at = at.saturating_add(u64::from(next)),
                _ => break,
            }
            if at > u64::MAX / 2 {
                break;
            }
        }
        names
    }

    /// Where an address is in the file.
    fn offset_of(&self, address: u64) -> Option<u64> {
        self.segments.iter().find_map(|(start, offset, size)| {
            let inside = address.checked_sub(*start).filter(|inside| inside < size)?;
            offset.checked_add(inside).filter(|offset| *offset < u64::MAX / 2)
        })
    }

    fn name(&self, place: u64) -> Option<Vec<u8>> {
        self.text(self.names.checked_add(place)?)
    }

    fn text(&self, at: u64) -> Option<Vec<u8>> {
        let mut buffer = [0; MAX_NAME];
        let length = self.file.read_at(&mut buffer, at).ok()?;
        let end = buffer[..length].iter().position(|byte| *byte == 0)?;
        Some(buffer[..end].to_vec())
    }

    fn word(&self, at: u64) -> Option<u64> {
        if self.bits == 32 {
            return self.number(at).map(u64::from);
        }
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, at).ok()?;
        Some(if self.little_endian { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) })
    }

    fn number(&self, at: u64) -> Option<u32> {
        let mut bytes = [0; 4];
        self.file.read_exact_at(&mut bytes, at).ok()?;
        Some(if self.little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn half(&self, at: u64) -> Option<u16> {
        let mut bytes = [0; 2];
        self.file.read_exact_at(&mut bytes, at).ok()?;
        Some(if self.little_endian { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(path: &str) -> Content {
        std::fs::File::open(path).unwrap().into()
    }

    #[test]
    fn reads_the_programs_of_this_machine() {
        let dynamic = read(&opened("/bin/ls")).unwrap();
        assert!(dynamic.needed.contains(&b"libc.so.6".to_vec()), "{dynamic:?}");
        assert!(dynamic.wants[b"libc.so.6".as_slice()].iter().any(|v| v.starts_with(b"GLIBC_2.")));
        assert!(dynamic.loader.is_some_and(|loader| loader.starts_with(b"/lib")));
        assert_eq!(read(&opened("/etc/passwd")), None);
    }
}
