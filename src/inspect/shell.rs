//! Traces of shells: names that shells have, and words that only a shell's program holds.
//!
//! In every POSIX shell that was tried, reserved words and default variables stand close together,
//! each between NUL bytes. Together is the point: 100 MB of `node` hold four of the words and three
//! of the variables by chance, megabytes apart. The rule itself is in `harden`; shells that keep
//! their words in another form have signatures.

use std::io::Read;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use serde::{Deserialize, Serialize};

/// The shell that is no program to the kernel: `dotnet` runs it.
pub(crate) const MANAGED: &str = "pwsh.dll";
/// Names that nothing but a shell has.
const NAMES: &[&str] = &[
    "sh",
    "ash",
    "bash",
    "rbash",
    "dash",
    "zsh",
    "rzsh",
    "ksh",
    "ksh93",
    "rksh",
    "mksh",
    "lksh",
    "pdksh",
    "oksh",
    "yash",
    "fish",
    "csh",
    "tcsh",
    "bsd-csh",
    "xonsh",
    "pwsh",
    "busybox",
    "toybox",
    "sh.shared",
    MANAGED,
];
/// Names of shells that other programs have, too: these count for programs, not for scripts.
const SHORT_NAMES: &[&str] =
    &["posh", "sash", "rc", "es", "elvish", "nu", "osh", "ysh", "brush", "hush"];
/// Names that are often followed by a version or `-static`.
const VERSIONED: &[&str] =
    &["bash", "dash", "zsh", "ksh", "mksh", "yash", "fish", "tcsh", "pwsh", "busybox", "toybox"];

/// Reserved words of the shell language, each with the NUL in front of it.
const WORDS: [&[u8]; 6] = [b"\0esac", b"\0elif", b"\0until", b"\0then", b"\0done", b"\0fi"];
/// Variables that a shell sets by itself.
const VARIABLES: [&[u8]; 4] = [b"\0PS1", b"\0PS2", b"\0IFS", b"\0OLDPWD"];
/// Texts of single programs, and the shell that each hints at.
const SIGNATURES: [(&[u8], &str); 18] = [
    (b"GNU bash, version", "bash"),
    (b"BusyBox v", "busybox"),
    (b"applet not found", "busybox"),
    (b"multi-call binary", "busybox"),
    (b"MIRBSD KSH", "mksh"),
    (b"Yet another shell", "yash"),
    (b"/etc/csh.cshrc", "csh"),
    (b"csh.login", "csh"),
    (b"Stand-alone shell", "sash"),
    (b"src.elv.sh/", "elvish"),
    (b"toybox ", "toybox"),
    // fish keeps its texts as UTF-32.
    (b"c\0\0\0o\0\0\0n\0\0\0f\0\0\0i\0\0\0g\0\0\0.\0\0\0f\0\0\0i\0\0\0s\0\0\0h\0\0\0", "fish"),
    (b"rc: cannot find `%s'", "rc"),
    (b"rc (%s): %s: %r", "rc"),
    (b"Nushell Environment Config File", "nushell"),
    (b"mvdan.cc/sh/v3", "mvdan.cc/sh"),
    // The sources' folder, which Rust's messages name.
    (b"/brush-core", "brush-core"),
    (b"This file is packed with the UPX", "UPX"),
];

/// Words this close to each other stand together; in the shells that were measured they lie within
/// 2 KiB, the variables within 24 KiB.
const WINDOW: u64 = 64 << 10;

/// How much is read at once.
const CHUNK: usize = 256 << 10;
/// No pattern and the byte behind it are longer.
const OVERLAP: usize = 64;
/// A part of a file is searched from this far in front of it, so that it tells what it would tell
/// if all in front of it had been searched, too.
pub(crate) const BEFORE: u64 = WINDOW + OVERLAP as u64;

/// What the content of a file tells.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Traces {
    /// How many of the six reserved words stand together.
    pub words: u32,
    /// How many of the four variables stand together.
    pub variables: u32,
    /// Signatures of single shells, by their text.
    pub signatures: Vec<String>,
}

impl Traces {
    /// Whether nothing points to a shell.
    pub fn is_empty(&self) -> bool {
        self.words == 0 && self.variables == 0 && self.signatures.is_empty()
    }

    /// Whether enough was found to be worth listing.
    pub(crate) fn is_worth_listing(&self) -> bool {
        (self.words >= 4 && self.variables >= 1) || !self.signatures.is_empty()
    }

    /// Takes over what another part of the same file tells.
    pub(crate) fn merge(&mut self, more: Self) {
        self.words = self.words.max(more.words);
        self.variables = self.variables.max(more.variables);
        self.signatures.extend(more.signatures);
        let place =
            |text: &String| SIGNATURES.iter().position(|(known, _)| readable(known) == *text);
        self.signatures.sort_by_key(place);
        self.signatures.dedup();
    }

