//! One call of `docker buildx bake` in a folder, with the files that it reads there.

use std::path::Path;

use super::build::BUILDX;
use super::command::{Outcome, Program};
use super::environment::environment;
use super::progress::Progress;

/// A call to be made.
#[derive(Debug)]
pub struct Bake<'a> {
    folder: &'a Path,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

impl<'a> Bake<'a> {
    /// Bakes what the files of a folder say; 300 seconds.
    pub fn new(folder: &'a Path) -> Self {
        Self { folder, args: Vec::new(), env: Vec::new() }
    }

    /// Sets a variable of the environment, which bake files read.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds arguments: targets, `--set` and the like.
    #[must_use]
    pub fn args<A: AsRef<str>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Has steps trust whom this machine trusts. `--set` takes the place of the secrets that the file
    /// names, so they are said again.
    #[must_use]
    pub fn online(self, secrets: &[&str]) -> Self {
        let Some(file) = &environment().certificates else { return self };
        let machine = format!("id=machine,src={file}");
        let secrets = secrets.iter().copied().chain([&*machine]);
        let secrets: Vec<String> =
            secrets.map(|secret| format!("--set=*.secrets={secret}")).collect();
        self.args(["--set=*.args.HARDPAN_CA=machine"]).args(secrets)
    }

    /// Pushes a target under a name of the registry.
    #[must_use]
    pub fn pushing(self, target: &str, name: &str) -> Self {
        // The tags of a target win over the name of its output.
        let output = format!("--set={target}.output=type=image,push=true");
        self.args([format!("--set={target}.tags={name}"), output])
    }

    fn program(&self, progress: &str) -> Program {
        let program = Program::new(*BUILDX).args(["bake", "--builder", &environment().builder]);
        let program = program.args([format!("--progress={progress}")]).args(&self.args);
        let program = program.at(self.folder).within(300).env("NO_COLOR", "1");
        self.env.iter().fold(program, |program, (name, value)| program.env(name, value))
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
