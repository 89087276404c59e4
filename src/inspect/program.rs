//! What the kernel makes of a file that is to be executed: an ELF file and its loader, a script and
//! its interpreter, or nothing that it knows.
//!
//! Only headers are read, with bounds: a file may be sparse, cut off or lie about its own tables.

use object::elf;
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, ReadCache};
use serde::{Deserialize, Serialize};

use super::escape::escape;
use super::evidence::Lookup;
use super::spool::Content;

/// The kernel looks at this much of a script (`BINPRM_BUF_SIZE`).
const HEAD: usize = 256;
/// The most program headers that are looked at; real files have about ten.
const MAX_HEADERS: u32 = 1_024;
/// The longest path of a loader, as in the kernel (`PATH_MAX`).
const MAX_LOADER: u64 = 4_096;

/// What a file is to `execve`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "format")]
pub enum Program {
    /// An ELF file that can be started or loaded.
    Elf {
        /// 32 or 64.
        bits: u8,
        /// `e_machine`.
        machine: u16,
        /// Whether the least significant byte comes first.
        little_endian: bool,
        /// `PT_INTERP`; `None`: static.
        loader: Option<Box<Lookup>>,
    },
    /// An ELF file that is damaged.
    Corrupt {
        /// How, as a half sentence.
        reason: String,
    },
    /// `#!`.
    Script {
        /// The interpreter, as it is written.
        interpreter: Box<Lookup>,
        /// The rest of the line, escaped.
        argument: Option<String>,
        /// The program that `env` is told to start.
        env: Option<Box<EnvProgram>>,
        /// Whether the line ends in a carriage return, which becomes part of a name.
        carriage_return: bool,
        /// Whether the line is longer than the kernel reads.
        too_long: bool,
    },
    /// Text without `#!`: `execve` refuses it, and only a shell would run it.
    Text,
    /// An empty file.
    Empty,
    /// Anything else.
    Unknown,
    /// Could not be looked at.
    Unread {
        /// Why, as a half sentence.
        reason: String,
    },
}

/// What `env NAME` looks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvProgram {
    /// The name.
    pub name: String,
    /// The places that are tried, up to the first that has a file.
    pub tried: Vec<Lookup>,
}

/// The head of a file, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Head {
    Elf { bits: u8, machine: u16, little_endian: bool, loader: Option<Vec<u8>> },
    Corrupt(String),
    Script(Shebang),
    Text,
    Empty,
    Unknown,
}

/// A `#!` line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shebang {
    pub(crate) interpreter: Vec<u8>,
    pub(crate) argument: Option<Vec<u8>>,
    pub(crate) carriage_return: bool,
    pub(crate) too_long: bool,
}

/// Reads the head of an open regular file.
pub(crate) fn read_head(file: &Content) -> std::io::Result<Head> {
    let mut buffer = [0; HEAD];
    let mut length = 0;
    while length < HEAD {
        match file.read_at(&mut buffer[length..], length as u64)? {
            0 => break,
            count => length += count,
        }
    }
    let head = &buffer[..length];
    Ok(match head {
        [] => Head::Empty,
        [0x7f, b'E', b'L', b'F', ..] => read_elf(file, head),
        [b'#', b'!', line @ ..] => shebang(line, length == HEAD),
        _ if is_text(head) => Head::Text,
        _ => Head::Unknown,
    })
}

fn is_text(head: &[u8]) -> bool {
    !head.contains(&0) && head.iter().filter(|byte| **byte < 7).count() == 0
}

