//! What is mounted into an exec: file systems of the graph, caches, memory, secrets, ssh agents.

use super::caps::{self, Caps};
use super::encode::Inputs;
use super::graph::Output;
use crate::proto::pb;

/// Something mounted into an exec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where, absolute.
    pub target: String,
    /// What.
    pub kind: MountKind,
}

/// What can be mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MountKind {
    /// A file system of the graph.
    Bind(Bind),
    /// A folder that outlives the build.
    Cache {
        /// Which folder.
        id: String,
        /// What happens when two use it.
        sharing: Sharing,
        /// What it holds at first, and where in that.
        from: (Output, String),
    },
    /// Memory.
    Tmpfs {
        /// Bytes; 0 is no limit.
        size: i64,
    },
    /// A secret as a file.
    Secret(SecretMount),
    /// The socket of an ssh agent; an empty target gets a place of its own.
    Ssh(SshMount),
}

/// A file system of the graph, mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// Which.
    pub from: Output,
    /// The path in it; empty is its root.
    pub path: String,
    /// Who may write, and what becomes of it.
    pub access: Access,
    /// Whether its content is hashed for the cache key.
    pub content_cache: ContentCache,
}

/// Who may write into a bind, and what becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nobody.
    ReadOnly,
    /// The process; the result is an output.
    Output,
    /// The process; the result is dropped.
    Discard,
}

/// Whether the content of a bind is hashed for the cache key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContentCache {
    /// As the daemon does: where nothing is written.
    #[default]
    Default,
    /// Yes.
    On,
    /// No: the graph alone is the key.
    Off,
}

/// What happens when two execs use one cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sharing {
    /// Both write.
    #[default]
    Shared,
    /// The second gets a new folder.
    Private,
    /// The second waits.
    Locked,
}

/// A secret as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretMount {
    /// The client's name for it.
    pub id: String,
    /// Owner and group of the file.
    pub owner: (u32, u32),
    /// Its permission bits.
    pub mode: u32,
    /// Whether it may be missing.
    pub optional: bool,
}

/// The socket of an ssh agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshMount {
    /// The client's name for it; empty is `default`.
    pub id: String,
    /// Owner and group of the socket.
    pub owner: (u32, u32),
    /// Its permission bits.
    pub mode: u32,
    /// Whether it may be missing.
    pub optional: bool,
}

impl Mount {
    /// A file system that the process changes; the result is an output.
    pub fn output(target: impl Into<String>, from: Output) -> Self {
        Self::bind(target, from, Access::Output)
    }

    /// A file system that nobody changes.
    pub fn read_only(target: impl Into<String>, from: Output) -> Self {
        Self::bind(target, from, Access::ReadOnly)
    }

    /// A whole file system.
    pub fn bind(target: impl Into<String>, from: Output, access: Access) -> Self {
        let bind = Bind { from, path: String::new(), access, content_cache: ContentCache::Default };
        Self { target: target.into(), kind: MountKind::Bind(bind) }
    }

    /// Of a bind, only a path of it.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        if let MountKind::Bind(bind) = &mut self.kind {
            bind.path = path.into();
        }
        self
    }

    /// Of a bind, with or without its content in the cache key.
    #[must_use]
    pub fn content_cache(mut self, content_cache: ContentCache) -> Self {
        if let MountKind::Bind(bind) = &mut self.kind {
            bind.content_cache = content_cache;
        }
        self
    }

    /// Of a bind, the file system that is mounted.
    pub fn source(&self) -> Option<Output> {
        match &self.kind {
            MountKind::Bind(bind) => Some(bind.from),
            _ => None,
        }
    }

    pub(super) fn has_output(&self) -> bool {
        matches!(&self.kind, MountKind::Bind(bind) if bind.access == Access::Output)
    }

    /// Files by target, then secrets and agents as they were given.
    pub(super) fn rank(&self) -> (u8, &str) {
        match self.kind {
            MountKind::Secret(_) => (1, ""),
            MountKind::Ssh(_) => (2, ""),
            _ => (0, &self.target),
        }
    }
}

/// A mount on the wire, its output still open; adds what it needs to inputs and capabilities.
pub(super) fn wire_mount(mount: &Mount, inputs: &mut Inputs, caps: &mut Caps) -> pb::Mount {
    let wire =
        pb::Mount { input: -1, dest: mount.target.clone(), output: -1, ..Default::default() };
    match &mount.kind {
        MountKind::Bind(bind) => wire_bind(bind, wire, inputs, caps),
        MountKind::Cache { id, sharing, from: (from, path) } => {
            caps.extend([caps::MOUNT_CACHE, caps::MOUNT_CACHE_SHARING]);
            caps.extend((!path.is_empty()).then_some(caps::MOUNT_SELECTOR));
            let sharing = match sharing {
                Sharing::Shared => pb::CacheSharingOpt::Shared,
                Sharing::Private => pb::CacheSharingOpt::Private,
                Sharing::Locked => pb::CacheSharingOpt::Locked,
            };
            pb::Mount {
                input: inputs.index_of(*from),
                selector: path.clone(),
                mount_type: pb::MountType::Cache.into(),
                cache_opt: Some(pb::CacheOpt { id: id.clone(), sharing: sharing.into() }),
                ..wire
            }
        }
        MountKind::Tmpfs { size } => {
            caps.insert(caps::MOUNT_TMPFS);
            caps.extend((*size > 0).then_some(caps::MOUNT_TMPFS_SIZE));
            let tmpfs_opt = Some(pb::TmpfsOpt { size: *size });
            pb::Mount { mount_type: pb::MountType::Tmpfs.into(), tmpfs_opt, ..wire }
        }
        MountKind::Secret(secret) => {
            caps.insert(caps::MOUNT_SECRET);
            let (uid, gid) = secret.owner;
            let (id, mode, optional) = (secret.id.clone(), secret.mode, secret.optional);
            let secret_opt = Some(pb::SecretOpt { id, uid, gid, mode, optional });
            // Go leaves the output of secrets and agents at 0; no other number gives the same digest
            pb::Mount { mount_type: pb::MountType::Secret.into(), secret_opt, output: 0, ..wire }
        }
        MountKind::Ssh(agent) => {
            caps.insert(caps::MOUNT_SSH);
            let (uid, gid) = agent.owner;
            let (id, mode, optional) = (agent.id.clone(), agent.mode, agent.optional);
            let ssh_opt = Some(pb::SshOpt { id, uid, gid, mode, optional });
            pb::Mount { mount_type: pb::MountType::Ssh.into(), ssh_opt, output: 0, ..wire }
        }
    }
}

fn wire_bind(bind: &Bind, wire: pb::Mount, inputs: &mut Inputs, caps: &mut Caps) -> pb::Mount {
    let content_cache = match bind.content_cache {
        ContentCache::Default => pb::MountContentCache::Default,
        ContentCache::On => pb::MountContentCache::On,
        ContentCache::Off => pb::MountContentCache::Off,
    };
    let needs = [
        (bind.from != Output::SCRATCH, caps::MOUNT_BIND),
        (!bind.path.is_empty(), caps::MOUNT_SELECTOR),
        (bind.access == Access::Discard, caps::MOUNT_NO_OUTPUT),
        (bind.content_cache != ContentCache::Default, caps::MOUNT_CONTENT_CACHE),
    ];
    caps.extend(needs.into_iter().filter(|(needed, _)| *needed).map(|(_, cap)| cap));
    pb::Mount {
        input: inputs.index_of(bind.from),
        selector: bind.path.clone(),
        readonly: bind.access == Access::ReadOnly,
        content_cache: content_cache.into(),
        ..wire
    }
}
