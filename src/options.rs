//! The environment of a frontend → [`Options`]: everything that the client of a build can say.
//!
//! BuildKit passes each option as a variable `BUILDKIT_FRONTEND_OPT_<i>` with `key=value` inside;
//! the numbers mean nothing, and what does not concern a frontend comes along. Reading is pure and
//! never stops: an impossible value is reported and its default taken, so that the spec can be
//! loaded all the same and every mistake shown together. Unknown keys are kept aside.

mod contexts;
mod evidence;
mod execution;
mod keys;
mod ours;
mod reader;

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde::Deserialize;

pub use contexts::{ContextSource, MainContext, NamedContext, NamedContexts, familiar_name};
pub use evidence::{Attest, LintRules, Sbom, ScanStages};
pub use execution::{Execution, ExtraHost, NetworkMode, Proxy, Resources, Ulimit};
pub use keys::KEYS;
pub use ours::{Certificates, Evidence, OWN_ARGUMENTS, Outcome, Proof};
use reader::{Reader, boolean};

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::harden::Demand;
pub use crate::llb::ResolveMode;
use crate::platform::Platform;

const OPTION: &str = "BUILDKIT_FRONTEND_OPT_";

/// What the client asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// The frontend's reference as the user wrote it, without digest.
    pub source: String,
    /// The rest of the syntax line: the reference and arguments.
    pub cmdline: String,
    /// A call instead of a build: `frontend.lint` and the like.
    pub request: Option<String>,
    /// The client's session.
    pub session: String,
    /// The machines behind the builder, the default one first.
    pub workers: Vec<WorkerInfo>,
    /// Where the spec is.
    pub spec: SpecPlace,
    /// Where the sources are.
    pub context: MainContext,
    /// Further contexts.
    pub contexts: NamedContexts,
    /// Which session holds a local context, where it is not the client's own.
    pub local_sessions: BTreeMap<String, String>,
    /// Hints by which local contexts share what was sent.
    pub shared_keys: BTreeMap<String, String>,
    /// JSON about inputs (`input-metadata:NAME`), as it came.
    pub input_metadata: BTreeMap<String, String>,
    /// The app to build; `None` is the default one.
    pub target: Option<String>,
    /// The platforms to build for; empty is the builder's own.
    pub platforms: Vec<Platform>,
    /// The result is a map by platform, even if there is one.
    pub multi_platform: bool,
    /// The user's build arguments.
    pub build_args: BTreeMap<String, String>,
    /// Build arguments that need no declaration: `BUILDKIT_…`, `HARDPAN_…`, `SOURCE_DATE_EPOCH`
    /// and the proxies.
    pub predefined_args: BTreeMap<String, String>,
    /// Image labels, stronger than the spec's.
    pub labels: BTreeMap<String, String>,
    /// Which steps run again.
    pub no_cache: NoCache,
    /// Where results may be taken from; they belong into every solve.
    pub cache_imports: Vec<CacheImport>,
    /// Put before the ids of cache mounts.
    pub cache_mount_namespace: String,
    /// Whether images are looked up anew.
    pub resolve_mode: ResolveMode,
    /// How steps are run.
    pub execution: Execution,
    /// Whom steps trust besides the authorities that their image knows.
    pub certificates: Certificates,
    /// Whether the image is inspected again even if the builder remembers what was found.
    pub proof: Option<Proof>,
    /// What whoever builds asks of the gate.
    pub demand: Demand,
    /// The attestations that are asked for.
    pub attest: Attest,
    /// Whether hardpan's own go along.
    pub evidence: Evidence,
    /// What the build gives.
    pub outcome: Outcome,
    /// Which rules count, for `--call=check`.
    pub lint: LintRules,
    /// The time of everything in the image.
    pub epoch: Option<SourceDateEpoch>,
    /// Keep `.git` in contexts from git.
    pub keep_git_dir: bool,
    /// Run git with advice.
    pub git_advice: bool,
    /// What nobody here knows, and what is not for a frontend.
    pub other: BTreeMap<String, String>,
    /// All of it as it came, for another frontend.
    pub raw: BTreeMap<String, String>,
}

/// A machine behind the builder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkerInfo {
    /// Its name.
    pub id: String,
    /// What it says about itself.
    pub labels: BTreeMap<String, String>,
    /// What it can run, its own platform first.
    pub platforms: Vec<Platform>,
}

/// Where the spec is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecPlace {
    /// Its path.
    pub filename: String,
    /// The local that holds it even if the context is remote (stdin, `-f` elsewhere); `None`: the
    /// remote context or input, else the local `dockerfile`.
    pub forced_local: Option<String>,
}

impl Default for SpecPlace {
    fn default() -> Self {
        Self { filename: "Dockerfile".to_owned(), forced_local: None }
    }
}

impl SpecPlace {
    /// The name of the local that holds the spec, where it is in one.
    pub fn local(&self) -> &str {
        self.forced_local.as_deref().unwrap_or("dockerfile")
    }
}

/// Which steps run again although their result is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum NoCache {
    /// None.
    #[default]
    Off,
    /// All.
    All,
    /// Those of some stages.
    Stages(Vec<String>),
}

