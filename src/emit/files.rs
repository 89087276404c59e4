//! Files that are placed: how each way of picking them becomes copies.
//!
//! A copy of BuildKit's that keeps paths (include patterns) never fails when nothing matches, one
//! that fails (a wildcard) flattens. So what keeps paths is gathered on scratch first, taken from
//! there by a wildcard that must match, and only then put in its place. Unpacking ignores modes and
//! owners (file/unpack.go), so archives go to scratch first, too.

use super::Emitter;
use crate::llb::{Copy, FileOps, MakeDir, MakeFile, MakeLink, Mode, Output, Owner, Place};
use crate::paths;
use crate::plan::{Files, LayerEntry, Pick, Placement, What};

/// In images: nobody but the owner writes, no set-id bits, readable by all (a checkout under umask
/// 077 must still start).
const NORMAL: &str = "go-w,a-st,a+rX";
/// Writable folders that another group shares.
const GROUP_SHARES: &str = "o-w,a-st,a+rX,g=u";

/// Where picked files lie, ready to be copied.
struct Picked {
    place: Place,
    path: String,
    wildcard: bool,
    allow_no_match: bool,
    /// Whether what was to be left out is left out already.
    sifted: bool,
}

/// Where things are put aside: a file is this path, of a folder the contents are in it.
const ASIDE: &str = "/x";

impl Picked {
    fn aside(place: Place, sifted: bool) -> Self {
        Self { place, path: ASIDE.to_owned(), wildcard: false, allow_no_match: false, sifted }
    }
}

/// The destination of a copy that puts things aside. Several files, or those of an archive, need a
/// folder.
fn aside(picked: &Picked, unpack: bool) -> String {
    if picked.wildcard || unpack { format!("{ASIDE}/") } else { ASIDE.to_owned() }
}

impl Emitter<'_> {
    /// A step of a stage: as COPY does it, modes as found.
    pub(super) fn place_in_stage(&mut self, ops: &mut FileOps, placement: &Placement) {
        let dest = placement.dest.clone();
        match &placement.what {
            What::Files(files) => {
                let picked = self.pick(ops, files, false);
                let exclude = if picked.sifted { Vec::new() } else { files.exclude.clone() };
                let mut picked = picked;
                let mut exclude = exclude;
                let mode = files.mode.map(|mode| {
                    with_file_mode(ops, &mut picked, (mode, &mut exclude));
                    Mode::Words(words_of(mode))
                });
                let copy = Copy { mode, exclude, ..final_copy(&picked, dest) };
                ops.copy(picked.place, copy);
            }
            What::Content { text, mode } => {
                self.make_parent(ops, &dest);
                ops.make_file(MakeFile {
                    path: dest,
                    mode: *mode,
                    data: text.clone().into_bytes(),
                    owner: Some(Owner::ROOT),
                    time: self.settings.epoch,
                });
            }
            What::Folder { mode } => {
                self.make_parent(ops, &dest);
                ops.make_dir(MakeDir {
                    path: dest,
                    mode: *mode,
                    make_parents: false,
                    owner: Some(Owner::ROOT),
                    time: self.settings.epoch,
                });
            }
            What::Link { target } => {
                self.make_parent(ops, &dest);
                ops.make_link(MakeLink {
                    path: dest,
                    target: target.clone(),
                    owner: Some(Owner::ROOT),
                    time: self.settings.epoch,
                });
            }
        }
    }

    /// An entry of a layer: owners in numbers, modes made safe.
    pub(super) fn place_files(&mut self, ops: &mut FileOps, entry: &LayerEntry, files: &Files) {
        let is_part =
            !(entry.below.is_empty() && entry.only.is_empty() && entry.leave_out.is_empty());
        let mut picked = self.pick(ops, files, is_part);
        picked.path = paths::join(&picked.path, &entry.below);
        let mut exclude = entry.leave_out.clone();
        if !picked.sifted {
            exclude.extend(files.exclude.iter().cloned());
        }
        let owner = Some(Owner { uid: entry.owner.uid, gid: entry.owner.gid });
        let words = match files.mode {
            Some(mode) => {
                with_file_mode(ops, &mut picked, (mode, &mut exclude));
                let shared = if entry.group_as_owner { ",g=u" } else { "" };
                words_of(mode) + shared
            }
            None if entry.group_as_owner => GROUP_SHARES.to_owned(),
            None => NORMAL.to_owned(),
        };
        let include = entry.only.clone();
        let mode = Some(Mode::Words(words));
        let copy =
            Copy { owner, mode, include, exclude, ..final_copy(&picked, entry.dest.clone()) };
        ops.copy(picked.place, copy);
    }

    /// Brings what is picked to a place where one plain copy can take it from. `whole`: it must lie
    /// under its final names, since parts of it are taken.
    fn pick(&mut self, ops: &mut FileOps, files: &Files, is_part: bool) -> Picked {
        let origin = Place::from(self.origin(&files.origin));
        let plain = |path: &str| Picked {
            place: origin,
            path: path.to_owned(),
            wildcard: false,
            allow_no_match: false,
            sifted: false,
        };
        let mut picked = match &files.pick {
            Pick::Path { path, optional: false } => plain(path),
            Pick::Path { path, optional: true } => Picked {
                path: may_be_absent(&paths::literal(path)),
                wildcard: true,
                allow_no_match: true,
                ..plain(path)
            },
            Pick::Matches { pattern, optional } => {
                Picked { wildcard: true, allow_no_match: *optional, ..plain(pattern) }
            }
            Pick::Tree { root, pattern, optional } => {
                return self.gather(ops, files, (root, pattern, *optional));
            }
        };
        let must_stage =
            files.unpack || (is_part && (picked.wildcard || !files.exclude.is_empty()));
        if must_stage {
            let resume = ops.here();
            ops.restart(Output::SCRATCH);
            let exclude = if files.unpack { Vec::new() } else { files.exclude.clone() };
            let copy = Copy {
                unpack: files.unpack,
                exclude,
                ..final_copy(&picked, aside(&picked, files.unpack))
            };
            ops.copy(picked.place, copy);
            picked = Picked::aside(ops.here(), !files.unpack);
            ops.restart(resume);
        }
        picked
    }

    fn gather(
        &mut self,
        ops: &mut FileOps,
        files: &Files,
        (root, pattern, optional): (&str, &str, bool),
    ) -> Picked {
        let origin = self.origin(&files.origin);
        let resume = ops.here();
        ops.restart(Output::SCRATCH);
        ops.copy(
            origin,
            Copy {
                from: root.to_owned(),
                to: "/".to_owned(),
                contents: true,
                make_parents: true,
                include: vec![pattern.to_owned()],
                exclude: files.exclude.clone(),
                ..Copy::default()
            },
        );
        if !optional {
            let gathered = ops.here();
            ops.restart(Output::SCRATCH);
            let all = Copy {
                from: "/*".to_owned(),
                to: "/".to_owned(),
                wildcard: true,
                ..Copy::default()
            };
            ops.copy(gathered, all);
        }
        let place = ops.here();
        ops.restart(resume);
        Picked { place, path: "/".to_owned(), wildcard: false, allow_no_match: false, sifted: true }
    }
}

