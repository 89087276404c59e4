//! Stand-ins until the renderers are there.

use super::Document;

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Format {
    Text,
    Json,
}

impl Format {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Text, Self::Json];

    /// The file.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Text => "hardening.txt",
            Self::Json => "hardening.json",
        }
    }

    /// The bytes.
    pub fn render(self, document: &Document) -> Vec<u8> {
        match self {
            Self::Text => document.summary.text.clone().into_bytes(),
            Self::Json => document.to_json().unwrap_or_default(),
        }
    }
}

/// Stub.
pub fn test_result(document: &Document) -> Vec<u8> {
    Format::Json.render(document)
}

/// Stub.
pub fn ctrf(document: &Document) -> Vec<u8> {
    Format::Json.render(document)
}
