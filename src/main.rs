//! The program: a frontend inside BuildKit, a command on a laptop.

use std::process::ExitCode;

fn main() -> ExitCode {
    hardpan::cli::run(std::env::args_os())
}
