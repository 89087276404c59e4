//! Reads `/etc/ld.so.cache`, the list of libraries that glibc's loader looks into before its default
//! folders.

use std::collections::BTreeMap;

use super::read::small_file;
use super::tree::Tree;

/// How much of it is read, and the most entries.
const MAX_FILE: u64 = 4 << 20;
const MAX_ENTRIES: usize = 50_000;
/// The most bytes of all names and paths: in a real one, few of them share their bytes.
const MAX_TEXT: usize = 8 << 20;
/// How the format starts that all loaders of this century write.
const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
/// Where the entries begin, and how long each is.
const HEADER: usize = 48;
const ENTRY: usize = 24;

/// Library → paths, in their order.
pub(crate) fn read(tree: &Tree) -> BTreeMap<Vec<u8>, Vec<Vec<u8>>> {
    let content = small_file(tree, b"/etc/ld.so.cache", MAX_FILE).ok().flatten();
    content.map_or_else(BTreeMap::new, |content| parse(&content))
}

fn parse(content: &[u8]) -> BTreeMap<Vec<u8>, Vec<Vec<u8>>> {
    let mut libraries: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    // An older format may stand in front of it.
    let Some(start) = memchr::memmem::find(content, MAGIC) else { return libraries };
    let content = &content[start..];
    let number = |at: usize| {
        let bytes = content.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    let text = |at: usize| {
        let rest = content.get(at..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        Some(rest[..end].to_vec())
    };
    let count = number(MAGIC.len()).unwrap_or(0).min(MAX_ENTRIES);
    let mut left = MAX_TEXT;
    for index in 0..count {
        let at = HEADER + index * ENTRY;
        let (key, value) = (number(at + 4).and_then(text), number(at + 8).and_then(text));
        let (Some(key), Some(value)) = (key, value) else { break };
        let Some(rest) = left.checked_sub(key.len() + value.len()) else { break };
        left = rest;
        libraries.entry(key).or_default().push(value);
    }
    libraries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_cache_of_this_machine() {
        let libraries = parse(&std::fs::read("/etc/ld.so.cache").unwrap());
        let paths = &libraries[b"libc.so.6".as_slice()];
        assert!(paths.iter().any(|path| path.ends_with(b"/libc.so.6")), "{paths:?}");
        assert!(parse(b"no cache").is_empty());
        // Entries that all have the same four megabytes.
        let entry = [0, 0, 0, 0, 72, 0, 0, 0, 72, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let mut content = [MAGIC, &50_000_u32.to_le_bytes(), &[0; 24]].concat();
        content.extend(entry.repeat(50_000));
        content.resize(4 << 20, b'x');
        content.push(0);
        let held = parse(&content);
        let held = held.iter().map(|(name, paths)| name.len() + paths.concat().len());
        assert!(held.sum::<usize>() <= MAX_TEXT);
        assert!(parse(&[MAGIC, &[0xff; 60]].concat()).is_empty());
    }
}
