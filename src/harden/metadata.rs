//! What the config says about the image: labels, history, dates; and about its base.

#![expect(clippy::unnecessary_wraps, reason = "all decisions of the table have one signature")]

use crate::bases::labels::{Declared, Support};
use crate::inspect::escape::escape;
use crate::inspect::tokens::tells;

use super::common::at_most;
use super::secrets::tells_secret;
use super::{Decision, Fault, Origin, Severity, Subject};

/// What labels of Docker Hardened Images begin with.
const DHI: &str = "com.docker.dhi.";
/// Labels that say where an image comes from.
const WANTED: [&str; 4] = [
    "org.opencontainers.image.source",
    "org.opencontainers.image.revision",
    "org.opencontainers.image.version",
    "org.opencontainers.image.licenses",
];

fn declared(subject: &Subject<'_>) -> Declared {
    Declared::read(&subject.config.base.labels)
}

/// SHL-01.
pub(crate) fn declared_shell(subject: &Subject<'_>) -> Decision {
    let base = declared(subject);
    if let Some(shell) = &base.shell {
        let message = format!("the base declares the shell {}", escape(shell.as_bytes()));
        return Ok(vec![Fault::new(Origin::Base, message)]);
    }
    let message = "the base is a development image, which has a shell";
    Ok(base.is_dev().then(|| Fault::new(Origin::Base, message)).into_iter().collect())
}

/// META-01.
pub(crate) fn labels(subject: &Subject<'_>) -> Decision {
    let missing: Vec<_> =
        WANTED.into_iter().filter(|name| !subject.config.labels.contains_key(*name)).collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let message = format!("the image does not say where it comes from: no {}", missing.join(", "));
    Ok(vec![Fault::new(Origin::Config("labels"), message)])
}

/// META-02.
pub(crate) fn base_labels(subject: &Subject<'_>) -> Decision {
    let kept = &subject.config.labels;
    let ours = subject.config.base.labels.iter().filter(|(name, _)| name.starts_with(DHI));
    let changed = ours.filter(|(name, value)| kept.get(*name) != Some(value));
    let say = |(name, _): (&String, &String)| {
        let message = format!("the label {} of the base is changed", escape(name.as_bytes()));
        Fault::new(Origin::Config("labels"), message)
    };
    Ok(at_most(changed.map(say)))
}

/// META-03.
pub(crate) fn history(subject: &Subject<'_>) -> Decision {
    let config = subject.config;
    let has_secret = |line: &String| {
        let pair = |word: &str| {
            let (name, value) = word.split_once('=')?;
            let name = name.trim_start_matches('-').replace('-', "_"); // `--auth-token=…`
            Some(tells_secret(&name, value.trim_matches(['"', '\''])))
        };
        tells(line) || line.split_whitespace().any(|word| pair(word) == Some(true))
    };
    let secrets = config.history.iter().filter(|line| has_secret(line)).count();
    let mut faults = Vec::new();
    if secrets > 0 {
        faults.push(Fault::new(Origin::Image, "the history of the image shows a secret"));
    }
    if !config.onbuild.is_empty() {
        let count = config.onbuild.len();
        let message = format!("the image has {count} ONBUILD triggers, which run in other builds");
        faults.push(Fault::new(Origin::Image, message));
    }
    Ok(faults)
}

/// META-04.
pub(crate) fn created(subject: &Subject<'_>) -> Decision {
    let (Some(epoch), Some(created)) = (subject.config.epoch, &subject.config.created) else {
        return Ok(Vec::new());
    };
    let same = created.parse::<jiff::Timestamp>().is_ok_and(|time| time.as_second() == epoch);
    let message =
        format!("the image is dated {}, not SOURCE_DATE_EPOCH", escape(created.as_bytes()));
    Ok((!same).then(|| Fault::new(Origin::Image, message)).into_iter().collect())
}

/// SUP-02.
pub(crate) fn allowed(subject: &Subject<'_>) -> Decision {
    let base = &subject.config.base;
    // A mirror keeps the labels, which are a hint and no proof.
    let hardened = base.from_catalogue || declared(subject).is_dhi();
    let name = escape(base.name.as_bytes());
    let message = format!("the base {name} is no Docker Hardened Image");
    Ok((!hardened).then(|| Fault::new(Origin::Base, message)).into_iter().collect())
}

/// SUP-04.
pub(crate) fn supported(subject: &Subject<'_>) -> Decision {
    let base = declared(subject);
    let Some(support) = base.support(subject.today) else { return Ok(Vec::new()) };
    let (severity, message) = match support {
        Support::NoDate(written) => {
            let shown = escape(written.as_bytes());
            (Severity::Warn, format!("the base declares the end of life {shown}, which is no date"))
        }
        Support::Ended(end) => {
            (Severity::Block, format!("the base is past its end of life, {end}"))
        }
        Support::Ends(end, days) => {
            (Severity::Warn, format!("the base reaches its end of life in {days} days, on {end}"))
        }
    };
    Ok(vec![Fault::new(Origin::Base, message).weighing(severity)])
}
