//! Options of the client → what the other modules take: where things are, how steps run, what is
//! not there yet.

use std::collections::BTreeMap;

use crate::bases::{DEFAULT_REGISTRY, check_registry};
use crate::context::{self, Loaded};
use crate::diagnostic::{Code, Diagnostic, Position, Span};
use crate::emit::{Abilities, Again, ProbeSettings, Settings, Tree};
use crate::frontend::{Failure, own};
use crate::gateway::{Gateway, feature, first_version};
use crate::input::{self, Input};
use crate::llb::{HostIp, Network, Ulimit, caps};
use crate::options::{Certificates, Execution, NetworkMode, NoCache, Options, Proof, Proxy};
use crate::plan::{self, variables::Variables};
use crate::platform::Platform;
use crate::proto::pb;
use crate::remote;
use crate::spec::{self, Parsed, model::App, model::Spec};
use crate::words::nearest;

/// Copies with modes in chmod's words came with BuildKit 0.17. Their own capability is a constant
/// that no daemon registers (solver/pb/caps.go), so this one of the same release stands for it.
const FLOOR: &str = "exec.validexitcode";

/// The only operating system that images are made for.
const LINUX: &str = "linux";

/// Refuses builders below the floor, in one sentence, shown at the user's file if that can be read.
pub(super) async fn require(gateway: &Gateway, options: &Options) -> Result<(), Failure> {
    if gateway.llb_caps().supports(FLOOR) {
        return Ok(());
    }
    if let Ok(locations) = context::locate(gateway, options).await
        && let Ok(loaded) = context::load_spec(gateway, &locations).await
    {
        gateway.set_source_file(loaded.file);
    }
    let message = format!("this builder is too old: hardpan needs {}", version_with(FLOOR));
    Err(Failure::Refused(vec![old_builder(Span::START, message)]))
}

/// Refuses a graph that needs what a builder above the floor still lacks.
pub(super) fn require_all(gateway: &Gateway, definition: &pb::Definition) -> Result<(), Failure> {
    let missing = caps::unsupported(definition, |cap| gateway.llb_caps().supports(cap));
    match missing.first() {
        Some(cap) => Err(Failure::Refused(vec![lacking(definition, cap)])),
        None => Ok(()),
    }
}

/// What a builder lacks for a graph, at the line that needs it.
fn lacking(definition: &pb::Definition, cap: &str) -> Diagnostic {
    let what = feature(cap).unwrap_or("this step");
    let message = format!("{what} needs {}, and this builder is older", version_with(cap));
    old_builder(place_of(definition, cap).unwrap_or(Span::START), message)
}

fn version_with(cap: &str) -> String {
    first_version(cap).map_or_else(
        || format!("a BuildKit with {cap}"),
        |version| format!("BuildKit {version} or newer"),
    )
}

fn old_builder(span: Span, message: String) -> Diagnostic {
    Diagnostic::error(Code::OldBuilder, span, message)
        .help("update Docker, or make a builder with `docker buildx create --driver docker-container --use`")
}

/// The first line of the spec whose op asks for a capability.
fn place_of(definition: &pb::Definition, cap: &str) -> Option<Span> {
    let locations = &definition.source.as_ref()?.locations;
    let needs = |metadata: &pb::OpMetadata| metadata.caps.get(cap).copied().unwrap_or(false);
    let digests = definition.metadata.iter().filter(|(_, metadata)| needs(metadata));
    let places = digests.filter_map(|(digest, _)| locations.get(digest));
    let ranges = places.flat_map(|found| &found.locations).flat_map(|location| &location.ranges);
    ranges.filter_map(|range| Some((range.start?, range.end?))).map(span_of).min()
}

/// On the wire characters count from 0.
fn span_of((start, end): (pb::Position, pb::Position)) -> Span {
    let number = |number: i32| u32::try_from(number).unwrap_or(0);
    let position =
        |at: pb::Position| Position { line: number(at.line), column: number(at.character) + 1 };
    Span { start: position(start), end: position(end) }
}

/// What the file is: as the user says, or as its text does.
pub(super) fn input(options: &Options, loaded: &Loaded) -> Result<Input, Failure> {
    let given = options.predefined_args.get(input::ARGUMENT).map(String::as_str);
    let mistake = match given {
        Some("spec") => return Ok(Input::Spec),
        Some("dockerfile") => return Ok(Input::Dockerfile),
        None | Some("") => match input::tell(&loaded.bytes) {
            Ok(input) => return Ok(input),
            Err(mistake) => mistake,
        },
        Some(other) => {
            let shown = remote::shown_in(other);
            let message = format!("the build argument {} cannot be {shown:?}", input::ARGUMENT);
            Diagnostic::error(Code::InvalidOption, Span::START, message)
                .help("write `spec` or `dockerfile`, or leave it out: the file says what it is")
        }
    };
    Err(Failure::Refused(vec![mistake]))
}

