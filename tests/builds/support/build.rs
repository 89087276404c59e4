//! One build through `docker buildx build` or `buildctl`, and what came out of it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use super::command::{Outcome, Program};
use super::environment::environment;
use super::image::Image;
use super::progress::Progress;
use super::refusal::Refusal;
use super::registry::read_image;

/// Which program starts the build, and how the frontend is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// `docker buildx build`; the spec's own syntax line names the frontend.
    Header,
    /// `docker buildx build --build-arg BUILDKIT_SYNTAX=…`.
    Argument,
    /// `buildctl build --frontend gateway.v0 --opt source=…`.
    Buildctl,
}

/// A build to be started.
#[derive(Debug)]
pub struct Build {
    door: Door,
    context: PathBuf,
    spec: PathBuf,
    args: Vec<String>,
    seconds: u64,
    host: Option<String>,
    reach: Vec<(String, String)>,
}

impl Build {
    /// A build of a context with a spec, by its own syntax line; 120 seconds.
    pub fn new(context: &Path, spec: &Path) -> Self {
        let (context, spec) = (context.to_owned(), spec.to_owned());
        let (args, reach) = (Vec::new(), Vec::new());
        Self { door: Door::Header, context, spec, args, seconds: 120, host: None, reach }
    }

    /// Chooses the door.
    #[must_use]
    pub fn through(mut self, door: Door) -> Self {
        self.door = door;
        self
    }

    /// Adds arguments in the words of the program that is used.
    #[must_use]
    pub fn args<A: AsRef<str>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Adds `--build-arg NAME=VALUE` in the words of the program that is used.
    #[must_use]
    pub fn build_arg(self, argument: &str) -> Self {
        match self.door {
            Door::Buildctl => self.args([format!("--opt=build-arg:{argument}")]),
            _ => self.args([format!("--build-arg={argument}")]),
        }
    }

    /// Gives a secret: a file, in the words of the program that is used.
    #[must_use]
    pub fn secret(self, id: &str, file: &Path) -> Self {
        self.args([format!("--secret=id={id},src={}", file.display())])
    }

    /// Has steps trust whom this machine trusts: for those that fetch something from outside.
    #[must_use]
    pub fn online(self) -> Self {
        match &environment().certificates {
            Some(file) => self.build_arg("HARDPAN_CA=machine").secret("machine", Path::new(file)),
            None => self,
        }
    }

    /// The same for a Dockerfile, which `HARDPAN_CA` is not for: an image with this machine's
    /// certificates takes the place of the one that it builds in.
    #[must_use]
    pub fn online_on(self, image: &str) -> Self {
        let Some(file) = &environment().certificates else { return self };
        let folder = tempfile::TempDir::new().unwrap();
        let text = format!("FROM {image}\nCOPY ca.pem /ca.pem\nENV NODE_EXTRA_CA_CERTS=/ca.pem\n");
        fs::write(folder.path().join("Dockerfile"), text).unwrap();
        fs::copy(file, folder.path().join("ca.pem")).unwrap();
        let name = fresh_name();
        let build = Program::new(*BUILDX).args(["build", "--builder", &environment().builder]);
        let build = build.args(["--push", "-t", &name]).args([folder.path()]);
        build.run().succeeded();
        self.args([format!("--build-context={image}=docker-image://{name}")])
    }

    /// Uses another buildkitd than the main one; through buildctl only.
    #[must_use]
    pub fn on(mut self, host: &str) -> Self {
        self.door = Door::Buildctl;
        self.host = Some(host.to_owned());
        self
    }

    /// Uses another builder of buildx: the variables that lead to it.
    #[must_use]
    pub fn reached_by(mut self, variables: &[(String, String)]) -> Self {
        self.reach = variables.to_vec();
        self
    }

    /// Sets how long it may take.
    #[must_use]
    pub fn within(mut self, seconds: u64) -> Self {
        self.seconds = seconds;
        self
    }

    /// The program, ready to be started.
    pub fn program(&self, progress: &str) -> Program {
        let program = match self.door {
            Door::Header | Door::Argument => self.buildx(),
            Door::Buildctl => self.buildctl(),
        };
        let program = program.args([format!("--progress={progress}")]).args(&self.args);
        let program = program.within(self.seconds).env("NO_COLOR", "1");
        self.reach.iter().fold(program, |program, (name, value)| program.env(name, value))
    }

    fn buildx(&self) -> Program {
        let syntax = format!("--build-arg=BUILDKIT_SYNTAX={}", environment().syntax);
        let other = self.reach.iter().find(|(name, _)| name == "BUILDX_BUILDER");
        let builder = other.map_or(&environment().builder, |(_, value)| value);
        let program = Program::new(*BUILDX).args(["build", "--builder", builder]);
        let program =
            program.args([self.context.as_os_str(), "-f".as_ref(), self.spec.as_os_str()]);
        program.args((self.door == Door::Argument).then_some(syntax))
    }

    fn buildctl(&self) -> Program {
        let host = self.host.as_ref().unwrap_or(&environment().host);
        let folder = self.spec.parent().unwrap();
        let name = self.spec.file_name().unwrap().to_string_lossy();
        Program::new("buildctl").args(["--addr", host, "build", "--frontend=gateway.v0"]).args([
            format!("--opt=source={}", environment().syntax),
            format!("--opt=filename={name}"),
            format!("--local=context={}", self.context.display()),
            format!("--local=dockerfile={}", folder.display()),
        ])
    }

    /// Runs it, whatever comes of it.
    pub fn run(&self) -> Outcome {
        self.with("plain")
    }

    /// Again where the registry stumbled: Debian's loses a blob now and then that two builds push at
    /// once.
    fn with(&self, progress: &str) -> Outcome {
        const LOST: &str = "provided digest did not match uploaded content";
        let outcome = self.program(progress).run();
        if outcome.stderr.contains(LOST) { self.program(progress).run() } else { outcome }
    }

    /// Runs it; it must succeed.
    #[track_caller]
    pub fn progress(&self) -> Progress {
        let outcome = self.with("rawjson").succeeded();
        Progress::read(&outcome.stderr)
    }

    /// Runs it; it must be refused.
    #[track_caller]
    pub fn refused(&self) -> Refusal {
        Refusal::of(self.run().failed())
    }

    /// Pushes the result to the registry and reads it back.
    #[track_caller]
    pub fn push(self) -> Image {
        let name = fresh_name();
        let build = self.pushing_to(&name);
        build.run().succeeded();
        read_image(&name)
    }

    /// Adds the output to a name in the registry.
    #[must_use]
    pub fn pushing_to(self, name: &str) -> Self {
        self.args([format!("--output=type=image,name={name},push=true")])
    }
}

/// `docker buildx`, or buildx by itself where there is no docker client.
pub static BUILDX: LazyLock<&str> = LazyLock::new(|| {
    let path = env::var_os("PATH").unwrap_or_default();
    let has_docker = env::split_paths(&path).any(|folder| folder.join("docker").is_file());
    if has_docker { "docker buildx" } else { "buildx" }
});

/// A name in the registry that nobody else uses. One repository, so that layers are there already.
pub fn fresh_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let test = thread::current().name().unwrap_or("test").replace("::", ".");
    let test: String = test.chars().take(80).collect();
    format!("{}/tests/image:{test}-{}-{number}", environment().registry, process::id())
}
