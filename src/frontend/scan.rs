//! Lists of packages for what does not ship: `--sbom` together with `BUILDKIT_SBOM_SCAN_STAGE` or
//! `BUILDKIT_SBOM_SCAN_CONTEXT`.
//!
//! Without those the builder scans the image by itself. It leaves that as soon as a frontend has
//! attached a list to any platform (frontend/attestations/sbom, `HasSBOM`), so with them the image
//! is scanned here too, for every platform.

use std::collections::BTreeMap;

use crate::bases::qualify;
use crate::bases::resolve::resolve;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::emit::{CORE, Emitter, Scanner};
use crate::frontend::{Build, Failure};
use crate::llb::Output;
use crate::options::{Sbom, ScanStages};
use crate::plan::{ImageUse, Role};
use crate::proto::frontend::{Attestation, AttestationKind};
use crate::words::{nearest, quoted};

/// The kind of statement that a list of packages is.
const SPDX: &str = "https://spdx.dev/Document";

impl Build<'_> {
    /// Who scans, if more than the image is to be scanned.
    pub(super) async fn scanner(&self) -> Result<Option<Scanner>, Failure> {
        let attest = &self.options.attest;
        let stages = match &attest.scan_stages {
            ScanStages::None => Some(Vec::new()),
            ScanStages::All => None,
            ScanStages::Named(names) => Some(names.clone()),
        };
        let is_asked = attest.scan_context || stages.as_ref().is_none_or(|names| !names.is_empty());
        let Some(sbom) = attest.sbom.as_ref().filter(|_| is_asked) else { return Ok(None) };
        self.warn(&self.unknown_stages(stages.as_deref().unwrap_or_default())).await?;
        let uses = [scanner_image(sbom, self.options.build_platform())?];
        let mut found = resolve(self.gateway, &uses, self.options).await?;
        let Some(image) = found.pop() else { return Ok(None) };
        let parameters = sbom.parameters.clone();
        let scanner = Scanner { image, parameters, context: attest.scan_context, stages };
        if scanner.words().is_empty() {
            let message = format!("the scanner {} says no command", quoted(&sbom.generator));
            return Err(refused(message, "name an image with an entrypoint: `--sbom generator=…`"));
        }
        Ok(Some(scanner))
    }

    /// A name that no stage has is mostly misspelt; in a bake file it may be for other targets.
    fn unknown_stages(&self, names: &[String]) -> Vec<Diagnostic> {
        let known = || self.parsed.spec.stages.iter().map(|stage| stage.name.value.as_str());
        let unknown = names.iter().filter(|name| !known().any(|stage| stage == name.as_str()));
        unknown
            .map(|name| {
                let message =
                    format!("BUILDKIT_SBOM_SCAN_STAGE: there is no stage {}", quoted(name));
                let found = Diagnostic::warning(Code::InvalidOption, Span::START, message);
                match nearest(name, known()) {
                    Some(near) => found.help(format!("did you mean `{near}`?")),
                    None => found.help("write the names of stages, or `true` for all of them"),
                }
            })
            .collect()
    }

    /// What a scanner finds in an image and in what it was made from.
    pub(super) async fn scan(
        &self,
        emitter: &mut Emitter<'_>,
        image: Output,
        scanner: Option<&Scanner>,
    ) -> Result<Option<Attestation>, Failure> {
        let Some(scanner) = scanner else { return Ok(None) };
        let output = emitter.scan(scanner, image);
        let found = self.solve(self.marshal(emitter, output)).await?.single()?;
        let metadata = [("reason", "sbom"), ("sbom-core", CORE)];
        let metadata = metadata.map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec()));
        Ok(Some(Attestation {
            kind: AttestationKind::Bundle.into(),
            metadata: BTreeMap::from(metadata),
            r#ref: Some(found),
            in_toto_predicate_type: SPDX.to_owned(),
            ..Attestation::default()
        }))
    }
}

fn scanner_image(sbom: &Sbom, platform: crate::platform::Platform) -> Result<ImageUse, Failure> {
    let reference = qualify("", &sbom.generator).map_err(|error| {
        let message = format!("the scanner {} is no image: {error}", quoted(&sbom.generator));
        refused(message, "write `--sbom generator=docker/buildkit-syft-scanner:stable-1`")
    })?;
    let reference = reference.to_string();
    let (role, span) = (Role::Source, Span::START);
    Ok(ImageUse { reference, context: None, platform, role, span, bare: None })
}

fn refused(message: String, help: &str) -> Failure {
    let mistake = Diagnostic::error(Code::InvalidOption, Span::START, message);
    Failure::Refused(vec![mistake.help(help)])
}
