//! What `--target` means: an app of the file, or a stage of it as `app/stage`.
//!
//! The one app of a file without `apps` is called `app`. Such a file has no other names than those
//! of its stages, so that there a stage may be asked for by itself, as in a Dockerfile.

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::frontend::Failure;
use crate::spec::model::{App, Spec, Stage};
use crate::words::{listed, nearest, quoted};

/// What is built.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The app, or the one whose defaults the stage takes.
    pub app: &'a App,
    /// The stage, if its files are asked for.
    pub stage: Option<&'a Stage>,
}

impl<'a> Target<'a> {
    const fn app(app: &'a App) -> Self {
        Self { app, stage: None }
    }

    const fn stage(app: &'a App, stage: &'a Stage) -> Self {
        Self { app, stage: Some(stage) }
    }

    /// What is worth telling of what was found in the file: that nothing is copied from a stage is
    /// no news where that very stage is handed out.
    pub fn news<'b>(
        &self,
        found: &'b [Diagnostic],
    ) -> impl Iterator<Item = &'b Diagnostic> + use<'b> {
        let own = self.stage.map(|stage| stage.name.span);
        found.iter().filter(move |one| one.code != Code::UnusedStage || Some(one.span) != own)
    }

    /// Says aloud that a stage is no product.
    #[must_use]
    pub fn warning(&self, spec: &Spec) -> Option<Diagnostic> {
        let stage = self.stage?;
        let name = name_of(spec, self.app, stage);
        let message = format!(
            "{} is a stage, which nothing has proven: what is handed out is labelled so and does not start",
            quoted(&name)
        );
        let product = match spec.apps.first() {
            Some(first) if first.name == self.app.name => "leave `--target` out".to_owned(),
            _ => format!("write `--target {}`", self.app.name.value),
        };
        let help =
            format!("it is for debugging and for taking files out; for the product, {product}");
        Some(Diagnostic::warning(Code::StageTarget, stage.name.span, message).help(help))
    }
}

/// How a stage is asked for.
#[must_use]
pub fn name_of(spec: &Spec, app: &App, stage: &Stage) -> String {
    let stage = &stage.name.value;
    if spec.named_apps || *stage == app.name.value {
        format!("{}/{stage}", app.name.value)
    } else {
        stage.clone()
    }
}

/// The named app or stage, or the first app.
pub fn choose<'a>(spec: &'a Spec, target: Option<&str>) -> Result<Target<'a>, Failure> {
    let first = spec.apps.first().ok_or_else(|| Failure::internal("the spec has no app"))?;
    let Some(target) = target.filter(|target| !target.is_empty()) else {
        return Ok(Target::app(first));
    };
    let app = spec.apps.iter().find(|app| app.name.value == target);
    let stage = spec.stages.iter().find(|stage| stage.name.value == target);
    let found = match (app, stage) {
        (Some(app), None) => Ok(Target::app(app)),
        // Elsewhere stages have no name without their app's.
        (Some(app), Some(_)) if spec.named_apps => Ok(Target::app(app)),
        (Some(app), Some(stage)) => Err(two_things(app, stage)),
        (None, Some(stage)) if !spec.named_apps => Ok(Target::stage(first, stage)),
        (None, Some(stage)) => Err(stage_alone(first, stage)),
        (None, None) => match target.split_once('/') {
            Some(parts) => stage_of(spec, target, parts),
            None => Err(unknown(spec, target)),
        },
    };
    found.map_err(|mistake| Failure::Refused(vec![mistake]))
}

/// `app/stage`.
fn stage_of<'a>(
    spec: &'a Spec,
    target: &str,
    (app, stage): (&str, &str),
) -> Result<Target<'a>, Diagnostic> {
    let app = spec.apps.iter().find(|other| other.name.value == app);
    let found = spec.stages.iter().find(|other| other.name.value == stage);
    match (app, found) {
        (Some(app), Some(stage)) => Ok(Target::stage(app, stage)),
        _ => Err(unknown(spec, target)),
    }
}

/// A name that nothing has, with the nearest that something has.
fn unknown(spec: &Spec, target: &str) -> Diagnostic {
    let apps = spec.apps.iter().filter(|_| spec.named_apps);
    let apps = apps.map(|app| app.name.value.clone());
    let of_app = |app| spec.stages.iter().map(move |stage| name_of(spec, app, stage));
    // Only for `app/stage` does it matter which app; fifty apps may share a thousand stages.
    let written = target.split('/').next().unwrap_or_default();
    let names = spec.apps.iter().map(|app| app.name.value.as_str());
    let app = nearest(written, names).unwrap_or_default();
    let app = spec.apps.iter().find(|other| other.name.value == app).or(spec.apps.first());
    let stages: Vec<String> = app.into_iter().flat_map(of_app).collect();
    let full = |name: &String| match (app, target.contains('/')) {
        (Some(app), true) if !name.contains('/') => format!("{}/{name}", app.name.value),
        _ => name.clone(),
    };
    let names: Vec<String> = apps.chain(stages.iter().map(full)).collect();
    let near = nearest(target, names.iter().map(String::as_str));
    let help = match near {
        Some(near) => format!("did you mean `--target {near}`?"),
        None if names.is_empty() => "this file has one app: leave `--target` out".to_owned(),
        None => format!("the targets are {}", listed(names.iter().map(String::as_str))),
    };
    let message = format!("there is no target {}", quoted(target));
    Diagnostic::error(Code::UnknownTarget, place(spec), message).help(help)
}

fn place(spec: &Spec) -> Span {
    spec.apps.first().map_or(Span::START, |app| app.name.span)
}

fn stage_alone(first: &App, stage: &Stage) -> Diagnostic {
    let name = &stage.name.value;
    let message = format!("{} is a stage and no app", quoted(name));
    let help = format!("write `--target {}/{name}` for the files of the stage", first.name.value);
    Diagnostic::error(Code::UnknownTarget, stage.name.span, message).help(help)
}

fn two_things(app: &App, stage: &Stage) -> Diagnostic {
    let name = &app.name.value;
    let message = format!("{} is a stage, and the name of the one app", quoted(name));
    let help =
        format!("write `--target {name}/{name}` for the stage; for the app, leave `--target` out");
    Diagnostic::error(Code::AmbiguousName, stage.name.span, message).help(help)
}
