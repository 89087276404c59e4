//! One pass over everything in a union of layers: each name is looked at once, in the layer that it
//! is seen from, and names that several layers have are told apart.
//!
//! Nothing is opened but folders, and nothing recurses: a list of folders is worked off, each
//! opened again by its path below its root, so that depth costs no descriptors.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Stat};

use super::read;
use super::tree::{Tree, Trouble, stat_at};

/// The most things that are looked at in all.
const MAX_ENTRIES: u64 = 5_000_000;
/// How deep folders are followed.
const MAX_DEPTH: usize = 1_024;
/// The longest path that is followed, four times what the kernel takes at once.
const MAX_PATH: usize = 16 << 10;

/// One thing, as a process sees it.
pub(crate) struct Seen<'a> {
    /// The path of its folder; empty for the root.
    pub(crate) folder: &'a [u8],
    pub(crate) name: &'a [u8],
    pub(crate) layer: usize,
    pub(crate) stat: &'a Stat,
    /// Its folder in its layer.
    pub(crate) open: BorrowedFd<'a>,
}

impl Seen<'_> {
    pub(crate) fn path(&self) -> Vec<u8> {
        [self.folder, b"/", self.name].concat()
    }

    pub(crate) fn file_type(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }
}

/// What is told about a tree while it is walked.
pub(crate) trait Visitor {
    /// Something is there.
    fn see(&mut self, seen: &Seen<'_>);
    /// Several layers have a path; topmost first, at least two.
    fn overlaid(&mut self, path: &[u8], versions: &[(usize, Stat)]);
    /// A folder, or what lies below it, was not looked at.
    fn skip(&mut self, path: &[u8], reason: &str);
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

/// Walks over everything but the root itself.
pub(crate) fn walk(tree: &Tree, visitor: &mut impl Visitor) {
    let root = Place { above: None, name: Vec::new(), depth: 0, length: 0 };
    let layers = (0..tree.layers()).rev().collect();
    let pending = vec![Pending { place: Arc::new(root), layers }];
    let mut walk = Walk { tree, visitor, pending, entries: 0 };
    while let Some(next) = walk.pending.pop() {
        let path = next.place.path();
        if walk.entries > MAX_ENTRIES {
            walk.visitor.skip(&path, &format!("there are more than {MAX_ENTRIES} files"));
            return;
        }
        if let Err(trouble) = walk.list(&next, &path) {
            walk.visitor.skip(&path, &trouble.to_string());
        }
    }
}

struct Walk<'a, V> {
    tree: &'a Tree,
    visitor: &'a mut V,
    pending: Vec<Pending>,
    entries: u64,
}

impl<V: Visitor> Walk<'_, V> {
    /// Looks at the names of one folder and puts its folders on the list.
    fn list(&mut self, next: &Pending, path: &[u8]) -> Result<(), Trouble> {
        let open = |layer: &usize| self.tree.open_part(*layer, path).map(|part| (*layer, part));
        let parts: Result<Vec<_>, _> = next.layers.iter().map(open).collect();
        let parts = parts.map_err(Trouble::Io)?;
        let (names, complete) = names(&parts)?;
        if !complete {
            self.visitor.skip(path, "it has too many names");
        }
        self.entries += names.len() as u64;
        for (name, versions) in names {
            let Some((layer, stat)) = versions.first() else { continue };
            let Some((_, part)) = parts.iter().find(|(index, _)| index == layer) else { continue };
            let open = part.as_fd();
            let seen = Seen { folder: path, name: &name, layer: *layer, stat, open };
            self.visitor.see(&seen);
            if versions.len() > 1 {
                self.visitor.overlaid(&seen.path(), &versions);
            }
            self.put_off(next, &seen, folders(&versions));
        }
        Ok(())
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
            self.pending.push(Pending { place: Arc::new(place), layers });
        }
    }
}

/// The layers whose folders make up one folder of the union: down to the first that has none.
fn folders(versions: &Versions) -> Vec<usize> {
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
