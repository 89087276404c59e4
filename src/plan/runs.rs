//! The steps of a stage: commands with their whole environment and all their mounts, and the
//! placements between them.

use crate::diagnostic::{Diagnostic, Span, Text};
use crate::paths;
use crate::plan::certificates::{self, OWN_SECRET};
use crate::plan::draft::keep;
use crate::plan::pick::{self, Scope};
use crate::plan::select::SelectedStage;
use crate::plan::targets::step_names_target;
use crate::plan::variables::is_target_name;
use crate::plan::{Action, BindMount, CacheMount, Origin, Run, SecretMount, Step};
use crate::spec::model::PLATFORM_NAMES;
use crate::spec::model::{self, Bind, Cache, Command};
use crate::spec::template::mentions_word;

/// Where a script with an interpreter line of its own is mounted while it runs.
pub const SCRIPT_PATH: &str = "/run/hardpan/script";

/// Installs packages with whichever manager the image has, and leaves nothing of it behind: the
/// lists and archives of apt are on tmpfs mounts (see `packages`).
const INSTALL: &str = r#"if command -v apt-get >/dev/null; then
  apt-get update
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -- "$@"
elif command -v apk >/dev/null; then
  apk add --no-cache "$@"
else
  echo "hardpan: this image has neither apt-get nor apk: build in another one, or copy the files" >&2
  exit 1
fi"#;

/// What all steps of a stage share.
pub(super) struct Settings<'a> {
    pub(super) selected: &'a SelectedStage<'a>,
    /// The base's environment and the stage's.
    pub(super) env: &'a [(String, String)],
    /// What the stage itself says of it, and the stages that it continues.
    pub(super) own_env: &'a [(String, String)],
    pub(super) cache: &'a [Cache],
    /// Whether the stage is made for one target from its first step on.
    pub(super) names_target: bool,
}

/// The steps of a stage, in order, and whether they end up being made for one target.
pub(super) fn steps(
    scope: &Scope<'_, '_>,
    settings: &Settings<'_>,
    mistakes: &mut Vec<Diagnostic>,
) -> (Vec<Step>, bool) {
    let mut steps = Vec::new();
    // On the builder's platform, steps are shared by all targets up to the first that names one.
    let on_build_platform = settings.selected.on_build_platform;
    let mut sees_target = on_build_platform && settings.names_target;
    for step in &settings.selected.stage.steps {
        sees_target |= on_build_platform && step_names_target(step);
        let step = match step {
            model::Step::Run(run) => run_step(scope, settings, (run, sees_target), mistakes),
            model::Step::Place(place) => {
                keep(pick::placements(scope, place), mistakes).map(|(title, placements)| Step {
                    title,
                    span: place.span(),
                    action: Action::Place(placements),
                })
            }
            model::Step::Packages { names, span } => {
                packages(scope, settings, (names, *span), mistakes)
            }
        };
        steps.extend(step);
    }
    (steps, sees_target)
}

fn run_step(
    scope: &Scope<'_, '_>,
    settings: &Settings<'_>,
    (run, sees_target): (&model::Run, bool),
    mistakes: &mut Vec<Diagnostic>,
) -> Option<Step> {
    let (args, script, shown) = match &run.command {
        Command::Script(text) => script(&text.value),
        Command::Exec(words) => {
            let expanded =
                words.value.iter().map(|word| keep(scope.variables.expand(word), mistakes));
            let words = expanded.collect::<Option<Vec<String>>>()?;
            let shown = words.join(" ");
            (words, None, shown)
        }
    };
    let workdir = match &run.workdir {
        Some(text) => paths::join(scope.workdir, &keep(scope.variables.expand(text), mistakes)?),
        None => scope.workdir.to_owned(),
    };
    let trust = scope.request.certificates;
    let env = certificates::environment(trust, settings.env);
    // What the stage writes into its environment is meant more than an argument of that name.
    let env = overlay(env, arguments(scope, run, sees_target));
    let env = overlay(env, settings.own_env.to_vec());
    let known =
        scope.variables.with_environment(env.iter().map(|(name, value)| (&**name, &**value)));
    let env = overlay(env.clone(), known.expand_all(&run.env, mistakes));
    // Compiled things of one platform are of no use to another one.
    let platform =
        if sees_target { scope.request.target.id() } else { settings.selected.platform.id() };
    let inner = Scope { workdir: &workdir, ..*scope };
    let shared = settings.cache.iter().map(|cache| cache_mount(scope, &platform, cache));
    let own = run.cache.iter().map(|cache| cache_mount(&inner, &platform, cache));
    let secrets = run.secrets.iter().map(|secret| secret_mount(&inner, secret));
    let binds = run.binds.iter().map(|bind| bind_mount(&inner, bind));
    let tmpfs = run
        .tmpfs
        .iter()
        .map(|path| scope.variables.expand(path).map(|path| paths::join(&workdir, &path)));
    let action = Run {
        args,
        script,
        env,
        caches: keep_all(shared.chain(own), mistakes),
        secrets: keep_all(secrets.chain(certificates::mounts(trust).map(Ok)), mistakes),
        ssh: run.ssh.iter().map(|ssh| ssh.id.value.clone()).collect(),
        binds: keep_all(binds, mistakes),
        tmpfs: keep_all(tmpfs, mistakes),
        no_network: run.no_network,
        workdir: workdir.clone(),
    };
    Some(Step {
        title: format!("RUN {}", one_line(&shown)),
        span: run.span,
        action: Action::Run(Box::new(action)),
    })
}

