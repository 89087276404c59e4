//! Whether a file from the web is an archive that is unpacked: by its first bytes, as BuildKit tells
//! (util/archiveutil), since an address promises nothing.

/// How many bytes are looked at.
pub const HEAD: usize = 1024;

/// What compressed files start with: gzip, bzip2, xz.
const COMPRESSED: [&[u8]; 3] = [&[0x1f, 0x8b, 0x08], b"BZh", &[0xfd, b'7', b'z', b'X', b'Z', 0]];
/// What a frame of zstd starts with.
pub(crate) const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// The length of a tar header.
const BLOCK: usize = 512;
/// Where the checksum stands in it.
const SUM: std::ops::Range<usize> = 148..156;

/// Whether the first bytes of a file are those of a tar archive, compressed or not.
#[must_use]
pub fn is_archive(head: &[u8]) -> bool {
    let is_compressed = COMPRESSED.iter().any(|magic| head.starts_with(magic));
    is_compressed || is_zstd(head) || is_tar(head)
}

/// Whether the first bytes of a file are those of zstd. It may start with a frame that says nothing:
/// one of sixteen marks, and a length.
pub(crate) fn is_zstd(head: &[u8]) -> bool {
    let mark = head.get(..8).and_then(|head| head.first_chunk::<4>());
    let is_skippable =
        mark.is_some_and(|mark| u32::from_le_bytes(*mark) & 0xffff_fff0 == 0x184d_2a50);
    head.starts_with(ZSTD) || is_skippable
}

/// A header that adds up: old archives have no magic number.
fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.get(..BLOCK).filter(|block| block[0] != 0) else { return false };
    let written = String::from_utf8_lossy(&block[SUM]).into_owned();
    let written = written.trim_matches([' ', '\0']);
    let sum: u32 = (0..BLOCK)
        .map(|index| if SUM.contains(&index) { u32::from(b' ') } else { u32::from(block[index]) })
        .sum();
    u32::from_str_radix(written, 8) == Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar() -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..5].copy_from_slice(b"a.txt");
        block[SUM].copy_from_slice(b"0000000\0");
        let plain: u32 = b"a.txt".iter().map(|byte| u32::from(*byte)).sum::<u32>() + 8 * 32;
        block[SUM].copy_from_slice(format!("{plain:06o}\0 ").as_bytes());
        block
    }

    #[test]
    fn tells_archives_by_their_first_bytes() {
        for head in [
            &[0x1f, 0x8b, 8, 0][..],
            b"BZh9",
            b"\xfd7zXZ\0",
            b"\x28\xb5\x2f\xfd",
            b"\x5e\x2a\x4d\x18\0\0\0\0",
            &tar(),
        ] {
            assert!(is_archive(head), "{head:?}");
        }
    }

    #[test]
    fn other_files_are_no_archives() {
        let mut broken = tar();
        broken[0] = b'b';
        for head in
            [&b""[..], b"# syntax=x", &[0; 2 * BLOCK], &tar()[..100], b"\x5e\x2a\x4d\x18", &broken]
        {
            assert!(!is_archive(head), "{head:?}");
        }
    }
}
