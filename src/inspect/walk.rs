//! One pass over everything in a union of layers: each name is looked at once, in the layer that it
//! is seen from, and names that several layers have are told apart.
//!
//! Nothing is opened but folders, and nothing recurses: a list of folders is worked off by a few
//! threads, each folder opened again by its path below its root, so that depth costs no
//! descriptors. What the threads gather is put together without regard to who saw what.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{FileType, Stat};

use super::layered::Layered;
use super::read;
use super::tree::{self, Tree, Trouble, stat_at};

/// The most things that are looked at in all.
const MAX_ENTRIES: u64 = 5_000_000;
/// How deep folders are followed.
const MAX_DEPTH: usize = 1_024;
/// The most threads: beyond that the kernel's own locks are the limit.
const MAX_THREADS: usize = 8;
/// The longest path that is followed, four times what the kernel takes at once.
const MAX_PATH: usize = 16 << 10;

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
}

/// A folder that is still to be listed. Paths share their beginnings: a million folders far below
/// others would not fit otherwise.
struct Place {
    above: Option<Arc<Place>>,
    name: Vec<u8>,
    depth: usize,
    length: usize,
}

impl Place {
    fn below(above: &Arc<Self>, name: &[u8]) -> Self {
        let (depth, length) = (above.depth + 1, above.length + 1 + name.len());
        Self { above: Some(above.clone()), name: name.to_vec(), depth, length }
    }

    fn path(&self) -> Vec<u8> {
        let mut names = Vec::with_capacity(self.depth);
        let mut place = self;
        while let Some(above) = &place.above {
            names.push(place.name.as_slice());
            place = above;
        }
        names.iter().rev().flat_map(|name| [b"/", *name]).flatten().copied().collect()
    }
}

/// A folder of the union and the layers that it is the sum of, topmost first.
struct Pending {
    place: Arc<Place>,
    layers: Vec<usize>,
}

/// One name and the layers that have it.
type Versions = Vec<(usize, Stat)>;

/// The folders that are still to be listed, for all threads.
struct Queue {
    state: Mutex<Work>,
    changed: Condvar,
    entries: AtomicU64,
}

struct Work {
    pending: Vec<Pending>,
    /// How many threads list a folder, which may have others in it.
    busy: usize,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, Work> {
        // A list of folders is as good after a panic elsewhere as before.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next folder; `None` once no thread can find another.
    fn next(&self) -> Option<(Pending, Busy<'_>)> {
        let mut state = self.state();
        loop {
            if let Some(pending) = state.pending.pop() {
                state.busy += 1;
                return Some((pending, Busy(self)));
            }
            if state.busy == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn add(&self, found: &mut Vec<Pending>) {
        if !found.is_empty() {
            self.state().pending.append(found);
            self.changed.notify_all();
        }
    }
}

/// A thread at work; the others wait for it, whatever becomes of it.
struct Busy<'a>(&'a Queue);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.state().busy -= 1;
        self.0.changed.notify_all();
    }
}

/// Walks over everything but the root itself.
pub(crate) fn walk<V: Visitor>(tree: &Tree, new: impl Fn() -> V + Sync) -> V {
    let root = Place { above: None, name: Vec::new(), depth: 0, length: 0 };
    let layers = (0..tree.layers()).rev().collect();
    let pending = vec![Pending { place: Arc::new(root), layers }];
    let state = Mutex::new(Work { pending, busy: 0 });
    let queue = Queue { state, changed: Condvar::new(), entries: AtomicU64::new(0) };
    let work = || {
        let mut walk = Walk { tree, visitor: new(), queue: &queue, found: Vec::new() };
        walk.run();
        walk.visitor
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for thread in others {
            match thread.join() {
                Ok(seen) => all.merge(seen),
                Err(_) => all.skip(b"/", "the walk over it failed"),
            }
        }
        all
    })
}

struct Walk<'a, V> {
    tree: &'a Tree,
    visitor: V,
    queue: &'a Queue,
    /// Folders in the folder that is being listed.
    found: Vec<Pending>,
}

