//! What is to be tried: written by the frontend, read where the image runs.

use serde::{Deserialize, Serialize};

/// All tests of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The user that the app runs as.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Where it starts.
    pub workdir: String,
    /// Its environment, complete.
    pub env: Vec<(String, String)>,
    /// What the image starts.
    pub command: Vec<String>,
    /// The signal that stops it: a name or a number.
    pub stop_signal: String,
    /// What is tried, in this order.
    pub tests: Vec<Test>,
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    /// What it is called, such as `start: http 8080/healthz`.
    pub name: String,
    /// Variables besides the image's.
    pub env: Vec<(String, String)>,
    /// How long it may take, in milliseconds.
    pub within: u64,
    /// What is tried.
    pub trial: Trial,
}

/// What a test tries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trial {
    /// A command that ends by itself.
    Run {
        /// The words of the command.
        command: Vec<String>,
        /// What must come of it.
        expected: Expected,
    },
    /// The app, until it is up.
    Start(Service),
}

/// What must come of a command.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Expected {
    /// Its exit code.
    pub exit: u8,
    /// What its standard output holds: text or `/pattern/`.
    pub stdout: Option<String>,
    /// What its standard error holds.
    pub stderr: Option<String>,
}

/// What shows that an app is up; all of it must.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Service {
    /// What it answers.
    pub http: Option<Http>,
    /// Ports that are open.
    pub ports: Vec<u16>,
    /// What a line of its output holds: text or `/pattern/`.
    pub log: Option<String>,
    /// The time within which it must stop, in milliseconds; `None`: it is noted whether it does.
    pub stops: Option<u64>,
}

/// A question over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Http {
    /// Where.
    pub port: u16,
    /// What.
    pub path: String,
    /// The status of the answer; `None`: 200 to 299.
    pub status: Option<u16>,
    /// What the answer holds: text or `/pattern/`.
    pub body: Option<String>,
}
