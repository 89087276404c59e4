//! Follows paths through a tree as the kernel would in a container: links over the union of the layers,
//! inside the root.
//!
//! What one lookup may cost is bounded, and what many of them may cost together: links are cheap to make,
//! and each may lead through as many folders as its author likes.

use rustix::fs::FileType;

use super::tree::{Folder, Found, Tree, Trouble};

/// The longest path that the kernel takes (`PATH_MAX`).
pub(crate) const MAX_PATH: usize = 4_096;
/// The kernel gives up after this many links in one lookup (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;
/// The most names that one lookup may come to, links included; a kernel path has at most 2,048.
const MAX_NAMES: usize = 4_096;
/// The most steps of one lookup: `..` is a step for each folder that is opened again, and what was
/// searched is told with its whole path.
const MAX_STEPS: usize = 4 * MAX_NAMES;
/// So many bytes of a path that is told are a step.
const TOLD: usize = 8;

/// How many steps lookups may still take together: an image has as many links as its author likes,
/// and each may lead as far as the kernel goes.
#[derive(Debug)]
pub(crate) struct Steps(usize);

impl Steps {
    pub(crate) const fn of(count: usize) -> Self {
        Self(count)
    }

    /// Takes some; `Spent` if there are not as many.
    pub(crate) fn spend(&mut self, count: usize) -> Result<(), Trouble> {
        self.0 = self.0.checked_sub(count).ok_or(Trouble::Spent)?;
        Ok(())
    }
}

/// Where a path leads.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// Absolute and free of links, as far as the tree has it; what is missing stands as written.
    pub(crate) path: Vec<u8>,
    /// What is there.
    pub(crate) found: Option<Found>,
    /// The folder that holds it, if that one is there, to open it from.
    pub(crate) parent: Option<Folder>,
    /// Every folder that was searched on the way, in order, each once, if that was asked for.
    pub(crate) searched: Vec<(Vec<u8>, Found)>,
}

impl Resolved {
    /// The last name of the path; empty for the root.
    pub(crate) fn name(&self) -> &[u8] {
        self.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }
}

/// What to do with a link at the very end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastLink {
    Keep,
    Follow,
}

impl Tree {
    /// Follows a path from the root of the union. What does not exist is no trouble.
    pub(crate) fn resolve(&self, path: &[u8], last: LastLink) -> Result<Resolved, Trouble> {
        let mut walk = Walk::new(self)?;
        match walk.run(path, last) {
            Err(Trouble::Spent) => Err(Trouble::TooLong),
            outcome => outcome.map(|()| walk.finish()),
        }
    }

    /// Follows one path of many, which take their steps from the same ones.
    pub(crate) fn follow(&self, path: &[u8], steps: &mut Steps) -> Result<Resolved, Trouble> {
        self.within(path, steps, false)
    }

    /// The same, and tells what was searched on the way.
    pub(crate) fn search(&self, path: &[u8], steps: &mut Steps) -> Result<Resolved, Trouble> {
        self.within(path, steps, true)
    }

    fn within(&self, path: &[u8], all: &mut Steps, is_told: bool) -> Result<Resolved, Trouble> {
        let most = all.0.min(MAX_STEPS);
        let mut walk = Walk { is_told, steps: Steps::of(most), ..Walk::new(self)? };
        let outcome = walk.run(path, LastLink::Follow);
        all.0 -= most - walk.steps.0;
        match outcome {
            // It was this one lookup that was too long.
            Err(Trouble::Spent) if most == MAX_STEPS => Err(Trouble::TooLong),
            outcome => outcome.map(|()| walk.finish()),
        }
    }
}

/// The state of one lookup.
struct Walk<'a> {
    tree: &'a Tree,
    /// Texts with names still to be walked, the next ones last, and how much of each is done.
    pending: Vec<(Vec<u8>, usize)>,
    /// Where the walk is, free of links; empty for the root.
    path: Vec<u8>,
    /// What is there.
    found: Option<Found>,
    /// The folder that is there, if it is one.
    here: Option<Folder>,
    /// The folder that holds the last name.
    parent: Option<Folder>,
    is_told: bool,
    searched: Vec<(Vec<u8>, Found)>,
    links: usize,
    names: usize,
    steps: Steps,
}

impl<'a> Walk<'a> {
    fn new(tree: &'a Tree) -> Result<Self, Trouble> {
        let root = tree.root()?;
        Ok(Self {
            tree,
            pending: Vec::new(),
            path: Vec::new(),
            found: Some(root.itself()?),
            here: Some(root),
            parent: None,
            is_told: false,
            searched: Vec::new(),
            links: 0,
            names: 0,
            steps: Steps::of(MAX_STEPS),
        })
    }

    fn run(&mut self, path: &[u8], last: LastLink) -> Result<(), Trouble> {
        self.pending.push((path.to_vec(), 0));
        while let Some(name) = self.next() {
            self.step(&name, last)?;
        }
        Ok(())
    }

