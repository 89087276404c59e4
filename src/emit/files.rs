//! Files that are placed: as COPY does it in stages, with owners in numbers and safe modes in images.

use super::Emitter;
use super::picks::Picked;
use crate::llb::{Copy, FileOps, MakeDir, MakeFile, MakeLink, Mode, Owner};
use crate::paths;
use crate::plan::{Files, LayerEntry, Placement, What};

/// In images: nobody but the owner writes, no set-id bits, readable by all (a checkout under umask
/// 077 must still start).
const NORMAL: &str = "go-w,a-st,a+rX";
/// Writable folders that another group shares.
const GROUP_SHARES: &str = "o-w,a-st,a+rX,g=u";

impl Emitter<'_> {
    /// A step of a stage: as COPY does it, modes as found.
    pub(super) fn place_in_stage(&mut self, ops: &mut FileOps, placement: &Placement) {
        let dest = placement.dest.clone();
        match &placement.what {
            What::Files(files) => {
                let picked = self.pick(ops, files, false);
                let exclude = if picked.sifted { Vec::new() } else { files.exclude.clone() };
                let mode = files.mode.map(|mode| Mode::Words(words_of(mode)));
                ops.copy(picked.place, Copy { mode, exclude, ..picked.copy_to(dest) });
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
                let (owner, time) = (Some(Owner::ROOT), self.settings.epoch);
                self.link(ops, MakeLink { path: dest, target: target.clone(), owner, time });
            }
        }
    }

    /// The entries of a layer that place the same files: parts of them, or all at once.
    pub(super) fn place_files(&mut self, ops: &mut FileOps, entries: &[LayerEntry], files: &Files) {
        let is_part = |entry: &LayerEntry| {
            !(entry.below.is_empty() && entry.only.is_empty() && entry.leave_out.is_empty())
        };
        let picked = self.pick(ops, files, entries.iter().any(is_part));
        for entry in entries {
            place_entry(ops, entry, (files, &picked));
        }
    }
}

fn place_entry(ops: &mut FileOps, entry: &LayerEntry, (files, picked): (&Files, &Picked)) {
    let mut exclude = entry.leave_out.clone();
    if !picked.sifted {
        exclude.extend(files.exclude.iter().cloned());
    }
    let words = match files.mode {
        Some(mode) if entry.group_as_owner => words_of(mode) + ",g=u",
        Some(mode) => words_of(mode),
        None if entry.group_as_owner => GROUP_SHARES.to_owned(),
        None => NORMAL.to_owned(),
    };
    let whole = picked.copy_to(entry.dest.clone());
    let from = if entry.below.is_empty() {
        whole.from.clone()
    } else {
        paths::join(&picked.path, &entry.below)
    };
    let copy = Copy {
        from,
        owner: Some(Owner { uid: entry.owner.uid, gid: entry.owner.gid }),
        mode: Some(Mode::Words(words)),
        include: entry.only.clone(),
        exclude,
        ..whole
    };
    ops.copy(picked.place, copy);
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
}
