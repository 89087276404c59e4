//! File ops: actions on files, one after the other, without a container.
//!
//! Actions form a chain: each works on the result of the one before. `FileOps::restart` begins
//! another chain in the same op, whose result a copy can read from; only the last action's result
//! leaves the op. What the daemon makes of each action is written down at the wire messages
//! (proto/ops.proto); tests/placement.rs shows it.

use super::caps::{self, Caps};
use super::encode::{Inputs, as_index};
use super::graph::{Constraints, Draft, Graph, Output};
use crate::proto::pb;

/// What an action works on or reads from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A file system of the graph.
    Output(Output),
    /// The result of an action of the same op, by its position.
    Result(usize),
}

impl From<Output> for Place {
    fn from(output: Output) -> Self {
        Self::Output(output)
    }
}

/// Actions on files, to become one op.
#[derive(Debug, Clone)]
pub struct FileOps {
    here: Place,
    actions: Vec<(Place, Action)>,
}

/// One action.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Copies files from another place.
    Copy(Place, Copy),
    /// Makes a file.
    MakeFile(MakeFile),
    /// Makes a folder.
    MakeDir(MakeDir),
    /// Removes something.
    Remove(Remove),
    /// Makes a symbolic link.
    MakeLink(MakeLink),
}

/// Owner and group, as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

impl Owner {
    /// 0:0.
    pub const ROOT: Self = Self { uid: 0, gid: 0 };
}

/// Permission bits for a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Exactly these, for files, folders, and parents that are created.
    Bits(u32),
    /// A change in chmod's words, for files and folders; created parents get 0755.
    Words(String),
}

/// What a copy takes, where it puts it and how. Paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the message")]
pub struct Copy {
    /// What.
    pub from: String,
    /// Where to; a folder if it ends in a slash.
    pub to: String,
    /// The owner of everything copied or created; otherwise the source's.
    pub owner: Option<Owner>,
    /// The mode of everything copied; otherwise the source's.
    pub mode: Option<Mode>,
    /// Follow a link that `from` is.
    pub follow_link: bool,
    /// Of a folder, its contents.
    pub contents: bool,
    /// Unpack an archive; modes are then those of its members.
    pub unpack: bool,
    /// Make the parents of `to`.
    pub make_parents: bool,
    /// `from` is a pattern (`*`, `?`, `[`; never across a slash).
    pub wildcard: bool,
    /// The pattern may match nothing.
    pub allow_no_match: bool,
    /// Only what matches, relative to `from`.
    pub include: Vec<String>,
    /// Nothing that matches, relative to `from`.
    pub exclude: Vec<String>,
    /// With `include`: what must be there, absolute in the source, not relative to `from`.
    pub required: Vec<String>,
    /// Replace what is of another type, folders too.
    pub replace: bool,
    /// The time of everything copied, in nanoseconds since 1970.
    pub time: Option<i64>,
}

/// A file to make; its parent must be there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MakeFile {
    /// Where.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Content.
    pub data: Vec<u8>,
    /// Otherwise 0:0.
    pub owner: Option<Owner>,
    /// The time, in nanoseconds since 1970.
    pub time: Option<i64>,
}

/// A folder to make. One that is there already stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MakeDir {
    /// Where.
    pub path: String,
    /// Permission bits; the daemon ignores sticky and set-id bits.
    pub mode: u32,
    /// Make parents too, with the same mode and owner.
    pub make_parents: bool,
    /// Otherwise 0:0.
    pub owner: Option<Owner>,
    /// The time, in nanoseconds since 1970.
    pub time: Option<i64>,
}

/// Something to remove.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remove {
    /// What.
    pub path: String,
    /// It may be missing.
    pub allow_missing: bool,
    /// `path` is a pattern.
    pub wildcard: bool,
}

/// A symbolic link to make; its parent must be there and its own place free.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MakeLink {
    /// Where the link stands.
    pub path: String,
    /// What it says.
    pub target: String,
    /// Otherwise 0:0.
    pub owner: Option<Owner>,
    /// The time, in nanoseconds since 1970.
    pub time: Option<i64>,
}

impl FileOps {
    /// Actions that begin with a file system.
    pub fn on(base: Output) -> Self {
        Self { here: base.into(), actions: Vec::new() }
    }

    /// Begins another chain.
    pub fn restart(&mut self, base: impl Into<Place>) -> &mut Self {
        self.here = base.into();
        self
    }

    /// What has come out so far: a place for a later copy to read from.
    pub fn here(&self) -> Place {
        self.here
    }

    /// Whether there is no action yet: the daemon refuses such an op.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// Copies.
    pub fn copy(&mut self, source: impl Into<Place>, copy: Copy) -> &mut Self {
        self.push(Action::Copy(source.into(), copy))
    }

    /// Makes a file.
    pub fn make_file(&mut self, file: MakeFile) -> &mut Self {
        self.push(Action::MakeFile(file))
    }

    /// Makes a folder.
    pub fn make_dir(&mut self, dir: MakeDir) -> &mut Self {
        self.push(Action::MakeDir(dir))
    }

    /// Makes a symbolic link.
    pub fn make_link(&mut self, link: MakeLink) -> &mut Self {
        self.push(Action::MakeLink(link))
    }

    /// Removes.
    pub fn remove(&mut self, remove: Remove) -> &mut Self {
        self.push(Action::Remove(remove))
    }

    fn push(&mut self, action: Action) -> &mut Self {
        let next = Place::Result(self.actions.len());
        self.actions.push((std::mem::replace(&mut self.here, next), action));
        self
    }
}

