//! A second buildkitd with an empty cache, for one test.

use std::io::Write as _;
use std::path::Path;

use super::command::{Outcome, Program};
use super::environment::environment;

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
        let outcome = control(&["start", name]).succeeded();
        Self { name: name.to_owned(), host: outcome.stdout.trim().to_owned() }
    }

    /// Starts one that runs programs of this machine's processor alone, whatever emulation there
    /// is; `None`, said aloud, where the kernel has no such thing.
    pub fn start_unemulated(name: &str) -> Option<Self> {
        let outcome = control(&["start", name, "unemulated"]);
        if outcome.code == Some(0) {
            let host = outcome.stdout.trim().to_owned();
            return Some(Self { name: name.to_owned(), host });
        }
        skip(&format!("no builder without emulation (Linux 6.7 or newer is needed): {outcome}"));
        None
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
        let _ = control(&["stop", &self.name]);
    }
}

fn control(words: &[&str]) -> Outcome {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/env/buildkitd");
    // Removing what it kept takes its time on a machine that is busy.
    Program::new(script.to_str().unwrap()).args(words).within(240).run()
}

/// Whether steps for linux/arm64 run here; a test that needs them and cannot have them says so.
pub fn runs_arm64() -> bool {
    let host = &environment().host;
    let workers = Program::new("buildctl").args(["--addr", host, "debug", "workers", "-v"]);
    let runs = workers.run().succeeded().stdout.contains("linux/arm64");
    if !runs {
        skip("arm64 programs do not run here: docs/platforms.md says how to set QEMU up");
    }
    runs
}

/// A test that cannot run says so; where everything must run, it fails.
fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "{reason}");
    // The words of a test that passes are not shown unless they go past the test's own output.
    let mut terminal = std::io::stderr();
    let _ = writeln!(terminal, "SKIPPED: {reason}");
}
