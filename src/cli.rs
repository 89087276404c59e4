//! The commands for a laptop or for CI: what needs no BuildKit.
//!
//! Exit codes: 0 nothing wrong, 1 mistakes in a file, 2 the command could not be carried out.

mod check;
pub(crate) mod draw;
mod scan;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::spec::schema;

/// Builds hardened images; as a command, it checks specs.
#[derive(Debug, Parser)]
#[command(name = "hardpan", version)]
enum Arguments {
    /// Reports every mistake in specs, without building anything
    Check {
        /// Specs; `-` reads standard input
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Judges an image that is there already, or a file system, without any builder
    Scan(scan::Arguments),
    /// Prints the JSON Schema of a spec, for editors
    Schema,
}

/// How a command ended; the larger, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Fine,
    Mistakes,
    NotDone,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Fine => Self::SUCCESS,
            Outcome::Mistakes => Self::from(1),
            Outcome::NotDone => Self::from(2),
        }
    }
}

/// Runs the command that the arguments name; the first argument is the program.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let outcome = match Arguments::try_parse_from(arguments) {
        Ok(Arguments::Check { files }) => check::check_files(&files, &mut std::io::stderr().lock()),
        Ok(Arguments::Scan(arguments)) => scan::run(&arguments, &mut std::io::stderr().lock()),
        Ok(Arguments::Schema) => match std::io::stdout().write_all(schema::json().as_bytes()) {
            Ok(()) => Outcome::Fine,
            // A reader that has enough, such as `head`: nobody is left to tell.
            Err(_) => Outcome::NotDone,
        },
        Err(error) => {
            // Help goes to stdout, everything else to stderr; clap knows which.
            let shown = error.print();
            if error.use_stderr() || shown.is_err() { Outcome::NotDone } else { Outcome::Fine }
        }
    };
    outcome.into()
}

#[cfg(test)]
mod tests;