    /// How many signatures hint at a shell.
    pub fn signatures_of(&self, shell: &str) -> usize {
        let of = |text: &String| {
            SIGNATURES.iter().any(|(known, name)| *name == shell && readable(known) == *text)
        };
        self.signatures.iter().filter(|text| of(text)).count()
    }
}

/// Which first two bytes a shell's name may have: every file of a tree is asked for its name, and
/// few of them are compared with all that is known.
static LIKELY: [bool; 256] = {
    let mut likely = [false; 256];
    let (lists, mut list) = ([NAMES, SHORT_NAMES, VERSIONED], 0);
    while list < lists.len() {
        let mut index = 0;
        while index < lists[list].len() {
            likely[head(lists[list][index].as_bytes())] = true;
            index += 1;
        }
        list += 1;
    }
    likely
};

const fn head(name: &[u8]) -> usize {
    match name {
        [first, second, ..] => first.wrapping_mul(31).wrapping_add(*second) as usize,
        _ => 0,
    }
}

/// The shell that a name belongs to, and whether a script of that name counts.
pub(crate) fn named(name: &[u8]) -> Option<(&'static str, bool)> {
    if !LIKELY[head(name)] {
        return None;
    }
    let name = str::from_utf8(name).ok()?;
    let find =
        |list: &'static [&'static str], name: &str| list.iter().find(|known| **known == name);
    if let Some(known) = find(NAMES, name) {
        return Some((known, true));
    }
    if let Some(known) = find(SHORT_NAMES, name) {
        return Some((known, false));
    }
    let stem = name.strip_suffix("-static").unwrap_or(name);
    let stem = stem.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let stem = stem.strip_suffix('-').unwrap_or(stem);
    find(VERSIONED, stem).map(|known| (*known, true))
}

static PATTERNS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let signatures = SIGNATURES.iter().map(|(text, _)| *text);
    let all = WORDS.into_iter().chain(VARIABLES).chain(signatures);
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(all).ok()
});

/// Searches a file to its end, or to `limit` bytes; `false` in the answer says that it went on.
pub(crate) fn search(mut file: impl Read, limit: u64) -> std::io::Result<(Traces, bool)> {
    let Some(patterns) = PATTERNS.as_ref() else {
        return Err(std::io::Error::other("the patterns cannot be built"));
    };
    let mut sightings = Sightings::default();
    let mut buffer = vec![0; OVERLAP + CHUNK];
    let (mut kept, mut done) = (0, 0);
    let complete = loop {
        let count = read_full(&mut file, &mut buffer[kept..kept + CHUNK])?;
        let (last, filled) = (count < CHUNK, kept + count);
        sightings.look(patterns, &buffer[..filled], done - kept as u64, last);
        done += count as u64;
        if last || done >= limit {
            break last || read_full(&mut file, &mut [0])? == 0;
        }
        kept = filled.min(OVERLAP);
        buffer.copy_within(filled - kept..filled, 0);
    };
    Ok((sightings.traces(), complete))
}

