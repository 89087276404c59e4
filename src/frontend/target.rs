//! What `--target` means: an app of the file, or a stage of it as `app/stage`.
//!
//! The one app of a file without `apps` is called `app`. Such a file has no other names than those
//! of its stages, so that there a stage may be asked for by itself, as in a Dockerfile.

use std::collections::BTreeSet;

use crate::bases::DEFAULT_REGISTRY;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::frontend::{Failure, prepare};
use crate::options::Options;
use crate::plan::{self, Request, variables::Variables};
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
pub fn choose<'a>(spec: &'a Spec, options: &Options) -> Result<Target<'a>, Failure> {
    let first = spec.apps.first().ok_or_else(|| Failure::internal("the spec has no app"))?;
    let target = options.target.as_deref().filter(|target| !target.is_empty());
    let Some(target) = target else { return Ok(Target::app(first)) };
    let app = spec.apps.iter().find(|app| app.name.value == target);
    let stage = spec.stages.iter().find(|stage| stage.name.value == target);
    let found = match (app, stage) {
        (Some(app), None) => Ok(Target::app(app)),
        // Elsewhere stages have no name without their app's.
        (Some(app), Some(_)) if spec.named_apps => Ok(Target::app(app)),
        (Some(app), Some(stage)) => Err(two_things(app, stage)),
        (None, Some(stage)) if !spec.named_apps => Ok(Target::stage(first, stage)),
        (None, Some(stage)) => Err(stage_alone(spec, options, stage)),
        (None, None) => {
            let parts = target.split_once('/');
            let found = parts.and_then(|parts| stage_of(spec, parts));
            found.ok_or_else(|| unknown(spec, options, target))
        }
    };
    found.map_err(|mistake| Failure::Refused(vec![mistake]))
}

/// `app/stage`.
fn stage_of<'a>(spec: &'a Spec, (app, stage): (&str, &str)) -> Option<Target<'a>> {
    let app = spec.apps.iter().find(|other| other.name.value == app)?;
    let stage = spec.stages.iter().find(|other| other.name.value == stage)?;
    Some(Target::stage(app, stage))
}

/// The stages below the apps that need them; one that nothing needs is the first app's.
#[must_use]
pub fn stages<'a>(spec: &'a Spec, options: &Options) -> Vec<(&'a App, &'a Stage)> {
    let needed: Vec<BTreeSet<String>> =
        spec.apps.iter().map(|app| needs(spec, options, app)).collect();
    let is_orphan = |stage: &Stage| !needed.iter().any(|names| names.contains(&stage.name.value));
    let of_app = |(index, app)| {
        let names: &BTreeSet<String> = &needed[index];
        let wanted = move |stage: &&Stage| {
            names.contains(&stage.name.value) || index == 0 && is_orphan(stage)
        };
        spec.stages.iter().filter(wanted).map(move |stage| (app, stage)).collect::<Vec<_>>()
    };
    spec.apps.iter().enumerate().flat_map(of_app).collect()
}

/// The names of the stages that an app needs. All of them, where that cannot be known: a list of
/// targets is no place to complain about an argument.
fn needs(spec: &Spec, options: &Options, app: &App) -> BTreeSet<String> {
    let build = options.build_platform();
    let variables =
        Variables::new(&spec.args, &prepare::arguments(options, spec)).unwrap_or_default();
    let variables = variables.on(&build, &build);
    let request = Request {
        spec,
        app,
        variables: &variables,
        contexts: &options.contexts,
        certificates: &options.certificates,
        registry: DEFAULT_REGISTRY, // of no account for stages
        target: &build,
        build: &build,
    };
    match plan::select(&request) {
        Ok(selection) => names(selection.stages.iter().map(|selected| selected.stage)),
        Err(_) => names(&spec.stages),
    }
}

fn names<'a>(stages: impl IntoIterator<Item = &'a Stage>) -> BTreeSet<String> {
    stages.into_iter().map(|stage| stage.name.value.clone()).collect()
}

/// A name that nothing has, with the nearest of those that `--call=targets` lists.
fn unknown(spec: &Spec, options: &Options, target: &str) -> Diagnostic {
    let apps = spec.apps.iter().filter(|_| spec.named_apps);
    let apps = apps.map(|app| app.name.value.clone());
    let stages = stages(spec, options);
    let full = stages.iter().map(|(app, stage)| name_of(spec, app, stage));
    let names: Vec<String> = apps.chain(full).collect();
    let by_name = || nearest(target, names.iter().map(String::as_str)).map(str::to_owned);
    // The stage may be meant that another app needs.
    let by_stage = || {
        let (app, written) = target.split_once('/').unwrap_or(("", target));
        let near = nearest(written, stages.iter().map(|(_, stage)| stage.name.value.as_str()))?;
        let mut found = stages.iter().filter(|(_, stage)| stage.name.value == near);
        let found = found.clone().find(|(of, _)| of.name.value == app).or_else(|| found.next())?;
        Some(name_of(spec, found.0, found.1))
    };
    let near = if target.contains('/') {
        by_stage().or_else(by_name)
    } else {
        by_name().or_else(by_stage)
    };
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

fn stage_alone(spec: &Spec, options: &Options, stage: &Stage) -> Diagnostic {
    let name = &stage.name.value;
    let message = format!("{} is a stage and no app", quoted(name));
    let all = stages(spec, options);
    let way = all.iter().find(|(_, other)| other.name == stage.name);
    let way = way.map_or_else(|| name.clone(), |(app, stage)| name_of(spec, app, stage));
    let help = format!("write `--target {way}` for the files of the stage");
    Diagnostic::error(Code::UnknownTarget, stage.name.span, message).help(help)
}

fn two_things(app: &App, stage: &Stage) -> Diagnostic {
    let name = &app.name.value;
    let message = format!("{} is a stage, and the name of the one app", quoted(name));
    let help =
        format!("write `--target {name}/{name}` for the stage; for the app, leave `--target` out");
    Diagnostic::error(Code::AmbiguousName, stage.name.span, message).help(help)
}
