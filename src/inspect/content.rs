//! Which files are opened, and what their content tells: executables and what may be an ELF file
//! are searched for traces of shells, each inode once, large files streamed.
//!
//! Budgets are spent in the order of the paths, so that the same tree gives the same answer however
//! many threads search it.

use std::collections::BTreeMap;

use rustix::fs::{FileType, Stat};

use super::bounded::Bounded;
use super::entry::Attributes;
use super::escape::escape;
use super::evidence::{Format, Gap, List, Part, ShellTrace};
use super::names::Place;
use super::program::{self, Head, Shebang};
use super::read::Data;
use super::shell::{self, Traces};
use super::threads;
use super::tree::{Steps, Tree, Trouble};
use super::walk::Seen;

/// The most files that are opened.
const MAX_CANDIDATES: usize = 100_000;
/// The most links that are kept to find out what leads to a shell.
const MAX_LINKS: usize = 100_000;
/// The most steps that are taken along them.
const MAX_STEPS: usize = 4_000_000;
/// How many bytes of paths of each of them are kept in memory.
const MAX_NAMES: usize = 64 << 20;
/// How many further names of one file are listed.
const MAX_ALIASES: usize = 16;
/// How much of one file is searched; `node` has 120 MB, and what is padded to hide something is
/// searched as far as this.
const MAX_FILE: u64 = 1 << 30;
/// How much is searched in all.
const MAX_TOTAL: u64 = 16 << 30;
/// Larger files are searched in parts of this size, several at once.
const PART: u64 = 8 << 20;
/// A program below this size is no shell: the smallest ones that were measured have 60 KiB.
const MIN_PROGRAM: u64 = 4 << 10;
/// Files without an executable bit and without a suffix are opened from this size on.
const MIN_HIDDEN: u64 = 16 << 10;

/// What matters of a file; a whole `Stat` is twice as long, and there may be many.
#[derive(Debug, Clone, Copy)]
struct Inode {
    device: u64,
    number: u64,
    /// Whether it has further names.
    shared: bool,
    size: u64,
    /// How much data it has on disk, at most.
    holds: u64,
    attributes: Attributes,
}

impl From<&Stat> for Inode {
    fn from(stat: &Stat) -> Self {
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        Self {
            device: stat.st_dev,
            number: stat.st_ino,
            shared: stat.st_nlink > 1,
            size,
            holds: size.min(u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512)),
            attributes: stat.into(),
        }
    }
}

/// A file that is to be opened.
#[derive(Debug)]
struct Candidate {
    layer: usize,
    inode: Inode,
    /// Whether a name of it is a shell's.
    named: Option<&'static str>,
    /// Whether a script of that name counts.
    as_script: bool,
}

/// What the walk has seen that matters for contents.
#[derive(Debug)]
pub(crate) struct Contents {
    candidates: Bounded<Candidate>,
    links: Bounded<usize>,
    /// Whether the lowest layer is all there is, so that its scripts and libraries are the app's.
    whole: bool,
}

/// What one file holds.
struct Content {
    format: Format,
    traces: Traces,
    /// Whether it was searched to its end.
    complete: bool,
    shebang: Option<Shebang>,
}

/// What a search found.
type Searched = Result<Content, String>;

/// What all searches found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) shells: List<ShellTrace>,
    /// Executable scripts that are placed.
    pub(crate) scripts: Vec<Script>,
    /// ELF files that are placed, sorted.
    pub(crate) objects: Vec<(Vec<u8>, usize)>,
}

/// An executable script.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) path: Vec<u8>,
    pub(crate) layer: usize,
    pub(crate) shebang: Shebang,
}

