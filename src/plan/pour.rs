//! Folders poured over folders that the base has, too.
//!
//! A copy gives every folder below the one that it pours into the mode and owner of the source
//! (fsutil copy.go, `overwriteTargetMetadata`), and a merge puts a folder in the place of a link. So
//! folders are set right at the end of a layer, and what lies below a link of the base is copied on
//! its own to where that link leads.

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::inspect::collisions::{Collision, Collisions};
use crate::inspect::entry::Kind;
use crate::paths;
use crate::plan::layers::{LayerEntry, LayerFolder};

/// An entry, taken apart.
#[derive(Debug, Default)]
pub(super) struct Poured {
    pub(super) folders: Vec<LayerFolder>,
    pub(super) entries: Vec<LayerEntry>,
}

/// A part of the source that has a place of its own.
struct Part {
    /// Relative to the source.
    path: String,
    dest: String,
}

/// Splits an entry where it collides with the base.
pub(super) fn split(
    entry: LayerEntry,
    collisions: Option<&Collisions>,
    span: Span,
) -> Result<Poured, Diagnostic> {
    let Some(collisions) = collisions.filter(|collisions| !collisions.entries.is_empty()) else {
        return Ok(Poured { folders: Vec::new(), entries: vec![entry] });
    };
    if collisions.truncated {
        let message = format!("too much of {:?} stands on the runtime base already", entry.dest);
        return Err(Diagnostic::error(Code::FileOverFolder, span, message)
            .help("copy the folders that are yours one by one"));
    }
    let mut poured = Poured::default();
    let mut parts = vec![Part { path: String::new(), dest: entry.dest.clone() }];
    for collision in &collisions.entries {
        if let Some(part) = part(collision, &mut poured.folders, span)? {
            parts.push(part);
        }
    }
    for part in &parts {
        poured.entries.push(entry_of(&entry, part, &parts));
    }
    Ok(poured)
}

fn part(
    collision: &Collision,
    folders: &mut Vec<LayerFolder>,
    span: Span,
) -> Result<Option<Part>, Diagnostic> {
    let at = collision.at.as_str();
    if collision.escaped {
        return Err(refuse(at, "there under a name that is no text", "what is placed", span));
    }
    let base = &collision.base.attributes;
    match (base.kind, collision.source) {
        (Kind::Folder, Kind::Folder) => {
            folders.push(LayerFolder {
                path: at.to_owned(),
                mode: base.mode,
                uid: base.uid,
                gid: base.gid,
            });
            Ok(None)
        }
        (Kind::Folder, _) => Err(refuse(at, "a folder", "a file", span)),
        (Kind::Link, Kind::Folder) => match (&collision.leads_to, collision.leads_to_kind) {
            (Some(path), Some(Kind::Folder)) => {
                folders.extend(collision.leads_through.iter().map(LayerFolder::from));
                Ok(Some(Part { path: collision.path.clone(), dest: format!("{path}/") }))
            }
            _ => Err(refuse(at, "a link", "a folder", span)),
        },
        (_, Kind::Folder) => Err(refuse(at, "a file", "a folder", span)),
        _ => Ok(None),
    }
}

fn refuse(at: &str, has: &str, gets: &str, span: Span) -> Diagnostic {
    let message = format!("{at:?} is {has} of the runtime base, and {gets} would take its place");
    Diagnostic::error(Code::FileOverFolder, span, message)
        .help("leave it out with `exclude`, or choose another destination with `to`")
}

fn entry_of(whole: &LayerEntry, part: &Part, parts: &[Part]) -> LayerEntry {
    let mut entry = whole.clone();
    entry.dest.clone_from(&part.dest);
    entry.below.clone_from(&part.path);
    for other in parts {
        let (folder, path) = (format!("/{}", part.path), format!("/{}", other.path));
        if let Some(inner) = paths::below(&folder, &path).filter(|inner| !inner.is_empty()) {
            entry.leave_out.push(paths::literal(inner));
        }
    }
    entry
}