fn read_full(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// What was seen so far.
#[derive(Default)]
struct Sightings {
    /// Where each word and each variable was seen last, one past its place.
    last: [u64; WORDS.len() + VARIABLES.len()],
    /// The most words and variables that stood together.
    words: u32,
    variables: u32,
    signatures: [bool; SIGNATURES.len()],
}

impl Sightings {
    /// Notes the patterns of one stretch. What ends at its very end is seen again in the next one.
    fn look(&mut self, patterns: &AhoCorasick, stretch: &[u8], offset: u64, last: bool) {
        for found in patterns.find_iter(stretch) {
            let pattern = found.pattern().as_usize();
            if let Some(signature) = pattern.checked_sub(self.last.len()) {
                self.signatures[signature] = true;
                continue;
            }
            let ends = match stretch.get(found.end()) {
                Some(byte) => *byte == 0 || *byte == b'=' && pattern >= WORDS.len(),
                None => last,
            };
            if ends {
                self.note(pattern, offset + found.end() as u64);
            }
        }
    }

    fn note(&mut self, pattern: usize, place: u64) {
        self.last[pattern] = place;
        let close = |seen: &&u64| **seen > 0 && place - **seen <= WINDOW;
        let (words, variables) = self.last.split_at(WORDS.len());
        let count = |list: &[u64]| list.iter().filter(close).map(|_| 1).sum::<u32>();
        if pattern < WORDS.len() {
            self.words = self.words.max(count(words));
        } else {
            self.variables = self.variables.max(count(variables));
        }
    }

    fn traces(&self) -> Traces {
        let seen = SIGNATURES.iter().zip(self.signatures).filter(|(_, seen)| *seen);
        Traces {
            words: self.words,
            variables: self.variables,
            signatures: seen.map(|((text, _), _)| readable(text)).collect(),
        }
    }
}

/// A signature as text, UTF-32 as well.
fn readable(signature: &[u8]) -> String {
    signature.iter().filter(|byte| **byte != 0).copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_names_of_shells() {
        let cases = [
            ("sh", Some(("sh", true))),
            ("bash", Some(("bash", true))),
            ("bash-5.2", Some(("bash", true))),
            ("bash5", Some(("bash", true))),
            ("zsh-5.9", Some(("zsh", true))),
            ("bash-static", Some(("bash", true))),
            ("busybox-1.36.1-static", Some(("busybox", true))),
            ("rc", Some(("rc", false))),
            ("bash.js", None),
            ("sh.py", None),
            ("bashful", None),
            ("ssh", None),
            ("nologin", None),
            ("fish-history", None),
            ("sh2", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(named(name.as_bytes()), expected, "{name}");
        }
        assert_eq!(named(b"bash\xff"), None);
        for name in NAMES.iter().chain(SHORT_NAMES).chain(VERSIONED) {
            assert_eq!(named(name.as_bytes()).map(|(known, _)| known), Some(*name));
        }
        assert!(LIKELY.iter().filter(|likely| **likely).count() < 64, "most names are passed over");
    }

    fn of(content: &[u8]) -> Traces {
        search(content, u64::MAX).unwrap().0
    }

    #[test]
    fn counts_words_and_variables_between_nul_bytes() {
        let shell = b"\x7fELF\0then\0else\0elif\0fi\0done\0esac\0until\0PS1=$ \0IFS\0PS2\0x";
        assert_eq!((of(shell).words, of(shell).variables), (6, 3));
        let prose = b"if then done fi esac until elif PS1 PS2 IFS";
        assert!(of(prose).is_empty());
        let longer = b"\0then_run\0file\0doner\0PS1X\0IFSs\0";
        assert!(of(longer).is_empty());
    }

    #[test]
    fn finds_what_lies_across_two_chunks() {
        for shift in 0..12 {
            let mut content = vec![b'x'; CHUNK - shift];
            content.extend_from_slice(b"\0until\0OLDPWD=\0");
            content.extend(vec![b'y'; CHUNK]);
            let traces = of(&content);
            assert_eq!((traces.words, traces.variables), (1, 1), "{shift}");
        }
    }

    #[test]
    fn parts_tell_what_the_whole_tells() {
        let mut content = vec![b'x'; 4 * CHUNK];
        let near = usize::try_from(WINDOW).unwrap() - 100;
        for (place, word) in [(0, "\0esac\0PS1="), (near, "\0elif\0"), (near + 20, "\0IFS=\0")] {
            let place = CHUNK + place;
            content[place..place + word.len()].copy_from_slice(word.as_bytes());
        }
        content[9..30].copy_from_slice(b"multi-call binary\0toy");
        let whole = of(&content);
        assert_eq!((whole.words, whole.variables, whole.signatures.len()), (2, 2, 1));
        for cut in [CHUNK, CHUNK + 3, CHUNK + near + 2, CHUNK + near + 22, 2 * CHUNK] {
            let start = cut - usize::try_from(BEFORE).unwrap();
            let mut traces = search(&content[start..], u64::MAX).unwrap().0;
            traces.merge(search(&content[..], cut as u64).unwrap().0);
            assert_eq!(traces, whole, "{cut}");
        }
    }

    #[test]
    fn words_far_from_each_other_do_not_add_up() {
        let near =
            [b"\0esac\0".to_vec(), vec![1; 1 << 10], b"\0elif\0PS1=\0IFS\0".to_vec()].concat();
        assert_eq!((of(&near).words, of(&near).variables), (2, 2));
        let far = [b"\0esac\0PS1=".to_vec(), vec![1; 1 << 20], b"\0elif\0IFS\0".to_vec()].concat();
        assert_eq!((of(&far).words, of(&far).variables), (1, 1));
    }

    #[test]
    fn a_word_at_the_very_end_counts() {
        assert_eq!(of(b"\0esac").words, 1);
        assert_eq!(of(b"\0esa").words, 0);
    }

    #[test]
    fn stops_at_the_limit_and_says_so() {
        let content = vec![b'x'; 3 * CHUNK];
        assert!(!search(&content[..], CHUNK as u64).unwrap().1);
        assert!(search(&content[..], 3 * CHUNK as u64).unwrap().1);
    }

    #[test]
    fn knows_shells_by_their_own_texts() {
        let traces = of(b"BusyBox v1.36.1 (Debian)\0applet not found\0");
        assert_eq!(traces.signatures_of("busybox"), 2);
        assert_eq!(traces.signatures_of("bash"), 0);
    }
}
