//! Options about what is said of the image: attestations and lint.

use std::collections::BTreeMap;

use super::reader::{Reader, boolean, fields};
use crate::diagnostic::{Code, Diagnostic, Span};

/// As docker/dockerfile (frontend/attestations/parse.go).
const DEFAULT_SCANNER: &str = "docker/buildkit-syft-scanner:stable-1";

/// The attestations that are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attest {
    /// A list of packages; the builder scans the image itself, the frontend what else is wanted.
    pub sbom: Option<Sbom>,
    /// `mode` and the like; made by the builder.
    pub provenance: Option<BTreeMap<String, String>>,
    /// Whether the build context is scanned too.
    pub scan_context: bool,
    /// Which stages are scanned too.
    pub scan_stages: ScanStages,
}

/// Stages by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ScanStages {
    /// None of them.
    #[default]
    None,
    /// All that the image needs.
    All,
    /// Those of them that have one of these names.
    Named(Vec<String>),
}

impl ScanStages {
    /// A switch, or a list of names.
    fn parse(text: &str) -> Self {
        match boolean(text) {
            Ok(true) => Self::All,
            Ok(false) => Self::None,
            Err(_) => {
                let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
                Self::Named(names.map(str::to_owned).collect())
            }
        }
    }
}

/// Who lists the packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sbom {
    /// An image, not yet normalized.
    pub generator: String,
    /// Its parameters.
    pub parameters: BTreeMap<String, String>,
}

impl Attest {
    /// Whether any attestation is asked for, so that one of ours does not change the image's form.
    pub fn is_any(&self) -> bool {
        self.sbom.is_some() || self.provenance.is_some()
    }

    pub(super) fn read(reader: &mut Reader) -> Self {
        let sbom = Self::attributes(reader, "sbom", "generator=docker/scout-sbom-indexer");
        let provenance = Self::attributes(reader, "provenance", "mode=max");
        for (kind, _) in reader.family("attest:") {
            let message =
                format!("option {:?} asks for an unknown attestation", format!("attest:{kind}"));
            let mistake = Diagnostic::error(Code::InvalidOption, Span::START, message);
            reader.report(mistake.help("there are `sbom` and `provenance`"));
        }
        let scan_context =
            reader.parsed("build-arg:BUILDKIT_SBOM_SCAN_CONTEXT", "true", boolean) == Some(true);
        let scan_stages = reader.peek("build-arg:BUILDKIT_SBOM_SCAN_STAGE");
        let scan_stages = scan_stages.map(|text| ScanStages::parse(&text)).unwrap_or_default();
        let sbom = sbom.map(|mut parameters| Sbom {
            generator: parameters
                .remove("generator")
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| DEFAULT_SCANNER.to_owned()),
            parameters,
        });
        Self { sbom, provenance, scan_context, scan_stages }
    }

    /// The attributes of an attestation; `Some` even if there are none or they make no sense.
    fn attributes(
        reader: &mut Reader,
        kind: &str,
        example: &str,
    ) -> Option<BTreeMap<String, String>> {
        let argument = format!("build-arg:BUILDKIT_ATTEST_{}", kind.to_uppercase());
        let option = format!("attest:{kind}");
        let is_argument = reader.peek(&argument).is_some();
        let is_there = is_argument || reader.has(&argument) || reader.has(&option);
        let key = if is_argument { &argument } else { &option };
        let parsed = reader.parsed(key, example, |text| {
            let pairs = fields(text)?;
            let pair = |field: String| match field.split_once('=') {
                Some((key, value)) => (key.to_owned(), value.to_owned()),
                None => (field, String::new()),
            };
            Ok(pairs.into_iter().map(pair).collect())
        });
        reader.take_even_empty(&option);
        is_there.then(|| parsed.unwrap_or_default())
    }
}

/// Which rules count, in builds and in `--call=check`, from `BUILDKIT_DOCKERFILE_CHECK`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LintRules {
    /// Rules that are left out; `all` is every one.
    pub skip: Vec<String>,
    /// Experimental rules that are let in; `all` is every one.
    pub experimental: Vec<String>,
    /// Warnings fail the build.
    pub is_error: bool,
}

impl LintRules {
    /// Whether warnings of a code are shown.
    #[must_use]
    pub fn counts(&self, code: &str) -> bool {
        !self.skip.iter().any(|rule| rule == "all" || rule.eq_ignore_ascii_case(code))
    }

    pub(super) fn read(reader: &mut Reader) -> Self {
        let key = "build-arg:BUILDKIT_DOCKERFILE_CHECK";
        reader.parsed(key, "skip=RULE,RULE;error=true", Self::parse).unwrap_or_default()
    }

    fn parse(text: &str) -> Result<Self, String> {
        let mut rules = Self::default();
        for part in text.trim().splitn(3, ';').filter(|part| !part.is_empty()) {
            let (key, value) =
                part.split_once('=').ok_or_else(|| format!("{part:?} is not key=value"))?;
            let value = value.trim();
            let list = || value.split(',').map(|rule| rule.trim().to_owned()).collect();
            match key.trim() {
                "skip" => rules.skip = list(),
                "experimental" => rules.experimental = list(),
                "error" => rules.is_error = boolean(value)?,
                other => return Err(format!("{other:?} is none of skip, error, experimental")),
            }
        }
        Ok(rules)
    }
}
