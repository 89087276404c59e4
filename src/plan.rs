//! What is going to be built, with nothing left open: names are images with digests, paths are
//! absolute, `${…}` is replaced, stages stand in the order in which they depend on each other.
//!
//! A plan comes about in three steps, because a builder has to be asked in between. [`select`] names
//! the images that are needed; once they are resolved, [`draft`] knows every path; once the facts
//! of the runtime base are known, [`finish`] lays out the layers and the image config. All three
//! are pure. Nothing after this module reads the spec.

mod certificates;
mod draft;
mod fetch;
mod folders;
mod handout;
mod layers;
mod origin;
mod pick;
mod pour;
mod runs;
mod select;
mod settings;
mod stages;
mod targets;
mod testing;
mod text;
pub mod variables;
mod writable;

pub use draft::{Draft, draft};
pub use handout::{draft_stage, finish_stage};
pub use layers::{AllCollisions, Layer, LayerEntry, LayerFolder, finish};
pub use runs::SCRIPT_PATH;
pub use select::{ImageUse, Request, Role, SelectedStage, Selection, select, select_stage};
pub use settings::{Settings, check_settings, refuse_ours};
pub use testing::{PlannedTest, Testing};

use std::collections::BTreeMap;

use crate::bases::Resolved;
use crate::diagnostic::Span;
use crate::image::ImageConfig;
use crate::llb::Git;
use crate::platform::Platform;
pub use crate::spec::model::Sharing;

/// Everything that is built for one platform.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What it is a plan of.
    pub result: Product,
    /// What it is built for.
    pub platform: Platform,
    /// Images that stages and copies use, by their index.
    pub images: Vec<Resolved>,
    /// The index of the runtime base.
    pub runtime: usize,
    /// The stages that are needed, each after those that it uses.
    pub stages: Vec<Stage>,
    /// What is placed on the runtime base, in order.
    pub layers: Vec<Layer>,
    /// The config of the image.
    pub config: ImageConfig,
    /// The user that the app runs as.
    pub user: Owner,
    /// Folders and files that this user may write.
    pub writable: Vec<WritablePath>,
    /// `annotations`.
    pub annotations: Vec<(String, String)>,
    /// Paths of the build context that are used; `None`: all of it.
    pub context_paths: Option<Vec<String>>,
    /// Where the fields of the config are written.
    pub places: Places,
    /// What is tried in the finished image.
    pub testing: Testing,
}

/// What comes of a plan, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Product {
    /// An app, to be proven.
    App(String),
    /// A stage, as `app/stage`: marked, and proven by nobody.
    Stage(String),
}

/// Where the spec says what stands in the config, by the key of the spec.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places(BTreeMap<(&'static str, String), Span>);

impl Places {
    /// The place of a key, if the spec has it.
    #[must_use]
    pub fn of(&self, key: &str) -> Option<Span> {
        self.entry(key, "")
    }

    /// The place of an entry of a key, such as one variable of `env`.
    #[must_use]
    pub fn entry(&self, key: &str, entry: &str) -> Option<Span> {
        let found = self.0.iter().find(|((known, name), _)| *known == key && name == entry);
        found.map(|(_, span)| *span)
    }
}

/// Who owns a file, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Owner {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// A path that the runtime user may write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WritablePath {
    /// Absolute, as the spec says it.
    pub path: String,
    /// Absolute, through the links of the base.
    pub resolved: String,
    /// Permissions of the folder; `None`: 0755, or as the base or the source has them.
    pub mode: Option<u32>,
    /// Who gets it.
    pub owner: Owner,
    /// Where the spec says so.
    pub span: Span,
}

impl WritablePath {
    /// Whether the group may write what is placed there, as orchestrators with arbitrary users want.
    #[must_use]
    pub fn shares_with_group(&self) -> bool {
        self.mode.is_some_and(|mode| mode & 0o020 != 0)
    }
}

/// A stage of the build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Where its steps run.
    pub platform: Platform,
    /// What it starts from.
    pub base: StageBase,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// Where it is defined.
    pub span: Span,
}