/// The date that ends of life are compared with.
pub(crate) fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// What is wrong with options and what only other modules can tell.
#[must_use]
pub fn mistakes(options: &Options) -> Vec<Diagnostic> {
    let registry = options.predefined_args.get("HARDPAN_REGISTRY").filter(|text| !text.is_empty());
    registry.and_then(|text| check_registry(text, Span::START).err()).into_iter().collect()
}

/// The build arguments that concern a spec: the user's, and proxies that it declares all the same.
/// (`tell_time` gives it the time.)
#[must_use]
pub fn arguments(options: &Options, spec: &Spec) -> BTreeMap<String, String> {
    let declared = |name: &String| spec.args.iter().any(|argument| argument.name.value == *name);
    let is_asked = |name: &String| Proxy::is_argument(name) && declared(name);
    let proxies = options.predefined_args.iter().filter(|(name, _)| is_asked(name));
    let all = options.build_args.iter().chain(proxies);
    all.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Refuses options of ours that make no sense, or would do nothing for a Dockerfile.
pub(super) fn refuse_for_dockerfiles(options: &Options) -> Result<(), Failure> {
    let mut mistakes = options.own_mistakes();
    if options.certificates != Certificates::default() {
        let message = "HARDPAN_CA is for the steps of a spec, and this is a Dockerfile";
        mistakes.push(
            Diagnostic::error(Code::UnsupportedOption, Span::START, message)
                .help("mount the secret where it is needed: `RUN --mount=type=secret,id=…`"),
        );
    }
    mistakes.extend(other_systems(&options.platforms));
    let ours = |name: &String| plan::refuse_ours("label", name, Span::START);
    mistakes.extend(options.labels.keys().filter_map(ours));
    if mistakes.is_empty() { Ok(()) } else { Err(Failure::Refused(mistakes)) }
}

/// Names of `--no-cache-filter` that no stage has: what was meant to run again would not.
#[must_use]
pub fn unknown_stages(options: &Options, spec: &Spec) -> Vec<Diagnostic> {
    let NoCache::Stages(given) = &options.no_cache else { return Vec::new() };
    let stages: Vec<&str> = spec.stages.iter().map(|stage| stage.name.value.as_str()).collect();
    let is_unknown = |name: &&String| !stages.iter().any(|one| one.eq_ignore_ascii_case(name));
    let warn = |name: &String| {
        let message = format!("no stage is named {name:?}: `no-cache` of it runs nothing again");
        let help = match nearest(name, stages.iter().copied()) {
            Some(near) => format!("did you mean `--no-cache-filter {near}`?"),
            None => format!("the stages are: {}", stages.join(", ")),
        };
        Diagnostic::warning(Code::InvalidOption, Span::START, message).help(help)
    };
    given.iter().filter(is_unknown).map(warn).collect()
}

/// The spec, with mistakes of the options and of the file reported together.
pub(super) fn parse(
    loaded: &Loaded,
    options: &Options,
    mut mistakes: Vec<Diagnostic>,
) -> Result<Parsed, Failure> {
    let blocks = mistakes.iter().any(Diagnostic::refuses);
    match spec::parse(&loaded.bytes) {
        Ok(_) if blocks => Err(Failure::Refused(mistakes)),
        Ok(mut parsed) => {
            parsed.warnings.extend(mistakes);
            parsed.warnings.extend(unknown_stages(options, &parsed.spec));
            Ok(parsed)
        }
        Err(found) => {
            mistakes.extend(found);
            Err(Failure::Refused(mistakes))
        }
    }
}

/// The prefix of names without a slash: a build argument, the spec, or the default.
pub fn registry(options: &Options, spec: &Spec, variables: &Variables) -> Result<String, Failure> {
    let given = options.predefined_args.get("HARDPAN_REGISTRY").filter(|text| !text.is_empty());
    let (registry, span) = match (given, &spec.registry) {
        (Some(given), _) => (given.clone(), Span::START),
        (None, Some(text)) => {
            (variables.expand(text).map_err(|one| Failure::Refused(vec![one]))?, text.span)
        }
        (None, None) => return Ok(DEFAULT_REGISTRY.to_owned()),
    };
    check_registry(&registry, span).map_err(|mistake| Failure::Refused(vec![mistake]))?;
    Ok(registry)
}

/// Hardened images, and all that is proven of them, are Linux.
#[must_use]
pub fn not_linux(code: Code, span: Span, os: &str) -> Diagnostic {
    let message = format!("images are made for linux, not for {os:?}");
    Diagnostic::error(code, span, message).help("write `linux/amd64` or `linux/arm64`")
}

/// Platforms of the options that nothing can be built for.
fn other_systems(asked: &[Platform]) -> impl Iterator<Item = Diagnostic> {
    let others = asked.iter().filter(|platform| platform.os != LINUX);
    others.map(|platform| not_linux(Code::InvalidOption, Span::START, &platform.os))
}

/// What is built for: the options', the app's, or the builder's own platform.
pub fn platforms(
    options: &Options,
    app: &App,
    variables: &Variables,
) -> Result<Vec<Platform>, Failure> {
    let build = options.build_platform();
    let mut own = Vec::new();
    let mut mistakes = Vec::new();
    for text in &app.platforms {
        let parsed = variables.expand(text).map(|name| Platform::parse(&name, &build));
        match parsed {
            Ok(Ok(platform)) => {
                if platform.os != LINUX {
                    mistakes.push(not_linux(Code::NoSuchPlatform, text.span, &platform.os));
                }
                own.push(platform);
            }
            Ok(Err(error)) => {
                mistakes.push(Diagnostic::error(Code::InvalidValue, text.span, error.to_string()));
            }
            Err(mistake) => mistakes.push(mistake),
        }
    }
    let asked = &options.platforms;
    if let Some(first) = app.platforms.first() {
        for platform in asked.iter().filter(|platform| !own.contains(platform)) {
            let names: Vec<String> = own.iter().map(Platform::id).collect();
            let message = format!("this app is not made for {}", platform.id());
            let help = format!("build for {}, or add it to `platforms`", names.join(" or "));
            mistakes.push(Diagnostic::error(Code::NoSuchPlatform, first.span, message).help(help));
        }
    }
    if app.platforms.is_empty() {
        mistakes.extend(other_systems(asked));
    }
    if !mistakes.is_empty() {
        return Err(Failure::Refused(mistakes));
    }
    if !asked.is_empty() {
        return Ok(asked.clone());
    }
    Ok(if own.is_empty() { vec![build] } else { own })
}

/// Who looks at root file systems: this very program, in the image that it was started from.
pub(crate) async fn probes(gateway: &Gateway, options: &Options) -> Result<ProbeSettings, Failure> {
    let frontend = own::image(gateway, options).await?;
    let binary = std::env::current_exe()
        .ok()
        .and_then(|path| path.to_str().map(str::to_owned))
        .unwrap_or_else(|| "/hardpan".to_owned());
    let again = match options.proof {
        None => Again::IfRun,
        Some(Proof::Fresh) => Again::Always,
        Some(Proof::Cached) => Again::Never,
    };
    Ok(ProbeSettings { frontend, binary, platform: options.build_platform(), again })
}

/// How steps run and what they see.
#[must_use]
pub fn settings(
    options: &Options,
    context: Tree,
    ignore: Vec<String>,
    builder: Abilities,
) -> Settings {
    let execution = &options.execution;
    let (no_cache, no_cache_stages) = match &options.no_cache {
        NoCache::Off => (false, Vec::new()),
        NoCache::All => (true, Vec::new()),
        NoCache::Stages(names) => (false, names.clone()),
    };
    Settings {
        several_platforms: false, // known once the app says its own
        context,
        sessions: options.local_sessions.clone(),
        session: options.session.clone(),
        ignore,
        no_cache,
        no_cache_stages,
        cache_namespace: options.cache_mount_namespace.clone(),
        network: match execution.network {
            None | Some(NetworkMode::Sandbox) => Network::default(),
            Some(NetworkMode::Host) => Network::Host,
            Some(NetworkMode::None) => Network::None,
        },
        proxy: proxy(execution),
        extra_hosts: execution
            .extra_hosts
            .iter()
            .map(|host| HostIp { host: host.host.clone(), ip: host.address.to_string() })
            .collect(),
        ulimits: execution
            .ulimits
            .iter()
            .map(|limit| Ulimit { name: limit.name.clone(), soft: limit.soft, hard: limit.hard })
            .collect(),
        shm_size: execution.shm_size.and_then(|size| i64::try_from(size).ok()).unwrap_or(0),
        cgroup_parent: execution.cgroup_parent.clone(),
        hostname: execution.hostname.clone(),
        resources: resources(execution),
        epoch: options.seconds().and_then(|seconds| seconds.checked_mul(1_000_000_000)),
        builder,
    }
}

fn proxy(execution: &Execution) -> Option<pb::ProxyEnv> {
    let proxy = &execution.proxy;
    (*proxy != crate::options::Proxy::default()).then(|| pb::ProxyEnv {
        http_proxy: proxy.http.clone(),
        https_proxy: proxy.https.clone(),
        ftp_proxy: proxy.ftp.clone(),
        no_proxy: proxy.no.clone(),
        all_proxy: proxy.all.clone(),
    })
}

fn resources(execution: &Execution) -> Option<pb::LinuxResources> {
    let limits = &execution.resources;
    (*limits != crate::options::Resources::default()).then(|| pb::LinuxResources {
        memory: limits.memory.unwrap_or(0),
        memory_swap: limits.memory_swap.unwrap_or(0),
        cpu_shares: limits.cpu_shares.unwrap_or(0),
        cpu_period: limits.cpu_period.unwrap_or(0),
        cpu_quota: limits.cpu_quota.unwrap_or(0),
        cpuset_cpus: limits.cpuset_cpus.clone(),
        cpuset_mems: limits.cpuset_mems.clone(),
    })
}

/// Gives `SOURCE_DATE_EPOCH` to the runs that ask for it, where the spec declares it.
pub(super) fn tell_time(options: &Options, variables: Variables) -> Variables {
    match options.seconds() {
        Some(seconds) => variables.with("SOURCE_DATE_EPOCH", seconds.to_string()),
        None => variables,
    }
}

/// What the plan of an image takes from the options.
#[derive(Debug)]
pub struct PlanSettings<'a> {
    app: &'a App,
    variables: &'a Variables,
    labels: Vec<(String, String)>,
    created: Option<String>,
}

