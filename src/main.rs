//! Chooses the mode: a frontend of BuildKit, a look at a root file system or a trial of it inside
//! BuildKit, or a command on a laptop.

use std::process::ExitCode;

use hardpan::{cli, frontend, gateway, inspect, options::Options, start};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let mode = arguments.next().unwrap_or_default();
    match mode.to_str() {
        Some("frontend") => gateway::serve(async |gateway| {
            let (options, mistakes) = Options::parse(std::env::vars_os());
            frontend::run(gateway, options, mistakes).await
        }),
        Some("facts") => inspect::facts::run(arguments),
        Some("collisions") => inspect::collisions::run(arguments),
        Some("inventory") => inspect::inventory::run(arguments),
        Some("newest") => inspect::newest::run(arguments),
        Some("tests") => start::run(arguments),
        Some("lower") => start::lower(arguments),
        _ => {
            let mode = Some(mode).filter(|mode| !mode.is_empty());
            cli::run([program].into_iter().chain(mode).chain(arguments))
        }
    }
}
