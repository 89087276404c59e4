//! What came of the tests: bounded, and the same for the same behaviour, so that it can stand in an
//! attestation. What an app printed is kept only where it explains a failure.

use serde::{Deserialize, Serialize};

/// The version of the document.
const VERSION: u32 = 1;

/// What came of all tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The version of this document.
    pub version: u32,
    /// One for each test of the order.
    pub tests: Vec<Report>,
}

/// What came of one test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The name of the test.
    pub name: String,
    /// What it tries.
    pub kind: Kind,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it failed; empty if it did not.
    pub message: String,
    /// The end of what the app wrote, escaped, if it failed.
    pub output: Vec<String>,
    /// How it ended when it was told to stop, if it was.
    pub stop: Option<Stop>,
}

/// What a test tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A command.
    Run,
    /// The start of the app.
    Start,
}

/// What came of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All that must hold does.
    Passed,
    /// Something does not.
    Failed,
    /// It could not be tried at all.
    Broken,
}

/// How an app ended when it was told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// By itself, in time.
    InTime,
    /// It had to be killed.
    Killed,
    /// By the signal itself, without a handler of its own. The kernel protects process 1 of a
    /// container from such an end: there, most programs go on until they are killed.
    Unheard,
}

impl Answer {
    pub(super) fn of(tests: Vec<Report>) -> Self {
        Self { version: VERSION, tests }
    }

    /// Reads an answer of this release.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        let answer: Self = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if answer.version == VERSION {
            return Ok(answer);
        }
        Err(format!("the tests were answered in version {}", answer.version))
    }
}

impl Report {
    pub(super) fn passed(name: &str, kind: Kind) -> Self {
        let (message, output) = (String::new(), Vec::new());
        Self { name: name.to_owned(), kind, outcome: Outcome::Passed, message, output, stop: None }
    }

    pub(super) fn failed(self, message: String, output: Vec<String>) -> Self {
        Self { outcome: Outcome::Failed, message, output, ..self }
    }

    pub(super) fn broken(self, message: String) -> Self {
        Self { outcome: Outcome::Broken, message, ..self }
    }
}