/// Prepares a numeric mode for files alone. Nothing in chmod's words tells files from folders
/// but `X`, which looks at the mode before all of the words: so x is taken away in a copy of its
/// own, and comes back for folders only. A mode with x for all needs none of that.
fn with_file_mode(
    ops: &mut FileOps,
    picked: &mut Picked,
    (mode, exclude): (u32, &mut Vec<String>),
) {
    if mode & 0o111 == 0o111 {
        return;
    }
    let resume = ops.here();
    ops.restart(Output::SCRATCH);
    let copy = Copy {
        exclude: std::mem::take(exclude),
        mode: Some(Mode::Words("a-x".to_owned())),
        ..final_copy(picked, aside(picked, false))
    };
    ops.copy(picked.place, copy);
    *picked = Picked::aside(ops.here(), true);
    ops.restart(resume);
}

fn final_copy(picked: &Picked, dest: String) -> Copy {
    Copy {
        from: picked.path.clone(),
        to: dest,
        owner: Some(Owner::ROOT),
        contents: true,
        make_parents: true,
        wildcard: picked.wildcard,
        allow_no_match: picked.allow_no_match,
        ..Copy::default()
    }
}

/// A pattern that matches exactly one path: only a pattern may match nothing.
fn may_be_absent(literal: &str) -> String {
    let last = literal.rfind(|character: char| character.is_ascii_alphanumeric());
    match last {
        Some(index) if !literal[index + 1..].contains('/') => {
            format!("{}[{}]{}", &literal[..index], &literal[index..=index], &literal[index + 1..])
        }
        _ => literal.to_owned(),
    }
}

/// `u=rw,g=r,o=r,a-st,a+X` for 0644: what has lost its x before is a folder if `X` gives it back.
fn words_of(mode: u32) -> String {
    let bits = |shift: u32| {
        let mode = mode >> shift & 0o7;
        let all = [(0o4, 'r'), (0o2, 'w'), (0o1, 'x')];
        all.iter().filter(|(bit, _)| mode & bit != 0).map(|(_, letter)| *letter).collect::<String>()
    };
    format!("u={},g={},o={},a-st,a+X", bits(6), bits(3), bits(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_modes_as_words() {
        assert_eq!(words_of(0o644), "u=rw,g=r,o=r,a-st,a+X");
        assert_eq!(words_of(0o700), "u=rwx,g=,o=,a-st,a+X");
    }

    #[test]
    fn makes_a_pattern_of_one_path() {
        assert_eq!(may_be_absent("/a/data"), "/a/dat[a]");
        assert_eq!(may_be_absent("/a/x-"), "/a/[x]-");
        assert_eq!(may_be_absent("/a/--"), "/a/--");
    }
}
