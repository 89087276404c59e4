//! The steps that place files, with absolute paths: what `copy`, `add`, `write`, `mkdir` and
//! `link` mean in a folder. The same rules hold for stages and images.

use crate::diagnostic::{Code, Diagnostic, Span, Text};
use crate::paths;
use crate::plan::fetch;
use crate::plan::origin::{From, copy_platform, origin_of};
use crate::plan::select::{Request, SelectedStage};
use crate::plan::variables::Variables;
use crate::plan::{Files, ImageUse, Origin, Pick, Placement, What};
use crate::platform::Platform;
use crate::spec::model::{Add, Copy, Link, Mkdir, Place, Write};
use crate::spec::value::{self, fetch::Source};

/// Endings of what is unpacked when it is added.
const ARCHIVES: [&str; 9] =
    [".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst"];

/// Where a step stands: what its relative paths and its names mean.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a, 'r> {
    pub(super) request: &'r Request<'a>,
    pub(super) stages: &'r [SelectedStage<'a>],
    /// The workdir of each stage in `stages`.
    pub(super) workdirs: &'r [String],
    /// Names for `${…}`, the environment of the stage included.
    pub(super) variables: &'r Variables,
    /// The folder that relative destinations are in.
    pub(super) workdir: &'r str,
    /// The platform of images that are copied from.
    pub(super) platform: &'r Platform,
    /// Images that copies use; found again by reference and platform.
    pub(super) images: &'r [ImageUse],
}

/// The placements of one step, and how the progress shows it.
pub(super) fn placements(
    scope: &Scope<'_, '_>,
    place: &Place,
) -> Result<(String, Vec<Placement>), Diagnostic> {
    match place {
        Place::Copy(copy) => copied(scope, copy),
        Place::Add(add) => added(scope, add),
        Place::Write(write) => written(scope, write),
        Place::Mkdir(mkdir) => folders(scope, mkdir),
        Place::Link(link) => linked(scope, link),
    }
}

fn copied(scope: &Scope<'_, '_>, copy: &Copy) -> Result<(String, Vec<Placement>), Diagnostic> {
    let origin = match &copy.from {
        None => Origin::Context,
        Some(from) => {
            let platform = copy_platform(scope.request, copy, scope.platform.clone())?;
            origin(scope, from, platform)?
        }
    };
    let start = match origin {
        Origin::Stage(index) => scope.workdirs[index].clone(),
        _ => "/".to_owned(),
    };
    let sources = expand_list(scope, &copy.sources)?;
    let exclude = expand_list(scope, &copy.exclude)?.into_iter().map(|(text, _)| text).collect();
    let to = copy.to.as_ref().map(|to| scope.variables.expand(to)).transpose()?;
    let shown_from =
        copy.from.as_ref().map_or(String::new(), |from| format!("--from={} ", from.value));
    let shown: Vec<_> = sources.iter().map(|(text, _)| text.as_str()).collect();
    let title = format!("COPY {shown_from}{}", shown.join(" "));
    let template = Files {
        origin,
        pick: Pick::path("/"),
        exclude,
        mode: copy.mode.as_ref().map(|m| m.value),
        unpack: false,
    };
    let several = sources.len() > 1;
    let mut placements = Vec::new();
    for (source, span) in &sources {
        let route = Route { start: &start, workdir: scope.workdir, to: to.as_deref(), several };
        let (pick, dest) = if copy.parents {
            route.with_parents(source, copy.optional)
        } else {
            route.plain(source, copy.optional, *span)?
        };
        let files = Files { pick, ..template.clone() };
        placements.push(Placement { what: What::Files(files), dest });
    }
    Ok((title + &shown_to(to.as_deref(), &placements), placements))
}

/// The destination in a title: as written, or the one place that there is.
fn shown_to(to: Option<&str>, placements: &[Placement]) -> String {
    match (to, placements) {
        (Some(to), _) => format!(" {to}"),
        (None, [only]) => match only.dest.trim_end_matches('/') {
            "" => " /".to_owned(),
            dest => format!(" {dest}"),
        },
        (None, _) => String::new(),
    }
}

