//! One builder of the matrix: started with an empty cache, reached as its users reach it.

use std::path::Path;

use crate::support::build::{BUILDX, Build, Door, fresh_name};
use crate::support::command::{Outcome, Program};
use crate::support::environment::environment;
use crate::support::image::Image;
use crate::support::registry::read_image;

/// A builder that runs. Dropped, it is ended, and all that it kept is removed.
#[derive(Debug)]
pub struct Builder {
    /// Such as `buildkit-0.17`.
    pub name: String,
    reach: Vec<(String, String)>,
}

impl Builder {
    /// Starts one.
    pub fn start(name: &str) -> Self {
        let outcome = control("start", name).succeeded();
        let pairs = outcome.stdout.lines().filter_map(|line| line.split_once('='));
        let reach = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Self { name: name.to_owned(), reach }
    }

    /// Whether it is a Docker Engine, which has images of its own and runs them.
    pub fn is_engine(&self) -> bool {
        self.name.starts_with("engine-")
    }

    /// Whether layers can be merged.
    pub fn can_merge(&self) -> bool {
        !has_graph_driver(&self.name)
    }

    /// Whether an image can depend on its proof (BuildKit v0.31).
    pub fn can_pass(&self) -> bool {
        self.is_engine() || self.name == "buildkit-0.34"
    }

    /// A build of a spec. An engine has no mirror for dhi.io, so the registry is told; its steps
    /// have no network but the machine's, which the kernel does not let into a user namespace.
    pub fn build(&self, context: &Path, spec: &Path) -> Build {
        let build = Build::new(context, spec).through(Door::Argument).reached_by(&self.reach);
        if !self.is_engine() {
            return build;
        }
        let registry = format!("HARDPAN_REGISTRY={}/dhi/", environment().registry);
        let network = if self.name == "engine-userns" { "none" } else { "host" };
        build.build_arg(&registry).args([format!("--network={network}")])
    }

    /// Builds and pushes; gives the image that is in the registry now, and its name.
    #[track_caller]
    pub fn push(&self, build: Build) -> (Image, String) {
        let name = fresh_name();
        if self.is_engine() {
            build.args(["--tag", &name]).run().succeeded();
            self.docker(["push", &name]).run().succeeded();
        } else {
            build.pushing_to(&name).run().succeeded();
        }
        (read_image(&name), name)
    }

    /// The docker client, for an engine.
    pub fn docker<const N: usize>(&self, args: [&str; N]) -> Program {
        let program = Program::new("docker").args(args);
        self.reach.iter().fold(program, |program, (name, value)| program.env(name, value))
    }

    /// A variable that leads to it.
    pub fn variable(&self, name: &str) -> &str {
        let found = self.reach.iter().find(|(key, _)| key == name);
        found.map_or_else(|| panic!("{} has no {name}", self.name), |(_, value)| value)
    }

    /// Forgets all that was built.
    pub fn prune(&self) {
        let program = Program::new(*BUILDX).args(["prune", "--all", "--force"]);
        let program =
            self.reach.iter().fold(program, |program, (name, value)| program.env(name, value));
        program.run().succeeded();
    }
}

/// Whether a Docker Engine keeps images as it did before it had containerd's store: nothing is
/// merged, no cache exported, no attestation kept.
pub fn has_graph_driver(name: &str) -> bool {
    ["engine-overlay2", "engine-userns"].contains(&name)
}

impl Drop for Builder {
    fn drop(&mut self) {
        drop(control("stop", &self.name));
    }
}

fn control(what: &str, name: &str) -> Outcome {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/env/builder");
    Program::new(script.to_str().unwrap()).args([what, name]).within(120).run()
}
