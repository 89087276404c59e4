//! Streams of an archive: measured, so that a digest can be compared, and unpacked with gzip or
//! zstd, whichever the first bytes say.
//!
//! A stream that grows beyond reason is cut off with an error, before anything fills up.

use std::io::{self, BufRead as _, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use sha2::{Digest as _, Sha256};

use crate::archive::is_zstd;
use crate::llb::Digest;

const GZIP: &[u8] = b"\x1f\x8b";

/// The most that one layer unpacks to.
pub(super) const MAX_LAYER: u64 = 16 << 30;
/// The most that all layers of an archive unpack to, with the names and attributes of their files.
const MAX_ALL: u64 = 64 << 30;
/// Up to here an archive may grow however little it is packed; then only so many times.
const FREE: u64 = 512 << 20;
const MAX_GROWTH: u64 = 200;

/// A stream whose bytes are counted and summed up.
pub(super) struct Measured<R> {
    input: R,
    hash: Sha256,
    pub(super) count: u64,
}

impl<R: Read> Measured<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, hash: Sha256::new(), count: 0 }
    }

    /// Reads to the end and gives the digest: `sha256:…`.
    pub(super) fn digest(mut self) -> io::Result<(String, u64)> {
        io::copy(&mut self, &mut io::sink())?;
        Ok((Digest::finished(self.hash).to_string(), self.count))
    }
}

impl<R: Read> Read for Measured<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.hash.update(&buffer[..count]);
        self.count += count as u64;
        Ok(count)
    }
}

/// How much all streams of an archive may still unpack to, together.
#[derive(Debug)]
pub(super) struct Growth {
    limit: u64,
    left: u64,
}

impl Growth {
    /// Of an archive with so many bytes, however often it names the same ones.
    pub(super) fn of(length: u64) -> Self {
        let limit = length.saturating_mul(MAX_GROWTH).clamp(FREE, MAX_ALL);
        Self { limit, left: limit }
    }
}

/// A stream that may grow only so far.
struct Bounded<'a, R> {
    input: R,
    count: u64,
    growth: &'a mut Growth,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.count += count as u64;
        let left = self.growth.left.checked_sub(count as u64);
        let why = match left {
            None => format!("the archive unpacks to more than {} MiB", self.growth.limit >> 20),
            _ if self.count > MAX_LAYER => {
                format!("it unpacks to more than {} MiB", MAX_LAYER >> 20)
            }
            Some(left) => {
                self.growth.left = left;
                return Ok(count);
            }
        };
        Err(io::Error::new(io::ErrorKind::InvalidData, why))
    }
}

/// Whether a stream that begins so is packed.
pub(super) fn is_packed(start: &[u8]) -> bool {
    start.starts_with(GZIP) || is_zstd(start)
}

/// Unpacks a stream of an archive.
pub(super) fn unpacked<'a>(
    input: impl Read + 'a,
    growth: &'a mut Growth,
) -> io::Result<Box<dyn Read + 'a>> {
    let mut input = BufReader::with_capacity(128 << 10, input);
    let start = input.fill_buf()?;
    if start.starts_with(GZIP) {
        let input = MultiGzDecoder::new(input);
        return Ok(Box::new(Bounded { input, count: 0, growth }));
    }
    if is_zstd(start) {
        let input = Zstd { input, decoder: FrameDecoder::new(), is_within: false };
        return Ok(Box::new(Bounded { input, count: 0, growth }));
    }
    Ok(Box::new(Bounded { input, count: 0, growth }))
}

/// Frames of zstd, one after the other; those that hold no content are passed over.
struct Zstd<R> {
    input: BufReader<R>,
    decoder: FrameDecoder,
    is_within: bool,
}

impl<R: Read> Zstd<R> {
    /// Goes to the next frame; `false` at the end.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.input.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.input) {
                Ok(()) => {
                    self.is_within = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut frame = self.input.by_ref().take(length.into());
                    io::copy(&mut frame, &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_within && !self.begin()? {
                return Ok(0);
            }
            while self.decoder.can_collect() < buffer.len() && !self.decoder.is_finished() {
                let more = BlockDecodingStrategy::UptoBytes(buffer.len());
                self.decoder.decode_blocks(&mut self.input, more).map_err(io::Error::other)?;
            }
            let count = self.decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            self.is_within = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::ZSTD;

    /// `text` as frames of zstd with nothing but raw blocks.
    fn frame(text: &[u8]) -> Vec<u8> {
        let length = u8::try_from(text.len()).unwrap();
        // One segment, its size in one byte; the last block, raw.
        let header = u32::from(length) << 3 | 1;
        [ZSTD, &[0x20, length], &header.to_le_bytes()[..3], text].concat()
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        unpacked(bytes, &mut Growth::of(bytes.len() as u64))?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn reads_several_frames_and_passes_over_empty_ones() {
        let skipped = [b"\x51\x2a\x4d\x18\x03\0\0\0".as_slice(), b"abc"].concat();
        let all = [frame(b"one "), skipped.clone(), frame(b"two"), skipped].concat();
        assert_eq!(read(&all).unwrap(), b"one two");
        assert!(read(&all[..20]).is_err());
    }

    #[test]
    fn takes_what_is_not_packed_as_it_is() {
        assert_eq!(read(b"plain").unwrap(), b"plain");
        assert_eq!(read(b"").unwrap(), b"");
    }

    #[test]
    fn cuts_off_what_grows_beyond_reason() {
        let zeros = io::repeat(0).take(FREE + 1);
        let mut packed = flate2::read::GzEncoder::new(zeros, flate2::Compression::fast());
        let mut bomb = Vec::new();
        packed.read_to_end(&mut bomb).unwrap();
        let mut growth = Growth::of(bomb.len() as u64);
        let error = io::copy(&mut unpacked(&*bomb, &mut growth).unwrap(), &mut io::sink());
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("the archive unpacks to more than"), "{error}");
    }

    #[test]
    fn what_is_named_twice_grows_twice() {
        let mut growth = Growth { limit: 30, left: 30 };
        let text = frame(b"nine of i");
        let mut copied = || io::copy(&mut unpacked(&*text, &mut growth).unwrap(), &mut io::sink());
        for _ in 0..3 {
            assert_eq!(copied().unwrap(), 9);
        }
        assert!(copied().unwrap_err().to_string().starts_with("the archive unpacks to more"));
    }
}