impl NoCache {
    /// Whether the steps of a stage run again.
    pub fn covers(&self, stage: &str) -> bool {
        match self {
            Self::Off => false,
            Self::All => true,
            Self::Stages(names) => names.iter().any(|name| name.eq_ignore_ascii_case(stage)),
        }
    }
}

/// A place that results may be taken from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CacheImport {
    /// `registry`, `gha`, `local` …
    pub kind: String,
    /// `ref` and the like.
    pub attributes: BTreeMap<String, String>,
}

/// The time of everything in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceDateEpoch {
    /// Seconds since 1970.
    Seconds(i64),
    /// The time of the main context, of a stage or of a named context.
    Of(String),
}

impl SourceDateEpoch {
    /// The last second whose nanoseconds a graph can hold, in the year 2262.
    const LAST: i64 = i64::MAX / 1_000_000_000;

    /// A number is seconds, whatever its size; anything else is a name.
    fn parse(text: &str) -> Result<Self, String> {
        /// Of the Gregorian calendar, on average.
        const YEAR: i64 = 31_556_952;
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self::Of(text.to_owned()));
        }
        match text.parse::<i64>() {
            Ok(seconds @ 0..=Self::LAST) => Ok(Self::Seconds(seconds)),
            _ if text.starts_with('-') => Err("that is before 1970".to_owned()),
            Ok(seconds) => {
                let year = 1970 + seconds / YEAR;
                Err(format!("that is the year {year}; it takes seconds, not milliseconds"))
            }
            Err(_) => Err("that is too large for seconds since 1970".to_owned()),
        }
    }
}

impl Options {
    /// `SOURCE_DATE_EPOCH`, if it is a time and not the name of what has one.
    #[must_use]
    pub const fn seconds(&self) -> Option<i64> {
        match self.epoch {
            Some(SourceDateEpoch::Seconds(seconds)) => Some(seconds),
            _ => None,
        }
    }

