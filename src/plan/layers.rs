//! The layers of an image: what every placement becomes once it is known what the runtime base has
//! at its destination and above it.
//!
//! A layer is made on scratch and merged with the base afterwards, so it cannot see the base. Merged
//! as it is, a folder in it would replace a link of the base and take away a folder's mode and owner
//! (BuildKit v0.34.2, snapshot/diffapply_linux.go). So destinations go through the base's links
//! here, and each layer starts with its parents as the base has them.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::inspect::collisions::Collisions;
use crate::inspect::entry::Kind;
use crate::inspect::facts::{Ancestor, Destination, Facts, Place};
use crate::paths;
use crate::plan::draft::{Draft, DraftWritable, Item};
use crate::plan::pour;
use crate::plan::settings::{self, Settings};
use crate::plan::{Owner, Placement, Plan, What, WritablePath};

/// Bits that a FileOp cannot set on a folder (file/backend.go masks to 0777): sticky, set-id.
const SPECIAL: u32 = 0o7000;

/// One layer on the runtime base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// How the progress and the history show it.
    pub title: String,
    /// Where it is written.
    pub span: Span,
    /// Folders that are made first, outermost first.
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
    /// A path below what `what` picks, which may be absent; empty: all of it.
    pub below: String,
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
        match target(facts, &draft.path, draft.span) {
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
    let mut entries = Vec::new();
    for path in writable {
        let place = facts.destination(&path.path).map(leads_to)?;
        folders.extend(parents(place, writable, &path.resolved));
        let base_mode = folder_mode(place);
        entries.push(LayerEntry {
            what: What::Folder { mode: path.mode.or(base_mode).unwrap_or(0o755) },
            below: String::new(),
            leave_out: Vec::new(),
            dest: path.resolved.clone(),
            owner: path.owner,
            group_as_owner: false,
        });
    }
    let shown: Vec<_> = writable.iter().map(|path| path.path.as_str()).collect();
    let made: Vec<&str> = entries.iter().map(|entry| entry.dest.as_str()).collect();
    let mut folders = ordered(folders);
    folders.retain(|folder| !made.contains(&folder.path.as_str()));
    Some(Layer { title: format!("WRITABLE {}", shown.join(" ")), span: first.span, folders, entries })
}

fn folder_mode(place: &Place) -> Option<u32> {
    let entry = place.entry.as_ref()?;
    (entry.attributes.kind == Kind::Folder).then_some(entry.attributes.mode & 0o777)
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
    let place = leads_to(destination);
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
    let entry = LayerEntry::whole(What::Folder { mode: 0o755 }, place.path.clone());
    let folders = ordered(parents(place, writable, &place.path));
    let title = format!("WORKDIR {}", draft.workdir);
    Some(Layer { title, span: settings.workdir_span(), folders, entries: vec![entry] })
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
            folders.extend(parents(place, self.writable, &place.path));
            if folder {
                folders.extend(as_it_is(place, self.writable));
            }
            let into = placement.dest.ends_with('/');
            let dest = if into { format!("{}/", place.path.trim_end_matches('/')) } else { place.path.clone() };
            if matches!(placement.what, What::Folder { .. }) && folder {
                continue; // the base has it: it stays as it is
            }
            let entry = LayerEntry {
                what: placement.what.clone(),
                below: String::new(),
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

    /// Splits an entry so that what lies at or below writable paths belongs to the user.
    fn give_to_user(&self, mut entry: LayerEntry) -> Vec<LayerEntry> {
        let dest = entry.dest.trim_end_matches('/').to_owned();
        let inside = |path: &&WritablePath| paths::below(&path.resolved, &dest).is_some();
        if let Some(path) = self.writable.iter().find(inside) {
            entry.owner = path.owner;
            entry.group_as_owner = path.mode.is_some_and(|mode| mode & 0o020 != 0);
            return vec![entry];
        }
        let mut given = Vec::new();
        let What::Files(files) = entry.what.clone() else { return vec![entry] };
        for path in self.writable {
            let Some(rest) = paths::below(&dest, &path.resolved).filter(|rest| !rest.is_empty()) else {
                continue;
            };
            let from_root = if entry.below.is_empty() { rest.to_owned() } else { format!("{}/{rest}", entry.below) };
            given.push(LayerEntry {
                what: What::Files(files.clone()),
                below: from_root,
                leave_out: Vec::new(),
                dest: path.resolved.clone(),
                owner: path.owner,
                group_as_owner: path.mode.is_some_and(|mode| mode & 0o020 != 0),
            });
            entry.leave_out.push(paths::literal(rest));
        }
        given.insert(0, entry);
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
    let place = leads_to(destination);
    match place.ancestors.iter().find(|ancestor| ancestor.mode & SPECIAL != 0) {
        Some(ancestor) => Err(sticky(path, &ancestor.path, span)),
        None if is_special_folder(place) => Err(sticky(path, &place.path, span)),
        None => Ok(place),
    }
}

fn is_special_folder(place: &Place) -> bool {
    place.entry.as_ref().is_some_and(|entry| {
        entry.attributes.kind == Kind::Folder && entry.attributes.mode & SPECIAL != 0
    })
}

/// The mistake of placing something in a folder whose mode no layer can keep, such as /tmp.
pub(super) fn sticky(path: &str, folder: &str, span: Span) -> Diagnostic {
    let message = format!(
        "{path:?} is in {folder:?}, a folder of the runtime base with a sticky or set-id bit that a layer cannot keep"
    );
    Diagnostic::error(Code::StickyParent, span, message)
        .help("ship files in a folder of the app's own; /tmp is empty when the app starts")
}

fn leads_to(destination: &Destination) -> &Place {
    destination.followed.as_ref().unwrap_or(&destination.place)
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
fn parents(place: &Place, writable: &[WritablePath], path: &str) -> Vec<LayerFolder> {
    paths::ancestors(path)
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
