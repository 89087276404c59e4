//! A list that keeps its first entries by path and counts the rest, so that evidence is bounded
//! and the same in whatever order a tree is walked.

use std::collections::BTreeMap;

use super::escape::escape;
use super::evidence::{Gap, List, Part};

/// How many entries of one list evidence holds.
const MAX_ITEMS: usize = 1_000;
/// How many bytes of names that may be: ten such lists, escaped, fit into one answer of the gateway
/// (16 MiB).
const MAX_BYTES: usize = 256 << 10;

/// What the allocator and the tree take for each entry, about.
const OVERHEAD: usize = 48;

/// A list under construction.
#[derive(Debug)]
pub(crate) struct Bounded<T> {
    max_items: usize,
    max_bytes: usize,
    /// What is kept, and how many bytes each entry weighs.
    items: BTreeMap<Vec<u8>, (T, usize)>,
    bytes: usize,
    /// The first path that did not fit: what comes behind it is not kept either, whenever it comes.
    bar: Option<Vec<u8>>,
    total: u64,
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self::with_limits(MAX_ITEMS, MAX_BYTES)
    }
}

impl<T> Bounded<T> {
    pub(crate) fn with_limits(max_items: usize, max_bytes: usize) -> Self {
        Self { max_items, max_bytes, items: BTreeMap::new(), bytes: 0, bar: None, total: 0 }
    }

    pub(crate) fn add(&mut self, path: Vec<u8>, item: T) {
        self.add_weighing(path, item, 0);
    }

    /// Adds what is only made if there is room for it.
    pub(crate) fn add_with(&mut self, path: Vec<u8>, item: impl FnOnce() -> T) {
        if self.is_behind(&path) {
            self.total += 1;
        } else {
            self.add(path, item());
        }
    }

    fn is_behind(&self, path: &[u8]) -> bool {
        self.bar.as_ref().is_some_and(|bar| path >= bar.as_slice())
    }

    /// Adds an entry that weighs more than its path.
    pub(crate) fn add_weighing(&mut self, path: Vec<u8>, item: T, more: usize) {
        self.total += 1;
        if self.is_behind(&path) {
            return;
        }
        let weight = path.len() + more;
        self.bytes += weight;
        if let Some((_, replaced)) = self.items.insert(path, (item, weight)) {
            self.bytes -= replaced;
        }
        while self.items.len() > self.max_items || self.bytes > self.max_bytes {
            let Some((path, (_, weight))) = self.items.pop_last() else { return };
            self.bytes -= weight;
            self.bar = Some(path);
        }
    }

    /// Takes over what was gathered elsewhere: the same as if all had come here.
    pub(crate) fn merge(&mut self, other: Self) {
        let total = self.total + other.total;
        if let Some(bar) = other.bar
            && self.bar.as_ref().is_none_or(|known| bar < *known)
        {
            for (_, (_, weight)) in self.items.split_off(&bar) {
                self.bytes -= weight;
            }
            self.bar = Some(bar);
        }
        for (path, (item, weight)) in other.items {
            let more = weight - path.len();
            self.add_weighing(path, item, more);
        }
        self.total = total;
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn weight(&self) -> usize {
        self.bytes + self.items.len() * (size_of::<(Vec<u8>, T, usize)>() + OVERHEAD)
    }

    pub(crate) fn is_truncated(&self) -> bool {
        self.bar.is_some()
    }

    pub(crate) fn into_map(self) -> BTreeMap<Vec<u8>, T> {
        self.items.into_iter().map(|(path, (item, _))| (path, item)).collect()
    }

    pub(crate) fn into_list(self) -> List<T> {
        let truncated = self.is_truncated();
        let items = self.items.into_values().map(|(item, _)| item).collect();
        List { items, total: self.total, truncated }
    }
}

impl Bounded<Gap> {
    /// Notes that a part of something could not be looked at; a path may have several gaps.
    pub(crate) fn gap(&mut self, path: &[u8], part: Part, reason: &str) {
        let key = [path, b"\0", part.name().as_bytes(), b"\0", reason.as_bytes()].concat();
        self.add(key, Gap { path: escape(path), part, reason: reason.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_first_by_path_in_any_order() {
        for order in [["a", "b", "c", "d"], ["c", "a", "d", "b"], ["d", "c", "b", "a"]] {
            let mut list = Bounded::with_limits(2, 100);
            for path in order {
                list.add(path.into(), path);
            }
            let list = list.into_list();
            assert_eq!((list.items, list.total, list.truncated), (vec!["a", "b"], 4, true));
        }
    }

    #[test]
    fn lists_of_two_threads_add_up_to_one() {
        let paths: Vec<String> =
            (0..40).map(|i| format!("{}{i}", "x".repeat(i * 7 % 11))).collect();
        let list = |chosen: &dyn Fn(usize) -> bool| {
            let mut list = Bounded::with_limits(9, 60);
            for (_, path) in paths.iter().enumerate().filter(|(index, _)| chosen(*index)) {
                list.add(path.clone().into_bytes(), path.clone());
            }
            list
        };
        let whole = list(&|_| true).into_list();
        assert!(whole.truncated);
        for split in 1..8 {
            let mut left = list(&|index| index % split == 0);
            left.merge(list(&|index| index % split != 0));
            assert_eq!(left.into_list(), whole, "{split}");
        }
    }

    #[test]
    fn keeps_what_fits_in_any_order() {
        let long = "b".repeat(50);
        for order in [["a", &long, "c"], ["c", &long, "a"], ["a", "c", &long], [&long, "a", "c"]] {
            let mut list = Bounded::with_limits(10, 20);
            for path in order {
                list.add(path.into(), path);
            }
            assert_eq!(list.into_list().items, ["a"], "{order:?}");
        }
    }
}
