//! The folders of layers: those above what is placed, as the runtime base has them, as an earlier
//! item made them, or new.
//!
//! Merging gives a folder the mode and owner of the last layer that has it. So each layer says them
//! for every folder that it touches, and a folder that the user may write is the user's in all of
//! them.

use std::collections::BTreeMap;

use crate::inspect::entry::Kind;
use crate::inspect::facts::Place;
use crate::paths;
use crate::plan::WritablePath;
use crate::plan::layers::LayerFolder;

/// What is known about folders besides the base's.
pub(super) struct Folders<'a> {
    writable: &'a [WritablePath],
    /// Modes of the folders that items made.
    made: BTreeMap<String, u32>,
}

impl<'a> Folders<'a> {
    pub(super) fn new(writable: &'a [WritablePath]) -> Self {
        Self { writable, made: BTreeMap::new() }
    }

    /// Remembers that an item makes a folder.
    pub(super) fn make(&mut self, path: &str, mode: u32) {
        self.made.insert(path.to_owned(), mode);
    }

    /// The folders above a place.
    pub(super) fn parents(&self, place: &Place) -> Vec<LayerFolder> {
        paths::ancestors(&place.path)
            .map(|path| {
                let known = place.ancestors.iter().find(|ancestor| ancestor.path == path);
                known.map_or_else(
                    || self.new_at(path),
                    |folder| {
                        let path = folder.path.clone();
                        let (mode, uid, gid) = (folder.mode, folder.uid, folder.gid);
                        self.of_base(LayerFolder { path, mode, uid, gid })
                    },
                )
            })
            .collect()
    }

    /// The folder at a place itself, if the base has one or an item made one.
    pub(super) fn at(&self, place: &Place) -> Option<LayerFolder> {
        if let Some(entry) = place.entry.as_ref().map(|entry| &entry.attributes) {
            let (path, mode) = (place.path.clone(), entry.mode);
            let folder = LayerFolder { path, mode, uid: entry.uid, gid: entry.gid };
            return (entry.kind == Kind::Folder).then(|| self.of_base(folder));
        }
        let named = self.named().any(|writable| writable.resolved == place.path);
        (named || self.made.contains_key(&place.path)).then(|| self.new_at(&place.path))
    }

    /// Writable folders below a destination whose mode the spec gives: what is poured there may have
    /// them, with another one.
    pub(super) fn named_below(&self, dest: &str) -> Vec<LayerFolder> {
        let inside = |path: &str| paths::below(dest, path).is_some_and(|rest| !rest.is_empty());
        let named = self.named().filter(|writable| inside(&writable.resolved));
        named.map(|writable| self.new_at(&writable.resolved)).collect()
    }

    /// Writable paths that are folders for sure: a file has no use for such a mode.
    fn named(&self) -> impl Iterator<Item = &WritablePath> {
        self.writable.iter().filter(|path| path.mode.is_some_and(|mode| mode & 0o100 != 0))
    }

    /// A folder that the base has: it changes hands only if it is named itself.
    pub(super) fn of_base(&self, mut folder: LayerFolder) -> LayerFolder {
        if let Some(path) = self.writable.iter().find(|path| path.resolved == folder.path) {
            folder.mode = path.mode.unwrap_or(folder.mode);
            folder.uid = path.owner.uid;
            folder.gid = path.owner.gid;
        }
        folder
    }

    /// A folder that the base does not have: root's, or the user's within a writable one.
    pub(super) fn new_at(&self, path: &str) -> LayerFolder {
        let mode = self.made.get(path).copied().unwrap_or(0o755);
        let folder = LayerFolder { path: path.to_owned(), mode, uid: 0, gid: 0 };
        let Some(writable) = around(self.writable, path) else { return folder };
        let shared = if writable.shares_with_group() { mode >> 3 & 0o070 } else { 0 };
        let own = writable.mode.filter(|_| writable.resolved == path);
        LayerFolder {
            mode: own.unwrap_or(mode | shared),
            uid: writable.owner.uid,
            gid: writable.owner.gid,
            ..folder
        }
    }
}

/// The innermost writable path that is `path` or above it.
pub(super) fn around<'a>(writable: &'a [WritablePath], path: &str) -> Option<&'a WritablePath> {
    let all = writable.iter().filter(|one| paths::below(&one.resolved, path).is_some());
    all.max_by_key(|one| one.resolved.len())
}

/// Each folder once, those above others first; what is known best stands first in `folders`.
pub(super) fn ordered(mut folders: Vec<LayerFolder>) -> Vec<LayerFolder> {
    folders.sort_by(|left, right| left.path.cmp(&right.path));
    folders.dedup_by(|later, first| later.path == first.path);
    folders.retain(|folder| folder.path != "/");
    folders
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Span;
    use crate::inspect::facts::Ancestor;
    use crate::plan::Owner;

    fn writable(path: &str, mode: Option<u32>) -> WritablePath {
        WritablePath {
            path: path.to_owned(),
            resolved: path.to_owned(),
            mode,
            owner: Owner { uid: 1000, gid: 0 },
            span: Span::START,
        }
    }

    fn show(folders: &[LayerFolder]) -> Vec<String> {
        let show =
            |one: &LayerFolder| format!("{} {:o} {}:{}", one.path, one.mode, one.uid, one.gid);
        folders.iter().map(show).collect()
    }

    #[test]
    fn parents_are_the_bases_or_made_or_new() {
        let base = |path: &str, mode, uid| Ancestor { path: path.to_owned(), mode, uid, gid: uid };
        let place = Place {
            path: "/srv/a/b/w/x/y".to_owned(),
            ancestors: vec![base("/", 0o755, 0), base("/srv", 0o2775, 5)],
            ..Place::default()
        };
        let all = [writable("/srv/a/b/w", Some(0o770))];
        let mut folders = Folders::new(&all);
        folders.make("/srv/a", 0o700);
        assert_eq!(
            show(&folders.parents(&place)),
            [
                "/srv 2775 5:5",
                "/srv/a 700 0:0",
                "/srv/a/b 755 0:0",
                "/srv/a/b/w 770 1000:0",
                "/srv/a/b/w/x 775 1000:0",
            ]
        );
    }

    #[test]
    fn folders_of_the_base_change_hands_only_by_name() {
        let all = [writable("/app", None)];
        let folders = Folders::new(&all);
        let folder =
            |path: &str| LayerFolder { path: path.to_owned(), mode: 0o750, uid: 7, gid: 7 };
        let found = [folders.of_base(folder("/app")), folders.of_base(folder("/app/in"))];
        assert_eq!(show(&found), ["/app 750 1000:0", "/app/in 750 7:7"]);
    }

    #[test]
    fn the_innermost_writable_path_counts() {
        let all = [writable("/a", None), writable("/a/b", None), writable("/ab", None)];
        let found = |path| around(&all, path).map(|one| one.path.as_str());
        assert_eq!(found("/a/b/c"), Some("/a/b"));
        assert_eq!(found("/a/bc"), Some("/a"));
        assert_eq!(found("/abc"), None);
        assert_eq!(found("/"), None);
    }

    #[test]
    fn each_folder_stands_once_and_the_root_never() {
        let folder = |path: &str, mode| LayerFolder { path: path.to_owned(), mode, uid: 0, gid: 0 };
        let all = vec![folder("/b", 1), folder("/a", 2), folder("/", 3), folder("/b", 4)];
        assert_eq!(show(&ordered(all)), ["/a 2 0:0", "/b 1 0:0"]);
    }
}
