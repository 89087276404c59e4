//! The arguments of the modes that run inside BuildKit, and how such a mode ends.
//!
//! They are written by the frontend, so a mistake in them is a fault of hardpan: one line on
//! stderr, exit code 2.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;

/// Parses `arguments`, which do not start with the program's name, and runs a mode.
pub(crate) fn run_mode<A: Parser>(
    mode: &str,
    arguments: impl Iterator<Item = OsString>,
    run: impl FnOnce(&A) -> Result<(), String>,
) -> ExitCode {
    let parsed = A::try_parse_from(arguments).map_err(|error| error.to_string());
    match parsed.and_then(|arguments| run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Nothing is left to tell it to if stderr is closed.
            let _ = writeln!(std::io::stderr(), "hardpan {mode}: {message}");
            ExitCode::from(2)
        }
    }
}
