//! An image started by `docker run` with the flags of the runtime contract.

use crate::builder::Builder;
use crate::support::ask::Asked;
use crate::support::command::Outcome;
use crate::support::container::ask_within;
use crate::support::http::{Request, Response};

/// A container of an engine. Dropped, it is removed with its volumes.
#[derive(Debug)]
pub struct DockerContainer<'a> {
    engine: &'a Builder,
    id: String,
}

impl<'a> DockerContainer<'a> {
    /// Starts an image as it is: a read-only root, /tmp, no capabilities, no new privileges, and
    /// each writable path a volume that starts with the image's content.
    pub fn start(engine: &'a Builder, image: &str, writable: &[&str]) -> Self {
        let contract = ["run", "--detach", "--network=none", "--read-only", "--cap-drop=ALL"];
        let volumes: Vec<String> =
            writable.iter().map(|path| format!("--mount=type=volume,dst={path}")).collect();
        let run = engine
            .docker(contract)
            .args(["--security-opt=no-new-privileges", "--tmpfs=/tmp"])
            .args(volumes)
            .args([image]);
        let id = run.run().succeeded().stdout.trim().to_owned();
        Self { engine, id }
    }

    fn inspect(&self, what: &str) -> String {
        let outcome = self.engine.docker(["inspect", "--format", what, &self.id]).run();
        outcome.stdout.trim().to_owned()
    }

    /// Sends the image's stop signal; the exit code.
    pub fn stop(self) -> Outcome {
        self.engine.docker(["stop", "--time=10", &self.id]).run().succeeded();
        self.engine.docker(["wait", &self.id]).run().succeeded()
    }
}

impl Asked for DockerContainer<'_> {
    fn ask(&self, port: u16, request: Request<'_>) -> std::io::Result<Response> {
        ask_within(&self.inspect("{{.State.Pid}}"), port, request)
    }

    fn runs(&mut self) -> bool {
        self.inspect("{{.State.Running}}") == "true"
    }

    fn last_words(&mut self) -> String {
        self.engine.docker(["logs", &self.id]).run().to_string()
    }
}

impl Drop for DockerContainer<'_> {
    fn drop(&mut self) {
        drop(self.engine.docker(["rm", "--force", "--volumes", &self.id]).run());
    }
}
