//! One pass over everything in a union of layers: each name is looked at once, in the layer that it
//! is seen from, and names that several layers have are told apart.
//!
//! Nothing is opened but folders, and nothing recurses: a list of folders is worked off by a few
//! threads, each folder opened again by its path below its root, so that depth costs no
//! descriptors. What the threads gather is put together without regard to who saw what.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{FileType, Stat};

use super::layered::Layered;
use super::pending::{Batch, Own, Place, Queue};
use super::read;
use super::tree::{self, Tree, Trouble, stat_at};

/// The most things that are looked at in all.
const MAX_ENTRIES: u64 = 5_000_000;
/// The most names of the paths of all folders together: each folder is opened by its path.
const MAX_WAY: u64 = 10_000_000;
/// How deep folders are followed.
const MAX_DEPTH: usize = 1_024;
/// The most threads: beyond that the kernel's own locks are the limit.
const MAX_THREADS: usize = 8;
/// The longest path that is followed, four times what the kernel takes at once.
const MAX_PATH: usize = 16 << 10;
/// The most bytes of the names that the layers have in one folder.
const MAX_UNION: usize = 32 << 20;
/// What one thread holds before it hands it over, in bytes.
const MAX_HELD: usize = 4 << 20;

/// One thing, as a process sees it.
pub(crate) struct Seen<'a> {
    /// The path of its folder; empty for the root.
    pub(crate) folder: &'a [u8],
    pub(crate) name: &'a [u8],
    pub(crate) layer: usize,
    pub(crate) stat: &'a Stat,
    pub(crate) open: tree::Place<'a>,
}

impl Seen<'_> {
    pub(crate) fn path(&self) -> Vec<u8> {
        [self.folder, b"/", self.name].concat()
    }

    pub(crate) fn file_type(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }
}

/// What is told about a tree while it is walked, in no order but folder by folder.
pub(crate) trait Visitor: Send {
    /// What lies in this folder comes next; empty for the root.
    fn enter(&mut self, folder: &[u8]);
    /// Something is there.
    fn see(&mut self, seen: &Seen<'_>);
    /// Several layers have a path; topmost first, at least two.
    fn overlaid(&mut self, path: &[u8], versions: &[(usize, Stat)]);
    /// A folder, or what lies below it, was not looked at.
    fn skip(&mut self, path: &[u8], reason: &str);
    /// Takes over what another one was told.
    fn merge(&mut self, other: Self);
    /// About how many bytes it holds.
    fn weight(&self) -> usize;
}

/// One layer's part of a folder, open.
type Part = (usize, OwnedFd);

/// Walks over everything but the root itself.
pub(crate) fn walk<V: Visitor>(tree: &Tree, new: impl Fn() -> V + Sync) -> V {
    let layers = (0..tree.layers()).rev().collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let queue = Queue::new(Batch::root(layers), threads);
    let all = Mutex::new(new());
    let work = || {
        let own = Own::new(&queue);
        let walk = Walk {
            tree,
            new: &new,
            visitor: new(),
            all: &all,
            queue: &queue,
            found: BTreeMap::new(),
            buffer: Vec::new(),
            seen: 0,
        };
        walk.run(own);
    };
    let mut failed = false;
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        work();
        failed = others.into_iter().any(|thread| thread.join().is_err());
    });
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    if failed {
        all.skip(b"/", "the walk over it failed");
    }
    all
}

struct Walk<'a, V, N> {
    tree: &'a Tree,
    new: &'a N,
    visitor: V,
    /// What all threads have handed over.
    all: &'a Mutex<V>,
    queue: &'a Queue,
    /// Folders in the folder that is being listed, by the layers that each is the sum of.
    found: BTreeMap<Vec<usize>, Vec<u8>>,
    buffer: Vec<u8>,
    /// How many things were looked at in the folder that is being listed.
    seen: u64,
}

