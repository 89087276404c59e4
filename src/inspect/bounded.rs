//! A list that keeps its first entries by path and counts the rest, so that evidence is bounded
//! and the same in whatever order a tree is walked.

use std::collections::BTreeMap;

use super::evidence::List;

/// How many entries of one list evidence holds.
pub(crate) const MAX_ITEMS: usize = 1_000;

/// A list under construction.
#[derive(Debug)]
pub(crate) struct Bounded<T> {
    limit: usize,
    items: BTreeMap<Vec<u8>, T>,
    total: u64,
}

impl<T> Default for Bounded<T> {
    fn default() -> Self {
        Self::with_limit(MAX_ITEMS)
    }
}

impl<T> Bounded<T> {
    pub(crate) fn with_limit(limit: usize) -> Self {
        Self { limit, items: BTreeMap::new(), total: 0 }
    }

    pub(crate) fn add(&mut self, path: Vec<u8>, item: T) {
        self.total += 1;
        self.items.insert(path, item);
        if self.items.len() > self.limit {
            self.items.pop_last();
        }
    }

    pub(crate) fn is_truncated(&self) -> bool {
        self.total > self.items.len() as u64
    }

    pub(crate) fn into_map(self) -> BTreeMap<Vec<u8>, T> {
        self.items
    }

    pub(crate) fn into_list(self) -> List<T> {
        let truncated = self.is_truncated();
        List { items: self.items.into_values().collect(), total: self.total, truncated }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_first_by_path_in_any_order() {
        let mut list = Bounded::with_limit(2);
        for path in ["c", "a", "d", "b"] {
            list.add(path.into(), path);
        }
        let list = list.into_list();
        assert_eq!((list.items, list.total, list.truncated), (vec!["a", "b"], 4, true));
    }
}