/// Takes a line apart as `load_script` of Linux does.
fn shebang(line: &[u8], full: bool) -> Head {
    let end = line.iter().position(|byte| *byte == b'\n');
    let too_long = end.is_none() && full;
    let line = &line[..end.unwrap_or(line.len())];
    let line = line.split(|byte| *byte == 0).next().unwrap_or(line); // a text of C
    let carriage_return = line.ends_with(b"\r");
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let text = trim(line);
    let split = text.iter().position(blank).unwrap_or(text.len());
    let (interpreter, argument) = text.split_at(split);
    let argument = Some(trim(argument).to_vec()).filter(|argument| !argument.is_empty());
    let interpreter = interpreter.to_vec();
    Head::Script(Shebang { interpreter, argument, carriage_return, too_long })
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn read_elf(file: &Content, head: &[u8]) -> Head {
    // `ELFCLASS32` and `ELFCLASS64`.
    let read = match head.get(4) {
        Some(1) => elf_header::<elf::FileHeader32<Endianness>>(file, 32),
        Some(2) => elf_header::<elf::FileHeader64<Endianness>>(file, 64),
        _ => Err("it has no known class".to_owned()),
    };
    read.unwrap_or_else(Head::Corrupt)
}

fn elf_header<H: FileHeader<Endian = Endianness>>(
    file: &Content,
    bits: u8,
) -> Result<Head, String> {
    let text = |error: object::read::Error| error.to_string();
    let cache = ReadCache::new(file.again());
    let header = H::parse(&cache).map_err(text)?;
    let endian = header.endian().map_err(text)?;
    // 0xffff means that the count stands elsewhere: no program is like that, and the count that
    // stands there could be anything.
    if u32::from(header.e_phnum(endian)) > MAX_HEADERS {
        return Err("it has too many program headers".to_owned());
    }
    // The kernel starts these two, whatever else is right with another one.
    if !matches!(header.e_type(endian), elf::ET_EXEC | elf::ET_DYN) {
        return Err("it is a part of a program or a dump of one".to_owned());
    }
    let segments = header.program_headers(endian, &cache).map_err(text)?;
    let length = file.size().map_err(|error| error.to_string())?;
    let is_cut = |segment: &H::ProgramHeader| {
        let (offset, size) = (segment.p_offset(endian).into(), segment.p_filesz(endian).into());
        segment.p_type(endian) == elf::PT_LOAD && offset.saturating_add(size) > length
    };
    if segments.iter().any(is_cut) {
        return Err("its end is missing".to_owned());
    }
    let loader = segments.iter().find(|segment| segment.p_type(endian) == elf::PT_INTERP);
    let loader = loader.map(|segment| {
        let size: u64 = segment.p_filesz(endian).into();
        if size > MAX_LOADER {
            return Err("the path of its loader is too long".to_owned());
        }
        let path = segment.data(endian, &cache).map_err(|()| "its loader cannot be read")?;
        let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
        Ok(path[..end].to_vec())
    });
    Ok(Head::Elf {
        bits,
        machine: header.e_machine(endian).0,
        little_endian: header.is_little_endian(),
        loader: loader.transpose()?,
    })
}

/// The name that `env` starts, given what stands behind it on a `#!` line: one argument, unless
/// `-S` splits it. `None`: it starts nothing, or what only it knows.
pub(crate) fn env_name(argument: &[u8]) -> Option<Vec<u8>> {
    let cluster = |text: &[u8]| {
        let letters = text.strip_prefix(b"-")?;
        let place = letters.iter().position(|letter| *letter == b'S')?;
        let simple = letters[..place].iter().all(|letter| matches!(letter, b'i' | b'v' | b'0'));
        simple.then(|| letters[place + 1..].to_vec())
    };
    let long = argument.strip_prefix(b"--split-string=").map(<[u8]>::to_vec);
    let Some(words) = long.or_else(|| cluster(argument)) else {
        // Blanks are part of the one argument: `-i node` is an option that does not exist.
        let is_option = argument.starts_with(b"-") && !argument.contains(&b' ');
        return (!is_option).then(|| argument.to_vec());
    };
    // What stands for something else is for `env` to say.
    if words.iter().any(|byte| matches!(byte, b'\\' | b'$')) {
        return None;
    }
    let words = words.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    let quote = |byte: &u8| matches!(byte, b'"' | b'\'');
    let mut words = words.map(|word| word.iter().copied().filter(|byte| !quote(byte)).collect());
    first_name(&mut words)
}

/// The first word of `env` that is neither an option nor a variable; a further `env` is passed.
fn first_name(words: &mut impl Iterator<Item = Vec<u8>>) -> Option<Vec<u8>> {
    while let Some(word) = words.next() {
        match word.as_slice() {
            b"-u" | b"--unset" | b"-C" | b"--chdir" => drop(words.next()),
            option if option.starts_with(b"-") => {}
            variable if variable.contains(&b'=') => {}
            b"env" | b"/usr/bin/env" => {}
            _ => return Some(word),
        }
    }
    None
}

impl Shebang {
    /// The argument as it can be shown.
    pub(crate) fn shown_argument(&self) -> Option<String> {
        self.argument.as_deref().map(escape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_env_starts() {
        let cases: [(&str, Option<&str>); 14] = [
            ("node", Some("node")),
            ("node --flag", Some("node --flag")),
            ("-S node --flag", Some("node")),
            ("-vS node", Some("node")),
            ("--split-string=node -x", Some("node")),
            ("-S \"node\" -x", Some("node")),
            ("-S -i -u HOME -C /app A=b node x", Some("node")),
            ("-S -- node", Some("node")),
            ("-S env node", Some("node")),
            ("-S ${NODE} x", None),
            ("-S node\\_x", None),
            ("-i", None),
            ("-i node", Some("-i node")),
            ("-S A=b", None),
        ];
        for (argument, expected) in cases {
            let expected = expected.map(|name| name.as_bytes().to_vec());
            assert_eq!(env_name(argument.as_bytes()), expected, "{argument}");
        }
    }
}
