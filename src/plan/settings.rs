//! The config of the image: the runtime base's, passed on, with what the app says on top.
//!
//! Entrypoint and Cmd are always both written, user and group always as numbers: an engine that
//! merges them with something, or looks a name up, could get another answer than the proof did.

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Located, Span, Text};
use crate::image::{Healthcheck as ImageHealthcheck, History, ImageConfig};
use crate::inspect::accounts::{Identity, UserError};
use crate::inspect::facts::Facts;
use crate::plan::draft::{Draft, keep};
use crate::plan::layers::Layer;
use crate::plan::testing;
use crate::plan::variables::Variables;
use crate::plan::{Owner, Places};
use crate::spec::model::{App, Healthcheck, Variable};
use crate::spec::value::runtime;

/// What the config is made of, besides the draft.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// The app.
    pub app: &'a App,
    /// Names for `${…}`.
    pub variables: &'a Variables,
    /// Labels that the build gives; they win over the spec's.
    pub labels: &'a [(String, String)],
    /// The time that the image says it was created at, in RFC 3339; `None`: the builder decides.
    pub created: Option<&'a str>,
}

impl Settings<'_> {
    pub(super) fn workdir_span(&self) -> Span {
        self.app.workdir.as_ref().map_or(self.app.span, |text| text.span)
    }

    /// The same, knowing the environment of the image.
    pub(super) fn with_environment(&self, draft: &Draft) -> Variables {
        let env = draft.env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        self.variables.with_environment(env)
    }
}

/// The user that the app runs as: the spec's, or the runtime base's, in numbers.
pub(super) fn user(
    settings: &Settings<'_>,
    draft: &Draft,
    facts: &Facts,
) -> Result<Owner, Diagnostic> {
    let (name, span, own) = if let Some(text) = &settings.app.user {
        (settings.variables.expand(text)?, text.span, true)
    } else {
        let base = &draft.images[draft.runtime];
        (base.config.config.user.clone(), base.span, false)
    };
    let identity =
        facts.accounts.identify(&name).map_err(|error| unknown(&name, span, own, &error))?;
    if identity.uid == 0 {
        let message = if own {
            format!("the user {name:?} is root in the runtime base")
        } else {
            format!("the runtime base runs as {name:?}, which is root")
        };
        let code = if own { Code::RootUser } else { Code::BaseRunsAsRoot };
        return Err(Diagnostic::error(code, span, message)
            .help("name another user: `user: 65532`, or one of the base's accounts"));
    }
    let gid = primary_group(&name, &identity);
    Ok(Owner { uid: identity.uid, gid })
}

/// A number without a group takes itself as group: an engine would take group 0 for a number that
/// is not in passwd.
fn primary_group(name: &str, identity: &Identity) -> u32 {
    let bare_number = !name.contains(':') && name.parse::<u32>().is_ok();
    if bare_number && identity.name.is_none() { identity.uid } else { identity.gid }
}

fn unknown(name: &str, span: Span, own: bool, error: &UserError) -> Diagnostic {
    let whose = if own { "the spec" } else { "the runtime base" };
    Diagnostic::error(Code::UnknownUser, span, format!("{whose} names the user {name:?}: {error}"))
        .help("name an account of the runtime base, or write numbers: `user: 65532:65532`")
}

