//! Lists the packages of a file system and of what it was made from: an exec of a scanner's image,
//! by the protocol of BuildKit's own scans (docs/attestations/sbom-protocol.md there).

use std::collections::BTreeMap;

use super::Emitter;
use crate::bases::{Resolved, Root};
use crate::llb::{Constraints, Exec, Mount, MountKind, Output};

/// The name of the scan that speaks of the image itself.
pub const CORE: &str = "sbom";

/// Who lists packages.
#[derive(Debug, Clone)]
pub struct Scanner {
    /// Its image, for the builder's platform.
    pub image: Resolved,
    /// What the client tells it: `BUILDKIT_SCAN_NAME=value`.
    pub parameters: BTreeMap<String, String>,
    /// Whether the build context is looked at as well.
    pub context: bool,
    /// The names of stages that are looked at as well; `None`: all.
    pub stages: Option<Vec<String>>,
}

impl Scanner {
    /// The words that start it: entrypoint and command.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let config = &self.image.config.config;
        config.entrypoint.iter().chain(&config.cmd).flatten().cloned().collect()
    }

    fn wants(&self, stage: &str) -> bool {
        self.stages.as_ref().is_none_or(|names| names.iter().any(|name| name == stage))
    }
}

impl Emitter<'_> {
    /// Looks at an image and at what the scanner wants besides; a folder of statements comes out.
    pub fn scan(&mut self, scanner: &Scanner, image: Output) -> Output {
        let mut extras: Vec<(String, Output)> = Vec::new();
        self.stages();
        for (stage, output) in self.stages.iter().zip(&self.stage_outputs) {
            if scanner.wants(&stage.name) {
                extras.push((stage.name.clone(), *output));
            }
        }
        // Without paths of its own, all of it would be sent.
        if scanner.context && self.context_paths.is_none_or(|paths| !paths.is_empty()) {
            extras.push(("context".to_owned(), self.context()));
        }
        let core = format!("/run/src/core/{CORE}");
        let mut env = scanner.image.environment();
        env.push(("BUILDKIT_SCAN_DESTINATION".to_owned(), "/run/out/".to_owned()));
        env.push(("BUILDKIT_SCAN_SOURCE".to_owned(), core.clone()));
        if !extras.is_empty() {
            env.push(("BUILDKIT_SCAN_SOURCE_EXTRAS".to_owned(), "/run/src/extras".to_owned()));
        }
        let given = scanner.parameters.iter();
        env.extend(given.map(|(name, value)| (format!("BUILDKIT_SCAN_{name}"), value.clone())));
        let inputs: Vec<Output> =
            [image].into_iter().chain(extras.iter().map(|(_, output)| *output)).collect();
        let extras = extras.into_iter().map(|(name, output)| {
            Mount::read_only(format!("/run/src/extras/{CORE}-{name}"), output)
        });
        let root = self.scanner_source(scanner);
        let mounts = [
            Mount::output("/", root), // written to while it runs; nobody takes it
            Mount { target: "/tmp".to_owned(), kind: MountKind::Tmpfs { size: 0 } },
            Mount::read_only(core, image),
            Mount::output("/run/out/", Output::SCRATCH),
        ];
        let exec = Exec {
            args: scanner.words(),
            env,
            cwd: scanner.image.config.config.workdir().to_owned(),
            network: self.settings.network,
            proxy: self.settings.proxy.clone(),
            mounts: mounts.into_iter().chain(extras).collect(),
            ..Exec::default()
        };
        let title = format!("list the packages with {}", scanner.image.reference);
        let name = self.plain_name(CORE, &title);
        let platform = Some((&scanner.image.platform).into());
        let with = self.again_if(&inputs, Constraints { platform, ..Constraints::named(name) });
        self.graph.exec(&exec, &with).last().copied().unwrap_or(Output::SCRATCH)
    }

    fn scanner_source(&mut self, scanner: &Scanner) -> Output {
        let image = &scanner.image;
        // No named context stands in for it, so it is an image.
        let Root::Source(source) = &image.root else { return Output::SCRATCH };
        let name = self.plain_name(CORE, &format!("FROM {}", image.shown()));
        let platform = Some((&image.platform).into());
        let with = Constraints { platform, ..Constraints::named(name) };
        self.graph.source_op(source.clone(), &with)
    }
}
