//! `healthcheck` as it was written.

use crate::diagnostic::{Located, Span, Text};

/// `healthcheck`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Healthcheck {
    /// `healthcheck: none` switches the base's off.
    None(Span),
    /// An exec list with its times.
    Exec {
        /// What is run.
        command: Located<Vec<Text>>,
        /// `interval` in nanoseconds; 0: the engine's default.
        interval: u64,
        /// `timeout` in nanoseconds.
        timeout: u64,
        /// `start-period` in nanoseconds.
        start_period: u64,
        /// `start-interval` in nanoseconds.
        start_interval: u64,
        /// `retries`; 0: the engine's default.
        retries: u32,
    },
}
