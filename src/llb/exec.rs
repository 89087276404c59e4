//! Execs: a process in a container, and what is mounted into it.
//!
//! Mounts are written sorted by their target, as BuildKit's client does, secrets and agents last;
//! outputs are numbered in that order. The caller gets them back in its own order.

use super::caps::{self, Caps};
use super::encode::{Inputs, as_index};
use super::graph::{Constraints, Draft, Graph, Output, output_at};
use crate::proto::pb;

/// A process to run. One mount has the target `/`.
#[derive(Debug, Clone, Default)]
pub struct Exec {
    /// The program and its arguments.
    pub args: Vec<String>,
    /// Names and values, in the order that the process sees.
    pub env: Vec<(String, String)>,
    /// The working directory; it is made if it is missing.
    pub cwd: String,
    /// `user`, `uid`, `user:group` or `uid:gid`; empty is root.
    pub user: String,
    /// Empty is the daemon's default.
    pub hostname: String,
    /// Which network it has.
    pub network: Network,
    /// Whether it is privileged.
    pub security: Security,
    /// Proxy variables, outside the cache key.
    pub proxy: Option<pb::ProxyEnv>,
    /// Lines for /etc/hosts.
    pub extra_hosts: Vec<HostIp>,
    /// Limits of the process.
    pub ulimits: Vec<Ulimit>,
    /// Empty is the daemon's default.
    pub cgroup_parent: String,
    /// Exit codes that are no failure; empty is 0 alone.
    pub valid_exit_codes: Vec<i32>,
    /// What is mounted.
    pub mounts: Vec<Mount>,
    /// Secrets as environment variables.
    pub secret_env: Vec<SecretEnv>,
}

/// The network of an exec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// One of its own.
    #[default]
    Sandbox,
    /// The host's; needs an entitlement.
    Host,
    /// Loopback alone.
    None,
}

/// The privileges of an exec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Security {
    /// The usual ones of a container.
    #[default]
    Sandbox,
    /// All; needs an entitlement.
    Insecure,
}

/// A line of /etc/hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostIp {
    /// The name.
    pub host: String,
    /// The address.
    pub ip: String,
}

/// A limit by its name, such as `nofile`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ulimit {
    /// Which limit.
    pub name: String,
    /// What the process starts with.
    pub soft: i64,
    /// How far it may raise it.
    pub hard: i64,
}

/// A secret as an environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretEnv {
    /// The client's name for it.
    pub id: String,
    /// The variable.
    pub name: String,
    /// Whether it may be missing.
    pub optional: bool,
}

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

    fn has_output(&self) -> bool {
        matches!(&self.kind, MountKind::Bind(bind) if bind.access == Access::Output)
    }

    /// Files by target, then secrets and agents as they were given.
    fn rank(&self) -> (u8, &str) {
        match self.kind {
            MountKind::Secret(_) => (1, ""),
            MountKind::Ssh(_) => (2, ""),
            _ => (0, &self.target),
        }
    }
}

impl Graph {
    /// Adds an exec; gives one output for each mount that has one, in the order of `exec.mounts`.
    pub fn exec(&mut self, exec: &Exec, with: &Constraints) -> Vec<Output> {
        let mut order: Vec<usize> = (0..exec.mounts.len()).collect();
        order.sort_by_key(|&position| exec.mounts[position].rank());
        let mut inputs = Inputs::default();
        let mut caps = caps_of(exec);
        let (mut mounts, mut numbers, mut agents) = (Vec::new(), Vec::new(), Vec::new());
        for position in order {
            let mut mount = wire_mount(&exec.mounts[position], &mut inputs, &mut caps);
            if exec.mounts[position].has_output() {
                mount.output = as_index(numbers.len());
                numbers.push(position);
            }
            if mount.mount_type() == pb::MountType::Ssh {
                if mount.dest.is_empty() {
                    mount.dest = format!("/run/buildkit/ssh_agent.{}", agents.len());
                }
                agents.push(mount.dest.clone());
            }
            mounts.push(mount);
        }
        let op = wire_exec(exec, mounts, agents.into_iter().next());
        let first =
            self.add(Draft { op: pb::op::Op::Exec(op), inputs, caps, has_platform: true }, with);
        let mut outputs: Vec<(usize, Output)> = numbers
            .into_iter()
            .enumerate()
            .map(|(index, position)| (position, output_at(first, index)))
            .collect();
        outputs.sort_unstable();
        outputs.into_iter().map(|(_, output)| output).collect()
    }
}

fn wire_exec(exec: &Exec, mounts: Vec<pb::Mount>, agent: Option<String>) -> pb::ExecOp {
    let mut env: Vec<String> =
        exec.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if let Some(agent) = agent.filter(|_| exec.env.iter().all(|(name, _)| name != "SSH_AUTH_SOCK"))
    {
        env.push(format!("SSH_AUTH_SOCK={agent}"));
    }
    let host = |line: &HostIp| pb::HostIp { host: line.host.clone(), ip: line.ip.clone() };
    let limit = |limit: &Ulimit| pb::Ulimit {
        name: limit.name.clone(),
        soft: limit.soft,
        hard: limit.hard,
    };
    let secret = |secret: &SecretEnv| pb::SecretEnv {
        id: secret.id.clone(),
        name: secret.name.clone(),
        optional: secret.optional,
    };
    let meta = pb::Meta {
        args: exec.args.clone(),
        env,
        cwd: exec.cwd.clone(),
        user: exec.user.clone(),
        proxy_env: exec.proxy.clone(),
        extra_hosts: exec.extra_hosts.iter().map(host).collect(),
        hostname: exec.hostname.clone(),
        ulimit: exec.ulimits.iter().map(limit).collect(),
        cgroup_parent: exec.cgroup_parent.clone(),
        remove_mount_stubs_recursive: true,
        valid_exit_codes: exec.valid_exit_codes.clone(),
    };
    let network = match exec.network {
        Network::Sandbox => pb::NetMode::Unset,
        Network::Host => pb::NetMode::Host,
        Network::None => pb::NetMode::None,
    };
    let security = match exec.security {
        Security::Sandbox => pb::SecurityMode::Sandbox,
        Security::Insecure => pb::SecurityMode::Insecure,
    };
    pb::ExecOp {
        meta: Some(meta),
        mounts,
        network: network.into(),
        security: security.into(),
        secretenv: exec.secret_env.iter().map(secret).collect(),
        cdi_devices: Vec::new(),
    }
}

/// What an exec needs, mounts aside.
fn caps_of(exec: &Exec) -> Caps {
    let needs = [
        (true, caps::EXEC_BASE),
        // we never set PATH ourselves, as docker/dockerfile does for daemons without it
        (true, caps::EXEC_DEFAULT_PATH),
        (!exec.cgroup_parent.is_empty(), caps::EXEC_CGROUP_PARENT),
        (exec.network != Network::Sandbox, caps::EXEC_NETWORK),
        (exec.security != Security::Sandbox, caps::EXEC_SECURITY),
        (exec.proxy.is_some(), caps::EXEC_PROXY),
        (!exec.ulimits.is_empty(), caps::EXEC_ULIMIT),
        (!exec.valid_exit_codes.is_empty(), caps::EXEC_VALID_EXIT_CODE),
        (!exec.secret_env.is_empty(), caps::EXEC_SECRET_ENV),
    ];
    needs.into_iter().filter(|(needed, _)| *needed).map(|(_, cap)| cap).collect()
}

fn wire_mount(mount: &Mount, inputs: &mut Inputs, caps: &mut Caps) -> pb::Mount {
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
