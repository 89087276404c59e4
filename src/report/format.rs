//! The forms of a report, by name.
//!
//! In: the document. Out: the bytes of a file, complete, with a line break at the end. Each form says
//! all that the document says that its readers understand; `json` is the document itself.

use super::document::Document;
use super::{html, json, junit, markdown, sarif, text};

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// For a terminal.
    Text,
    /// The document itself.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// `JUnit` XML, for the reports of tests that CI shows.
    Junit,
    /// For a comment or a file of documentation.
    Markdown,
    /// One page for a browser.
    Html,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Text, Self::Json, Self::Sarif, Self::Junit, Self::Markdown, Self::Html];

    /// The form of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Its name, as options take it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
            Self::Html => "html",
        }
    }

    /// The name of its file in a folder of reports.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Text => "hardening.txt",
            Self::Json => "hardening.json",
            Self::Sarif => "hardening.sarif",
            Self::Junit => "hardening.junit.xml",
            Self::Markdown => "hardening.md",
            Self::Html => "hardening.html",
        }
    }

    /// The report.
    pub fn render(self, document: &Document) -> Vec<u8> {
        let mut text = match self {
            Self::Text => text::render(document),
            Self::Json => json::pretty(document),
            Self::Sarif => sarif::render(document),
            Self::Junit => junit::render(document),
            Self::Markdown => markdown::render(document),
            Self::Html => html::render(document),
        };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.into_bytes()
    }
}
