//! How the proof of an image reaches others: the one document, and three statements made of it.
//!
//! Since BuildKit v0.31 the image is handed on together with its probes (a pass-through), so that a
//! cache export carries them and the provenance lists them. Older builders would run them again on
//! every daemon; there they go along as what the attestations are made of.

use crate::bases::resolve::Resolved;
use crate::context::Loaded;
use crate::diagnostic::{Position, Span};
use crate::emit::{Emitter, ProbeSettings, Whole, Written};
use crate::frontend::proof::place;
use crate::frontend::{Build, Failure, own};
use crate::gateway::{ATTESTATIONS, Gateway};
use crate::harden::{Finding, Judgement, Subject};
use crate::llb::{Digest, Output, caps};
use crate::options::{Evidence, Options};
use crate::plan::{Plan, Role};
use crate::proto::frontend::{Attestation, AttestationKind, Ref};
use crate::report::predicates::{Predicate, predicates};
use crate::report::{About, Document, document};

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
            Evidence::Always => false,
            Evidence::Auto if options.attest.is_any() => true,
            Evidence::Auto | Evidence::Never => return None,
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

/// What a document says of a file and of who judges.
pub(crate) fn about(kind: &str, loaded: &Loaded, probes: &ProbeSettings) -> About {
    let source = document::Source {
        kind: kind.to_owned(),
        file: Some(loaded.file.filename.clone()),
        digest: Some(Digest::of(&loaded.bytes).to_string()),
    };
    About { source, frontend: own::digest(&probes.frontend), ..About::default() }
}

/// A place in the file, for a document.
pub(crate) fn position(file: &str, span: Span) -> document::Position {
    let Position { line, column } = span.start;
    document::Position { file: file.to_owned(), line, column }
}

impl Build<'_> {
    /// The judgement, as a document for others.
    pub(super) fn written(
        &self,
        plan: &Plan,
        subject: &Subject<'_>,
        judgement: &Judgement,
    ) -> Document {
        let bases = plan.images.iter().filter(|image| image.role != Role::Source);
        let base = |image: &Resolved| document::Base {
            role: if image.role == Role::Runtime { "runtime" } else { "dev" }.to_owned(),
            name: image.reference.clone(),
            digest: image.digest.clone(),
        };
        let bases = bases.map(base).collect();
        let about = About { bases, ..about("spec", self.loaded, &self.probes) };
        let file = &self.loaded.file.filename;
        let position = |finding: &Finding| Some(position(file, place(finding, plan)));
        Document::new(subject, judgement, about, position)
    }

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
