//! Looks commands up as a container does when it starts: along `PATH`, from the working folder,
//! through links, to a file and to what the kernel needs to execute it.
//!
//! Owners and permissions of everything on the way are written down; whether a user may pass is
//! judged in `harden`.

use super::entry::{Attributes, Kind};
use super::escape::escape;
use super::evidence::{Command, Lookup, Step, Target};
use super::program::{self, EnvProgram, Head, Program, Shebang};
use super::resolve::MAX_PATH;
use super::tree::{Found, Resolved, Steps, Tree};

/// Where programs are looked for when nothing says so (Docker, containerd).
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The most elements of `PATH` that are looked at.
const MAX_ELEMENTS: usize = 64;
/// Linux gives up after this many interpreters in a row.
const MAX_INTERPRETERS: usize = 5;
/// The most files whose heads are read for one command.
const MAX_PROGRAMS: usize = 128;
/// The most steps of all lookups; what is searched on the way is evidence.
const MAX_STEPS: usize = 1_000_000;

/// Looks up what belongs to one image.
pub(crate) struct Finder<'a> {
    tree: &'a Tree,
    workdir: &'a str,
    path: &'a str,
    programs: usize,
    steps: Steps,
    /// Whether something was not looked up to its end.
    is_cut: bool,
}

impl<'a> Finder<'a> {
    pub(crate) fn new(tree: &'a Tree, workdir: &'a str, path: Option<&'a str>) -> Self {
        let workdir = if workdir.is_empty() { "/" } else { workdir };
        let (path, steps) = (path.unwrap_or(DEFAULT_PATH), Steps::of(MAX_STEPS));
        Self { tree, workdir, path, programs: 0, steps, is_cut: false }
    }

    /// Whether something was not looked up to its end since this was asked last.
    pub(crate) fn was_cut(&mut self) -> bool {
        std::mem::take(&mut self.is_cut)
    }

    /// The working folder.
    pub(crate) fn workdir(&mut self) -> Lookup {
        self.look_up(&self.absolute(""), None)
    }

    /// Any path, seen from the working folder.
    pub(crate) fn ask(&mut self, path: &str) -> Lookup {
        self.look_up(&self.absolute(path), None)
    }

    /// What runs a script.
    pub(crate) fn runner(&mut self, line: &Shebang) -> Program {
        self.programs = 0;
        self.script(line, 0)
    }

    /// A command; `None` if it has no words.
    pub(crate) fn command(&mut self, argv: &[String]) -> Option<Command> {
        let first = argv.first()?;
        self.programs = 0;
        self.is_cut = false;
        let tried = self.find(first.as_bytes(), 0);
        let argv = argv.iter().map(|word| escape(word.as_bytes())).collect();
        let is_searched = !first.contains('/');
        let truncated = self.was_cut()
            || self.programs > MAX_PROGRAMS
            || (is_searched && self.elements().nth(MAX_ELEMENTS).is_some());
        Some(Command { argv, tried, truncated })
    }

    /// The places where a program may be, as `execvp` and Go's `exec.LookPath` go through them.
    fn find(&mut self, name: &[u8], depth: usize) -> Vec<Lookup> {
        if name.contains(&b'/') {
            let path = self.absolute_bytes(name);
            return vec![self.look_up(&path, Some(depth))];
        }
        let elements: Vec<_> = self.elements().take(MAX_ELEMENTS).map(str::to_owned).collect();
        let mut tried = Vec::new();
        for element in elements {
            let path = [&self.absolute(&element), b"/".as_slice(), name].concat();
            let lookup = self.look_up(&path, Some(depth));
            let found = lookup.found_kind(Kind::File).is_some();
            // A place without anything says nothing but its path.
            let searched = if found { lookup.searched } else { Vec::new() };
            tried.push(Lookup { searched, ..lookup });
        }
        tried
    }