/// How the sources of one step get to their destination.
struct Route<'a> {
    start: &'a str,
    workdir: &'a str,
    to: Option<&'a str>,
    several: bool,
}

impl Route<'_> {
    fn plain(
        &self,
        source: &str,
        optional: bool,
        span: Span,
    ) -> Result<(Pick, String), Diagnostic> {
        let pattern = paths::is_pattern(source);
        let plain = if pattern { source.to_owned() } else { paths::unescape(source) };
        let source = plain.as_str();
        let path = paths::join(self.start, source);
        match (self.to, pattern) {
            (None, false) => {
                let dest = paths::join(self.workdir, source);
                // The contents of a whole folder go into one in any case.
                let whole = !source.starts_with('/') && paths::join("/", source) == "/";
                Ok((Pick::Path { path, optional }, if whole { as_folder(&dest) } else { dest }))
            }
            (None, true) => {
                let (folder, rest) = paths::split_pattern(&path);
                let dest = if source.starts_with('/') {
                    folder.clone()
                } else {
                    let (kept, _) = paths::split_pattern(source);
                    paths::join(self.workdir, kept.trim_start_matches('/'))
                };
                Ok((Pick::Tree { root: folder, pattern: rest, optional }, as_folder(&dest)))
            }
            (Some(to), false) => {
                let dest = paths::join(self.workdir, to);
                let dest = if self.several || to.ends_with('/') { as_folder(&dest) } else { dest };
                Ok((Pick::Path { path, optional }, dest))
            }
            (Some(to), true) if source.contains("**") => Err(Diagnostic::error(
                Code::InvalidValue,
                span,
                format!("the pattern {source:?} matches files at any depth, but `to: {to}` has one place for all"),
            )
            .help("write `parents: true` to keep their paths below `to`, or a pattern without `**`")),
            (Some(to), true) => {
                let dest = as_folder(&paths::join(self.workdir, to));
                Ok((Pick::Matches { pattern: path, optional }, dest))
            }
        }
    }

    /// `parents: true`: the path is kept, from `/./` on where it holds that.
    fn with_parents(&self, source: &str, optional: bool) -> (Pick, String) {
        let (root, kept) = match source.split_once("/./") {
            Some((root, kept)) => (paths::join(self.start, root), kept.to_owned()),
            None if source.starts_with('/') => ("/".to_owned(), source.to_owned()),
            None => (self.start.to_owned(), source.to_owned()),
        };
        let pattern = paths::join("/", &kept).trim_start_matches('/').to_owned();
        let pattern = if pattern.is_empty() { "**".to_owned() } else { pattern };
        let dest = paths::join(self.workdir, self.to.unwrap_or("."));
        (Pick::Tree { root, pattern, optional }, as_folder(&dest))
    }
}

impl Pick {
    /// One path that must be there.
    #[must_use]
    pub fn path(path: &str) -> Self {
        Self::Path { path: path.to_owned(), optional: false }
    }
}

