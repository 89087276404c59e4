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

    /// What `buildctl` says to some arguments.
    pub fn buildctl(&self, args: &[&str]) -> Outcome {
        Program::new("buildctl").args(["--addr", &self.host]).args(args).run()
    }

    /// Its process ids: the daemon and all below it, whatever they are called.
    pub fn processes(&self) -> Vec<String> {
        let socket = self.host.trim_start_matches("unix://");
        let root = Path::new(socket).with_extension("");
        let name = root.file_name().unwrap().to_string_lossy().into_owned();
        let listed = Program::new("ps").args(["-eo", "pid,args"]).run().succeeded().stdout;
        let mine = |line: &&str| line.contains(&format!("buildkitd-{name}.toml"));
        listed.lines().filter(mine).map(|line| line.trim().to_owned()).collect()
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