    /// Reads an environment. Mistakes come beside the options, which hold defaults in their place.
    pub fn parse(
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> (Self, Vec<Diagnostic>) {
        let mut reader = Reader::default();
        let mut options = Self::default();
        for (name, value) in environment {
            let Some(name) = name.to_str() else { continue };
            if name.starts_with(OPTION) {
                reader.add(&value);
            } else if name == "BUILDKIT_SESSION_ID" {
                options.session = value.to_string_lossy().into_owned();
            } else if name == "BUILDKIT_WORKERS" {
                options.workers = reader.workers(&value.to_string_lossy());
            }
        }
        options.read(&mut reader);
        (options, reader.finish())
    }

    /// What is wrong with the build arguments of hardpan alone: those of a Dockerfile are for
    /// Docker's frontend to judge.
    #[must_use]
    pub fn own_mistakes(&self) -> Vec<Diagnostic> {
        let own = self.raw.iter().filter(|(key, _)| key.starts_with(ours::FAMILY));
        let variable = |(key, value): (&String, &String)| {
            (format!("{OPTION}0").into(), format!("{key}={value}").into())
        };
        Self::parse(own.map(variable)).1
    }

    /// The platform that steps with `platform: build` run on.
    pub fn build_platform(&self) -> Platform {
        let own = self.workers.first().and_then(|worker| worker.platforms.first());
        own.cloned().unwrap_or_else(|| Platform::new("linux", std::env::consts::ARCH, ""))
    }

    /// The platforms that the result is for; never empty.
    pub fn target_platforms(&self) -> Vec<Platform> {
        if self.platforms.is_empty() { vec![self.build_platform()] } else { self.platforms.clone() }
    }

    /// The session that holds a local context.
    pub fn session_of(&self, local: &str) -> &str {
        self.local_sessions.get(local).unwrap_or(&self.session)
    }

    fn read(&mut self, reader: &mut Reader) {
        self.raw = reader.all();
        self.source = reader.text("source");
        self.cmdline = reader.text("cmdline");
        self.request = reader.take("requestid");
        self.target = reader.take("target");
        if let Some(filename) = reader.take("filename") {
            self.spec.filename = filename;
        }
        self.spec.forced_local = reader.take("dockerfilekey");
        self.context = MainContext::read(reader);
        self.contexts = NamedContexts::read(reader);
        self.local_sessions = reader.family("local-sessionid:");
        self.shared_keys = reader.family("sharedkey:localdir:");
        self.input_metadata = reader.family("input-metadata:");
        self.labels = reader.family("label:");
        self.read_platforms(reader);
        self.read_caches(reader);
        self.execution = Execution::read(reader);
        self.certificates = Certificates::read(reader);
        self.proof = Proof::read(reader);
        self.evidence = Evidence::read(reader);
        self.outcome = Outcome::read(reader);
        self.demand = ours::demand(reader);
        ours::refuse_unknown(reader);
        self.attest = Attest::read(reader);
        self.lint = LintRules::read(reader);
        self.epoch =
            reader.parsed("build-arg:SOURCE_DATE_EPOCH", "1700000000", SourceDateEpoch::parse);
        self.keep_git_dir =
            reader.parsed("build-arg:BUILDKIT_CONTEXT_KEEP_GIT_DIR", "true", boolean) == Some(true);
        self.git_advice =
            reader.parsed("build-arg:BUILDKIT_GIT_ADVICE", "true", boolean) == Some(true);
        self.cache_mount_namespace =
            reader.peek("build-arg:BUILDKIT_CACHE_MOUNT_NS").unwrap_or_default();
        let arguments = reader.family("build-arg:");
        (self.predefined_args, self.build_args) =
            arguments.into_iter().partition(|(name, _)| is_predefined(name));
        self.other = reader.rest();
    }

    fn read_platforms(&mut self, reader: &mut Reader) {
        let builder = self.build_platform();
        let parse_all = |text: &str| {
            let mut platforms: Vec<Platform> = Vec::new();
            for item in text.split(',') {
                let platform =
                    Platform::parse(item, &builder).map_err(|error| error.to_string())?;
                if !platforms.contains(&platform) {
                    platforms.push(platform);
                }
            }
            Ok(platforms)
        };
        let platforms = reader.parsed("platform", "linux/amd64,linux/arm64", parse_all);
        self.platforms = platforms.unwrap_or_default();
        let several = self.platforms.len() > 1;
        let argument = "build-arg:BUILDKIT_MULTI_PLATFORM";
        let key = if reader.peek(argument).is_some() { argument } else { "multi-platform" };
        let asked = reader.parsed(key, "true", |text| match boolean(text) {
            Ok(false) if several => Err("several platforms are asked for".to_owned()),
            other => other,
        });
        reader.take("multi-platform");
        self.multi_platform = asked.unwrap_or(several);
    }

    fn read_caches(&mut self, reader: &mut Reader) {
        self.no_cache = match reader.take_even_empty("no-cache") {
            None => NoCache::Off,
            Some(names) if names.is_empty() => NoCache::All,
            Some(names) => NoCache::Stages(names.split(',').map(str::to_owned).collect()),
        };
        let help = r#"[{"Type":"registry","Attrs":{"ref":"registry.example/cache"}}]"#;
        let imports = reader.parsed("cache-imports", help, cache_imports);
        self.cache_imports = imports.unwrap_or_default();
        for reference in reader.text("cache-from").split(',').filter(|name| !name.is_empty()) {
            let attributes = BTreeMap::from([("ref".to_owned(), reference.to_owned())]);
            let import = CacheImport { kind: "registry".to_owned(), attributes };
            if !self.cache_imports.contains(&import) {
                self.cache_imports.push(import);
            }
        }
        let mode = reader.parsed("image-resolve-mode", "pull", |text| match text {
            "default" => Ok(ResolveMode::Default),
            "pull" => Ok(ResolveMode::Pull),
            "local" => Ok(ResolveMode::Local),
            _ => Err("the modes are default, pull and local".to_owned()),
        });
        self.resolve_mode = mode.unwrap_or_default();
    }
}

/// Arguments that clients set without the spec's knowledge.
fn is_predefined(name: &str) -> bool {
    name == "SOURCE_DATE_EPOCH"
        || ["BUILDKIT_", "HARDPAN_"].iter().any(|family| name.starts_with(family))
        || Proxy::is_argument(name)
}

/// The keys are spelled as Go spells them; `null` is an empty list or map there.
#[derive(Deserialize)]
struct CacheEntry {
    #[serde(rename = "Type", alias = "type", default)]
    kind: String,
    #[serde(rename = "Attrs", alias = "attrs", default)]
    attributes: Option<BTreeMap<String, String>>,
}

fn cache_imports(text: &str) -> Result<Vec<CacheImport>, String> {
    let entries: Option<Vec<Option<CacheEntry>>> =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    let entries = entries.unwrap_or_default().into_iter().flatten();
    Ok(entries
        .map(|entry| CacheImport {
            kind: entry.kind,
            attributes: entry.attributes.unwrap_or_default(),
        })
        .collect())
}

#[derive(Deserialize)]
struct WorkerEntry {
    #[serde(default)]
    id: String,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    platforms: Option<Vec<PlatformEntry>>,
}

#[derive(Deserialize)]
struct PlatformEntry {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: String,
}

impl Reader {
    fn workers(&mut self, text: &str) -> Vec<WorkerInfo> {
        let entries: Option<Vec<WorkerEntry>> = match serde_json::from_str(text) {
            Ok(entries) => entries,
            Err(error) => {
                let message = format!("BUILDKIT_WORKERS of the builder cannot be read: {error}");
                self.report(Diagnostic::warning(Code::Internal, Span::START, message));
                None
            }
        };
        let platform =
            |entry: &PlatformEntry| Platform::new(&entry.os, &entry.architecture, &entry.variant);
        entries
            .unwrap_or_default()
            .into_iter()
            .map(|entry| WorkerInfo {
                id: entry.id,
                labels: entry.labels.unwrap_or_default(),
                platforms: entry.platforms.iter().flatten().map(platform).collect(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