/// What a stage starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageBase {
    /// An image of [`Plan::images`].
    Image(usize),
    /// An earlier stage of [`Plan::stages`].
    Stage(usize),
}

/// A step of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How the progress shows it, such as `RUN npm ci`.
    pub title: String,
    /// Where it is written.
    pub span: Span,
    /// What it does.
    pub action: Action,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Runs a command.
    Run(Box<Run>),
    /// Places files.
    Place(Vec<Placement>),
    /// Makes a folder where there is none: the workdir of a stage.
    Workdir(String),
}

/// A command in a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The words of the command.
    pub args: Vec<String>,
    /// A script with an interpreter line of its own, mounted where `args` expects it.
    pub script: Option<String>,
    /// `NAME=value`, complete, in order.
    pub env: Vec<(String, String)>,
    /// Where it runs.
    pub workdir: String,
    /// Cache mounts.
    pub caches: Vec<CacheMount>,
    /// Secrets.
    pub secrets: Vec<SecretMount>,
    /// Ids of forwarded ssh agents.
    pub ssh: Vec<String>,
    /// Read-only mounts.
    pub binds: Vec<BindMount>,
    /// Paths of tmpfs mounts.
    pub tmpfs: Vec<String>,
    /// Whether it runs without a network.
    pub no_network: bool,
}

/// A cache mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheMount {
    /// Where.
    pub path: String,
    /// Which one.
    pub id: String,
    /// How it is shared.
    pub sharing: Sharing,
}

/// A secret, as a file or a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretMount {
    /// Its id.
    pub id: String,
    /// The variable.
    pub env: Option<String>,
    /// The file.
    pub target: Option<String>,
    /// Permissions of the file.
    pub mode: u32,
    /// Whether the build goes on without it.
    pub optional: bool,
}

/// A read-only mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindMount {
    /// Where the files are.
    pub origin: Origin,
    /// The path there.
    pub source: String,
    /// Where they appear.
    pub target: String,
}

/// Where files come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The build context.
    Context,
    /// A stage of [`Plan::stages`].
    Stage(usize),
    /// An image or a named context of [`Plan::images`].
    Image(usize),
    /// The finished root file system of another app of the file.
    App(String),
    /// A file that is fetched.
    Http {
        /// The address.
        url: String,
        /// `sha256:…`.
        checksum: String,
        /// The name of the file.
        filename: String,
    },
    /// A repository that is fetched.
    Git(Box<Git>),
}

/// Something that is put at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// What.
    pub what: What,
    /// Where: absolute; with a `/` at the end, files go into it, without one they do not.
    pub dest: String,
}

/// What is placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Files from somewhere.
    Files(Files),
    /// A file with this content.
    Content {
        /// The bytes.
        text: String,
        /// Permissions.
        mode: u32,
    },
    /// A folder.
    Folder {
        /// Permissions.
        mode: u32,
    },
    /// A link.
    Link {
        /// What it says.
        target: String,
    },
}

/// Files from somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// Where they come from.
    pub origin: Origin,
    /// Which ones.
    pub pick: Pick,
    /// Patterns of what is left out.
    pub exclude: Vec<String>,
    /// Permissions of files.
    pub mode: Option<u32>,
    /// Whether an archive is unpacked.
    pub unpack: bool,
}

/// Which files of a source are meant, and whether they keep their paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// One path: a file is placed at the destination, the contents of a folder in it.
    Path {
        /// Absolute in the source.
        path: String,
        /// Whether it may be absent.
        optional: bool,
    },
    /// What a pattern matches, each under its own name in the destination.
    Matches {
        /// Absolute in the source.
        pattern: String,
        /// Whether nothing needs to match.
        optional: bool,
    },
    /// What a pattern matches below a folder, with the path below it.
    Tree {
        /// Absolute in the source.
        root: String,
        /// Relative to `root`; may hold `**`.
        pattern: String,
        /// Whether nothing needs to match.
        optional: bool,
    },
}
