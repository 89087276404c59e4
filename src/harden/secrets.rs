//! Keys, credentials and tokens: in files, in the config, and hidden under other files.

#![expect(clippy::unnecessary_wraps, reason = "all decisions of the table have one signature")]

use std::fmt::Write as _;

use crate::inspect::escape::escape;
use crate::inspect::evidence::Part;
use crate::inspect::secrets::{Rule, SecretTrace};
use crate::inspect::tokens::{is_secret, tells};

use super::common::{at_most, complete};
use super::{Decision, Fault, Origin, Severity, Subject};

/// SEC-01.
pub(crate) fn keys(subject: &Subject<'_>) -> Decision {
    files(subject, Rule::PrivateKey, Part::Secrets)
}

/// SEC-02.
pub(crate) fn credentials(subject: &Subject<'_>) -> Decision {
    files(subject, Rule::Credential, Part::Secrets)
}

/// SEC-04.
pub(crate) fn tokens(subject: &Subject<'_>) -> Decision {
    files(subject, Rule::Token, Part::Texts)
}

fn files(subject: &Subject<'_>, rule: Rule, part: Part) -> Decision {
    let list = &subject.inventory.secrets;
    let found = list.items.iter().filter(|trace| trace.rule == rule);
    let mut faults: Vec<_> = found.map(|trace| fault(subject, trace)).collect();
    complete(list.truncated, &mut faults)?;
    let gap = subject.inventory.not_evaluated.items.iter().find(|gap| gap.part == part);
    match gap {
        Some(gap) if faults.is_empty() => {
            Err(format!("{} was not searched: {}", gap.path, gap.reason))
        }
        _ => Ok(faults),
    }
}

fn fault(subject: &Subject<'_>, trace: &SecretTrace) -> Fault {
    let (path, line, what, digest) = (&trace.path, trace.line, &trace.what, &trace.digest);
    let mut message = format!("{path} has {what} in line {line} (sha256 {digest}…)");
    if let Some(lost) = &trace.lost {
        let does = if lost.deleted { "deletes" } else { "replaces" };
        let _ = write!(
            message,
            " in layer {} of {}; layer {} {does} it, and whoever has the image has it all the same",
            lost.layer, lost.of, lost.by
        );
    }
    let found = Fault::new(subject.origin(trace.layer), message).at(path);
    // Test keys of a package, or of the base, are known to everybody.
    if trace.dependency || found.origin == Origin::Base {
        return found.weighing(Severity::Warn);
    }
    found
}

/// SEC-03.
pub(crate) fn config(subject: &Subject<'_>) -> Decision {
    let config = subject.config;
    let env = config.env.iter().filter_map(|variable| variable.split_once('='));
    let env = env.filter(|(name, value)| tells_secret(name, value)).map(|(name, _)| {
        let name_shown = escape(name.as_bytes());
        let origin = subject.env_origin(name);
        let message = format!("the variable {name_shown} holds a secret");
        let found = Fault::new(origin, message).about(name);
        if origin == Origin::Base { found.weighing(Severity::Info) } else { found }
    });
    let mut faults = at_most(env);
    let commands = [("entrypoint", &config.entrypoint), ("cmd", &config.cmd)];
    let commands = commands.into_iter().chain([("healthcheck", &config.healthcheck)]);
    faults.extend(commands.filter(|(_, words)| words.iter().any(|word| tells(word))).map(
        |(field, _)| Fault::new(Origin::Config(field), format!("a word of {field} holds a secret")),
    ));
    let inherited = |name: &String| config.base.labels.get(name) == config.labels.get(name);
    let labels = config.labels.iter().filter(|(name, _)| !inherited(name));
    // Names of labels have dots and dashes where those of variables have underscores.
    let labels = labels.filter(|(name, value)| tells_secret(&name.replace(['.', '-'], "_"), value));
    faults.extend(at_most(labels.map(|(name, _)| {
        let message = format!("the label {} holds a secret", escape(name.as_bytes()));
        Fault::new(Origin::Config("labels"), message).about(name)
    })));
    Ok(faults)
}

/// SUP-07.
pub(crate) fn build_args(subject: &Subject<'_>) -> Decision {
    let args = subject.config.build_args.iter();
    let secret = args.filter(|(name, value)| tells_secret(name, value));
    let say = |(name, _): (&String, &String)| {
        let name = escape(name.as_bytes());
        Fault::new(Origin::Config("args"), format!("the build argument {name} holds a secret"))
    };
    Ok(secret.map(say).collect())
}

/// Whether a value is a secret, by its name or by itself.
pub(crate) fn tells_secret(name: &str, value: &str) -> bool {
    is_secret(name, value) || tells(value)
}

/// SEC-05.
pub(crate) fn hidden(subject: &Subject<'_>) -> Decision {
    let list = &subject.inventory.covered;
    let say = |change: &crate::inspect::evidence::Changed| {
        let path = &change.path;
        let message = format!("{path} is placed over another one, which stays in its layer");
        Fault::new(subject.origin(change.below), message).at(path)
    };
    let mut faults: Vec<_> = list.items.iter().map(say).collect();
    complete(list.truncated, &mut faults)?;
    Ok(faults)
}
