//! The spec as it was written, with a position on every value: the output of `decode`, the input
//! of `plan`.
//!
//! Nothing is resolved here: `${…}` still stands in the texts, a base is still a name, a default
//! that depends on a base is still absent. What is decided: every key is known, every value has its
//! kind, short and long forms have become one form, and the defaults that `apps` take from the top
//! level are merged in.

mod healthcheck;
mod testing;

pub use healthcheck::Healthcheck;
pub use testing::{Test, TestHttp, Trial};

use crate::diagnostic::{Located, Span, Text};

/// A whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// `args`: what may be given with `--build-arg`.
    pub args: Vec<Argument>,
    /// `registry`: the prefix for image names without a slash; default `dhi.io/`.
    pub registry: Option<Text>,
    /// The top level's `base`, which stages without one build in whichever app they are for.
    pub base: Option<Base>,
    /// The top level's `workdir`, which is the stages' default for the same reason.
    pub workdir: Option<Text>,
    /// The stages of `build`, in the order of the file; a plain list of steps is a stage `build`.
    pub stages: Vec<Stage>,
    /// `apps`, or the one app of a file without that key. Never empty; the first is the default.
    pub apps: Vec<App>,
    /// Whether the file has the key `apps`.
    pub named_apps: bool,
}

/// One entry of `args`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: Text,
    /// The default; `None`: unset unless given.
    pub default: Option<Text>,
    /// The values that are allowed; empty: any.
    pub values: Vec<Text>,
    /// For `--call=outline`.
    pub description: Option<Text>,
}

/// What an app or a stage stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// `base: node:24`, one name for a pair (or, in a stage, also an image or another stage).
    Name(Text),
    /// `base: {dev: …, runtime: …}`.
    Pair {
        /// The image that builds.
        dev: Option<Text>,
        /// The image that ships.
        runtime: Option<Text>,
        /// The whole map.
        span: Span,
    },
}

/// A stage of `build`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Its name: the key, or `build`.
    pub name: Text,
    /// `base`; default: the dev image of the top level's, or else of the app that is built.
    pub base: Option<Base>,
    /// `platform: build`; default: once for each target platform.
    pub on_build_platform: Option<Located<bool>>,
    /// `workdir`; default: the top level's.
    pub workdir: Option<Text>,
    /// `env` of the stage's runs.
    pub env: Vec<Variable>,
    /// `cache` mounts that every run of the stage gets.
    pub cache: Vec<Cache>,
    /// The steps.
    pub steps: Vec<Step>,
    /// The whole stage.
    pub span: Span,
}

/// `NAME: value` of an `env`, `labels` or `annotations` map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// The key.
    pub name: Text,
    /// The value as written.
    pub value: Text,
}

/// One step of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// `run`.
    Run(Run),
    /// `copy`, `add`, `write`, `mkdir`, `link`.
    Place(Place),
    /// `packages`: OS packages by the dev image's own manager.
    Packages {
        /// The names.
        names: Vec<Text>,
        /// The whole step.
        span: Span,
    },
}

/// What puts files somewhere; allowed in stages and in images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `copy`.
    Copy(Copy),
    /// `add`.
    Add(Add),
    /// `write`.
    Write(Write),
    /// `mkdir`.
    Mkdir(Mkdir),
    /// `link`.
    Link(Link),
}

/// `run`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What is run.
    pub command: Command,
    /// `cache`.
    pub cache: Vec<Cache>,
    /// `secret`.
    pub secrets: Vec<Secret>,
    /// `ssh`: agent ids.
    pub ssh: Vec<Ssh>,
    /// `bind`.
    pub binds: Vec<Bind>,
    /// `tmpfs`: paths.
    pub tmpfs: Vec<Text>,
    /// `env` of this run alone.
    pub env: Vec<Variable>,
    /// `workdir` of this run alone.
    pub workdir: Option<Text>,
    /// `args`: build arguments that it gets although its text does not mention them.
    pub args: Vec<Text>,
    /// `network: none`.
    pub no_network: bool,
    /// The whole step.
    pub span: Span,
}

/// The two forms of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Text: a script for `/bin/sh -e`, or for the interpreter of its `#!` line. Never expanded.
    Script(Text),
    /// A list: executed as it is.
    Exec(Located<Vec<Text>>),
}

/// A cache mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// Where it is mounted.
    pub path: Text,
    /// `id`; default: the path.
    pub id: Option<Text>,
    /// `sharing`; default: shared.
    pub sharing: Sharing,
}

/// How concurrent runs use a cache mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sharing {
    /// All at once.
    #[default]
    Shared,
    /// Each its own.
    Private,
    /// One after the other.
    Locked,
}

/// A secret mount or variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The id that `--secret` gives.
    pub id: Text,
    /// `env`: the variable that holds it.
    pub env: Option<Text>,
    /// `target`: the file that holds it; default `/run/secrets/ID` unless `env` is given.
    pub target: Option<Text>,
    /// Whether the build goes on without it.
    pub optional: bool,
}

/// A forwarded ssh agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssh {
    /// The id that `--ssh` gives; `default` where the spec says `true`.
    pub id: Text,
}

/// A read-only bind mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// A stage, a context or an image; default: the build context.
    pub from: Option<Text>,
    /// The path in it; default: its root.
    pub source: Option<Text>,
    /// Where it is mounted; default: the workdir.
    pub target: Option<Text>,
    /// The whole entry.
    pub span: Span,
}