impl<V: Visitor, N: Fn() -> V> Walk<'_, V, N> {
    fn run(mut self, mut own: Own<'_>) {
        let mut path = Vec::new();
        while let Some((place, layers)) = own.next() {
            let place = Arc::new(place);
            place.write_path(&mut path);
            if self.queue.go(place.depth) > MAX_WAY {
                self.visitor.skip(b"/", "it has too many folders that lie too deep");
                self.queue.end();
            }
            self.visitor.enter(&path);
            if let Err(trouble) = self.list(&place, &layers, &path) {
                self.visitor.skip(&path, &trouble.to_string());
            }
            let found = std::mem::take(&mut self.found).into_iter();
            own.add(found.map(|(layers, names)| Batch::below(&place, layers.into(), names)));
            if self.queue.count(std::mem::take(&mut self.seen)) > MAX_ENTRIES {
                // Of the root, so that it is the same whoever comes first.
                self.visitor.skip(b"/", &format!("there are more than {MAX_ENTRIES} files"));
                self.queue.end();
            }
            if self.visitor.weight() > MAX_HELD {
                let full = std::mem::replace(&mut self.visitor, (self.new)());
                hand_over(self.all, full);
            }
        }
        hand_over(self.all, self.visitor);
    }

    /// Looks at the names of one folder and puts its folders on the list.
    fn list(&mut self, place: &Place, layers: &[usize], path: &[u8]) -> Result<(), Trouble> {
        if let Some(image) = self.tree.image() {
            self.list_image(image, (place, path));
            return Ok(());
        }
        let open = |layer: &usize| self.tree.open_part(*layer, path).map(|part| (*layer, part));
        let parts: Result<Vec<Part>, _> = layers.iter().map(open).collect();
        let parts = parts.map_err(Trouble::Io)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        let complete = match parts.as_slice() {
            [(layer, part)] => read::each_name(part, &mut buffer, |name| {
                if let Some(stat) = stat_at(part, name)? {
                    let open = tree::Place::Folder(part.as_fd());
                    self.meet(place, (path, name), open, &[(*layer, stat)]);
                }
                Ok::<_, Trouble>(())
            }),
            parts => Union::of(parts, &mut buffer)
                .and_then(|union| self.list_union(&union, parts, (place, path))),
        };
        self.buffer = buffer;
        if !complete? {
            self.visitor.skip(path, "it has too many names");
        }
        Ok(())
    }

    fn list_union(
        &mut self,
        union: &Union,
        parts: &[Part],
        (place, path): (&Place, &[u8]),
    ) -> Result<bool, Trouble> {
        let mut versions = Vec::new();
        for (name, owners) in union.names() {
            versions.clear();
            for owner in owners {
                let Some((layer, part)) = parts.get(owner) else { continue };
                versions.extend(stat_at(part, name)?.map(|stat| (*layer, stat)));
            }
            let top = versions.first().and_then(|(top, _)| parts.iter().find(|(l, _)| l == top));
            if let Some((_, part)) = top {
                let open = tree::Place::Folder(part.as_fd());
                self.meet(place, (path, name), open, &versions);
            }
        }
        Ok(union.complete)
    }

    fn list_image(&mut self, image: &Layered, (place, path): (&Place, &[u8])) {
        let Some(folder) = image.find(path) else { return };
        for (path, reason) in image.unread().iter().filter(|_| path.is_empty()) {
            self.visitor.skip(path, reason);
        }
        for (name, id) in image.names(folder) {
            let open = tree::Place::Node(image, id);
            self.meet(place, (path, name), open, &image.versions(id));
        }
    }

    /// One name and what the layers have there, topmost first.
    fn meet(
        &mut self,
        above: &Place,
        (folder, name): (&[u8], &[u8]),
        open: tree::Place<'_>,
        versions: &[(usize, Stat)],
    ) {
        let Some((layer, stat)) = versions.first() else { return };
        self.seen += 1;
        let seen = Seen { folder, name, layer: *layer, stat, open };
        self.visitor.see(&seen);
        if versions.len() > 1 {
            self.visitor.overlaid(&seen.path(), versions);
        }
        if seen.file_type() == FileType::Directory {
            self.put_off(above, &seen, versions);
        }
    }

    /// Puts a folder on the list, if it is not too far away.
    fn put_off(&mut self, above: &Place, seen: &Seen<'_>, versions: &[(usize, Stat)]) {
        if above.depth >= MAX_DEPTH || above.length + 1 + seen.name.len() > MAX_PATH {
            self.visitor.skip(&seen.path(), "it lies too deep");
            return;
        }
        let names = self.found.entry(folders(versions)).or_default();
        names.extend_from_slice(seen.name);
        names.push(b'/');
    }
}

fn hand_over<V: Visitor>(all: &Mutex<V>, more: V) {
    // What is put together is never half done when a thread fails.
    all.lock().unwrap_or_else(PoisonError::into_inner).merge(more);
}

/// The layers whose folders make up one folder of the union: down to the first that has none.
fn folders(versions: &[(usize, Stat)]) -> Vec<usize> {
    let is_folder =
        |(_, stat): &&(usize, Stat)| FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    versions.iter().take_while(is_folder).map(|(layer, _)| *layer).collect()
}

/// All names of the parts of a folder, sorted, in few pieces of memory: it may be a million.
struct Union {
    text: Vec<u8>,
    /// Where each begins in the text, how long it is, and the index of its part.
    names: Vec<(u32, u8, u16)>,
    complete: bool,
}

impl Union {
    fn of(parts: &[Part], buffer: &mut Vec<u8>) -> Result<Self, Trouble> {
        let mut union = Self { text: Vec::new(), names: Vec::new(), complete: true };
        for (index, (_, part)) in parts.iter().enumerate() {
            let complete = read::each_name(part, buffer, |name| {
                union.add(name, index);
                Ok::<_, Trouble>(())
            })?;
            union.complete &= complete;
        }
        let text = &union.text;
        union.names.sort_unstable_by_key(|name| (slice(text, *name), name.2));
        Ok(union)
    }

    fn add(&mut self, name: &[u8], part: usize) {
        // A name of more bytes than any file system has cannot be looked at either.
        let Ok(length) = u8::try_from(name.len()) else { return };
        let (start, part) = (u32::try_from(self.text.len()), u16::try_from(part));
        match (start, part) {
            (Ok(start), Ok(part)) if self.text.len() + name.len() <= MAX_UNION => {
                self.text.extend_from_slice(name);
                self.names.push((start, length, part));
            }
            _ => self.complete = false,
        }
    }

    /// Each name with the indices of the parts that have it.
    fn names(&self) -> impl Iterator<Item = (&[u8], impl Iterator<Item = usize>)> {
        let groups = self.names.chunk_by(|a, b| slice(&self.text, *a) == slice(&self.text, *b));
        groups.filter_map(|group| {
            let owners = group.iter().map(|(_, _, part)| usize::from(*part));
            Some((slice(&self.text, *group.first()?), owners))
        })
    }
}

fn slice(text: &[u8], (start, length, _): (u32, u8, u16)) -> &[u8] {
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    text.get(start..start.saturating_add(usize::from(length))).unwrap_or_default()
}