/// The config, with all that is wrong with the app's part of it.
pub(super) fn config(
    settings: &Settings<'_>,
    draft: &Draft,
    user: Owner,
    layers: &[Layer],
) -> (ImageConfig, Vec<Diagnostic>) {
    let mut mistakes = Vec::new();
    let app = settings.app;
    let mut image = draft.images[draft.runtime].config.clone();
    image.os.clone_from(&draft.platform.os);
    image.architecture.clone_from(&draft.platform.architecture);
    image.variant.clone_from(&draft.platform.variant);
    image.rootfs.diff_ids.clear(); // the exporter counts the layers again
    image.created = settings.created.map(str::to_owned);
    image.history.extend(layers.iter().map(|layer| history(layer, settings.created)));
    let config = &mut image.config;
    config.user = format!("{}:{}", user.uid, user.gid);
    config.working_dir.clone_from(&draft.workdir);
    config.env = draft.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    config.on_build.clear();
    let variables = settings.with_environment(draft);
    if app.entrypoint.is_some() || app.cmd.is_some() {
        // The environment is known to whoever starts the image, not to its command line.
        let variables = settings.variables;
        config.entrypoint = Some(words(variables, app.entrypoint.as_ref(), &mut mistakes));
        config.cmd = Some(words(variables, app.cmd.as_ref(), &mut mistakes));
    } else {
        config.entrypoint.get_or_insert_default();
        config.cmd.get_or_insert_default();
    }
    for text in &app.expose {
        for port in keep(ports(&variables, text), &mut mistakes).into_iter().flatten() {
            config.exposed_ports.insert(port, Value::Object(serde_json::Map::new()));
        }
    }
    for writable in draft.writable.iter().filter(|path| path.is_volume) {
        config.volumes.insert(writable.path.clone(), Value::Object(serde_json::Map::new()));
    }
    mistakes.extend(refuse_labels(settings));
    config.labels.extend(expand_each(settings.variables, &app.labels, &mut mistakes));
    config.labels.extend(settings.labels.iter().cloned());
    if let Some(signal) = &app.stopsignal {
        let expanded = settings.variables.expand(signal).and_then(|value| {
            let text = Text::new(value, signal.span);
            runtime::signal(&text).map(|()| text.value)
        });
        config.stop_signal = keep(expanded, &mut mistakes).unwrap_or_default();
    }
    if let Some(check) = &app.healthcheck {
        config.healthcheck = Some(healthcheck(&variables, check, &mut mistakes));
    }
    (image, mistakes)
}

/// What is wrong with the config of an app, as far as it needs no look into the runtime base.
#[must_use]
pub fn check_settings(draft: &Draft, settings: &Settings<'_>) -> Vec<Diagnostic> {
    let (_, mut mistakes) = config(settings, draft, Owner::default(), &[]);
    annotations(settings, &mut mistakes);
    testing::check(settings, draft, &mut mistakes);
    mistakes
}

/// What the base says of itself stays as it is: scanners believe these labels.
fn refuse_labels(settings: &Settings<'_>) -> Vec<Diagnostic> {
    let spec = settings.app.labels.iter().map(|label| (label.name.value.as_str(), label.name.span));
    let given = settings.labels.iter().map(|(name, _)| (name.as_str(), Span::START));
    let all: Vec<_> = spec.chain(given).collect();
    let foreign = all.iter().filter(|(name, _)| name.starts_with("com.docker.dhi."));
    let foreign = foreign.map(|(name, span)| {
        let message = format!("the label {name:?} is the base's own statement");
        Diagnostic::error(Code::InvalidValue, *span, message)
            .help("leave it out: it is passed on as the base has it")
    });
    let ours = all.iter().filter_map(|(name, span)| refuse_ours("label", name, *span));
    foreign.chain(ours).collect()
}

/// What hardpan says of an image nobody else says, such as that it is a stage and no product.
#[must_use]
pub fn refuse_ours(what: &str, name: &str, span: Span) -> Option<Diagnostic> {
    let message = format!("the {what} {name:?} is hardpan's own statement");
    let help = "leave it out, or choose a name under your own domain";
    let mistake = Diagnostic::error(Code::InvalidValue, span, message).help(help);
    name.starts_with("io.hardpan.").then_some(mistake)
}

fn history(layer: &Layer, created: Option<&str>) -> History {
    History {
        created: created.map(str::to_owned),
        created_by: layer.title.clone(),
        comment: "hardpan".to_owned(),
        ..History::default()
    }
}