fn keep_all<T>(
    results: impl Iterator<Item = Result<T, Diagnostic>>,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<T> {
    results.filter_map(|result| keep(result, mistakes)).collect()
}

/// The words, the script to mount and the text to show of a script.
fn script(text: &str) -> (Vec<String>, Option<String>, String) {
    if text.starts_with("#!") {
        return (vec![SCRIPT_PATH.to_owned()], Some(text.to_owned()), text.to_owned());
    }
    let args = ["/bin/sh", "-e", "-c", text.trim_end_matches('\n')].map(str::to_owned).to_vec();
    (args, None, text.to_owned())
}

/// The arguments that a run gets: those that its text mentions, as it is written, or that it lists.
fn arguments(scope: &Scope<'_, '_>, run: &model::Run, sees_target: bool) -> Vec<(String, String)> {
    let texts = match &run.command {
        Command::Script(text) => std::slice::from_ref(text),
        Command::Exec(words) => words.value.as_slice(),
    };
    let declared = scope.request.spec.args.iter().map(|argument| argument.name.value.as_str());
    declared
        .chain(PLATFORM_NAMES)
        .filter(|name| {
            texts.iter().any(|text| mentions_word(&text.value, name))
                || run.args.iter().any(|listed| listed.value == *name)
                || (sees_target && is_target_name(name))
        })
        .filter_map(|name| Some((name.to_owned(), scope.variables.get(name)?.to_owned())))
        .collect()
}

fn cache_mount(
    scope: &Scope<'_, '_>,
    platform: &str,
    cache: &Cache,
) -> Result<CacheMount, Diagnostic> {
    let path = paths::join(scope.workdir, &scope.variables.expand(&cache.path)?);
    let id = match &cache.id {
        Some(id) => scope.variables.expand(id)?,
        None => path.clone(),
    };
    let id = format!("{id} {platform}");
    Ok(CacheMount { path, id, sharing: cache.sharing })
}

fn secret_mount(scope: &Scope<'_, '_>, secret: &model::Secret) -> Result<SecretMount, Diagnostic> {
    let id = scope.variables.expand(&secret.id)?;
    let target = match (&secret.target, &secret.env) {
        (Some(target), _) => Some(paths::join(scope.workdir, &scope.variables.expand(target)?)),
        (None, Some(_)) => None,
        (None, None) => Some(format!("/run/secrets/{id}")),
    };
    let env = secret.env.as_ref().map(|env| env.value.clone());
    Ok(SecretMount { id, env, target, mode: OWN_SECRET, optional: secret.optional })
}

fn bind_mount(scope: &Scope<'_, '_>, bind: &Bind) -> Result<BindMount, Diagnostic> {
    let origin = match &bind.from {
        Some(from) => pick::origin(scope, from, scope.platform.clone())?,
        None => Origin::Context,
    };
    let start = match origin {
        Origin::Stage(index) => scope.workdirs[index].as_str(),
        _ => "/",
    };
    let source = match &bind.source {
        Some(source) => paths::join(start, &scope.variables.expand(source)?),
        None if matches!(origin, Origin::Stage(_)) => "/".to_owned(),
        None => start.to_owned(),
    };
    let target = match &bind.target {
        Some(target) => paths::join(scope.workdir, &scope.variables.expand(target)?),
        None => scope.workdir.to_owned(),
    };
    Ok(BindMount { origin, source, target })
}

fn packages(
    scope: &Scope<'_, '_>,
    settings: &Settings<'_>,
    (names, span): (&[Text], Span),
    mistakes: &mut Vec<Diagnostic>,
) -> Option<Step> {
    let names: Option<Vec<String>> =
        names.iter().map(|name| keep(scope.variables.expand(name), mistakes)).collect();
    let names = names?;
    let trust = scope.request.certificates;
    let title = format!("PACKAGES {}", names.join(" "));
    let head = ["/bin/sh", "-e", "-c", INSTALL, "packages"].map(str::to_owned);
    let run = Run {
        args: head.into_iter().chain(names).collect(),
        script: None,
        env: overlay(certificates::environment(trust, settings.env), settings.own_env.to_vec()),
        workdir: "/".to_owned(),
        caches: Vec::new(),
        secrets: certificates::mounts(trust).collect(),
        ssh: Vec::new(),
        binds: Vec::new(),
        tmpfs: ["/var/lib/apt/lists", "/var/cache/apt"].map(str::to_owned).to_vec(),
        no_network: false,
    };
    Some(Step { title, span, action: Action::Run(Box::new(run)) })
}

/// An environment with the values of another one on top; the order of names is kept.
pub(super) fn overlay(
    mut base: Vec<(String, String)>,
    top: Vec<(String, String)>,
) -> Vec<(String, String)> {
    for (name, value) in top {
        match base.iter_mut().find(|(other, _)| *other == name) {
            Some(entry) => entry.1 = value,
            None => base.push((name, value)),
        }
    }
    base
}

/// The longest title of a step; the rest is cut off.
const TITLE: usize = 100;

/// The first line that says something, short enough for one line of progress.
fn one_line(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.find(|line| !line.starts_with('#')).unwrap_or(text).trim();
    let more = lines.next().is_some() || first.chars().count() > TITLE;
    let short: String = first.chars().take(TITLE).collect();
    if more { format!("{short} …") } else { short }
}
