//! The document and its two translations as predicates of attestations: what each is called, and in
//! which file it lies. Exporters write them by the names of the files, so these differ.

use serde_json::Value;

use super::{CTRF, Document, Format, TEST_RESULT, ctrf, document, test_result};

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
    let own = Format::Json.render(document);
    let (outcomes, tests) = (bytes(&test_result(document)), bytes(&ctrf(document)));
    vec![
        Predicate { kind: document::PREDICATE, file_name: Format::Json.file_name(), data: own },
        Predicate { kind: TEST_RESULT, file_name: "hardening.test-result.json", data: outcomes },
        Predicate { kind: CTRF, file_name: "hardening.ctrf.json", data: tests },
    ]
}

fn bytes(json: &Value) -> Vec<u8> {
    json.to_string().into_bytes()
}
