//! The items of `test` as they were written.

use super::Variable;
use crate::diagnostic::{Located, Span, Text};

/// An item of `test`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// What is tried.
    pub trial: Trial,
    /// `within` in nanoseconds.
    pub within: Option<Located<u64>>,
    /// `env` of this test alone.
    pub env: Vec<Variable>,
    /// The whole item.
    pub span: Span,
}

/// What a test tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// `run`: a command.
    Run {
        /// What is run.
        command: Located<Vec<Text>>,
        /// `exit`; default: 0.
        exit: Option<Text>,
        /// `stdout`: text or `/pattern/`.
        stdout: Option<Text>,
        /// `stderr`: text or `/pattern/`.
        stderr: Option<Text>,
    },
    /// `start`: the app.
    Start {
        /// `http`.
        http: Option<TestHttp>,
        /// `port`.
        ports: Vec<Text>,
        /// `log`: text or `/pattern/`.
        log: Option<Text>,
        /// `stops` in nanoseconds.
        stops: Option<Located<u64>>,
    },
}

/// `http` of a `start` test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestHttp {
    /// The port, in the short form with the path behind it.
    pub port: Text,
    /// `path` of the long form.
    pub path: Option<Text>,
    /// `status`; default: 200 to 299.
    pub status: Option<Text>,
    /// `body`: text or `/pattern/`.
    pub body: Option<Text>,
}