fn added(scope: &Scope<'_, '_>, add: &Add) -> Result<(String, Vec<Placement>), Diagnostic> {
    let sources = expand_list(scope, &add.sources)?;
    let exclude: Vec<_> =
        expand_list(scope, &add.exclude)?.into_iter().map(|(text, _)| text).collect();
    let to = add.to.as_ref().map(|to| scope.variables.expand(to)).transpose()?;
    // As written: an address may hold an argument that belongs into no history.
    let shown: Vec<_> = add.sources.iter().map(|text| text.value.as_str()).collect();
    let title = format!("ADD {}", shown.join(" "));
    let mode = add.mode.as_ref().map(|mode| mode.value);
    let several = sources.len() > 1;
    let mut placements = Vec::new();
    for (source, span) in &sources {
        let kind = value::fetch::source(source);
        let (origin, pick, dest, unpack) = if kind == Source::Git {
            let origin = fetch::git(&Text::new(source.clone(), *span))?;
            let dest = paths::join(scope.workdir, to.as_deref().unwrap_or("."));
            (origin, Pick::path("/"), as_folder(&dest), false)
        } else if kind == Source::Url {
            let (origin, pick) = fetch::url(scope, add, &Text::new(source.clone(), *span))?;
            let unpack = add.unpack.as_ref().is_some_and(|unpack| unpack.value);
            let dest = paths::join(scope.workdir, to.as_deref().unwrap_or("."));
            let into = unpack || to.as_ref().is_none_or(|to| to.ends_with('/'));
            (origin, pick, if into { as_folder(&dest) } else { dest }, unpack)
        } else {
            let route = Route { start: "/", workdir: scope.workdir, to: to.as_deref(), several };
            let unpack =
                add.unpack.as_ref().map_or_else(|| is_archive(source), |unpack| unpack.value);
            if unpack {
                let dest = as_folder(&paths::join(scope.workdir, to.as_deref().unwrap_or(".")));
                let path = paths::join("/", source);
                let pick = if paths::is_pattern(source) {
                    Pick::Matches { pattern: path, optional: false }
                } else {
                    Pick::Path { path, optional: false }
                };
                (Origin::Context, pick, dest, true)
            } else {
                let (pick, dest) = route.plain(source, false, *span)?;
                (Origin::Context, pick, dest, false)
            }
        };
        let files = Files { origin, pick, exclude: exclude.clone(), mode, unpack };
        placements.push(Placement { what: What::Files(files), dest });
    }
    Ok((title + &shown_to(to.as_deref(), &placements), placements))
}

fn written(scope: &Scope<'_, '_>, write: &Write) -> Result<(String, Vec<Placement>), Diagnostic> {
    let path = scope.variables.expand(&write.path)?;
    let mode = write.mode.as_ref().map_or(0o644, |mode| mode.value);
    let what = What::Content { text: write.content.value.clone(), mode };
    let placement = Placement { what, dest: paths::join(scope.workdir, &path) };
    Ok((format!("WRITE {path}"), vec![placement]))
}

fn folders(scope: &Scope<'_, '_>, mkdir: &Mkdir) -> Result<(String, Vec<Placement>), Diagnostic> {
    let mode = mkdir.mode.as_ref().map_or(0o755, |mode| mode.value);
    let paths = expand_list(scope, &mkdir.paths)?;
    let shown: Vec<_> = paths.iter().map(|(text, _)| text.as_str()).collect();
    let title = format!("MKDIR {}", shown.join(" "));
    let placements = paths.iter().map(|(path, _)| Placement {
        what: What::Folder { mode },
        dest: paths::join(scope.workdir, path),
    });
    Ok((title, placements.collect()))
}

fn linked(scope: &Scope<'_, '_>, link: &Link) -> Result<(String, Vec<Placement>), Diagnostic> {
    let target = scope.variables.expand(&link.target)?;
    let to = scope.variables.expand(&link.to)?;
    let title = format!("LINK {target} {to}");
    let placement =
        Placement { what: What::Link { target }, dest: paths::join(scope.workdir, &to) };
    Ok((title, vec![placement]))
}

/// The origin that a `from` names.
pub(super) fn origin(
    scope: &Scope<'_, '_>,
    from: &Text,
    platform: Platform,
) -> Result<Origin, Diagnostic> {
    let image = match origin_of(scope.request, scope.stages, from, platform)? {
        From::Origin(origin) => return Ok(origin),
        From::Image(image) => image,
    };
    let index = scope.images.iter().position(|other| other.is_same(&image));
    // `select` noted every image that a `from` names, by the same rules.
    Ok(Origin::Image(index.expect("select has seen this image")))
}

fn expand_list(scope: &Scope<'_, '_>, texts: &[Text]) -> Result<Vec<(String, Span)>, Diagnostic> {
    texts.iter().map(|text| Ok((scope.variables.expand(text)?, text.span))).collect()
}

fn as_folder(path: &str) -> String {
    if path.ends_with('/') { path.to_owned() } else { format!("{path}/") }
}

fn is_archive(name: &str) -> bool {
    ARCHIVES.iter().any(|ending| name.ends_with(ending))
}
