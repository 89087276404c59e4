//! An image under test: a base, placed layers, a config; looked at and judged as in a build.

use std::process::ExitCode;

use hardpan::harden::{Base, Config, Judgement, Making, Policy, Profile, Severity, Subject, judge};
use hardpan::input::Input;
use hardpan::inspect::evidence::Inventory;
use hardpan::inspect::inventory;

use crate::rootfs::Rootfs;

pub(crate) struct Image {
    pub(crate) base: Rootfs,
    pub(crate) layers: Vec<Rootfs>,
    pub(crate) config: Config,
    pub(crate) platform: &'static str,
    pub(crate) writable: Vec<String>,
    pub(crate) base_known: bool,
    pub(crate) input: Input,
}

impl Image {
    /// An image without any defect.
    pub(crate) fn sound() -> Self {
        let base = Rootfs::sound();
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect();
        let config = Config {
            user: "1000:1000".to_owned(),
            entrypoint: words(&["node", "server.js"]),
            cmd: Vec::new(),
            workdir: "/app".to_owned(),
            env: words(&["PATH=/usr/local/bin:/usr/bin"]),
            healthcheck: words(&["CMD", "/usr/bin/node", "health.js"]),
            platform: "linux/amd64".to_owned(),
            labels: ["source", "revision", "version", "licenses"]
                .map(|name| (format!("org.opencontainers.image.{name}"), "x".to_owned()))
                .into(),
            base: Base { from_catalogue: true, ..Base::default() },
            making: Some(Making { sbom: true, provenance: true, ..Making::default() }),
            ..Config::default()
        };
        let layers = Vec::new();
        Self {
            base,
            layers,
            config,
            platform: "linux/amd64",
            writable: Vec::new(),
            base_known: true,
            input: Input::Spec,
        }
    }

    /// What is known of how it was built.
    pub(crate) fn making(&mut self) -> &mut Making {
        self.config.making.as_mut().unwrap()
    }

    pub(crate) fn entrypoint(&mut self, words: &[&str]) -> &mut Self {
        self.config.entrypoint = words.iter().map(ToString::to_string).collect();
        self
    }

    pub(crate) fn user(&mut self, user: &str) -> &mut Self {
        user.clone_into(&mut self.config.user);
        self
    }

    /// A placed layer.
    pub(crate) fn place(&mut self, layer: impl FnOnce(&Rootfs)) -> &mut Self {
        let root = Rootfs::new();
        layer(&root);
        self.layers.push(root);
        self
    }

    pub(crate) fn json(&self) -> Vec<u8> {
        let out = tempfile::tempdir().unwrap();
        let mut arguments = vec!["--base".into(), self.base.path().as_os_str().to_owned()];
        for layer in &self.layers {
            arguments.extend(["--layer".into(), layer.path().as_os_str().to_owned()]);
        }
        let mut started = self.config.started();
        started.ask.extend(self.writable.iter().cloned());
        let config = serde_json::to_string(&started).unwrap();
        arguments.extend(["--config".into(), config.into()]);
        arguments.extend(["--out".into(), out.path().as_os_str().to_owned()]);
        arguments.extend(["--rules", "1", "--platform", self.platform].map(Into::into));
        assert_eq!(inventory::run(arguments.into_iter()), ExitCode::SUCCESS);
        std::fs::read(out.path().join(inventory::FILE)).unwrap()
    }

    pub(crate) fn inventory(&self) -> Inventory {
        Inventory::from_json(&self.json()).unwrap()
    }

    pub(crate) fn subject<'a>(&'a self, inventory: &'a Inventory) -> Subject<'a> {
        Subject {
            inventory,
            config: &self.config,
            platform: self.platform,
            today: jiff::civil::date(2026, 11, 23),
            writable: &self.writable,
            base_known: self.base_known,
            input: self.input,
        }
    }

    pub(crate) fn judge(&self) -> Judgement {
        self.judge_as(Profile::Standard)
    }

    pub(crate) fn judge_as(&self, profile: Profile) -> Judgement {
        self.judge_by(&Policy::of(profile))
    }

    pub(crate) fn judge_by(&self, policy: &Policy) -> Judgement {
        judge(&self.subject(&self.inventory()), policy)
    }

    /// The checks that refuse the image.
    #[track_caller]
    pub(crate) fn blocks(&self, checks: &[&str]) {
        let judgement = self.judge();
        let found: Vec<_> = judgement.blocking().map(|finding| finding.check.0).collect();
        assert_eq!(found, checks, "{:#?}", judgement.findings);
    }

    /// All findings: check, severity and message.
    #[track_caller]
    pub(crate) fn finds(&self, expected: &[(&str, Severity, &str)]) {
        let judgement = self.judge();
        let found: Vec<_> = judgement
            .findings
            .iter()
            .map(|finding| (finding.check.0, finding.severity, finding.message.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    /// The checks that warn or block, and their messages.
    #[track_caller]
    pub(crate) fn fails(&self, check: &str, message: &str) {
        let judgement = self.judge();
        let found: Vec<_> = judgement
            .findings
            .iter()
            .filter(|finding| finding.severity > Severity::Info)
            .map(|finding| (finding.check.0, finding.message.as_str()))
            .collect();
        assert_eq!(found, [(check, message)]);
    }

    #[track_caller]
    pub(crate) fn passes(&self) {
        let findings = self.judge().findings;
        assert!(findings.is_empty(), "{findings:#?}");
    }
}
