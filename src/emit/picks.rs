//! Picked files brought to where one plain copy can take them from.
//!
//! A copy of BuildKit's that keeps paths (include patterns) never fails when nothing matches, one
//! that fails (a wildcard) flattens. So what keeps paths is gathered on scratch first, and taken from
//! there by a wildcard that must match. Unpacking ignores modes and owners (file/unpack.go), so
//! archives go to scratch, too; and so does what loses its x before it gets a mode.

use super::Emitter;
use crate::llb::{Copy, FileOps, MakeDir, Mode, Output, Owner, Place};
use crate::paths;
use crate::plan::{Files, Origin, Pick};

/// Where picked files lie, ready to be copied.
#[derive(Debug, Clone)]
pub(super) struct Picked {
    pub(super) place: Place,
    pub(super) path: String,
    wildcard: bool,
    allow_no_match: bool,
    /// Whether what was to be left out is left out already.
    pub(super) sifted: bool,
    /// The name that a file is placed under; `None`: there are several, in a folder.
    name: Option<String>,
}

/// Where things are put aside: one under its own name in it, several are what it holds.
const ASIDE: &str = "/x";

impl Picked {
    /// A copy of all of it, by root.
    pub(super) fn copy_to(&self, dest: String) -> Copy {
        Copy {
            from: self.path.clone(),
            to: dest,
            owner: Some(Owner::ROOT),
            contents: true,
            make_parents: true,
            wildcard: self.wildcard,
            allow_no_match: self.allow_no_match,
            ..Copy::default()
        }
    }

    /// The same, put aside on its way; `how` says what happens to it there.
    fn put_aside(&self, ops: &mut FileOps, how: Copy) -> Self {
        let resume = ops.here();
        ops.restart(Output::SCRATCH);
        let name = self.name.clone().filter(|_| !how.unpack);
        if self.allow_no_match {
            ops.make_dir(folder(ASIDE));
        }
        let path = name.as_ref().map_or(ASIDE.to_owned(), |name| format!("{ASIDE}/{name}"));
        let to = if name.is_some() { path.clone() } else { format!("{ASIDE}/") };
        let sifted = self.sifted || !how.exclude.is_empty();
        let Copy { unpack, exclude, mode, .. } = how;
        ops.copy(self.place, Copy { mode, unpack, exclude, ..self.copy_to(to) });
        let place = ops.here();
        ops.restart(resume);
        let may_be_absent = self.allow_no_match && name.is_some();
        Self {
            place,
            path: if may_be_absent { only(&path) } else { path },
            wildcard: may_be_absent,
            allow_no_match: may_be_absent,
            sifted,
            name,
        }
    }
}

impl Emitter<'_> {
    /// Picks files. `is_part`: parts of them will be taken, so that they must lie under their final
    /// names, without what is left out.
    pub(super) fn pick(&mut self, ops: &mut FileOps, files: &Files, is_part: bool) -> Picked {
        let mut picked = self.pick_as_it_is(ops, files);
        if files.unpack {
            let how = Copy { unpack: true, ..Copy::default() };
            picked = picked.put_aside(ops, how);
        }
        // Nothing in chmod's words tells files from folders but `X`, which looks at the mode before
        // all of the words. So x is taken away in a copy of its own, and comes back for folders
        // only. A mode with x for all needs none of that.
        let strip = files.mode.is_some_and(|mode| mode & 0o111 != 0o111);
        let exclude = if picked.sifted { Vec::new() } else { files.exclude.clone() };
        if strip || is_part && (picked.wildcard || !exclude.is_empty()) {
            let mode = strip.then(|| Mode::Words("a-x".to_owned()));
            picked = picked.put_aside(ops, Copy { mode, exclude, ..Copy::default() });
        }
        picked
    }

    fn pick_as_it_is(&mut self, ops: &mut FileOps, files: &Files) -> Picked {
        let origin = Place::from(self.origin(&files.origin));
        let plain = |path: &str, name: Option<String>| Picked {
            place: origin,
            path: path.to_owned(),
            wildcard: false,
            allow_no_match: false,
            sifted: false,
            name,
        };
        let local = match files.origin {
            Origin::Context => true,
            Origin::Image(index) => self.images[index].is_checkout(),
            _ => false,
        };
        match &files.pick {
            Pick::Path { path, optional } => {
                let name = Some(paths::name(path).to_owned()).filter(|name| !name.is_empty());
                if !optional || name.is_none() {
                    return plain(path, name.or_else(|| Some("root".to_owned())));
                }
                let place =
                    if local { with_parent(ops, origin, &paths::literal(path)) } else { origin };
                let found = plain(&only(path), name);
                Picked { place, wildcard: true, allow_no_match: true, ..found }
            }
            Pick::Matches { pattern, optional } => {
                let place =
                    if *optional && local { with_parent(ops, origin, pattern) } else { origin };
                let found = plain(pattern, None);
                Picked { place, wildcard: true, allow_no_match: *optional, ..found }
            }
            Pick::Tree { root, pattern, optional } => {
                let place = gather(ops, (origin, files), (root, pattern, *optional));
                Picked { place, sifted: true, ..plain("/", None) }
            }
        }
    }
}

