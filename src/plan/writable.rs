//! What the runtime user may write: the layer that makes it, and the parts of what is placed that
//! go to the user.

use crate::diagnostic::{Code, Diagnostic};
use crate::inspect::entry::Kind;
use crate::inspect::facts::{Destination, Facts, Place};
use crate::paths;
use crate::plan::draft::{Draft, DraftWritable, refuse_system};
use crate::plan::folders::{Folders, around, ordered};
use crate::plan::layers::{Layer, LayerEntry, LayerFolder, target};
use crate::plan::{Owner, What, WritablePath};

/// The writable paths of a draft, where the links of the base lead.
pub(super) fn writable_paths(
    draft: &Draft,
    facts: &Facts,
    user: Owner,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<WritablePath> {
    let mut paths = Vec::new();
    for writable in &draft.writable {
        match place_of(writable, draft, facts) {
            Ok(place) => paths.push(WritablePath {
                path: writable.path.clone(),
                resolved: place.path.clone(),
                mode: writable.mode,
                owner: Owner { uid: user.uid, gid: writable.group.unwrap_or(user.gid) },
                span: writable.span,
            }),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    paths
}

fn place_of<'a>(
    writable: &DraftWritable,
    draft: &Draft,
    facts: &'a Facts,
) -> Result<&'a Place, Diagnostic> {
    let place = target(facts, &writable.path, writable.span)?;
    if let Some(mistake) = refuse_system(&place.path, writable.span) {
        return Err(mistake);
    }
    let replaced = || {
        let mut placed = draft.items.iter().flat_map(|item| &item.placements);
        placed.any(|placement| placement.dest == writable.path)
    };
    if is_file(place) && !replaced() {
        let message =
            format!("{:?} is a file of the runtime base, which stays as it is", place.path);
        return Err(Diagnostic::error(Code::ForbiddenWritable, writable.span, message)
            .help("name a folder, or place a file of your own there"));
    }
    Ok(place)
}

fn is_file(place: &Place) -> bool {
    place.entry.as_ref().is_some_and(|entry| entry.attributes.kind != Kind::Folder)
}

/// The first layer: the writable folders. A file that is placed at such a path lies above it; where
/// it is known that one is, no folder is made.
pub(super) fn writable_layer(
    draft: &Draft,
    facts: &Facts,
    (writable, folders): (&[WritablePath], &Folders<'_>),
) -> Option<Layer> {
    let first = writable.first()?;
    let written = |path: &WritablePath| {
        let mut placed = draft.items.iter().flat_map(|item| &item.placements);
        placed.any(|one| {
            one.dest == path.path && matches!(one.what, What::Content { .. } | What::Link { .. })
        })
    };
    let mut all: Vec<LayerFolder> = Vec::new();
    for path in writable {
        let place = facts.destination(&path.path).map(Destination::end)?;
        all.extend(folders.parents(place));
        if !is_file(place) && !written(path) {
            all.push(folders.at(place).unwrap_or_else(|| folders.new_at(&place.path)));
        }
    }
    let shown: Vec<_> = writable.iter().map(|path| path.path.as_str()).collect();
    let title = format!("WRITABLE {}", shown.join(" "));
    Some(Layer { title, span: first.span, folders: ordered(all), entries: Vec::new() })
}

/// Splits an entry so that what lies at or below writable paths belongs to the user: the folder
/// alone first, which stays root's, then what is the user's, then the rest, which takes the
/// parents in between back.
pub(super) fn give_to_user(writable: &[WritablePath], mut entry: LayerEntry) -> Vec<LayerEntry> {
    let dest = entry.dest.trim_end_matches('/').to_owned();
    if let Some(path) = around(writable, &dest) {
        entry.owner = path.owner;
        entry.group_as_owner = path.shares_with_group();
        return vec![entry];
    }
    let mut given = Vec::new();
    if !matches!(entry.what, What::Files(_)) {
        return vec![entry];
    }
    for path in writable {
        let Some(rest) = paths::below(&dest, &path.resolved) else { continue };
        let pattern = paths::literal(rest);
        given.push(LayerEntry {
            only: vec![pattern.clone()],
            owner: path.owner,
            group_as_owner: path.shares_with_group(),
            ..entry.clone()
        });
        entry.leave_out.push(pattern);
    }
    if !given.is_empty() {
        given.insert(0, LayerEntry { leave_out: vec!["*".to_owned()], ..entry.clone() });
    }
    given.push(entry);
    given
}
