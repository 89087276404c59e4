//! How the proof of an image reaches others: as what the image depends on, or beside it.
//!
//! Since BuildKit v0.31 the image is handed on together with its probes (a pass-through), so that a
//! cache export carries them and the provenance lists them. Older builders would run them again on
//! every daemon; there they go along as what an attestation is made of.

use crate::emit::Emitter;
use crate::frontend::{Build, Failure};
use crate::gateway::ATTESTATIONS;
use crate::llb::{Output, caps};
use crate::proto::frontend::{Attestation, AttestationKind};
use crate::report::document;

/// Only exporters that keep attestations inside an image write it down: a folder or a tar of files
/// gets none (exporter/attestation/filter.go).
const INLINE_ONLY: &str = "inline-only";

impl Build<'_> {
    /// Whether an image can depend on what it was proven by.
    pub(super) fn can_pass(&self) -> bool {
        self.gateway.llb_caps().supports(caps::PASSTHROUGH)
    }

    /// The evidence as an attestation, where the image itself cannot carry it. Only where some
    /// attestation is wanted: one alone makes an index of what is pushed.
    pub(super) async fn evidence(
        &self,
        emitter: &mut Emitter<'_>,
        probes: &[Output],
        document: Vec<u8>,
    ) -> Result<Option<Attestation>, Failure> {
        let is_kept = self.gateway.frontend_caps().supports(ATTESTATIONS);
        if self.can_pass() || !is_kept || !self.options.attest.is_any() {
            return Ok(None);
        }
        let output = emitter.evidence(probes, document);
        let found = self.solve(self.marshal(emitter, output)).await?.single()?;
        Ok(Some(Attestation {
            kind: AttestationKind::InToto.into(),
            metadata: [(INLINE_ONLY.to_owned(), b"true".to_vec())].into(),
            r#ref: Some(found),
            path: crate::emit::EVIDENCE.to_owned(),
            in_toto_predicate_type: document::PREDICATE.to_owned(),
            in_toto_subjects: Vec::new(),
        }))
    }
}
