//! Chooses the mode.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let mode = arguments.next().unwrap_or_default();
    match mode.to_str() {
        Some("facts") => hardpan::inspect::facts::run(arguments),
        Some("collisions") => hardpan::inspect::collisions::run(arguments),
        Some("inventory") => hardpan::inspect::inventory::run(arguments),
        _ => ExitCode::from(2),
    }
}
