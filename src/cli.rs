//! Commands on a laptop or in CI, without BuildKit.

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs a command.
pub fn run(_arguments: impl Iterator<Item = OsString>) -> ExitCode {
    ExitCode::from(2)
}
