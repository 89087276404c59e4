//! A second buildkitd with an empty cache, for one test.

use std::path::Path;

use super::command::{Outcome, Program};

/// A daemon of its own. Dropped, it is ended, and all that it kept is removed.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    /// Its address, as `BUILDKIT_HOST`.
    pub host: String,
}

impl Daemon {
    /// Starts one; names must differ between tests.
    pub fn start(name: &str) -> Self {
        let outcome = control("start", name).succeeded();
        Self { name: name.to_owned(), host: outcome.stdout.trim().to_owned() }
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        let config = format!("buildkitd-{}.toml", self.name);
        let listed = Program::new("ps").args(["-eo", "pid=,args="]).run().succeeded().stdout;
        let is_ours = |line: &&str| line.contains("buildkitd --config") && line.ends_with(&config);
        let line =
            listed.lines().find(is_ours).unwrap_or_else(|| panic!("{} does not run", self.name));
        line.trim().split(' ').next().unwrap().parse().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = control("stop", &self.name);
    }
}

fn control(what: &str, name: &str) -> Outcome {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/env/buildkitd");
    Program::new(script.to_str().unwrap()).args([what, name]).run()
}
