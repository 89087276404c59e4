//! Execs: a process in a container.
//!
//! Mounts are written sorted by their target, as BuildKit's client does, secrets and agents last;
//! outputs are numbered in that order. The caller gets them back in its own order.

use super::caps::{self, Caps};
use super::encode::{Inputs, as_index};
use super::graph::{Constraints, Draft, Graph, Output, output_at};
use super::mount::{Mount, wire_mount};
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
