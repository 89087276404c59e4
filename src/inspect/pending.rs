//! The folders that a walk has still to list, and how threads share them.
//!
//! Each thread works off what it finds by itself, and gives half of its oldest folders away when
//! another one has nothing to do. The folders of one folder are kept as one text of their names: a
//! million of them would not fit otherwise.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// A folder that is being listed, or that holds one which is still to be listed.
pub(crate) struct Place {
    /// `None`: the root.
    above: Option<Arc<Place>>,
    name: Vec<u8>,
    pub(crate) depth: usize,
    /// How long its path is.
    pub(crate) length: usize,
}

impl Place {
    fn below(above: Option<&Arc<Self>>, name: Vec<u8>) -> Self {
        let (depth, length) =
            above.map_or((0, 0), |above| (above.depth + 1, above.length + 1 + name.len()));
        Self { above: above.cloned(), name, depth, length }
    }

    /// Writes its path over what `path` holds; empty for the root.
    pub(crate) fn write_path(&self, path: &mut Vec<u8>) {
        path.clear();
        path.resize(self.length, b'/');
        let (mut place, mut end) = (self, self.length);
        while let Some(above) = &place.above {
            path[end - place.name.len()..end].copy_from_slice(&place.name);
            end = above.length;
            place = above;
        }
    }
}

/// Folders of one folder, each the sum of the same layers.
pub(crate) struct Batch {
    above: Option<Arc<Place>>,
    /// The layers, topmost first.
    pub(crate) layers: Arc<[usize]>,
    /// Their names, each with a `/` behind it.
    names: Vec<u8>,
}

impl Batch {
    /// The root alone.
    pub(crate) fn root(layers: Arc<[usize]>) -> Self {
        Self { above: None, layers, names: b"/".to_vec() }
    }

    /// `names` has a `/` behind each name.
    pub(crate) fn below(above: &Arc<Place>, layers: Arc<[usize]>, names: Vec<u8>) -> Self {
        Self { above: Some(above.clone()), layers, names }
    }

    /// Takes the last folder out.
    fn pop(&mut self) -> Option<Place> {
        self.names.pop()?;
        let start = self.names.iter().rposition(|byte| *byte == b'/').map_or(0, |end| end + 1);
        let name = self.names.split_off(start);
        Some(Place::below(self.above.as_ref(), name))
    }

    /// Takes the second half of the folders out, if there is more than one.
    fn half(&mut self) -> Option<Self> {
        let last = self.names.len().checked_sub(1)?;
        let middle = memchr::memchr(b'/', &self.names[last / 2..last])
            .map(|place| last / 2 + place)
            .or_else(|| memchr::memrchr(b'/', &self.names[..last / 2]))?;
        let names = self.names.split_off(middle + 1);
        Some(Self { above: self.above.clone(), layers: self.layers.clone(), names })
    }
}

/// What the threads of a walk share.
pub(crate) struct Queue {
    state: Mutex<Shared>,
    changed: Condvar,
    threads: usize,
    /// How many threads have nothing to do, to be read without the lock.
    idle: AtomicUsize,
    entries: AtomicU64,
    way: AtomicU64,
    ended: AtomicBool,
}

struct Shared {
    /// What was given away and not taken yet.
    batches: Vec<Batch>,
    idle: usize,
}

impl Queue {
    pub(crate) fn new(first: Batch, threads: usize) -> Self {
        Self {
            state: Mutex::new(Shared { batches: vec![first], idle: 0 }),
            changed: Condvar::new(),
            threads,
            idle: AtomicUsize::new(0),
            entries: AtomicU64::new(0),
            way: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        }
    }

    /// Counts what was looked at; the sum of all threads.
    pub(crate) fn count(&self, entries: u64) -> u64 {
        self.entries.fetch_add(entries, Ordering::Relaxed) + entries
    }

    /// Counts how deep the folders lie that are opened; the sum of all threads.
    pub(crate) fn go(&self, depth: usize) -> u64 {
        let depth = depth as u64;
        self.way.fetch_add(depth, Ordering::Relaxed) + depth
    }

