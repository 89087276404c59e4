//! What a program writes: read to its end whatever it is, kept in part.
//!
//! For people the beginning and the end of both streams in the order in which they came; for
//! comparisons the beginning of each; for what is waited for every line once.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::pattern::Pattern;
use super::process::POLL;
use crate::inspect::escape::escape;

/// What is compared of a stream.
const COMPARED: usize = 1 << 20;
/// What is shown of the beginning, and of the end.
const FIRST: usize = 1 << 10;
const LAST: usize = 3 << 10;
/// A line that is longer is looked at in parts.
const LINE: usize = 64 << 10;

/// The output of a program.
#[derive(Debug)]
pub(super) struct Output {
    kept: Arc<Mutex<Kept>>,
    readers: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Kept {
    streams: [Vec<u8>; 2],
    first: Vec<u8>,
    last: VecDeque<u8>,
    /// How much there was between the two.
    left_out: u64,
    is_found: bool,
}

impl Output {
    /// Reads both streams; `log` is looked for in their lines.
    pub(super) fn collect(
        stdout: Option<impl Read + Send + 'static>,
        stderr: Option<impl Read + Send + 'static>,
        log: Option<Pattern>,
    ) -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let out = stdout.map(|pipe| read(pipe, 0, (Arc::clone(&kept), log.clone())));
        let error = stderr.map(|pipe| read(pipe, 1, (Arc::clone(&kept), log)));
        Self { kept, readers: out.into_iter().chain(error).collect() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether what is looked for has come.
    pub(super) fn is_found(&self) -> bool {
        self.kept().is_found
    }

    /// Waits until everything is read that was written, if whoever wrote it is gone.
    pub(super) fn finish(&self, deadline: Instant) {
        let reads = || self.readers.iter().any(|reader| !reader.is_finished());
        while reads() && Instant::now() < deadline {
            thread::sleep(POLL);
        }
    }

    /// The beginning of standard output (0) or standard error (1).
    pub(super) fn stream(&self, number: usize) -> String {
        String::from_utf8_lossy(&self.kept().streams[number]).into_owned()
    }

    /// What is shown to people, line by line.
    pub(super) fn shown(&self) -> Vec<String> {
        let kept = self.kept();
        let last: Vec<u8> = kept.last.iter().copied().collect();
        if kept.left_out == 0 {
            return lines(&[kept.first.as_slice(), &last].concat());
        }
        let gap = format!("… {} bytes …", kept.left_out);
        lines(&kept.first).into_iter().chain([gap]).chain(lines(&last)).collect()
    }
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    let line = |line: &[u8]| escape(line.strip_suffix(b"\r").unwrap_or(line));
    bytes.split(|byte| *byte == b'\n').map(line).collect()
}

type Shared = (Arc<Mutex<Kept>>, Option<Pattern>);

fn read(mut pipe: impl Read + Send + 'static, number: usize, shared: Shared) -> JoinHandle<()> {
    let (kept, log) = shared;
    thread::spawn(move || {
        let mut lines = Lines { log, rest: Vec::new() };
        let mut buffer = vec![0; 32 << 10];
        while let Ok(size @ 1..) = pipe.read(&mut buffer) {
            let is_found = lines.take(&buffer[..size]);
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.take(number, &buffer[..size]);
            kept.is_found |= is_found;
        }
        let is_found = lines.end();
        kept.lock().unwrap_or_else(PoisonError::into_inner).is_found |= is_found;
    })
}

impl Kept {
    fn take(&mut self, number: usize, bytes: &[u8]) {
        let stream = &mut self.streams[number];
        let room = COMPARED.saturating_sub(stream.len()).min(bytes.len());
        stream.extend_from_slice(&bytes[..room]);
        let room = FIRST.saturating_sub(self.first.len()).min(bytes.len());
        self.first.extend_from_slice(&bytes[..room]);
        self.last.extend(&bytes[room..]);
        let more = self.last.len().saturating_sub(LAST);
        self.last.drain(..more);
        self.left_out += more as u64;
    }
}

/// Lines of a stream, looked at one by one until one has it.
struct Lines {
    log: Option<Pattern>,
    rest: Vec<u8>,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) -> bool {
        let Some(log) = &self.log else { return false };
        let mut is_found = false;
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") || self.rest.len() >= LINE {
                is_found |= log.is_in(&String::from_utf8_lossy(&self.rest));
                self.rest.clear();
            }
        }
        if is_found {
            self.log = None;
        }
        is_found
    }

    /// The last line may have no end.
    fn end(&mut self) -> bool {
        self.log.as_ref().is_some_and(|log| log.is_in(&String::from_utf8_lossy(&self.rest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(stdout: &[u8], log: Option<&str>) -> Output {
        let stdout = std::io::Cursor::new(stdout.to_vec());
        let log = log.map(|log| Pattern::read(log).unwrap());
        let output = Output::collect(Some(stdout), None::<std::io::Empty>, log);
        output.finish(Instant::now() + std::time::Duration::from_secs(10));
        output
    }

    #[test]
    fn a_little_is_kept_whole() {
        let found = output(b"one\r\ntwo \x1b[31m\n", None);
        assert_eq!(found.shown(), ["one", "two \\u{1b}[31m"]);
        assert_eq!(found.stream(0), "one\r\ntwo \u{1b}[31m\n");
        assert!(output(b"", None).shown().is_empty());
    }

    #[test]
    fn of_much_the_beginning_and_the_end_are_kept() {
        let mut much = b"first\n".to_vec();
        much.extend(vec![b'x'; 5 << 20]);
        much.extend(b"\nlast");
        let shown = output(&much, None).shown();
        assert!(shown[0] == "first" && shown.last().unwrap() == "last", "{shown:?}");
        assert!(shown.iter().any(|line| line.starts_with("… 52")), "{shown:?}");
        assert!(shown.concat().len() < FIRST + LAST + 100);
        assert_eq!(output(&much, None).stream(0).len(), COMPARED);
    }

    #[test]
    fn what_is_waited_for_is_found_in_any_line() {
        assert!(output(b"a\nready\n", Some("/^ready$/")).is_found());
        assert!(output(b"a\nready", Some("/^ready$/")).is_found(), "without a line feed");
        assert!(!output(b"a ready\n", Some("/^ready$/")).is_found());
        assert!(!output(b"ready\n", None).is_found());
        let mut long = vec![b'x'; 3 << 20];
        long.extend(b"\nready\n");
        assert!(output(&long, Some("ready")).is_found());
    }
}