impl PlanSettings<'_> {
    /// The same, borrowed.
    #[must_use]
    pub fn view(&self) -> plan::Settings<'_> {
        plan::Settings {
            app: self.app,
            variables: self.variables,
            labels: &self.labels,
            created: self.created.as_deref(),
        }
    }
}

/// What the plan of an image takes from the options.
pub fn plan_settings<'a>(
    options: &Options,
    app: &'a App,
    variables: &'a Variables,
) -> PlanSettings<'a> {
    let created = options
        .seconds()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map(|time| time.to_string());
    let labels = options.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    PlanSettings { app, variables, labels, created }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llb::{Constraints, Exec, Graph, Location, Mount, Output};

    #[test]
    fn what_a_builder_lacks_is_refused_at_the_line_that_needs_it() {
        let mut graph = Graph::new();
        let step = |graph: &mut Graph, line: u32, memory: i64| {
            let exec = Exec {
                args: vec![format!("step {line}")],
                mounts: vec![Mount::output("/", Output::SCRATCH)],
                ..Exec::default()
            };
            let resources = (memory > 0)
                .then(|| pb::LinuxResources { memory, ..pb::LinuxResources::default() });
            let at =
                Span { start: Position { line, column: 5 }, end: Position { line, column: 9 } };
            let locations = vec![Location { file: 0, spans: vec![at] }];
            let with = Constraints { locations, resources, ..Constraints::default() };
            graph.exec(&exec, &with)[0]
        };
        let outputs = [step(&mut graph, 3, 0), step(&mut graph, 7, 1), step(&mut graph, 5, 1)];
        let all = graph.merge(&outputs, &Constraints::default());
        let definition = graph.marshal(all, &[pb::SourceInfo::default()]);
        let found = lacking(&definition, "exec.meta.linux.resources");
        assert_eq!(
            (found.code, found.span.start),
            (Code::OldBuilder, Position { line: 5, column: 5 })
        );
        let message = "a limit of memory or processors (`--resource`) needs BuildKit 0.31 or newer, \
                       and this builder is older";
        assert_eq!(found.message, message);
        let elsewhere = lacking(&definition, "mergeop");
        assert_eq!(elsewhere.span, Span::START, "an op without a place");
        assert_eq!(
            lacking(&definition, "later.still").message,
            "this step needs a BuildKit with later.still, and this builder is older"
        );
    }
}