impl Contents {
    pub(crate) fn new(whole: bool) -> Self {
        let candidates = Bounded::with_limits(MAX_CANDIDATES, MAX_NAMES);
        Self { candidates, links: Bounded::with_limits(MAX_LINKS, MAX_NAMES), whole }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.candidates.merge(other.candidates);
        self.links.merge(other.links);
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn weight(&self) -> usize {
        self.candidates.weight() + self.links.weight()
    }

    /// Notes a regular file if it is worth opening.
    pub(crate) fn note_file(&mut self, seen: &Seen<'_>, place: Place) {
        let named = shell::named(seen.name);
        let size = u64::try_from(seen.stat.st_size).unwrap_or(0);
        let executable = seen.stat.st_mode & 0o111 != 0;
        let placed = seen.layer > 0 || self.whole && !place.system;
        let worth = size > 0 && named.is_some()
            || executable && (size >= MIN_PROGRAM || size > 0 && placed)
            || may_be_elf(seen.name, size);
        if worth {
            let (named, as_script) = named.unzip();
            let (layer, inode) = (seen.layer, seen.stat.into());
            let as_script = as_script.unwrap_or(false);
            self.candidates.add(seen.path(), Candidate { layer, inode, named, as_script });
        }
    }

    pub(crate) fn note_link(&mut self, path: Vec<u8>, layer: usize) {
        self.links.add(path, layer);
    }

    /// Opens and searches; what could not be searched is told as gaps.
    pub(crate) fn search(self, tree: &Tree, gaps: &mut Bounded<Gap>) -> Found {
        for (list, what) in
            [(self.candidates.is_truncated(), "programs"), (self.links.is_truncated(), "links")]
        {
            if list {
                gaps.gap(b"/", Part::Content, &format!("there are too many {what}"));
            }
        }
        let links = self.links.into_map();
        let mut links = Links { tree, paths: &links, steps: Steps::of(MAX_STEPS), gaps };
        let mut candidates = self.candidates.into_map();
        links.name(&mut candidates);
        let groups = group(candidates);
        let answers = search_all(tree, &groups);
        let mut shells = BTreeMap::new();
        let mut found = Found::default();
        for (group, answer) in groups.iter().zip(answers) {
            let path = &group.paths[0];
            let content = match answer {
                Ok(content) => content,
                Err(reason) => {
                    links.gaps.gap(path, Part::Content, &reason);
                    continue;
                }
            };
            if !content.complete {
                let reason = format!("it holds more than {} MiB", MAX_FILE >> 20);
                links.gaps.gap(path, Part::Content, &reason);
            }
            let placed = group.layer > 0 || self.whole;
            if placed && content.format == Format::Elf {
                found.objects.push((path.clone(), group.layer));
            }
            if let Some(shebang) = content.shebang.filter(|_| placed && group.is_executable()) {
                found.scripts.push(Script { path: path.clone(), layer: group.layer, shebang });
            }
            if group.is_worth_listing(content.format, &content.traces) {
                shells.insert(path.clone(), (group, content.format, content.traces));
            }
        }
        found.shells = list(&mut links, &shells);
        found
    }
}

/// The names of one inode.
struct Group {
    paths: Vec<Vec<u8>>,
    layer: usize,
    inode: Inode,
    named: Option<&'static str>,
    as_script: bool,
}

impl Group {
    fn is_executable(&self) -> bool {
        self.inode.attributes.mode & 0o111 != 0
    }

    fn is_worth_listing(&self, format: Format, traces: &Traces) -> bool {
        let executable = self.is_executable();
        let by_name = match format {
            Format::Elf => self.named.is_some(),
            Format::Script => self.named.is_some() && self.as_script && executable,
            Format::Other => {
                self.named.is_some() && executable || self.named == Some(shell::MANAGED)
            }
        };
        by_name || traces.is_worth_listing()
    }
}

/// Names without an executable bit that may still be programs: a loader runs them all the same.
fn may_be_elf(name: &[u8], size: u64) -> bool {
    let contains = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
    let suffixed = [b".so".as_slice(), b".node", b".bin", b".elf"];
    if suffixed.iter().any(|suffix| name.ends_with(suffix)) || contains(b".so.") {
        return size >= MIN_PROGRAM;
    }
    !name.contains(&b'.') && size >= MIN_HIDDEN
}

/// The links of a tree, and how far they are followed together.
struct Links<'a> {
    tree: &'a Tree,
    paths: &'a BTreeMap<Vec<u8>, usize>,
    steps: Steps,
    gaps: &'a mut Bounded<Gap>,
}

impl Links<'_> {
    /// A file that a link called `sh` leads to is called so, too.
    fn name(&mut self, candidates: &mut BTreeMap<Vec<u8>, Candidate>) {
        for path in self.paths.keys() {
            let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            let Some((named, as_script)) = shell::named(name) else { continue };
            let Some((target, layer, inode)) = self.target(path) else { continue };
            let new = Candidate { layer, inode, named: None, as_script };
            let candidate = candidates.entry(target).or_insert(new);
            candidate.as_script |= as_script;
            candidate.named.get_or_insert(named);
        }
    }

    /// The regular file that a link leads to; what was not followed to its end is a gap.
    fn target(&mut self, link: &[u8]) -> Option<(Vec<u8>, usize, Inode)> {
        let resolved = match self.tree.follow(link, &mut self.steps) {
            Ok(resolved) => resolved,
            Err(trouble) => {
                let path = if trouble == Trouble::Spent { b"/" } else { link };
                if trouble.is_cut() {
                    self.gaps.gap(path, Part::Content, &trouble.to_string());
                }
                return None;
            }
        };
        let found = resolved.found.filter(|found| found.file_type() == FileType::RegularFile)?;
        Some((resolved.path, found.layer, Inode::from(&found.stat)))
    }
}

/// Puts the names of one inode together, in the order of their first paths.
fn group(candidates: BTreeMap<Vec<u8>, Candidate>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut by_inode = BTreeMap::new();
    for (path, candidate) in candidates {
        let Candidate { layer, inode, named, as_script } = candidate;
        if inode.shared {
            let key = (layer, inode.device, inode.number);
            let index = *by_inode.entry(key).or_insert(groups.len());
            if let Some(group) = groups.get_mut(index) {
                group.paths.push(path);
                group.as_script |= as_script;
                group.named = group.named.or(named);
                continue;
            }
        }
        groups.push(Group { paths: vec![path], layer, inode, named, as_script });
    }
    groups
}