impl Graph {
    /// Adds the actions as one op; without any, what they would have worked on.
    pub fn file(&mut self, ops: &FileOps, with: &Constraints) -> Output {
        if let (true, Place::Output(base)) = (ops.is_empty(), ops.here) {
            return base;
        }
        let mut inputs = Inputs::default();
        let mut resolved = Vec::with_capacity(ops.actions.len());
        for (place, action) in &ops.actions {
            let source = match action {
                Action::Copy(source, _) => Some(*source),
                _ => None,
            };
            resolved
                .push((edge(*place, &mut inputs), source.map(|source| edge(source, &mut inputs))));
        }
        // results count on from the inputs, so all inputs must be known first
        let count = as_index(inputs.0.len());
        let index = |edge: Edge| match edge {
            Edge::Input(index) => index,
            Edge::Result(index) => count + index,
        };
        let last = ops.actions.len() - 1;
        let wire = ops.actions.iter().zip(resolved).enumerate().map(
            |(position, ((_, action), (input, source)))| pb::FileAction {
                input: index(input),
                secondary_input: source.map_or(-1, index),
                output: if position == last { 0 } else { -1 },
                action: Some(wire_action(action)),
            },
        );
        let op = pb::op::Op::File(pb::FileOp { actions: wire.collect() });
        let caps = ops
            .actions
            .iter()
            .fold(Caps::from([caps::FILE_BASE]), |caps, (_, action)| caps_of(action, caps));
        self.add(Draft { op, inputs, caps, has_platform: false }, with)
    }
}

/// A place on the wire, before the number of inputs is known.
#[derive(Clone, Copy)]
enum Edge {
    Input(i64),
    Result(i64),
}

fn edge(place: Place, inputs: &mut Inputs) -> Edge {
    match place {
        Place::Output(output) => Edge::Input(inputs.index_of(output)),
        Place::Result(position) => Edge::Result(as_index(position)),
    }
}

// Go's client means to ask for these too, but looks at its actions before it has them
// (client/llb/fileop.go:831): it only ever asks for the base. `file.copy.modestring` must stay away: no
// daemon up to v0.34.2 registers that name, so asking for it fails every build.
fn caps_of(action: &Action, mut caps: Caps) -> Caps {
    let needs = match action {
        Action::Copy(_, copy) => [
            (!copy.include.is_empty() || !copy.exclude.is_empty(), caps::FILE_PATTERNS),
            (!copy.required.is_empty(), caps::FILE_REQUIRED),
            (copy.replace, caps::FILE_REPLACE),
        ]
        .to_vec(),
        Action::MakeLink(_) => vec![(true, caps::FILE_SYMLINK)],
        Action::Remove(remove) => vec![(remove.wildcard, caps::FILE_RM_WILDCARD)],
        Action::MakeFile(_) | Action::MakeDir(_) => Vec::new(),
    };
    caps.extend(needs.into_iter().filter(|(needed, _)| *needed).map(|(_, cap)| cap));
    caps
}

fn wire_action(action: &Action) -> pb::file_action::Action {
    use pb::file_action::Action as Wire;
    match action {
        Action::Copy(_, copy) => Wire::Copy(wire_copy(copy)),
        Action::MakeFile(file) => Wire::Mkfile(pb::FileActionMkFile {
            path: file.path.clone(),
            mode: bits(file.mode),
            data: file.data.clone(),
            owner: file.owner.map(wire_owner),
            timestamp: file.time.unwrap_or(-1),
        }),
        Action::MakeDir(dir) => Wire::Mkdir(pb::FileActionMkDir {
            path: dir.path.clone(),
            mode: bits(dir.mode),
            make_parents: dir.make_parents,
            owner: dir.owner.map(wire_owner),
            timestamp: dir.time.unwrap_or(-1),
        }),
        Action::Remove(remove) => Wire::Rm(pb::FileActionRm {
            path: remove.path.clone(),
            allow_not_found: remove.allow_missing,
            allow_wildcard: remove.wildcard,
        }),
        Action::MakeLink(link) => Wire::Symlink(pb::FileActionSymlink {
            oldpath: link.target.clone(),
            newpath: link.path.clone(),
            owner: link.owner.map(wire_owner),
            timestamp: link.time.unwrap_or(-1),
        }),
    }
}

fn wire_copy(copy: &Copy) -> pb::FileActionCopy {
    let (mode, mode_str) = match &copy.mode {
        None => (-1, String::new()),
        Some(Mode::Bits(mode)) => (i32::try_from(mode & 0o7777).unwrap_or(0), String::new()),
        Some(Mode::Words(words)) => (0, words.clone()),
    };
    pb::FileActionCopy {
        src: copy.from.clone(),
        dest: copy.to.clone(),
        owner: copy.owner.map(wire_owner),
        mode,
        follow_symlink: copy.follow_link,
        dir_copy_contents: copy.contents,
        attempt_unpack_docker_compatibility: copy.unpack,
        create_dest_path: copy.make_parents,
        allow_wildcard: copy.wildcard,
        allow_empty_wildcard: copy.allow_no_match,
        timestamp: copy.time.unwrap_or(-1),
        include_patterns: copy.include.clone(),
        exclude_patterns: copy.exclude.clone(),
        always_replace_existing_dest_paths: copy.replace,
        mode_str,
        required_paths: copy.required.clone(),
    }
}

fn bits(mode: u32) -> i32 {
    i32::try_from(mode & 0o777).unwrap_or(0)
}

fn wire_owner(owner: Owner) -> pb::ChownOpt {
    let id = |id| Some(pb::UserOpt { user: Some(pb::user_opt::User::ById(id)) });
    pb::ChownOpt { user: id(owner.uid), group: id(owner.gid) }
}