/// `copy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Paths and patterns; at least one.
    pub sources: Vec<Text>,
    /// A stage, an app, a named context or an image; default: the build context.
    pub from: Option<Text>,
    /// The destination; default: each source keeps its path.
    pub to: Option<Text>,
    /// Whether paths are kept below `to`.
    pub parents: bool,
    /// Patterns of what is left out.
    pub exclude: Vec<Text>,
    /// Numeric permissions of files.
    pub mode: Option<Located<u32>>,
    /// Whether nothing needs to match.
    pub optional: bool,
    /// The platform of an image in `from`.
    pub platform: Option<Text>,
    /// The whole step.
    pub span: Span,
}

/// `add`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Add {
    /// Paths in the build context, http(s) or git URLs; at least one.
    pub sources: Vec<Text>,
    /// The destination; default: the workdir, or for one plain file its own path.
    pub to: Option<Text>,
    /// `checksum` of a URL.
    pub checksum: Option<Checksum>,
    /// Whether archives are unpacked; default: local ones are, fetched ones are not.
    pub unpack: Option<Located<bool>>,
    /// Patterns of what is left out.
    pub exclude: Vec<Text>,
    /// Numeric permissions of files.
    pub mode: Option<Located<u32>>,
    /// The whole step.
    pub span: Span,
}

/// The checksums of something fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checksum {
    /// The same for all platforms.
    One(Text),
    /// One for each platform, such as `linux/amd64: sha256:…`.
    PerPlatform(Vec<Variable>),
}

/// `write`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The file.
    pub path: Text,
    /// Its content, never expanded.
    pub content: Text,
    /// Permissions; default 0644.
    pub mode: Option<Located<u32>>,
    /// The whole step.
    pub span: Span,
}

/// `mkdir`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mkdir {
    /// The folders.
    pub paths: Vec<Text>,
    /// Permissions; default 0755.
    pub mode: Option<Located<u32>>,
    /// The whole step.
    pub span: Span,
}

/// `link`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What the link says.
    pub target: Text,
    /// Where the link is.
    pub to: Text,
    /// The whole step.
    pub span: Span,
}

/// An app: what becomes an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its key below `apps`; `app` in a file without that key.
    pub name: Text,
    /// `base`.
    pub base: Base,
    /// `workdir`; default: the runtime base's.
    pub workdir: Option<Text>,
    /// `image`: what is placed on the runtime base, in order.
    pub image: Vec<Place>,
    /// Whether `image` is written, be it as an empty list.
    pub image_written: bool,
    /// `env`.
    pub env: Vec<Variable>,
    /// `writable`.
    pub writable: Vec<Writable>,
    /// `user`; default: the runtime base's.
    pub user: Option<Text>,
    /// `entrypoint`.
    pub entrypoint: Option<Located<Vec<Text>>>,
    /// `cmd`.
    pub cmd: Option<Located<Vec<Text>>>,
    /// `expose`: `8080`, `53/udp`, `8000-8010`.
    pub expose: Vec<Text>,
    /// `labels`.
    pub labels: Vec<Variable>,
    /// `annotations`.
    pub annotations: Vec<Variable>,
    /// `stopsignal`.
    pub stopsignal: Option<Text>,
    /// `volumes`.
    pub volumes: Vec<Text>,
    /// `platforms` that the app is built for where the build names none, and that it may be built for.
    pub platforms: Vec<Text>,
    /// `healthcheck`.
    pub healthcheck: Option<Healthcheck>,
    /// `test`.
    pub tests: Vec<Test>,
    /// `harden`.
    pub harden: Harden,
    /// The whole app.
    pub span: Span,
}

/// `writable`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writable {
    /// A folder, or a file that is placed.
    pub path: Text,
    /// Numeric permissions; default: as found, 0755 for a folder that is made.
    pub mode: Option<Located<u32>>,
    /// Numeric group; default: the runtime user's.
    pub group: Option<Text>,
}

/// `harden`. Its texts are as they are: nothing is replaced in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Harden {
    /// The name of a profile; default: `standard`.
    pub profile: Option<Text>,
    /// Findings that somebody answers for.
    pub waivers: Vec<Waiver>,
}

/// An entry of `waivers`, or of `waive` of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The id of a check, be there one or not.
    pub check: Text,
    /// A pattern of paths.
    pub path: Option<Text>,
    /// Why.
    pub reason: Text,
    /// Who.
    pub owner: Text,
    /// The last day, as `YYYY-MM-DD`.
    pub expires: Text,
    /// `dangerously: true`.
    pub dangerously: bool,
}

/// The file of a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The name of a profile.
    pub profile: Option<Text>,
    /// `waivers`.
    pub waivable: Option<Waivable>,
    /// `require`: ids of checks.
    pub require: Vec<Text>,
    /// `waive`.
    pub waive: Vec<Waiver>,
}

/// `waivers` of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waivable {
    /// `allow`.
    All,
    /// Those of some checks; `forbid`: of none.
    Only(Vec<Text>),
}

impl Place {
    /// The whole step.
    #[must_use]
    pub const fn span(&self) -> Span {
        match self {
            Self::Copy(step) => step.span,
            Self::Add(step) => step.span,
            Self::Write(step) => step.span,
            Self::Mkdir(step) => step.span,
            Self::Link(step) => step.span,
        }
    }
}

/// The names that a platform always declares, for the target and for the builder.
pub const PLATFORM_NAMES: [&str; 10] = [
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETMACHINE",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDARCH",
    "BUILDVARIANT",
    "BUILDMACHINE",
];
