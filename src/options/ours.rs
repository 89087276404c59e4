//! Build arguments that are hardpan's own: `HARDPAN_…`. No spec declares them.
//!
//! A name that nobody knows is refused: a word that is misspelled would be ignored otherwise, and
//! the build would not be the one that was asked for.

use std::collections::BTreeSet;

use super::reader::Reader;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::harden::{Allowed, Check, CheckId, Demand, Profile, Source};
use crate::words::{listed, nearest};

/// All of them, in the order in which messages list them.
pub const OWN_ARGUMENTS: &[&str] = &[
    "HARDPAN_CA",
    "HARDPAN_CA_JAVA",
    "HARDPAN_EVIDENCE",
    "HARDPAN_INPUT",
    "HARDPAN_OUTPUT",
    "HARDPAN_PROFILE",
    "HARDPAN_PROOF",
    "HARDPAN_REGISTRY",
    "HARDPAN_REQUIRE",
    "HARDPAN_WAIVERS",
];

/// What they all begin with.
pub(super) const FAMILY: &str = "build-arg:HARDPAN_";

/// The longest id of a secret that is believed to be one.
const LONGEST_ID: usize = 100;

/// Which secrets hold the certificates that `run` steps trust.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificates {
    /// The id of the secret with certificates as PEM.
    pub pem: Option<String>,
    /// The id of the secret with a trust store of Java.
    pub java: Option<String>,
}

impl Certificates {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut id = |name: &str| reader.parsed(&format!("build-arg:{name}"), "company-ca", secret);
        Self { pem: id("HARDPAN_CA"), java: id("HARDPAN_CA_JAVA") }
    }
}

/// Whether the image is inspected again even if the builder remembers what was found; unless it is
/// said, where a step was run for it (docs/hardening.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Only if something has changed in the definition.
    Cached,
    /// In any case.
    Fresh,
}

impl Proof {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        reader.parsed("build-arg:HARDPAN_PROOF", "fresh", |text| match text {
            "cached" => Ok(Self::Cached),
            "fresh" => Ok(Self::Fresh),
            _ => Err("it is either fresh or cached".to_owned()),
        })
    }
}

/// Whether the evidence goes along with the image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Evidence {
    /// Where any attestation is asked for, in the forms that keep attestations inside an image.
    #[default]
    Auto,
    /// In any case, in every form.
    Always,
    /// Never.
    Never,
}

impl Evidence {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let all = [("auto", Self::Auto), ("always", Self::Always), ("never", Self::Never)];
        one_of(reader, "build-arg:HARDPAN_EVIDENCE", &all).unwrap_or_default()
    }
}

/// What a build gives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outcome {
    /// The image, or a stage of it.
    #[default]
    Image,
    /// A folder with the report on it.
    Report,
}

impl Outcome {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let all = [("report", Self::Report), ("image", Self::Image)];
        one_of(reader, "build-arg:HARDPAN_OUTPUT", &all).unwrap_or_default()
    }
}

/// One of a few words; the first is the example.
fn one_of<T: Copy>(reader: &mut Reader, key: &str, all: &[(&str, T)]) -> Option<T> {
    let words = || all.iter().map(|(word, _)| *word);
    let example = nearest(&reader.peek(key)?, words()).or(words().next()).unwrap_or_default();
    reader.parsed(key, example, |text| {
        let found = all.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or_else(|| format!("there is {}", listed(words())))
    })
}

/// What whoever builds asks of the gate.
pub(super) fn demand(reader: &mut Reader) -> Demand {
    let profile = reader.parsed("build-arg:HARDPAN_PROFILE", "strict", |text| {
        let names = Profile::ALL.map(Profile::name).join(", ");
        Profile::find(text).ok_or_else(|| format!("the profiles are {names}"))
    });
    let allowed = reader.parsed("build-arg:HARDPAN_WAIVERS", "forbid", |text| match text {
        "forbid" => Ok(Allowed::NONE),
        "allow" => Ok(Allowed::All),
        checks => Ok(Allowed::Only(ids(checks)?)),
    });
    let demand = reader.parsed("build-arg:HARDPAN_REQUIRE", "USR-01,SUP-04,test", |text| {
        let mut demand = Demand::default();
        text.split(',').try_for_each(|name| demand.require(name.trim()))?;
        Ok(demand)
    });
    let demand = Demand { profile, allowed, ..demand.unwrap_or_default() };
    let asks = demand != Demand::default();
    Demand { from: if asks { Source::Option } else { Source::Default }, ..demand }
}

/// Ids of checks, with commas between them.
fn ids(text: &str) -> Result<BTreeSet<CheckId>, String> {
    let known = |id: &str| match Check::find(id.trim()) {
        Some(check) => Ok(check.id),
        None => Err(Check::unknown(id.trim())),
    };
    text.split(',').map(known).collect()
}

/// Reports names of the family that do not exist.
pub(super) fn refuse_unknown(reader: &mut Reader) {
    let given: Vec<String> = reader.keys(FAMILY).map(|key| format!("HARDPAN_{key}")).collect();
    for name in given.iter().filter(|name| !OWN_ARGUMENTS.contains(&name.as_str())) {
        let message = format!("there is no build argument {name:?}");
        let mistake = Diagnostic::error(Code::InvalidOption, Span::START, message);
        let help = match nearest(name, OWN_ARGUMENTS.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("names that begin with HARDPAN_ are: {}", OWN_ARGUMENTS.join(", ")),
        };
        reader.report(mistake.help(help));
    }
}

/// The id of a secret; a file or its content is a likely mistake.
fn secret(text: &str) -> Result<String, String> {
    let is_id = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    if text.len() <= LONGEST_ID && text.chars().all(is_id) {
        return Ok(text.to_owned());
    }
    Err("it is the id of a secret, as in `--secret id=company-ca,src=FILE`".to_owned())
}
