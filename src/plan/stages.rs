//! The stages of a draft: where each one works, what its environment is, and its steps. A stage that
//! continues another one takes over what that one ends with.

use crate::bases::Resolved;
use crate::diagnostic::Diagnostic;
use crate::paths;
use crate::plan::draft::keep;
use crate::plan::pick::Scope;
use crate::plan::runs;
use crate::plan::select::{Request, SelectedStage, Selection};
use crate::plan::targets::stage_names_target;
use crate::plan::{Action, Stage, StageBase, Step};
use crate::spec::model::Cache;

/// A stage and what it ends with.
pub(super) struct Drafted {
    pub(super) stage: Stage,
    pub(super) end: Surroundings,
}

/// What a stage starts from besides files, and what one that continues it takes over.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings {
    pub(super) workdir: String,
    pub(super) env: Vec<(String, String)>,
    /// What stages write into it, without the image's.
    own_env: Vec<(String, String)>,
    cache: Vec<Cache>,
    /// Whether it is made for one target.
    sees_target: bool,
}

impl Surroundings {
    fn of(image: &Resolved) -> Self {
        let workdir = image.config.config.workdir().to_owned();
        Self { workdir, env: image.environment(), ..Self::default() }
    }
}

/// The stages of a selection, each after those that it uses.
pub(super) fn stages(
    request: &Request<'_>,
    selection: &Selection<'_>,
    images: &[Resolved],
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<Drafted> {
    let mut drafted: Vec<Drafted> = Vec::new();
    for selected in &selection.stages {
        let stage = stage(request, selection, images, (selected, &drafted), mistakes);
        drafted.push(stage);
    }
    drafted
}

fn stage(
    request: &Request<'_>,
    selection: &Selection<'_>,
    images: &[Resolved],
    (selected, before): (&SelectedStage<'_>, &[Drafted]),
    mistakes: &mut Vec<Diagnostic>,
) -> Drafted {
    let base = match selected.base {
        StageBase::Stage(index) => before[index].end.clone(),
        StageBase::Image(index) => Surroundings::of(&images[index]),
    };
    let own_workdir = selected.stage.workdir.as_ref().or(match selected.base {
        StageBase::Stage(_) => None,
        StageBase::Image(_) => request.spec.workdir.as_ref(),
    });
    let workdir = match own_workdir {
        Some(text) => keep(request.variables.expand(text), mistakes).unwrap_or_default(),
        None => String::new(),
    };
    let workdir = paths::join(&paths::join("/", &base.workdir), &workdir);
    let variables = request.variables.on(request.target, request.build);
    let known =
        variables.with_environment(base.env.iter().map(|(name, value)| (&**name, &**value)));
    let written = known.expand_all(&selected.stage.env, mistakes);
    let env = runs::overlay(base.env, written.clone());
    let own_env = runs::overlay(base.own_env, written);
    let cache: Vec<Cache> = base.cache.into_iter().chain(selected.stage.cache.clone()).collect();
    let workdirs: Vec<String> = before.iter().map(|stage| stage.end.workdir.clone()).collect();
    let scope = Scope {
        request,
        stages: &selection.stages,
        workdirs: &workdirs,
        variables: &variables,
        workdir: &workdir,
        platform: &selected.platform,
        images: &selection.images,
    };
    let mut steps = Vec::new();
    if let Some(text) = own_workdir {
        let title = format!("WORKDIR {workdir}");
        steps.push(Step { title, span: text.span, action: Action::Workdir(workdir.clone()) });
    }
    let settings = runs::Settings {
        selected,
        env: &env,
        own_env: &own_env,
        cache: &cache,
        names_target: base.sees_target || stage_names_target(selected.stage),
    };
    let (rest, sees_target) = runs::steps(&scope, &settings, mistakes);
    steps.extend(rest);
    let stage = Stage {
        name: selected.stage.name.value.clone(),
        platform: selected.platform.clone(),
        base: selected.base,
        steps,
        span: selected.stage.span,
    };
    Drafted { stage, end: Surroundings { workdir, env, own_env, cache, sees_target } }
}
