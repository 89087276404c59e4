//! The layers of an image: what every placement becomes once it is known what the runtime base has
//! at its destination and above it.
//!
//! A layer is made on scratch and merged with the base afterwards, so it cannot see the base. Merged
//! as it is, a folder in it would replace a link of the base and take away a folder's mode and owner
//! (BuildKit v0.34.2, `snapshot/diffapply_linux.go`). So destinations go through the base's links
//! here, and each layer starts with its parents as the base has them.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::inspect::collisions::Collisions;
use crate::inspect::entry::Kind;
use crate::inspect::facts::{Ancestor, Destination, Facts, Place};
use crate::paths;
use crate::plan::draft::{self, Draft, DraftWritable, Item};
use crate::plan::pour;
use crate::plan::settings::{self, Settings};
use crate::plan::{Owner, Placement, Plan, What, WritablePath};

/// One layer on the runtime base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// How the progress and the history show it.
    pub title: String,
    /// Where it is written.
    pub span: Span,
    /// Folders that have exactly this mode and owner in the end, outermost first.
    pub folders: Vec<LayerFolder>,
    /// What is placed, in order.
    pub entries: Vec<LayerEntry>,
}

/// A folder that a layer needs above what it places.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LayerFolder {
    /// Absolute.
    pub path: String,
    /// Permissions.
    pub mode: u32,
    /// Who owns it.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
}

/// Something that a layer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerEntry {
    /// What.
    pub what: What,
    /// A path below what `what` picks; empty: all of it.
    pub below: String,
    /// Patterns below that of what is meant; empty: everything.
    pub only: Vec<String>,
    /// Patterns below that which have an entry of their own.
    pub leave_out: Vec<String>,
    /// Where, free of links of the base.
    pub dest: String,
    /// Who owns it.
    pub owner: Owner,
    /// Whether the group may do what the owner may.
    pub group_as_owner: bool,
}

impl LayerEntry {
    /// All of something, for root.
    #[must_use]
    pub fn whole(what: What, dest: String) -> Self {
        Self {
            what,
            below: String::new(),
            only: Vec::new(),
            leave_out: Vec::new(),
            dest,
            owner: Owner::default(),
            group_as_owner: false,
        }
    }
}

/// Collisions of a placement with the base, by the index of its item and its own.
pub type AllCollisions = BTreeMap<(usize, usize), Collisions>;

