//! Every path and every command of an app, absolute and complete, as far as they can be known
//! without looking into the runtime base.

use crate::bases::Resolved;
use crate::diagnostic::{Code, Diagnostic, Span, Text};
use crate::paths;
use crate::plan::pick::{self, Scope};
use crate::plan::select::{Request, Selection};
use crate::plan::{Action, Origin, Pick, Placement, Stage, StageBase, What};
use crate::plan::{runs, stages};
use crate::platform::Platform;
use crate::spec::model;
use crate::start::PLACE;

/// A plan without the layers of the image.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The app's name.
    pub app: String,
    /// What it is built for.
    pub platform: Platform,
    /// Resolved images, by the indices of the selection.
    pub images: Vec<Resolved>,
    /// The index of the runtime base.
    pub runtime: usize,
    /// The stages.
    pub stages: Vec<Stage>,
    /// What is placed in the image, in order.
    pub items: Vec<Item>,
    /// The workdir of the image.
    pub workdir: String,
    /// Whether the spec names it; otherwise it is the base's.
    pub own_workdir: bool,
    /// The environment of the image: the base's and the app's.
    pub env: Vec<(String, String)>,
    /// What the user may write.
    pub writable: Vec<DraftWritable>,
    /// Paths of the build context that are used; `None`: all of it.
    pub context_paths: Option<Vec<String>>,
    /// The same for each of `images`, of which only folders of the client take notice.
    pub image_paths: Vec<Option<Vec<String>>>,
}

/// One item of `image:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// How the progress shows it.
    pub title: String,
    /// Where it is written.
    pub span: Span,
    /// What it places.
    pub placements: Vec<Placement>,
}

/// A path that the user may write, before links are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftWritable {
    /// Absolute.
    pub path: String,
    /// Permissions.
    pub mode: Option<u32>,
    /// Another group than the user's.
    pub group: Option<u32>,
    /// Whether engines are told to keep it.
    pub is_volume: bool,
    /// Where it is written.
    pub span: Span,
}

impl Draft {
    /// The paths of the runtime base that have to be looked at before the layers can be laid out.
    #[must_use]
    pub fn destinations(&self) -> Vec<String> {
        let placed = self.items.iter().flat_map(|item| &item.placements);
        let mut paths: Vec<String> = placed
            .map(|placement| paths::join("/", &placement.dest))
            .chain(self.writable.iter().map(|writable| writable.path.clone()))
            .chain([self.workdir.clone()])
            .collect();
        paths.sort();
        paths.dedup();
        paths
    }
}

