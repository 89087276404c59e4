//! One call of `docker buildx bake` in the folder of a project.

use super::build::BUILDX;
use super::command::{Outcome, Program};
use super::environment::environment;
use super::progress::Progress;
use super::project::Project;

/// A call to be made.
#[derive(Debug)]
pub struct Bake<'a> {
    project: &'a Project,
    args: Vec<String>,
}

impl<'a> Bake<'a> {
    /// Bakes what the files of the project say; 240 seconds.
    pub fn new(project: &'a Project) -> Self {
        Self { project, args: Vec::new() }
    }

    /// Adds arguments: targets, `--set` and the like.
    #[must_use]
    pub fn args<A: AsRef<str>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Pushes a target under a name of the registry.
    #[must_use]
    pub fn pushing(self, target: &str, name: &str) -> Self {
        self.args([format!("--set={target}.output=type=image,name={name},push=true")])
    }

    fn program(&self, progress: &str) -> Program {
        let program = Program::new(*BUILDX).args(["bake", "--builder", &environment().builder]);
        let program = program.args([format!("--progress={progress}")]).args(&self.args);
        program.at(self.project.path()).within(240).env("NO_COLOR", "1")
    }

    /// Makes it, whatever comes of it.
    pub fn run(&self) -> Outcome {
        self.program("plain").run()
    }

    /// Makes it; it must succeed.
    #[track_caller]
    pub fn progress(&self) -> Progress {
        Progress::read(&self.program("rawjson").run().succeeded().stderr)
    }
}
