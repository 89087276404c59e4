//! The document: what was judged, how every check ended, what was found and what was waived.
//!
//! It is the predicate of our attestation, the JSON of `hardpan scan` and of the report. What is added
//! later stands beside these keys; what changes its meaning gets another `VERSION`. It is bounded:
//! of each check at most `MAX_FINDINGS` findings are listed, those that count and weigh most, and
//! `checks` says how many there were.

use serde::{Deserialize, Serialize};

use super::contract::Contract;
use crate::harden::Severity;

/// The version of the document, and the end of its predicate type.
pub const VERSION: u32 = 1;
/// The in-toto predicate type.
pub const PREDICATE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/attestation/hardening/v1");
/// The most findings of one check that are listed.
pub const MAX_FINDINGS: usize = 1_000;
/// The most bytes that all listed findings take as JSON: a client gets six reports of them in one
/// message of at most 16 MiB.
pub const MAX_BYTES: usize = 1 << 20;

/// Everything that others may want to know about a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The version of this form.
    pub version: u32,
    /// The program that judged.
    pub tool: Tool,
    /// The version of the rules that chose what was looked at.
    pub rules: String,
    /// How strict it was.
    pub profile: String,
    /// What was asked to be judged.
    pub source: Source,
    /// The image as it starts.
    pub image: Image,
    /// The images that it stands on and was built in.
    pub bases: Vec<Base>,
    /// `failed`: something blocks. `warned`: nothing does, but there are warnings. `passed`.
    pub result: Verdict,
    /// The proof in numbers and in one line.
    pub summary: Summary,
    /// Every check of the table and how it ended.
    pub checks: Vec<CheckEntry>,
    /// What was found, and nothing else.
    pub findings: Vec<FindingEntry>,
    /// What somebody answers for; all of them, used or not.
    pub waivers: Vec<WaiverEntry>,
    /// What the image did when it was started.
    pub tests: Vec<Test>,
    /// How the image has to be started, so that what was proven counts.
    pub contract: Contract,
    /// What was asked for beside the file: the profile of CI, required checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// What is missing among the findings; absent where all of them are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<Truncated>,
}

/// The program that judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `hardpan`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The digest of the image that it was started from, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontend: Option<String>,
}

/// Where the image came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Source {
    /// `spec`, `dockerfile`, `directory`, `tar`, `oci-layout`, `oci-tar` or `docker-tar`.
    pub kind: String,
    /// The name of the spec or Dockerfile, or of what was scanned.
    pub file: Option<String>,
    /// Its digest: of the text of a spec, of the manifest of an image.
    pub digest: Option<String>,
}

/// The image as it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Such as `linux/arm64`.
    pub platform: String,
    /// `User` of the config.
    pub user: String,
    /// Who that is, if it is known.
    pub uid: Option<u32>,
    /// Its group.
    pub gid: Option<u32>,
    /// `Entrypoint`.
    pub entrypoint: Vec<String>,
    /// `Cmd`.
    pub cmd: Vec<String>,
    /// `WorkingDir`.
    pub workdir: String,
    /// `ExposedPorts`, such as `8080/tcp`.
    pub ports: Vec<String>,
    /// `Volumes`.
    pub volumes: Vec<String>,
    /// Folders that the process may write, as the spec declares them.
    pub writable: Vec<String>,
    /// Regular files in it.
    pub files: u64,
    /// Their sizes in bytes.
    pub bytes: u64,
}

/// An image that the app was built in or stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// `runtime`: the app stands on it; `dev`: it was built in it.
    pub role: String,
    /// Its name.
    pub name: String,
    /// Its digest.
    pub digest: String,
}

/// The whole, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing blocks, nothing is warned of.
    Passed,
    /// Nothing blocks.
    Warned,
    /// The image is refused.
    Failed,
}