/// What a pattern matches below a folder, with its path below it. Must match unless `optional`.
fn gather(
    ops: &mut FileOps,
    (origin, files): (Place, &Files),
    (root, pattern, optional): (&str, &str, bool),
) -> Place {
    let resume = ops.here();
    ops.restart(Output::SCRATCH);
    let include = Copy {
        from: root.to_owned(),
        to: "/".to_owned(),
        contents: true,
        make_parents: true,
        include: vec![pattern.to_owned()],
        exclude: files.exclude.clone(),
        ..Copy::default()
    };
    ops.copy(origin, include);
    if !optional {
        let gathered = ops.here();
        ops.restart(Output::SCRATCH);
        let (from, to) = ("/*".to_owned(), "/".to_owned());
        ops.copy(gathered, Copy { from, to, wildcard: true, ..Copy::default() });
    }
    let place = ops.here();
    ops.restart(resume);
    place
}

/// The matches of a pattern and the folder that it starts in: a wildcard that may match nothing
/// still fails where that folder is absent. Include patterns do not go through links, which a
/// checkout hardly has above optional files, while stages and images are full of them.
fn with_parent(ops: &mut FileOps, origin: Place, pattern: &str) -> Place {
    let (parent, _) = paths::split_pattern(paths::parent(pattern));
    if parent == "/" {
        return origin;
    }
    let resume = ops.here();
    ops.restart(Output::SCRATCH);
    ops.make_dir(folder(&paths::unescape(&parent)));
    let include = Copy {
        from: "/".to_owned(),
        to: "/".to_owned(),
        contents: true,
        include: vec![pattern.trim_start_matches('/').to_owned()],
        ..Copy::default()
    };
    ops.copy(origin, include);
    let place = ops.here();
    ops.restart(resume);
    place
}

fn folder(path: &str) -> MakeDir {
    MakeDir {
        path: path.to_owned(),
        mode: 0o755,
        make_parents: true,
        owner: Some(Owner::ROOT),
        time: Some(0),
    }
}

/// A wildcard that matches exactly one path: only a wildcard may match nothing. A backslash alone
/// would be looked up as it is.
fn only(path: &str) -> String {
    let last = path.char_indices().next_back().map_or(0, |(index, _)| index);
    let mut pattern = String::with_capacity(path.len() + 3);
    for (index, character) in path.char_indices() {
        match character {
            '*' | '?' | '[' | '\\' => pattern.extend(['[', '\\', character, ']']),
            _ if index == last && character.is_ascii_alphanumeric() => {
                pattern.extend(['[', character, ']']);
            }
            _ if index == last => pattern.extend(['[', '\\', character, ']']),
            _ => pattern.push(character),
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_a_wildcard_of_one_path() {
        for (path, pattern) in [
            ("/a/data", "/a/dat[a]"),
            ("/a/--", r"/a/-[\-]"),
            ("/a/[id].js", r"/a/[\[]id].j[s]"),
            ("/é", r"/[\é]"),
            ("/a*", r"/a[\*]"),
        ] {
            assert_eq!(only(path), pattern);
        }
    }
}