/// A stretch of a file.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    start: u64,
    end: u64,
    /// Whether it is the last one.
    last: bool,
}

impl Inode {
    /// The parts that are searched apart. What has holes is one: shells may stand around them.
    fn stretches(&self) -> impl Iterator<Item = Stretch> + use<> {
        let end = self.size.min(MAX_FILE);
        let part = if self.holds < self.size { MAX_FILE } else { PART };
        let last = end.saturating_sub(1) / part;
        (0..=last).map(move |index| {
            let (start, last) = (index * part, index == last);
            Stretch { start, end: if last { MAX_FILE } else { start + part }, last }
        })
    }
}

/// Searches all files; the answers are in the order of the files.
fn search_all(tree: &Tree, groups: &[Group]) -> Vec<Searched> {
    let mut spent = 0;
    let affordable = groups.iter().take_while(|group| {
        spent += group.inode.holds.min(MAX_FILE);
        spent <= MAX_TOTAL
    });
    let affordable = affordable.count();
    let parts = groups[..affordable]
        .iter()
        .flat_map(|group| group.inode.stretches().map(move |stretch| (group, stretch)));
    let parts: Vec<_> = parts.collect();
    let answers = threads::map(&parts, |(group, stretch)| search(tree, group, *stretch));
    let mut all: Vec<Searched> = Vec::with_capacity(groups.len());
    for ((_, stretch), answer) in parts.iter().zip(answers) {
        let answer = answer.unwrap_or_else(|| Err("the search failed".to_owned()));
        match all.last_mut() {
            Some(before) if stretch.start > 0 => join(before, answer),
            _ => all.push(answer),
        }
    }
    all.resize_with(groups.len(), || Err("too much to search".to_owned()));
    all
}

/// Puts together what two parts of a file tell.
fn join(before: &mut Searched, after: Searched) {
    match (before, after) {
        (Ok(before), Ok(after)) => {
            before.traces.merge(after.traces);
            before.complete &= after.complete;
        }
        (Err(_), _) => {}
        (before, after) => *before = after,
    }
}

fn search(tree: &Tree, group: &Group, stretch: Stretch) -> Searched {
    let path = &group.paths[0];
    let text = |error: std::io::Error| error.to_string();
    let file = tree.open_file(group.layer, path).map_err(text)?;
    let mut magic = [0; 4];
    let length = file.read_at(&mut magic, 0).map_err(text)?;
    let format = match &magic[..length] {
        b"\x7fELF" => Format::Elf,
        [b'#', b'!', ..] => Format::Script,
        _ => Format::Other,
    };
    let shebang = match format {
        Format::Script => match program::read_head(&file).map_err(text)? {
            Head::Script(line) => Some(line),
            _ => None,
        },
        _ => None,
    };
    if format != Format::Elf {
        return Ok(Content { format, traces: Traces::default(), complete: true, shebang });
    }
    let start = stretch.start.saturating_sub(shell::BEFORE);
    let searched = shell::search(Data::from(file, start), stretch.end - start);
    let (traces, complete) = searched.map_err(text)?;
    Ok(Content { format, traces, complete: complete || !stretch.last, shebang })
}

/// The evidence, with everything that leads to what was found.
fn list(
    links: &mut Links<'_>,
    found: &BTreeMap<Vec<u8>, (&Group, Format, Traces)>,
) -> List<ShellTrace> {
    let mut aliases: BTreeMap<&[u8], Vec<String>> = BTreeMap::new();
    let mut first = BTreeMap::new();
    for (group, _, _) in found.values() {
        for path in &group.paths {
            first.insert(path.as_slice(), group.paths[0].as_slice());
        }
        let others = group.paths[1..].iter().map(|path| escape(path)).collect();
        aliases.insert(&group.paths[0], others);
    }
    if !found.is_empty() {
        for link in links.paths.keys() {
            let target = links.target(link);
            let target = target.and_then(|(path, ..)| first.get(path.as_slice()).copied());
            if let Some(names) = target.and_then(|target| aliases.get_mut(target)) {
                names.push(escape(link));
            }
        }
    }
    let mut list = Bounded::default();
    for (path, (group, format, traces)) in found {
        let mut aliases = aliases.remove(path.as_slice()).unwrap_or_default();
        aliases.sort_unstable();
        let more_aliases = aliases.len().saturating_sub(MAX_ALIASES) as u64;
        aliases.truncate(MAX_ALIASES);
        let weight = aliases.iter().map(String::len).sum();
        let trace = ShellTrace {
            path: escape(path),
            layer: group.layer,
            attributes: group.inode.attributes,
            size: group.inode.size,
            format: *format,
            named: group.named.map(str::to_owned),
            traces: traces.clone(),
            aliases,
            more_aliases,
        };
        list.add_weighing(path.clone(), trace, weight);
    }
    list.into_list()
}