/// The proof in numbers and in one line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// What holds for this image.
    pub text: String,
    /// Checks that found nothing.
    pub passed: usize,
    /// Checks that found only what is worth knowing.
    pub noted: usize,
    /// Checks that found something to warn of, and nothing that refuses the image.
    pub warned: usize,
    /// Checks that found what refuses the image.
    pub failed: usize,
    /// Checks of which all that was found is waived.
    pub waived_checks: usize,
    /// Checks that could not be decided.
    pub not_evaluated: usize,
    /// Checks that the profile leaves out.
    pub off: usize,
    /// Findings that refuse the image.
    pub blocking: usize,
    /// Findings that are warnings.
    pub warnings: usize,
    /// Findings that are worth knowing.
    pub infos: usize,
    /// Findings that somebody answers for; in none of the counts above.
    pub waived: usize,
}

/// One check and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckEntry {
    /// The id.
    pub id: String,
    /// What must not be.
    pub title: String,
    /// How it ended.
    pub status: CheckStatus,
    /// How much a finding weighs in this profile; absent where the check is off.
    pub severity: Option<Level>,
    /// How many findings there were, listed or not.
    pub findings: usize,
    /// Why it could not be decided.
    pub reason: Option<String>,
    /// What it is evidence for.
    pub standards: Vec<String>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Nothing was found.
    Passed,
    /// Nothing but what is worth knowing was found.
    Noted,
    /// Something was found that is told, and refuses nothing.
    Warned,
    /// What was found refuses the image.
    Failed,
    /// All that was found is waived.
    Waived,
    /// It could not be decided.
    NotEvaluated,
    /// The profile leaves it out.
    Off,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Info,
    /// Told, and the build goes on.
    Warn,
    /// The image is refused.
    Block,
}

impl From<Severity> for Level {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Warn => Self::Warn,
            Severity::Block => Self::Block,
        }
    }
}

impl Level {
    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Block => "block",
        }
    }
}

/// Something that a check has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingEntry {
    /// The id of the check.
    pub check: String,
    /// How much it weighs.
    pub severity: Level,
    /// Who brought it: `base`, `app`, or `image` where the base is not known.
    pub origin: String,
    /// The layer of the app, from 0.
    pub layer: Option<usize>,
    /// The field of the config, by its key in the spec.
    pub field: Option<String>,
    /// The entry of that field: the name of a variable, a port, a path.
    pub entry: Option<String>,
    /// The path in the image, escaped.
    pub path: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// The line that brought it about.
    pub position: Option<Position>,
    /// Which of the waivers covers it.
    pub waiver: Option<usize>,
}

/// A place in the spec or Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The name of the file.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// What somebody answers for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiverEntry {
    /// The id of the check.
    pub check: String,
    /// Which paths of it; absent: findings that have no path.
    pub path: Option<String>,
    /// Why.
    pub reason: String,
    /// Who.
    pub owner: String,
    /// Until when, as `YYYY-MM-DD`, the day itself included.
    pub expires: String,
    /// `spec` or `policy`.
    pub source: String,
    /// How many findings it covers.
    pub findings: usize,
    /// `used`, `unused`, `expired` or `forbidden`.
    pub status: String,
}

/// What the image did when it was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    /// What was tried, in the words of the spec: `start: http 8080/healthcheck`.
    pub name: String,
    /// `passed`, `failed` or `skipped`.
    pub outcome: String,
    /// What went wrong or is warned of, or why it was skipped.
    pub message: Option<String>,
    /// The end of what the app printed, if it failed.
    pub output: Option<String>,
    /// Whether the app ended in time after its stop signal.
    pub stopped_in_time: Option<bool>,
    /// Its place in the spec.
    pub position: Option<Position>,
}

/// What was asked for beside the file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Policy {
    /// The profile that the file asks for, where another one was used.
    pub profile_of_file: Option<String>,
    /// Who has said it: `option`, `policy`, or both with a comma.
    pub source: String,
    /// The digest of the policy file, if there was one.
    pub digest: Option<String>,
    /// `allow`, `forbid`, or the checks that may be waived.
    pub waivers: String,
    /// Checks of which any finding blocks, and `test` where the image has to be tested.
    pub required: Vec<String>,
}

/// What is missing among the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truncated {
    /// How many there were.
    pub found: usize,
    /// How many are listed.
    pub listed: usize,
    /// How many of one check are listed at most.
    pub per_check: usize,
}
