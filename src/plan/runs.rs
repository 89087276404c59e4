//! The steps of a stage: commands with their whole environment and all their mounts, and the
//! placements between them.

use crate::diagnostic::{Diagnostic, Span, Text};
use crate::paths;
use crate::plan::draft::keep;
use crate::plan::pick::{self, Scope};
use crate::plan::select::SelectedStage;
use crate::plan::variables::{PLATFORM_NAMES, is_target_name};
use crate::plan::{Action, BindMount, CacheMount, Origin, Run, SecretMount, Step};
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
    pub(super) env: &'a [(String, String)],
    pub(super) cache: &'a [Cache],
}

/// The steps of a stage, in order.
pub(super) fn steps(
    scope: &Scope<'_, '_>,
    settings: &Settings<'_>,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    // On the builder's platform, steps are shared by all targets up to the first that names one.
    let mut sees_target = false;
    for step in &settings.selected.stage.steps {
        let step = match step {
            model::Step::Run(run) => {
                sees_target |= settings.selected.on_build_platform && mentions_target(&run.command);
                run_step(scope, settings, (run, sees_target), mistakes)
            }
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
    steps
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
            let words: Option<Vec<String>> = words
                .value
                .iter()
                .map(|word| keep(scope.variables.expand(word), mistakes))
                .collect();
            let words = words?;
            let shown = words.join(" ");
            (words, None, shown)
        }
    };
    let text = match &run.command {
        Command::Script(text) => text.value.clone(),
        Command::Exec(_) => shown.clone(),
    };
    let workdir = match &run.workdir {
        Some(text) => paths::join(scope.workdir, &keep(scope.variables.expand(text), mistakes)?),
        None => scope.workdir.to_owned(),
    };
    let mut env = overlay(settings.env.to_vec(), arguments(scope, run, &text, sees_target));
    let known =
        scope.variables.with_environment(env.iter().map(|(name, value)| (&**name, &**value)));
    env = overlay(env.clone(), known.expand_all(&run.env, mistakes));
    let caches = settings.cache.iter().chain(&run.cache);
    let caches =
        caches.filter_map(|cache| keep(cache_mount(scope, settings, cache), mistakes)).collect();
    let secrets = run
        .secrets
        .iter()
        .filter_map(|secret| keep(secret_mount(scope, secret), mistakes))
        .collect();
    let binds =
        run.binds.iter().filter_map(|bind| keep(bind_mount(scope, bind), mistakes)).collect();
    let tmpfs = run.tmpfs.iter().filter_map(|path| {
        keep(scope.variables.expand(path), mistakes).map(|path| paths::join(&workdir, &path))
    });
    let tmpfs = tmpfs.collect();
    let ssh = run.ssh.iter().map(|ssh| ssh.id.value.clone()).collect();
    let run_action = Run {
        args,
        script,
        env,
        workdir,
        caches,
        secrets,
        ssh,
        binds,
        tmpfs,
        no_network: run.no_network,
    };
    Some(Step {
        title: format!("RUN {}", one_line(&shown)),
        span: run.span,
        action: Action::Run(Box::new(run_action)),
    })
}

/// The words, the script to mount and the text to show of a script.
fn script(text: &str) -> (Vec<String>, Option<String>, String) {
    if text.starts_with("#!") {
        return (vec![SCRIPT_PATH.to_owned()], Some(text.to_owned()), text.to_owned());
    }
    let args = ["/bin/sh", "-e", "-c", text.trim_end_matches('\n')].map(str::to_owned).to_vec();
    (args, None, text.to_owned())
}

/// The arguments that a run gets: those that its text mentions or that it lists.
fn arguments(
    scope: &Scope<'_, '_>,
    run: &model::Run,
    text: &str,
    sees_target: bool,
) -> Vec<(String, String)> {
    let declared = scope.request.spec.args.iter().map(|argument| argument.name.value.as_str());
    declared
        .chain(PLATFORM_NAMES)
        .filter(|name| {
            mentions_word(text, name)
                || run.args.iter().any(|listed| listed.value == *name)
                || (sees_target && is_target_name(name))
        })
        .filter_map(|name| Some((name.to_owned(), scope.variables.get(name)?.to_owned())))
        .collect()
}

fn mentions_target(command: &Command) -> bool {
    let mentions = |text: &Text| {
        PLATFORM_NAMES.iter().any(|name| is_target_name(name) && mentions_word(&text.value, name))
            || text
                .value
                .split(|c: char| c.is_whitespace() || ";&|(`".contains(c))
                .any(|word| word.starts_with("xx-"))
    };
    match command {
        Command::Script(text) => mentions(text),
        Command::Exec(words) => words.value.iter().any(mentions),
    }
}

fn cache_mount(
    scope: &Scope<'_, '_>,
    settings: &Settings<'_>,
    cache: &Cache,
) -> Result<CacheMount, Diagnostic> {
    let path = paths::join(scope.workdir, &scope.variables.expand(&cache.path)?);
    let id = match &cache.id {
        Some(id) => scope.variables.expand(id)?,
        None => path.clone(),
    };
    // Compiled things of one platform are of no use to another one.
    let id = format!("{id} {}", settings.selected.platform.id());
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
    Ok(SecretMount { id, env, target, optional: secret.optional })
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
    let title = format!("PACKAGES {}", names.join(" "));
    let head = ["/bin/sh", "-e", "-c", INSTALL, "packages"].map(str::to_owned);
    let run = Run {
        args: head.into_iter().chain(names).collect(),
        script: None,
        env: settings.env.to_vec(),
        workdir: "/".to_owned(),
        caches: Vec::new(),
        secrets: Vec::new(),
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
