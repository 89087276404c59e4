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
use crate::inspect::facts::{Ancestor, Facts, Place};
use crate::paths;
use crate::plan::draft::{Draft, Item, refuse_reserved};
use crate::plan::folders::{Folders, ordered};
use crate::plan::pour;
use crate::plan::settings::{self, Settings};
use crate::plan::testing;
use crate::plan::writable::{give_to_user, writable_layer, writable_paths};
use crate::plan::{Files, Owner, Placement, Plan, Product, What, WritablePath};

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

impl From<&Ancestor> for LayerFolder {
    fn from(folder: &Ancestor) -> Self {
        Self { path: folder.path.clone(), mode: folder.mode, uid: folder.uid, gid: folder.gid }
    }
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
    let writable = writable_paths(&draft, facts, user, &mut mistakes);
    let mut folders = Folders::new(&writable);
    let first = writable_layer(&draft, facts, (&writable, &folders));
    let mut layers: Vec<Layer> = first.into_iter().collect();
    for (index, item) in draft.items.iter().enumerate() {
        let layout = Layout { facts, writable: &writable, collisions, item: index };
        match layout.layer(item, &mut folders) {
            Ok(layer) => layers.push(layer),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    layers.extend(workdir_layer((&draft, facts), &folders, &layers, settings));
    let below = draft.images[draft.runtime].config.rootfs.diff_ids.len();
    mistakes.extend(refuse_depth(below + layers.len(), &layers));
    let config = settings::config(settings, &draft, user, &layers);
    mistakes.extend(config.1);
    let annotations = settings::annotations(settings, &mut mistakes);
    let testing = testing::testing(settings, &draft, (user, facts), &mut mistakes);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Ok(Plan {
        result: Product::App(draft.app),
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
        testing,
    })
}

/// What overlay file systems of engines take ("max depth exceeded").
const MOST_LAYERS: usize = 127;

fn refuse_depth(total: usize, layers: &[Layer]) -> Option<Diagnostic> {
    let last = layers.last().filter(|_| total > MOST_LAYERS)?;
    let message = format!("the image would have {total} layers, and engines take {MOST_LAYERS}");
    let help = "place several paths with one `copy`, or gather them in a stage first";
    Some(Diagnostic::error(Code::InvalidValue, last.span, message).help(help))
}

/// A workdir that neither the base nor a layer has is made: the app could not start without it.
fn workdir_layer(
    (draft, facts): (&Draft, &Facts),
    known: &Folders<'_>,
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
    let mut folders = known.parents(place);
    folders.push(known.new_at(&place.path));
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
    fn layer(&self, item: &Item, known: &mut Folders<'_>) -> Result<Layer, Diagnostic> {
        let mut folders = Vec::new();
        let mut entries = Vec::new();
        for (index, placement) in item.placements.iter().enumerate() {
            let wanted = paths::join("/", &placement.dest);
            let place = target(self.facts, &wanted, item.span)?;
            refuse_collision(placement, place, item.span)?;
            let folder = known.at(place);
            folders.extend(known.parents(place));
            folders.extend(folder.clone());
            // With a slash, a file goes into a folder that the base has, and does not replace it.
            let into = folder.is_some() || placement.dest.ends_with('/');
            let dest = if into {
                format!("{}/", place.path.trim_end_matches('/'))
            } else {
                place.path.clone()
            };
            let what = limited(&placement.what);
            if let What::Folder { mode } = what {
                if folder.is_none() {
                    known.make(&place.path, mode);
                    folders.push(known.new_at(&place.path));
                }
                continue; // one that is there stays as it is
            }
            let entry = LayerEntry::whole(what, dest);
            if matches!(entry.what, What::Files(_)) {
                folders.extend(known.named_below(&entry.dest));
            }
            let collisions = self.collisions.get(&(self.item, index));
            let poured = pour::split(entry, collisions, item.span)?;
            folders.extend(poured.folders.into_iter().map(|folder| known.of_base(folder)));
            for entry in poured.entries {
                entries.extend(give_to_user(self.writable, entry));
            }
        }
        Ok(Layer { title: item.title.clone(), span: item.span, folders: ordered(folders), entries })
    }
}

/// The same without what no file of an image gets, whatever the spec says: writing for others.
fn limited(what: &What) -> What {
    let safe = |mode: u32| mode & 0o755;
    match what {
        What::Files(files) => What::Files(Files { mode: files.mode.map(safe), ..files.clone() }),
        What::Content { text, mode } => What::Content { text: text.clone(), mode: safe(*mode) },
        What::Folder { mode } => What::Folder { mode: safe(*mode) },
        What::Link { .. } => what.clone(),
    }
}

/// Where a destination leads on the base, or why nothing can be placed there.
pub(super) fn target<'a>(
    facts: &'a Facts,
    path: &str,
    span: Span,
) -> Result<&'a Place, Diagnostic> {
    let Some(destination) = facts.destination(path) else {
        let message = format!("nothing is known about {path:?}: this is a fault in hardpan");
        return Err(Diagnostic::error(Code::Internal, span, message));
    };
    if let Some(trouble) = &destination.trouble {
        let message = format!("{path:?} cannot be placed on the runtime base: {trouble}");
        return Err(Diagnostic::error(Code::FileOverFolder, span, message)
            .help("choose another destination with `to`"));
    }
    let place = destination.end();
    refuse_reserved(&place.path, span).map_or(Ok(place), Err)
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