    /// The next name.
    fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            let (text, done) = self.pending.last_mut()?;
            if let Some((start, end)) = name(text, *done) {
                *done = end;
                return Some(text[start..end].to_vec());
            }
            self.pending.pop();
        }
    }

    fn has_more(&self) -> bool {
        self.pending.iter().any(|(text, done)| name(text, *done).is_some())
    }

    fn step(&mut self, name: &[u8], last: LastLink) -> Result<(), Trouble> {
        self.names += 1;
        if self.names > MAX_NAMES {
            return Err(Trouble::TooLong);
        }
        self.steps.spend(1)?;
        if let Some(found) = self.found
            && self.here.is_none()
        {
            debug_assert_ne!(found.file_type(), FileType::Directory);
            return Err(Trouble::NotAFolder(super::escape::escape(self.place())));
        }
        self.note_search()?;
        if name == b".." {
            let above = self.path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
            self.path.truncate(above);
            return self.reopen();
        }
        let Some(folder) = self.here.take() else {
            self.push(name);
            return Ok(());
        };
        let (found, inside) = folder.step(name)?;
        self.found = found;
        if let Some(link) = found.filter(|found| found.file_type() == FileType::Symlink)
            && (last == LastLink::Follow || self.has_more())
        {
            return self.follow(folder, name, link);
        }
        self.here = inside;
        self.push(name);
        self.parent = Some(folder);
        Ok(())
    }

    fn push(&mut self, name: &[u8]) {
        self.path.push(b'/');
        self.path.extend_from_slice(name);
    }

    /// Where the walk is, as an absolute path.
    fn place(&self) -> &[u8] {
        if self.path.is_empty() { b"/" } else { &self.path }
    }

    /// Puts what a link says in front of what is still to be walked.
    fn follow(&mut self, folder: Folder, name: &[u8], link: Found) -> Result<(), Trouble> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Trouble::Loop);
        }
        let target = folder.read_link(name, link.layer)?;
        let is_absolute = target.first() == Some(&b'/');
        self.pending.push((target, 0));
        if is_absolute {
            self.path.clear();
            return self.reopen();
        }
        self.found = Some(folder.itself()?);
        self.here = Some(folder);
        Ok(())
    }

    /// Opens the folder of the path again, from the root: holding every folder of a deep path open
    /// would run out of descriptors.
    fn reopen(&mut self) -> Result<(), Trouble> {
        let mut folder = self.tree.root()?;
        self.parent = None;
        for name in self.path.split(|byte| *byte == b'/').skip(1) {
            self.steps.spend(1)?;
            let (_, Some(next)) = folder.step(name)? else {
                self.found = None;
                self.here = None;
                return Ok(());
            };
            self.parent = Some(std::mem::replace(&mut folder, next));
        }
        self.found = Some(folder.itself()?);
        self.here = Some(folder);
        Ok(())
    }

    fn note_search(&mut self) -> Result<(), Trouble> {
        let (true, Some(found), Some(_)) = (self.is_told, self.found, &self.here) else {
            return Ok(());
        };
        if !self.searched.iter().any(|(known, _)| *known == *self.place()) {
            self.steps.spend(self.path.len() / TOLD)?;
            self.searched.push((self.place().to_vec(), found));
        }
        Ok(())
    }

    fn finish(self) -> Resolved {
        Resolved {
            path: self.place().to_vec(),
            found: self.found,
            // A parent is of use only to open what it holds.
            parent: self.parent.filter(|_| self.found.is_some()),
            searched: self.searched,
        }
    }
}

/// Where the next name of a path begins and ends; `.` and empty ones mean nothing.
fn name(path: &[u8], mut start: usize) -> Option<(usize, usize)> {
    while let Some(rest) = path.get(start..).filter(|rest| !rest.is_empty()) {
        let length = memchr::memchr(b'/', rest).unwrap_or(rest.len());
        if !matches!(&rest[..length], b"" | b".") {
            return Some((start, start + length));
        }
        start += length + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A hundred folders in each other, and links in the root.
    fn deep(links: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("d/".repeat(100))).unwrap();
        for (name, target) in links {
            symlink(target, folder.path().join(name)).unwrap();
        }
        let tree = Tree::open(&[folder.path()]).unwrap();
        (folder, tree)
    }

    #[test]
    fn every_name_and_every_folder_that_is_opened_again_is_a_step() {
        let (_folder, tree) = deep(&[("up", "d/d/d/.."), ("there", "/d/d")]);
        for (path, count) in [("/", 0), ("/d/d/d", 3), ("/d/./d//d/", 3), ("/up", 7), ("/there", 3)]
        {
            let mut steps = Steps::of(1_000);
            tree.follow(path.as_bytes(), &mut steps).unwrap();
            assert_eq!(1_000 - steps.0, count, "{path}");
        }
    }

    #[test]
    fn one_lookup_takes_so_many_steps_and_all_together_no_more_than_there_are() {
        let down = "d/".repeat(100);
        let again = |times: usize| format!("/{down}{}", "../d/".repeat(times));
        let (_folder, tree) = deep(&[("short", &again(50)), ("long", &again(170))]);
        let mut steps = Steps::of(3 * MAX_STEPS);
        assert_eq!(tree.follow(b"/long", &mut steps).unwrap_err(), Trouble::TooLong);
        assert_eq!(steps.0, 2 * MAX_STEPS);
        assert!(tree.resolve(b"/short", LastLink::Follow).unwrap().found.is_some());
        let mut found = 0;
        let trouble = loop {
            match tree.follow(b"/short", &mut steps) {
                Ok(resolved) => found += usize::from(resolved.found.is_some()),
                Err(trouble) => break trouble,
            }
        };
        assert_eq!((trouble, found), (Trouble::Spent, 6));
    }

    #[test]
    fn what_is_told_of_the_way_is_bounded() {
        let (_folder, tree) = deep(&[]);
        let path = "d/".repeat(100);
        let mut steps = Steps::of(MAX_STEPS);
        let told = tree.search(path.as_bytes(), &mut steps).unwrap().searched;
        assert_eq!(told.len(), 100);
        let bytes: usize = told.iter().map(|(path, _)| path.len()).sum();
        assert!(MAX_STEPS - steps.0 >= bytes / TOLD, "{bytes}");
        assert!(tree.search(path.as_bytes(), &mut Steps::of(bytes / TOLD)).is_err());
        assert_eq!(tree.follow(path.as_bytes(), &mut steps).unwrap().searched.len(), 0);
    }
}