    /// Nothing more is listed.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, Shared> {
        // A list of folders is as good after a panic elsewhere as before.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_idle(&self, state: &mut Shared, idle: usize) {
        state.idle = idle;
        self.idle.store(idle, Ordering::Relaxed);
    }

    /// Waits until another thread gives something away; `None` once no thread has anything.
    fn wait(&self) -> Option<Batch> {
        let mut state = self.state();
        let idle = state.idle + 1;
        self.set_idle(&mut state, idle);
        loop {
            if let Some(batch) = state.batches.pop() {
                let idle = state.idle - 1;
                self.set_idle(&mut state, idle);
                return Some(batch);
            }
            if state.idle >= self.threads {
                self.changed.notify_all();
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn offer(&self, own: &mut Vec<Batch>) {
        if self.idle.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut state = self.state();
        if state.batches.len() >= state.idle {
            return; // those who wait have not woken up yet
        }
        let given = match own.first_mut().and_then(Batch::half) {
            Some(half) => half,
            None if own.len() > 1 => own.remove(0),
            None => return,
        };
        state.batches.push(given);
        self.changed.notify_one();
    }
}

/// What one thread has still to list.
pub(crate) struct Own<'a> {
    queue: &'a Queue,
    batches: Vec<Batch>,
}

impl<'a> Own<'a> {
    pub(crate) fn new(queue: &'a Queue) -> Self {
        Self { queue, batches: Vec::new() }
    }

    /// Adds folders that this thread has found.
    pub(crate) fn add(&mut self, found: impl IntoIterator<Item = Batch>) {
        self.batches.extend(found);
        self.queue.offer(&mut self.batches);
    }

    /// The next folder and its layers; `None` once no thread can find another.
    pub(crate) fn next(&mut self) -> Option<(Place, Arc<[usize]>)> {
        loop {
            if self.queue.ended.load(Ordering::Relaxed) {
                self.batches.clear();
            }
            match self.batches.last_mut() {
                None => self.batches.push(self.queue.wait()?),
                Some(batch) => match batch.pop() {
                    Some(place) => return Some((place, batch.layers.clone())),
                    None => drop(self.batches.pop()),
                },
            }
        }
    }
}

/// A thread that ends, by a panic as well: the others do not wait for it.
impl Drop for Own<'_> {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        let idle = state.idle + 1;
        self.queue.set_idle(&mut state, idle);
        self.queue.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(batch: &mut Batch) -> Vec<String> {
        let mut path = Vec::new();
        std::iter::from_fn(|| {
            batch.pop()?.write_path(&mut path);
            Some(String::from_utf8_lossy(&path).into_owned())
        })
        .collect()
    }

    #[test]
    fn places_know_their_paths() {
        let root = Arc::new(Batch::root(vec![0].into()).pop().unwrap());
        let usr = Arc::new(Batch::below(&root, vec![0].into(), b"usr/".to_vec()).pop().unwrap());
        let mut batch = Batch::below(&usr, vec![0].into(), b"bin/lib/".to_vec());
        assert_eq!(paths(&mut batch), ["/usr/lib", "/usr/bin"]);
        assert_eq!((usr.depth, usr.length), (1, 4));
        assert_eq!(paths(&mut Batch::root(vec![0].into())), [""]);
    }

    #[test]
    fn halves_add_up_to_the_whole() {
        let root = Arc::new(Batch::root(vec![0].into()).pop().unwrap());
        for names in ["a/", "a/b/", "a/bb/ccc/dddddddddddddddd/", "aaaaaaaaaaaaaaaa/b/c/"] {
            let mut batch = Batch::below(&root, vec![0].into(), names.into());
            let half = batch.half();
            assert_eq!(half.is_some(), names.len() > 2, "{names}");
            let mut all: Vec<_> = half.map(|mut half| paths(&mut half)).unwrap_or_default();
            let rest = paths(&mut batch);
            assert!(!rest.is_empty(), "{names}");
            all.extend(rest);
            all.sort();
            let expected: Vec<_> = names.split_terminator('/').map(|n| format!("/{n}")).collect();
            assert_eq!(all, expected);
        }
    }
}