/// Works out the paths and commands, or all that is wrong with them.
pub fn draft(
    request: &Request<'_>,
    selection: &Selection<'_>,
    images: Vec<Resolved>,
) -> Result<Draft, Vec<Diagnostic>> {
    let mut mistakes = Vec::new();
    let stages = stages::stages(request, selection, &images, &mut mistakes);
    let runtime = &images[selection.runtime];
    let app = request.app;
    let own_workdir = app.workdir.is_some();
    let workdir = match &app.workdir {
        Some(text) => keep(request.variables.expand(text), &mut mistakes).unwrap_or_default(),
        None => runtime.config.config.workdir().to_owned(),
    };
    let workdir = paths::join("/", &workdir);
    let workdirs: Vec<String> = stages.iter().map(|stage| stage.end.workdir.clone()).collect();
    let scope = Scope {
        request,
        stages: &selection.stages,
        workdirs: &workdirs,
        variables: request.variables,
        workdir: &workdir,
        platform: request.target,
        images: &selection.images,
    };
    let items = items(&scope, app, &mut mistakes);
    if let Some(text) = &app.workdir {
        mistakes.extend(refuse_reserved(&workdir, text.span));
    }
    let base_env = runtime.environment();
    let known = request
        .variables
        .with_environment(base_env.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let own_env = known.expand_all(&app.env, &mut mistakes);
    let env = runs::overlay(base_env, own_env);
    let writable = writable(request, &workdir, &mut mistakes);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let stages: Vec<Stage> = stages.into_iter().map(|stage| stage.stage).collect();
    let context_paths = used_paths(&stages, &items, &Origin::Context);
    let image_paths = image_paths(&stages, &items, images.len());
    Ok(Draft {
        app: app.name.value.clone(),
        platform: request.target.clone(),
        runtime: selection.runtime,
        images,
        stages,
        items,
        workdir,
        own_workdir,
        env,
        writable,
        context_paths,
        image_paths,
    })
}

pub(super) fn keep<T>(result: Result<T, Diagnostic>, mistakes: &mut Vec<Diagnostic>) -> Option<T> {
    result.map_err(|mistake| mistakes.push(mistake)).ok()
}

fn items(scope: &Scope<'_, '_>, app: &model::App, mistakes: &mut Vec<Diagnostic>) -> Vec<Item> {
    let mut items = Vec::new();
    for place in &app.image {
        let Some((title, placements)) = keep(pick::placements(scope, place), mistakes) else {
            continue;
        };
        let span = place.span();
        let mut dests = placements.iter().map(|one| paths::join("/", &one.dest));
        mistakes.extend(dests.find_map(|dest| refuse_reserved(&dest, span)));
        items.push(Item { title, span, placements });
    }
    items
}

fn writable(
    request: &Request<'_>,
    workdir: &str,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<DraftWritable> {
    let volume = |path: &Text| model::Writable { path: path.clone(), mode: None, group: None };
    let volumes = request.app.volumes.iter().map(|path| (volume(path), true));
    let entries = request.app.writable.iter().cloned().map(|entry| (entry, false));
    let mut paths: Vec<DraftWritable> = Vec::new();
    for (entry, is_volume) in entries.chain(volumes) {
        let Some(path) = keep(request.variables.expand(&entry.path), mistakes) else { continue };
        let path = paths::join(workdir, &path);
        let refused = refuse_system(&path, entry.path.span);
        if let Some(mistake) = refused.or_else(|| refuse_reserved(&path, entry.path.span)) {
            mistakes.push(mistake);
            continue;
        }
        let group = entry.group.as_ref().and_then(|group| group.value.parse().ok());
        let mode = entry.mode.as_ref().map(|mode| mode.value);
        match paths.iter_mut().find(|other| other.path == path) {
            Some(other) => other.is_volume |= is_volume,
            None => {
                paths.push(DraftWritable { path, mode, group, is_volume, span: entry.path.span });
            }
        }
    }
    paths
}

/// Folders that the running app must never be able to change, and all that is below them.
const SYSTEM: [&str; 12] = [
    "/etc",
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/proc",
    "/sys",
    "/dev",
    "/boot",
    "/var/lib/dpkg",
    "/opt/docker",
];
/// Folders above those: who owns one can put another in the place of what is in it.
const ABOVE_SYSTEM: [&str; 4] = ["/", "/var", "/var/lib", "/opt"];

/// Refuses a writable path of the system, be it as it is written or where links of the base lead.
pub(super) fn refuse_system(path: &str, span: Span) -> Option<Diagnostic> {
    // Below /usr there are places that are an app's own: /usr/src and /usr/local/share.
    let own =
        ["/usr/src", "/usr/share/nginx"].iter().any(|folder| paths::below(folder, path).is_some());
    let system = ABOVE_SYSTEM.contains(&path)
        || SYSTEM.iter().any(|folder| paths::below(folder, path).is_some());
    (system && !own).then(|| {
        Diagnostic::error(
            Code::ForbiddenWritable,
            span,
            format!("{path:?} belongs to the system and stays read-only"),
        )
        .help("write to a folder of the app's own, such as `/var/lib/app` or one below the workdir")
    })
}

/// Refuses a path at which hardpan's own files are while the image is tested, be it as it is written
/// or where links of the base lead: who could put something else there would answer the tests.
pub(super) fn refuse_reserved(path: &str, span: Span) -> Option<Diagnostic> {
    paths::below(PLACE, path)?;
    let message = format!("{path:?} is hardpan's own place while an image is tested");
    let help = format!("choose another path: nothing of an image is at or below `{PLACE}`");
    Some(Diagnostic::error(Code::ReservedPlace, span, message).help(help))
}

/// The paths of each image; all of one that a stage starts from.
pub(super) fn image_paths(
    stages: &[Stage],
    items: &[Item],
    images: usize,
) -> Vec<Option<Vec<String>>> {
    let is_base = |index| stages.iter().any(|stage| stage.base == StageBase::Image(index));
    let paths_of = |index| used_paths(stages, items, &Origin::Image(index));
    (0..images).map(|index| if is_base(index) { None } else { paths_of(index) }).collect()
}

/// The paths of an origin that the stages and items use, for the client to send only them.
pub(super) fn used_paths(stages: &[Stage], items: &[Item], origin: &Origin) -> Option<Vec<String>> {
    let steps = stages.iter().flat_map(|stage| &stage.steps);
    let in_stages = steps.clone().flat_map(|step| match &step.action {
        Action::Place(placements) => placements.as_slice(),
        _ => &[],
    });
    let placed = in_stages.chain(items.iter().flat_map(|item| &item.placements));
    let mut paths = Vec::new();
    for placement in placed {
        if let What::Files(files) = &placement.what
            && files.origin == *origin
        {
            paths.push(match &files.pick {
                Pick::Path { path, .. } => paths::literal(path),
                Pick::Matches { pattern, .. } if !pattern.contains("**") => pattern.clone(),
                Pick::Matches { pattern, .. } => paths::split_pattern(pattern).0,
                Pick::Tree { root, pattern, .. } if !pattern.contains("**") => {
                    paths::join(root, pattern)
                }
                Pick::Tree { root, pattern, .. } => {
                    paths::split_pattern(&paths::join(root, pattern)).0
                }
            });
        }
    }
    for step in steps {
        if let Action::Run(run) = &step.action {
            let binds = run.binds.iter().filter(|bind| bind.origin == *origin);
            paths.extend(binds.map(|bind| paths::literal(&bind.source)));
        }
    }
    paths.sort();
    paths.dedup();
    let all = paths.iter().any(|path| path == "/");
    (!all).then(|| paths.iter().map(|path| path.trim_start_matches('/').to_owned()).collect())
}