fn words(
    variables: &Variables,
    list: Option<&Located<Vec<Text>>>,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<String> {
    let list = list.map(|list| list.value.as_slice()).unwrap_or_default();
    list.iter().filter_map(|word| keep(variables.expand(word), mistakes)).collect()
}

/// `8080` → `8080/tcp`; a range gives each of its ports.
fn ports(variables: &Variables, text: &Text) -> Result<Vec<String>, Diagnostic> {
    let written = variables.expand(text)?;
    let (numbers, protocol) = written.split_once('/').unwrap_or((&written, "tcp"));
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let known = matches!(protocol, "tcp" | "udp" | "sctp");
    match (first.parse::<u16>(), last.parse::<u16>()) {
        (Ok(first), Ok(last)) if known && 0 < first && first <= last => {
            Ok((first..=last).map(|port| format!("{port}/{protocol}")).collect())
        }
        _ => {
            Err(Diagnostic::error(Code::InvalidValue, text.span, format!("{written:?} is no port"))
                .help("write `8080`, `53/udp` or `8000-8010`"))
        }
    }
}

fn healthcheck(
    variables: &Variables,
    check: &Healthcheck,
    mistakes: &mut Vec<Diagnostic>,
) -> ImageHealthcheck {
    match check {
        Healthcheck::None(_) => {
            ImageHealthcheck { test: vec!["NONE".to_owned()], ..ImageHealthcheck::default() }
        }
        Healthcheck::Exec { command, interval, timeout, start_period, start_interval, retries } => {
            let mut test = vec!["CMD".to_owned()];
            test.extend(words(variables, Some(command), mistakes));
            ImageHealthcheck {
                test,
                interval: nanoseconds(*interval),
                timeout: nanoseconds(*timeout),
                start_period: nanoseconds(*start_period),
                start_interval: nanoseconds(*start_interval),
                retries: i64::from(*retries),
                ..ImageHealthcheck::default()
            }
        }
    }
}

fn nanoseconds(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// `annotations` of the app.
pub(super) fn annotations(
    settings: &Settings<'_>,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<(String, String)> {
    let names = settings.app.annotations.iter().map(|one| &one.name);
    mistakes.extend(names.filter_map(|name| refuse_ours("annotation", &name.value, name.span)));
    expand_each(settings.variables, &settings.app.annotations, mistakes)
}

/// Labels and annotations: unlike an environment, they are no names for one another.
fn expand_each(
    variables: &Variables,
    pairs: &[Variable],
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<(String, String)> {
    let expanded = pairs.iter().filter_map(|pair| {
        let value = keep(variables.expand(&pair.value), mistakes)?;
        Some((pair.name.value.clone(), value))
    });
    expanded.collect()
}

/// Where the fields of the config are written.
pub(super) fn places(settings: &Settings<'_>) -> Places {
    let app = settings.app;
    let health = app.healthcheck.as_ref().map(|check| match check {
        Healthcheck::None(span) => *span,
        Healthcheck::Exec { command, .. } => command.span,
    });
    let places = [
        ("user", app.user.as_ref().map(|text| text.span)),
        ("entrypoint", app.entrypoint.as_ref().or(app.cmd.as_ref()).map(|list| list.span)),
        ("cmd", app.cmd.as_ref().or(app.entrypoint.as_ref()).map(|list| list.span)),
        ("workdir", app.workdir.as_ref().map(|text| text.span)),
        ("env", app.env.first().map(|variable| variable.name.span)),
        ("labels", app.labels.first().map(|label| label.name.span)),
        ("expose", app.expose.first().map(|port| port.span)),
        ("volumes", app.volumes.first().map(|path| path.span)),
        ("writable", app.writable.first().map(|one| one.path.span)),
        ("healthcheck", health),
    ];
    let whole = places.into_iter().filter_map(|(key, span)| Some(((key, String::new()), span?)));
    let pair = |key, pair: &Variable| ((key, pair.name.value.clone()), pair.name.span);
    let text = |key, text: &Text| ((key, text.value.clone()), text.span);
    let entries = (app.env.iter().map(|one| pair("env", one)))
        .chain(app.labels.iter().map(|one| pair("labels", one)))
        .chain(app.expose.iter().map(|one| text("expose", one)))
        .chain(app.volumes.iter().map(|one| text("volumes", one)))
        .chain(app.writable.iter().map(|one| text("writable", &one.path)));
    Places(whole.chain(entries).collect())
}
