//! Options about how steps run: network, hosts, limits, proxies.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::reader::{Reader, fields};

/// How steps run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Execution {
    /// Lines for `/etc/hosts`; part of the cache key.
    pub extra_hosts: Vec<ExtraHost>,
    /// The network of every step, stronger than the spec's.
    pub network: Option<NetworkMode>,
    /// Bytes of `/dev/shm`.
    pub shm_size: Option<u64>,
    /// Limits of a process.
    pub ulimits: Vec<Ulimit>,
    /// The cgroup of the containers.
    pub cgroup_parent: String,
    /// The containers' name.
    pub hostname: String,
    /// Limits of a container; not part of the cache key.
    pub resources: Resources,
    /// For `proxy_env` of a step: never in cache key, config or history.
    pub proxy: Proxy,
}

/// A line for `/etc/hosts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraHost {
    /// The name, lower case.
    pub host: String,
    /// Its address.
    pub address: IpAddr,
}

/// What a step can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkMode {
    /// A network of its own that leads outside.
    Sandbox,
    /// The builder's own network; needs an entitlement.
    Host,
    /// Nothing.
    None,
}

/// A limit of a process; -1 is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ulimit {
    /// `nofile` and the like.
    pub name: String,
    /// The limit that holds.
    pub soft: i64,
    /// How far a process may raise it.
    pub hard: i64,
}

/// Limits of a container; `None` or empty is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    /// Bytes.
    pub memory: Option<i64>,
    /// Bytes of memory and swap together; -1 is unlimited.
    pub memory_swap: Option<i64>,
    /// Relative weight.
    pub cpu_shares: Option<u64>,
    /// Microseconds.
    pub cpu_period: Option<u64>,
    /// Microseconds in each period.
    pub cpu_quota: Option<i64>,
    /// Such as `0-3,5`.
    pub cpuset_cpus: String,
    /// Memory nodes, in the same form.
    pub cpuset_mems: String,
}

/// The proxies of the build arguments; empty is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxy {
    /// `http_proxy`.
    pub http: String,
    /// `https_proxy`.
    pub https: String,
    /// `ftp_proxy`.
    pub ftp: String,
    /// `no_proxy`.
    pub no: String,
    /// `all_proxy`.
    pub all: String,
}

const PROXIES: &[&str] = &["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"];

const ULIMITS: &[&str] = &[
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// BuildKit's bound (util/cpuset).
const MOST_CPUS: u32 = 8192;

impl Execution {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let hosts = reader.parsed("add-hosts", "db=10.0.0.7", |text| each(text, extra_host));
        let ulimits = reader.parsed("ulimit", "nofile=1024:2048", |text| each(text, ulimit));
        let network = reader.parsed("force-network-mode", "none", |text| match text {
            "none" => Ok(NetworkMode::None),
            "host" => Ok(NetworkMode::Host),
            "sandbox" => Ok(NetworkMode::Sandbox),
            _ => Err("the modes are none, host and sandbox".to_owned()),
        });
        let shm_size = reader.parsed("shm-size", "67108864", |text| {
            let size = text.parse::<i64>().ok().and_then(|size| u64::try_from(size).ok());
            size.ok_or_else(|| "it is no number of bytes".to_owned())
        });
        let argument = reader.peek("build-arg:BUILDKIT_SANDBOX_HOSTNAME");
        let option = reader.text("hostname");
        Self {
            extra_hosts: hosts.unwrap_or_default(),
            network,
            shm_size: shm_size.filter(|&size| size > 0),
            ulimits: ulimits.unwrap_or_default(),
            cgroup_parent: reader.text("cgroup-parent"),
            hostname: argument.unwrap_or(option),
            resources: Resources::read(reader),
            proxy: Proxy::read(reader),
        }
    }
}

impl Resources {
    fn read(reader: &mut Reader) -> Self {
        let mut above_zero = |key: &str| {
            reader.parsed(key, "1000", |text| match text.parse::<i64>() {
                Ok(number) if number > 0 => Ok(number),
                _ => Err("it must be a number above 0".to_owned()),
            })
        };
        let memory = above_zero("memory");
        let cpu_quota = above_zero("cpuquota");
        let unsigned = |number: i64| u64::try_from(number).ok();
        let cpu_shares = above_zero("cpushares").and_then(unsigned);
        let cpu_period = above_zero("cpuperiod").and_then(unsigned);
        let memory_swap = reader.parsed("memswap", "-1", |text| match text.parse::<i64>() {
            Ok(number) if number == -1 || number > 0 => Ok(number),
            _ => Err("it must be a number above 0, or -1 for no limit".to_owned()),
        });
        let mut set = |key: &str| reader.parsed(key, "0-3,5", cpu_set).unwrap_or_default();
        let (cpuset_cpus, cpuset_mems) = (set("cpusetcpus"), set("cpusetmems"));
        Self { memory, memory_swap, cpu_shares, cpu_period, cpu_quota, cpuset_cpus, cpuset_mems }
    }

    /// Whether there is any limit.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Proxy {
    /// Whether a build argument is a proxy, in whatever case.
    #[must_use]
    pub fn is_argument(name: &str) -> bool {
        PROXIES.iter().any(|proxy| proxy.eq_ignore_ascii_case(name))
    }

    fn read(reader: &Reader) -> Self {
        // Where both cases are given the lower one wins, as in curl.
        let [http, https, ftp, no, all] = ["http", "https", "ftp", "no", "all"].map(|kind| {
            let name = format!("{kind}_proxy");
            let argument = |name: &str| reader.peek(&format!("build-arg:{name}"));
            argument(&name).or_else(|| argument(&name.to_uppercase())).unwrap_or_default()
        });
        Self { http, https, ftp, no, all }
    }

    /// Whether there is any proxy.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn each<T>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    fields(text)?.iter().map(|field| parse(field)).collect()
}

fn extra_host(field: &str) -> Result<ExtraHost, String> {
    let (host, address) =
        field.split_once('=').ok_or_else(|| format!("{field:?} is not host=address"))?;
    let address = address.parse().map_err(|_| format!("{address:?} is no IP address"))?;
    Ok(ExtraHost { host: host.to_lowercase(), address })
}

fn ulimit(field: &str) -> Result<Ulimit, String> {
    let (name, limits) =
        field.split_once('=').ok_or_else(|| format!("{field:?} is not name=soft:hard"))?;
    if !ULIMITS.contains(&name) {
        return Err(format!("{name:?} is no limit; there are {}", ULIMITS.join(", ")));
    }
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    let number = |text: &str| text.parse::<i64>().map_err(|_| format!("{text:?} is no number"));
    let (soft, hard) = (number(soft)?, number(hard)?);
    if hard != -1 && (soft == -1 || soft > hard) {
        return Err(format!("the soft limit of {name:?} is above the hard one"));
    }
    Ok(Ulimit { name: name.to_owned(), soft, hard })
}

fn cpu_set(text: &str) -> Result<String, String> {
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<u32>();
        let range = match (number(first), number(last)) {
            (Ok(first), Ok(last)) => RangeInclusive::new(first, last),
            _ => return Err(format!("{part:?} is neither a number nor a range")),
        };
        if range.is_empty() || *range.end() > MOST_CPUS {
            return Err(format!("{part:?} is no range up to {MOST_CPUS}"));
        }
    }
    Ok(text.to_owned())
}