    fn elements(&self) -> impl Iterator<Item = &'a str> {
        self.path.split(':').filter(|_| !self.path.is_empty())
    }

    /// A path seen from the working folder.
    fn absolute(&self, path: &str) -> Vec<u8> {
        self.absolute_bytes(path.as_bytes())
    }

    fn absolute_bytes(&self, path: &[u8]) -> Vec<u8> {
        if path.first() == Some(&b'/') {
            return path.to_vec();
        }
        let workdir = self.workdir.trim_end_matches('/').as_bytes();
        let slash: &[u8] = if matches!(workdir.first(), Some(b'/') | None) { b"" } else { b"/" };
        let between: &[u8] = if path.is_empty() && !workdir.is_empty() { b"" } else { b"/" };
        [slash, workdir, between, path].concat()
    }

    /// Looks one path up; with a depth, a regular file's head is read, too.
    fn look_up(&mut self, path: &[u8], depth: Option<usize>) -> Lookup {
        if path.len() > MAX_PATH {
            // The kernel does not look, and evidence need not hold it.
            let trouble = Some("the path is too long".to_owned());
            let shown = escape(&path[..MAX_PATH]) + "…";
            return Lookup { path: shown, searched: Vec::new(), found: None, trouble };
        }
        let shown = escape(path);
        let resolved = match self.tree.search(path, &mut self.steps) {
            Ok(resolved) => resolved,
            Err(trouble) => {
                self.is_cut |= trouble.is_cut();
                let trouble = Some(trouble.to_string());
                return Lookup { path: shown, searched: Vec::new(), found: None, trouble };
            }
        };
        let step = |(path, found): &(Vec<u8>, super::tree::Found)| Step {
            path: escape(path),
            attributes: Attributes::from(&found.stat),
        };
        let searched = resolved.searched.iter().map(step).collect();
        // With a slash at its end it is no file, whatever is there.
        let fits = |found: &Found| !path.ends_with(b"/") || found.file_type().is_dir();
        let found = resolved.found.filter(fits).map(|found| {
            let attributes = Attributes::from(&found.stat);
            let program = depth
                .filter(|_| attributes.kind == Kind::File)
                .map(|depth| Box::new(self.program(&resolved, found.layer, depth)));
            Target { path: escape(&resolved.path), layer: found.layer, attributes, program }
        });
        Lookup { path: shown, searched, found, trouble: None }
    }

    fn program(&mut self, file: &Resolved, layer: usize, depth: usize) -> Program {
        self.programs += 1;
        if depth > MAX_INTERPRETERS || self.programs > MAX_PROGRAMS {
            return Program::Unread { reason: "too many interpreters in a row".to_owned() };
        }
        let Some(parent) = &file.parent else { return Program::Unknown };
        let opened = parent.open_file(file.name(), layer);
        let head = opened
            .map_err(|trouble| trouble.to_string())
            .and_then(|file| program::read_head(&file).map_err(|error| error.to_string()));
        match head {
            Ok(head) => self.describe(head, depth),
            Err(reason) => Program::Unread { reason },
        }
    }

    fn describe(&mut self, head: Head, depth: usize) -> Program {
        match head {
            Head::Elf { bits, machine, little_endian, loader } => {
                let loader = loader.map(|path| {
                    let path = self.absolute_bytes(&path);
                    // A loader needs none itself; one that names another is not followed.
                    let head = (depth < MAX_INTERPRETERS).then_some(MAX_INTERPRETERS);
                    Box::new(self.look_up(&path, head))
                });
                Program::Elf { bits, machine, little_endian, loader }
            }
            Head::Corrupt(reason) => Program::Corrupt { reason },
            Head::Script(line) => self.script(&line, depth),
            Head::Text => Program::Text,
            Head::Empty => Program::Empty,
            Head::Unknown => Program::Unknown,
        }
    }

    fn script(&mut self, line: &Shebang, depth: usize) -> Program {
        let path = self.absolute_bytes(&line.interpreter);
        let interpreter = Box::new(self.look_up(&path, Some(depth + 1)));
        let is_env = line.interpreter.rsplit(|byte| *byte == b'/').next() == Some(b"env");
        let name = line.argument.as_deref().filter(|_| is_env).and_then(program::env_name);
        let env = name.map(|name| {
            let tried = self.find(&name, depth + 1);
            Box::new(EnvProgram { name: escape(&name), tried })
        });
        Program::Script {
            interpreter,
            argument: line.shown_argument(),
            env,
            carriage_return: line.carriage_return,
            too_long: line.too_long,
        }
    }
}

/// Inits that stand in front of a command, and their options that take the next word.
const INITS: [(&str, &[&str]); 5] = [
    ("tini", &["-p", "-e"]),
    ("tini-static", &["-p", "-e"]),
    ("docker-init", &["-p", "-e"]),
    ("dumb-init", &["-r", "--rewrite"]),
    ("catatonit", &[]),
];

/// What an init program in front of a command starts: `tini -- node`, `dumb-init node`.
pub fn unwrap_init(argv: &[String]) -> Option<&[String]> {
    let (first, rest) = argv.split_first()?;
    let name = first.rsplit('/').next().unwrap_or(first);
    let (_, valued) = INITS.iter().find(|(init, _)| *init == name)?;
    Some(behind_options(rest, valued)).filter(|command| !command.is_empty())
}

/// What stands behind the options of a program; those in `valued` take the next word, unless what
/// they take is written to them (`-p9`, `--rewrite=9`).
pub fn behind_options<'a>(words: &'a [String], valued: &[&str]) -> &'a [String] {
    let mut rest = words;
    while let [word, more @ ..] = rest {
        if word == "--" {
            return more;
        }
        if !word.starts_with('-') {
            return rest;
        }
        let takes_next = if word.starts_with("--") {
            valued.contains(&word.as_str())
        } else {
            // Letters may stand together: only behind the last one is what it takes the next word.
            let is_valued = |letter: char| valued.contains(&format!("-{letter}").as_str());
            word.chars()
                .skip(1)
                .position(is_valued)
                .is_some_and(|at| at + 2 == word.chars().count())
        };
        rest = if takes_next { more.get(1..).unwrap_or_default() } else { more };
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_command_behind_an_init() {
        let cases: &[(&[&str], Option<&[&str]>)] = &[
            (&["tini", "--", "node", "x.js"], Some(&["node", "x.js"])),
            (&["/usr/bin/tini", "-g", "--", "node"], Some(&["node"])),
            (&["dumb-init", "node"], Some(&["node"])),
            // What an option takes is no command, and what is behind the command is the command's.
            (&["tini", "-p", "SIGTERM", "node"], Some(&["node"])),
            (&["tini", "-vge", "143", "node"], Some(&["node"])),
            (&["tini", "-e143", "node"], Some(&["node"])),
            (&["dumb-init", "-c", "-r", "15:3", "node"], Some(&["node"])),
            (&["dumb-init", "--rewrite=15:3", "node"], Some(&["node"])),
            (&["tini", "npm", "start", "--", "-p", "1"], Some(&["npm", "start", "--", "-p", "1"])),
            (&["tini", "-p"], None),
            (&["tini", "--"], None),
            (&["tini"], None),
            (&["node", "--", "x"], None),
            (&[], None),
        ];
        for (argv, expected) in cases {
            let argv: Vec<String> = argv.iter().map(ToString::to_string).collect();
            let found = unwrap_init(&argv).map(<[String]>::to_vec);
            let expected = expected.map(|words| words.iter().map(ToString::to_string).collect());
            assert_eq!(found, expected, "{argv:?}");
        }
    }
}
