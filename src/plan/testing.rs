//! What is tried in the finished image: the tests of the spec with nothing left open, and the
//! environment that an engine would give the app.

use crate::diagnostic::{Diagnostic, Span, Text};
use crate::inspect::facts::Facts;
use crate::plan::Owner;
use crate::plan::draft::{Draft, keep};
use crate::plan::settings::Settings;
use crate::plan::variables::Variables;
use crate::spec::model;
use crate::spec::value::{numbers, testing as value};
use crate::start::{Expected, Http, Service, Test, Trial};

/// How long a test may take that does not say it.
const WITHIN: u64 = 30_000;

/// What is tried in the finished image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Testing {
    /// The environment of the image, and what every engine adds to it.
    pub env: Vec<(String, String)>,
    /// The tests, in the order of the spec.
    pub tests: Vec<PlannedTest>,
}

/// A test and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedTest {
    /// The test.
    pub test: Test,
    /// Its place.
    pub span: Span,
}

/// The tests of an app.
pub(super) fn testing(
    settings: &Settings<'_>,
    draft: &Draft,
    (user, facts): (Owner, &Facts),
    mistakes: &mut Vec<Diagnostic>,
) -> Testing {
    let tests = check(settings, draft, mistakes);
    let mut env = draft.env.clone();
    let home = facts.accounts.users.iter().find(|one| one.uid == i64::from(user.uid));
    let home = home.map_or("/", |user| user.home.as_str());
    if !env.iter().any(|(name, _)| name == "HOME") {
        env.push(("HOME".to_owned(), home.to_owned()));
    }
    Testing { env, tests }
}

/// The tests of an app, as far as they need no look into the runtime base.
pub(super) fn check(
    settings: &Settings<'_>,
    draft: &Draft,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<PlannedTest> {
    let variables = settings.with_environment(draft);
    let planned = settings.app.tests.iter().filter_map(|test| {
        let own = variables.expand_all(&test.env, mistakes);
        let known = variables.with_environment(own.iter().map(|(n, v)| (n.as_str(), v.as_str())));
        let trial = keep(trial(&known, test), mistakes)?;
        let within = test.within.as_ref().map_or(WITHIN, |within| milliseconds(within.value));
        let span = test.span;
        let test = Test { name: name(&trial), env: own, within, trial };
        Some(PlannedTest { test, span })
    });
    planned.collect()
}

fn trial(variables: &Variables, test: &model::Test) -> Result<Trial, Diagnostic> {
    let found = |written: &Option<Text>| {
        let wanted = written.as_ref().map(|one| expanded(variables, one)).transpose()?;
        wanted.iter().try_for_each(value::found)?;
        Ok(wanted.map(|wanted| wanted.value))
    };
    match &test.trial {
        model::Trial::Run { command, exit, stdout, stderr } => {
            let words = command.value.iter().map(|word| variables.expand(word));
            let exit = exit.as_ref().map(|exit| value::exit(&expanded(variables, exit)?));
            let expected = Expected {
                exit: exit.transpose()?.unwrap_or(0),
                stdout: found(stdout)?,
                stderr: found(stderr)?,
            };
            Ok(Trial::Run { command: words.collect::<Result<_, _>>()?, expected })
        }
        model::Trial::Start { http, ports, log, stops } => {
            let port = |text: &Text| value::port(&expanded(variables, text)?);
            Ok(Trial::Start(Service {
                http: http.as_ref().map(|http| asked(variables, http, found)).transpose()?,
                ports: ports.iter().map(port).collect::<Result<_, _>>()?,
                log: found(log)?,
                stops: stops.as_ref().map(|stops| milliseconds(stops.value)),
            }))
        }
    }
}

fn asked(
    variables: &Variables,
    http: &model::TestHttp,
    found: impl Fn(&Option<Text>) -> Result<Option<String>, Diagnostic>,
) -> Result<Http, Diagnostic> {
    let (port, mut path) = value::http(&expanded(variables, &http.port)?)?;
    if let Some(own) = &http.path {
        let own = expanded(variables, own)?;
        value::http_path(&own)?;
        path = own.value;
    }
    let status = http.status.as_ref().map(|status| value::status(&expanded(variables, status)?));
    Ok(Http { port, path, status: status.transpose()?, body: found(&http.body)? })
}

fn expanded(variables: &Variables, text: &Text) -> Result<Text, Diagnostic> {
    Ok(Text::new(variables.expand(text)?, text.span))
}

/// Durations of the spec are at least a millisecond.
fn milliseconds(nanoseconds: u64) -> u64 {
    nanoseconds / numbers::MILLISECOND
}

/// What people call a test: what it runs, or what it waits for.
fn name(trial: &Trial) -> String {
    const SHOWN: usize = 80;
    let whole = match trial {
        Trial::Run { command, .. } => format!("run {}", command.join(" ")),
        Trial::Start(service) => {
            let http = service.http.iter().map(|http| format!("http {}{}", http.port, http.path));
            let ports = service.ports.iter().map(|port| format!("port {port}"));
            let log = service.log.iter().map(|log| format!("log {log}"));
            format!("start: {}", http.chain(ports).chain(log).collect::<Vec<_>>().join(", "))
        }
    };
    let cut: String = whole.chars().take(SHOWN).collect();
    let dots = if cut.len() < whole.len() { "…" } else { "" };
    format!("{}{dots}", crate::words::escaped(&cut))
}
