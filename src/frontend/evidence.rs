//! How the proof of an image reaches others: three statements beside it, made of the one document.
//!
//! Since BuildKit v0.31 the image is handed on together with its probes (a pass-through), so that a
//! cache export carries them and the provenance lists them. Older builders would run them again on
//! every daemon; there they go along as what the attestations are made of.

use crate::emit::{Emitter, Whole, Written};
use crate::frontend::{Build, Failure};
use crate::gateway::{ATTESTATIONS, Gateway};
use crate::llb::{Output, caps};
use crate::options::{Evidence, Options};
use crate::proto::frontend::{Attestation, AttestationKind, Ref};
use crate::report::Document;
use crate::report::predicates::{Predicate, predicates};

/// Only exporters that keep attestations inside an image write it down: a folder or a tar of files
/// gets none (exporter/attestation/filter.go).
const INLINE_ONLY: &str = "inline-only";

/// Whether an image can depend on what it was proven by.
pub(crate) fn can_pass(gateway: &Gateway) -> bool {
    gateway.llb_caps().supports(caps::PASSTHROUGH)
}

/// What is said of one image, to be attached to it.
pub(crate) struct Statements {
    predicates: Vec<Predicate>,
    inline_only: bool,
}

impl Statements {
    /// Those of a document, where they are wanted: one alone makes an index of what is pushed, so by
    /// default only beside other attestations.
    pub(crate) fn of(document: &Document, gateway: &Gateway, options: &Options) -> Option<Self> {
        let inline_only = match options.evidence {
            Evidence::Never => return None,
            Evidence::Always => false,
            Evidence::Auto if options.attest.is_any() => true,
            Evidence::Auto => return None,
        };
        let is_kept = gateway.frontend_caps().supports(ATTESTATIONS);
        is_kept.then(|| Self { predicates: predicates(document), inline_only })
    }

    /// Their files.
    fn files(&self) -> Vec<Written> {
        let file =
            |one: &Predicate| Written { name: one.file_name.to_owned(), data: one.data.clone() };
        self.predicates.iter().map(file).collect()
    }

    /// The files in the graph of another frontend's image.
    pub(crate) fn beside(&self, whole: &mut Whole, probes: &[Output]) -> Output {
        whole.evidence(probes, self.files())
    }

    /// The statements, once their files are somewhere.
    pub(crate) fn attached(&self, found: &Ref) -> Vec<Attestation> {
        let metadata = if self.inline_only {
            [(INLINE_ONLY.to_owned(), b"true".to_vec())].into()
        } else {
            std::collections::BTreeMap::new()
        };
        let attached = |one: &Predicate| Attestation {
            kind: AttestationKind::InToto.into(),
            metadata: metadata.clone(),
            r#ref: Some(found.clone()),
            path: format!("/{}", one.file_name),
            in_toto_predicate_type: one.kind.to_owned(),
            in_toto_subjects: Vec::new(),
        };
        self.predicates.iter().map(attached).collect()
    }
}

impl Build<'_> {
    /// The evidence as attestations, where they are wanted.
    pub(super) async fn evidence(
        &self,
        emitter: &mut Emitter<'_>,
        probes: &[Output],
        document: &Document,
    ) -> Result<Vec<Attestation>, Failure> {
        let Some(statements) = Statements::of(document, self.gateway, self.options) else {
            return Ok(Vec::new());
        };
        let probes = if can_pass(self.gateway) { &[] } else { probes };
        let output = emitter.evidence(probes, statements.files());
        let found = self.solve(self.marshal(emitter, output)).await?.single()?;
        Ok(statements.attached(&found))
    }
}