/// Lays out the layers and the config, or says everything that stands against it.
pub fn finish(
    draft: Draft,
    facts: &Facts,
    collisions: &AllCollisions,
    settings: &Settings<'_>,
) -> Result<Plan, Vec<Diagnostic>> {
    let mut mistakes = Vec::new();
    let user = settings::user(settings, &draft, facts)
        .map_err(|mistake| mistakes.push(mistake))
        .unwrap_or_default();
    let writable = writable_paths(&draft.writable, facts, user, &mut mistakes);
    let mut layers: Vec<Layer> = writable_layer(&writable, facts).into_iter().collect();
    for (index, item) in draft.items.iter().enumerate() {
        let layout = Layout { facts, writable: &writable, collisions, item: index };
        match layout.layer(item) {
            Ok(layer) => layers.push(layer),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    layers.extend(workdir_layer(&draft, facts, &writable, &layers, settings));
    let config = settings::config(settings, &draft, user, &layers);
    mistakes.extend(config.1);
    let annotations = settings::annotations(settings, &mut mistakes);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Ok(Plan {
        app: draft.app,
        platform: draft.platform,
        images: draft.images,
        runtime: draft.runtime,
        stages: draft.stages,
        layers,
        config: config.0,
        user,
        writable,
        annotations,
        context_paths: draft.context_paths,
        places: settings::places(settings),
    })
}

fn writable_paths(
    drafts: &[DraftWritable],
    facts: &Facts,
    user: Owner,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<WritablePath> {
    let mut paths = Vec::new();
    for draft in drafts {
        let place = target(facts, &draft.path, draft.span).and_then(|place| {
            let system = draft::refuse_system(&place.path, draft.span);
            system.map_or(Ok(place), Err)
        });
        match place {
            Ok(place) => paths.push(WritablePath {
                path: draft.path.clone(),
                resolved: place.path.clone(),
                mode: draft.mode,
                owner: Owner { uid: user.uid, gid: draft.group.unwrap_or(user.gid) },
                span: draft.span,
            }),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    paths
}

/// The first layer: the writable folders. A file that is placed at such a path lies above it.
fn writable_layer(writable: &[WritablePath], facts: &Facts) -> Option<Layer> {
    let first = writable.first()?;
    let mut folders = Vec::new();
    for path in writable {
        let place = facts.destination(&path.path).map(Destination::end)?;
        folders.extend(parents(place, writable));
        let mode = path.mode.or(folder_mode(place)).unwrap_or(0o755);
        folders.push(LayerFolder {
            path: path.resolved.clone(),
            mode,
            uid: path.owner.uid,
            gid: path.owner.gid,
        });
    }
    let shown: Vec<_> = writable.iter().map(|path| path.path.as_str()).collect();
    let title = format!("WRITABLE {}", shown.join(" "));
    Some(Layer { title, span: first.span, folders: ordered(folders), entries: Vec::new() })
}

fn folder_mode(place: &Place) -> Option<u32> {
    let entry = place.entry.as_ref()?;
    (entry.attributes.kind == Kind::Folder).then_some(entry.attributes.mode)
}

/// A workdir that neither the base nor a layer has is made: the app could not start without it.
fn workdir_layer(
    draft: &Draft,
    facts: &Facts,
    writable: &[WritablePath],
    layers: &[Layer],
    settings: &Settings<'_>,
) -> Option<Layer> {
    let destination = facts.destination(&draft.workdir)?;
    let place = destination.end();
    let placed = layers.iter().any(|layer| {
        let folders = layer.folders.iter().map(|folder| folder.path.as_str());
        let folder_entries = layer.entries.iter().filter(|entry| entry.dest.ends_with('/'));
        folders
            .chain(folder_entries.map(|entry| entry.dest.trim_end_matches('/')))
            .any(|path| paths::below(&place.path, path).is_some())
    });
    if place.entry.is_some() || placed || destination.trouble.is_some() {
        return None;
    }
    let mut folders = parents(place, writable);
    folders.push(new_folder(&place.path));
    let title = format!("WORKDIR {}", draft.workdir);
    Some(Layer {
        title,
        span: settings.workdir_span(),
        folders: ordered(folders),
        entries: Vec::new(),
    })
}

/// What one item is laid out with.
struct Layout<'a> {
    facts: &'a Facts,
    writable: &'a [WritablePath],
    collisions: &'a AllCollisions,
    item: usize,
}

impl Layout<'_> {
    fn layer(&self, item: &Item) -> Result<Layer, Diagnostic> {
        let mut folders = Vec::new();
        let mut entries = Vec::new();
        for (index, placement) in item.placements.iter().enumerate() {
            let wanted = paths::join("/", &placement.dest);
            let place = target(self.facts, &wanted, item.span)?;
            refuse_collision(placement, place, item.span)?;
            let folder = folder_mode(place).is_some();
            folders.extend(parents(place, self.writable));
            if folder {
                folders.extend(as_it_is(place, self.writable));
            }
            // With a slash, a file goes into a folder that the base has, and does not replace it.
            let into = folder || placement.dest.ends_with('/');
            let dest = if into {
                format!("{}/", place.path.trim_end_matches('/'))
            } else {
                place.path.clone()
            };
            if let What::Folder { mode } = placement.what {
                if !folder {
                    let made = LayerFolder { mode, ..new_folder(&place.path) };
                    folders.push(owned(made, self.writable));
                }
                continue; // one that the base has stays as it is
            }
            let entry = LayerEntry {
                what: placement.what.clone(),
                below: String::new(),
                only: Vec::new(),
                leave_out: Vec::new(),
                dest,
                owner: Owner::default(),
                group_as_owner: false,
            };
            let collisions = self.collisions.get(&(self.item, index));
            let poured = pour::split(entry, collisions, item.span)?;
            folders.extend(poured.folders);
            for entry in poured.entries {
                entries.extend(self.give_to_user(entry));
            }
        }
        Ok(Layer { title: item.title.clone(), span: item.span, folders: ordered(folders), entries })
    }

    /// Splits an entry so that what lies at or below writable paths belongs to the user: the folder
    /// alone first, which stays root's, then what is the user's, then the rest, which takes the
    /// parents in between back.
    fn give_to_user(&self, mut entry: LayerEntry) -> Vec<LayerEntry> {
        let dest = entry.dest.trim_end_matches('/').to_owned();
        let inside = |path: &&WritablePath| paths::below(&path.resolved, &dest).is_some();
        if let Some(path) = self.writable.iter().find(inside) {
            entry.owner = path.owner;
            entry.group_as_owner = path.shares_with_group();
            return vec![entry];
        }
        let mut given = Vec::new();
        if !matches!(entry.what, What::Files(_)) {
            return vec![entry];
        }
        for path in self.writable {
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
}

/// Where a destination leads on the base, or why nothing can be placed there.
fn target<'a>(facts: &'a Facts, path: &str, span: Span) -> Result<&'a Place, Diagnostic> {
    let Some(destination) = facts.destination(path) else {
        let message = format!("nothing is known about {path:?}: this is a fault in hardpan");
        return Err(Diagnostic::error(Code::Internal, span, message));
    };
    if let Some(trouble) = &destination.trouble {
        let message = format!("{path:?} cannot be placed on the runtime base: {trouble}");
        return Err(Diagnostic::error(Code::FileOverFolder, span, message)
            .help("choose another destination with `to`"));
    }
    Ok(destination.end())
}

fn refuse_collision(placement: &Placement, place: &Place, span: Span) -> Result<(), Diagnostic> {
    let Some(entry) = &place.entry else { return Ok(()) };
    let is_folder = entry.attributes.kind == Kind::Folder;
    let path = &place.path;
    let message = match &placement.what {
        What::Content { .. } | What::Link { .. } if is_folder => {
            format!("{path:?} is a folder of the runtime base")
        }
        What::Folder { .. } if !is_folder => format!("{path:?} is a file of the runtime base"),
        What::Files(_) if placement.dest.ends_with('/') && !is_folder => {
            format!("{path:?} is a file of the runtime base, and files shall be placed in it")
        }
        _ => return Ok(()),
    };
    Err(Diagnostic::error(Code::FileOverFolder, span, message).help("choose another path"))
}

/// The folders above a place: as the base has them, or new ones that belong to root. A folder that
/// is writable belongs to the user in every layer, or the last one would take it back.
fn parents(place: &Place, writable: &[WritablePath]) -> Vec<LayerFolder> {
    paths::ancestors(&place.path)
        .map(|path| {
            let known = place.ancestors.iter().find(|ancestor| ancestor.path == path);
            let folder = known.map_or_else(|| new_folder(path), folder_of);
            owned(folder, writable)
        })
        .collect()
}

fn as_it_is(place: &Place, writable: &[WritablePath]) -> Option<LayerFolder> {
    let attributes = &place.entry.as_ref()?.attributes;
    let folder = LayerFolder {
        path: place.path.clone(),
        mode: attributes.mode,
        uid: attributes.uid,
        gid: attributes.gid,
    };
    (folder.path != "/").then(|| owned(folder, writable))
}

fn owned(mut folder: LayerFolder, writable: &[WritablePath]) -> LayerFolder {
    if let Some(path) = writable.iter().find(|path| path.resolved == folder.path) {
        folder.mode = path.mode.unwrap_or(folder.mode);
        folder.uid = path.owner.uid;
        folder.gid = path.owner.gid;
    }
    folder
}

fn new_folder(path: &str) -> LayerFolder {
    LayerFolder { path: path.to_owned(), mode: 0o755, uid: 0, gid: 0 }
}

fn folder_of(ancestor: &Ancestor) -> LayerFolder {
    LayerFolder {
        path: ancestor.path.clone(),
        mode: ancestor.mode,
        uid: ancestor.uid,
        gid: ancestor.gid,
    }
}

/// Each folder once, those above others first; what is known best stands first in `folders`.
fn ordered(mut folders: Vec<LayerFolder>) -> Vec<LayerFolder> {
    folders.sort_by(|left, right| left.path.cmp(&right.path));
    folders.dedup_by(|later, first| later.path == first.path);
    folders
}