impl<V: Visitor> Walk<'_, V> {
    fn run(&mut self) {
        while let Some((next, busy)) = self.queue.next() {
            let path = next.place.path();
            if self.queue.entries.load(Ordering::Relaxed) > MAX_ENTRIES {
                // Of the root, so that it is the same whoever comes first.
                self.visitor.skip(b"/", &format!("there are more than {MAX_ENTRIES} files"));
                self.queue.state().pending.clear();
                return;
            }
            self.visitor.enter(&path);
            if let Err(trouble) = self.list(&next, &path) {
                self.visitor.skip(&path, &trouble.to_string());
            }
            self.queue.add(&mut self.found);
            drop(busy);
        }
    }

    /// Looks at the names of one folder and puts its folders on the list.
    fn list(&mut self, next: &Pending, path: &[u8]) -> Result<(), Trouble> {
        if let Some(image) = self.tree.image() {
            self.list_image(next, path, image);
            return Ok(());
        }
        let open = |layer: &usize| self.tree.open_part(*layer, path).map(|part| (*layer, part));
        let parts: Result<Vec<_>, _> = next.layers.iter().map(open).collect();
        let parts = parts.map_err(Trouble::Io)?;
        let complete = if let [(layer, part)] = parts.as_slice() {
            read::each_name(part, |name| {
                if let Some(stat) = stat_at(part, name)? {
                    let open = tree::Place::Folder(part.as_fd());
                    self.meet(next, (path, name), open, &[(*layer, stat)]);
                }
                Ok::<_, Trouble>(())
            })?
        } else {
            let (names, complete) = names(&parts)?;
            for (name, versions) in names {
                let Some((top, _)) = versions.first() else { continue };
                let part = parts.iter().find(|(layer, _)| layer == top);
                let Some((_, part)) = part else { continue };
                let open = tree::Place::Folder(part.as_fd());
                self.meet(next, (path, &name), open, &versions);
            }
            complete
        };
        if !complete {
            self.visitor.skip(path, "it has too many names");
        }
        Ok(())
    }

    fn list_image(&mut self, next: &Pending, path: &[u8], image: &Layered) {
        let Some(folder) = image.find(path) else { return };
        for (path, reason) in image.unread().iter().filter(|_| path.is_empty()) {
            self.visitor.skip(path, reason);
        }
        for (name, id) in image.names(folder) {
            let open = tree::Place::Node(image, id);
            self.meet(next, (path, name), open, &image.versions(id));
        }
    }

    /// One name and what the layers have there, topmost first.
    fn meet(
        &mut self,
        above: &Pending,
        (folder, name): (&[u8], &[u8]),
        open: tree::Place<'_>,
        versions: &[(usize, Stat)],
    ) {
        let Some((layer, stat)) = versions.first() else { return };
        self.queue.entries.fetch_add(1, Ordering::Relaxed);
        let seen = Seen { folder, name, layer: *layer, stat, open };
        self.visitor.see(&seen);
        if versions.len() > 1 {
            self.visitor.overlaid(&seen.path(), versions);
        }
        self.put_off(above, &seen, folders(versions));
    }

    /// Puts a folder on the list, if the name is one in any layer and not too far away.
    fn put_off(&mut self, above: &Pending, seen: &Seen<'_>, layers: Vec<usize>) {
        if layers.is_empty() {
            return;
        }
        let place = Place::below(&above.place, seen.name);
        if place.depth > MAX_DEPTH || place.length > MAX_PATH {
            self.visitor.skip(&seen.path(), "it lies too deep");
        } else {
            self.found.push(Pending { place: Arc::new(place), layers });
        }
    }
}

/// The layers whose folders make up one folder of the union: down to the first that has none.
fn folders(versions: &[(usize, Stat)]) -> Vec<usize> {
    let is_folder =
        |(_, stat): &&(usize, Stat)| FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    versions.iter().take_while(is_folder).map(|(layer, _)| *layer).collect()
}

/// All names of the parts of a folder, each with the layers that have it, topmost first.
fn names(parts: &[(usize, OwnedFd)]) -> Result<(BTreeMap<Vec<u8>, Versions>, bool), Trouble> {
    let mut all = BTreeMap::<_, Versions>::new();
    let mut complete = true;
    for (layer, part) in parts {
        let (names, all_of_them) = read::names(part).map_err(Trouble::Io)?;
        complete &= all_of_them;
        for name in names {
            if let Some(stat) = stat_at(part, &name)? {
                all.entry(name).or_default().push((*layer, stat));
            }
        }
    }
    Ok((all, complete))
}
