//! The document and its two translations as predicates of attestations: what each is called, and in
//! which file it lies. Exporters write them by the names of the files, so these differ.

use super::{Document, document};

/// in-toto's own form for outcomes of tests: verdict and names.
pub const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
/// Docker's type for CTRF, which its policies for hardened images ask for by this name.
pub const CTRF: &str = "https://scout.docker.com/tests/v0.1";

/// One thing that is said of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicate {
    /// Its type.
    pub kind: &'static str,
    /// The name of its file.
    pub file_name: &'static str,
    /// JSON.
    pub data: Vec<u8>,
}

/// All that is said of an image.
#[must_use]
pub fn predicates(document: &Document) -> Vec<Predicate> {
    vec![
        Predicate {
            kind: document::PREDICATE,
            file_name: "hardening.json",
            data: super::Format::Json.render(document),
        },
        Predicate {
            kind: TEST_RESULT,
            file_name: "hardening.test-result.json",
            data: super::test_result(document),
        },
        Predicate { kind: CTRF, file_name: "hardening.ctrf.json", data: super::ctrf(document) },
    ]
}
