//! The parts of an image's config that the checks look at, and what has to be looked up for them.

use std::collections::{BTreeMap, BTreeSet};

use crate::image::ImageConfig;
use crate::inspect::inventory::Started;
use crate::llb::Lineage;

use super::arguments::{self, Script};
use super::common::variable;
use super::runtime::MAX_PLACES;
use super::{accounts, privilege, runtime};

/// The config of the finished image, and what is known about how it came about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// `User`.
    pub user: String,
    /// `Entrypoint`.
    pub entrypoint: Vec<String>,
    /// `Cmd`.
    pub cmd: Vec<String>,
    /// `WorkingDir`.
    pub workdir: String,
    /// `Env`, as `NAME=value`.
    pub env: Vec<String>,
    /// `Healthcheck.Test`: `CMD` and words, `CMD-SHELL` and a text, or `NONE`; empty: no key.
    pub healthcheck: Vec<String>,
    /// `Volumes`.
    pub volumes: Vec<String>,
    /// `ExposedPorts`, such as `8080/tcp`.
    pub ports: Vec<String>,
    /// `Labels`.
    pub labels: BTreeMap<String, String>,
    /// `OnBuild`.
    pub onbuild: Vec<String>,
    /// What made each layer that is not the base's.
    pub history: Vec<String>,
    /// What the config says that it is for, such as `linux/arm64`.
    pub platform: String,
    /// `created`.
    pub created: Option<String>,
    /// `SOURCE_DATE_EPOCH` of the build.
    pub epoch: Option<i64>,
    /// Build arguments, which everybody sees who sees the provenance.
    pub build_args: BTreeMap<String, String>,
    /// The base.
    pub base: Base,
    /// How it was built; `None` where there is only the image.
    pub making: Option<Making>,
}

/// How an image was built.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Making {
    /// What the graph says that is handed out.
    pub lineage: Lineage,
    /// What whoever builds has named as the build context and the named ones: images, addresses, and
    /// of a repository host and path.
    pub contexts: BTreeSet<String>,
    /// Whether the build was asked to give all steps the network of the builder's machine.
    pub host_network: bool,
    /// Whether a list of packages was asked for.
    pub sbom: bool,
    /// Whether the provenance was asked for with all its parts.
    pub provenance: bool,
}

/// What is known about the base besides its files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Base {
    /// Its name with its digest.
    pub name: String,
    /// Whether it comes from the registry of Docker Hardened Images.
    pub from_catalogue: bool,
    /// `Labels`.
    pub labels: BTreeMap<String, String>,
    /// `Env`.
    pub env: Vec<String>,
}

impl From<&ImageConfig> for Config {
    /// All that the config of an image says by itself.
    fn from(image: &ImageConfig) -> Self {
        let config = &image.config;
        let variant = Some(&image.variant).filter(|variant| !variant.is_empty());
        let platform = [&image.os, &image.architecture].into_iter().chain(variant);
        let healthcheck = config.healthcheck.as_ref();
        Self {
            user: config.user.clone(),
            entrypoint: config.entrypoint.clone().unwrap_or_default(),
            cmd: config.cmd.clone().unwrap_or_default(),
            workdir: config.working_dir.clone(),
            env: config.env.clone(),
            healthcheck: healthcheck.map(|check| check.test.clone()).unwrap_or_default(),
            volumes: config.volumes.keys().cloned().collect(),
            ports: config.exposed_ports.keys().cloned().collect(),
            labels: config.labels.clone(),
            onbuild: config.on_build.clone(),
            history: image.history.iter().map(|entry| entry.created_by.clone()).collect(),
            platform: platform.map(String::as_str).collect::<Vec<_>>().join("/"),
            created: image.created.clone(),
            ..Self::default()
        }
    }
}

impl Config {
    /// What the inventory has to look up.
    pub fn started(&self) -> Started {
        let healthcheck = match self.healthcheck.split_first() {
            Some((form, words)) if form == "CMD" => words.to_vec(),
            _ => Vec::new(),
        };
        Started {
            user: self.user.clone(),
            workdir: self.workdir.clone(),
            path: variable(&self.env, "PATH").map(str::to_owned),
            entrypoint: self.argv(),
            healthcheck,
            library_path: variable(&self.env, "LD_LIBRARY_PATH").map(str::to_owned),
            ask: self.ask(),
            start_file: self.start_places().and_then(|(_, places)| places.first().cloned()),
        }
    }

    /// The whole command.
    fn argv(&self) -> Vec<String> {
        [self.entrypoint.as_slice(), &self.cmd].concat()
    }

    /// The key of the spec that says what is started.
    pub(crate) fn command_field(&self) -> &'static str {
        if self.entrypoint.is_empty() { "cmd" } else { "entrypoint" }
    }

    /// The file that the command's runtime starts with, and where it may be.
    pub(crate) fn start_places(&self) -> Option<(String, Vec<String>)> {
        let argv = self.argv();
        let argv = crate::inspect::unwrap_init(&argv).unwrap_or(&argv);
        let script: Script<'_> = arguments::script(argv)?;
        Some((script.path.to_owned(), script.places(&self.workdir)))
    }

    /// Paths that checks want to know something about.
    fn ask(&self) -> Vec<String> {
        let system = privilege::SYSTEM_PATHS.into_iter();
        let fixed = [privilege::PRELOAD, accounts::DEFAULT_SHELL, Self::CA_BUNDLE];
        let path = variable(&self.env, "PATH").unwrap_or_default();
        let elements = path.split(':').filter(|element| element.starts_with('/')).take(MAX_PLACES);
        let named = system.chain(fixed).chain(elements).map(str::to_owned);
        let certificates = runtime::CERTIFICATES.into_iter();
        let certificates = certificates.filter_map(|name| variable(&self.env, name));
        let certificates = certificates.flat_map(|value| self.places(value));
        let script = self.start_places().map_or_else(Vec::new, |(_, places)| places);
        // What every image is asked comes first: of too many paths the last ones have no answer.
        named
            .chain(certificates)
            .chain(script)
            .chain(self.zone())
            .chain(self.volumes.iter().cloned())
            .collect()
    }
}
