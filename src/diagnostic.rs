//! What a user did wrong, as data: where it stands, which rule it breaks, what it says and what to
//! write instead.
//!
//! Every parser and every check returns `Diagnostic`s and goes on, so that all mistakes of a file
//! are reported together. How they are shown is decided elsewhere: `gateway::status` turns them
//! into BuildKit's error details, the command line draws them itself.

mod code;

pub use code::Code;

/// A place in a file: line and column, both counted from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A stretch of a file from `start` up to, but not including, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The first character.
    pub start: Position,
    /// One past the last character.
    pub end: Position,
}

impl Span {
    /// The very beginning of a file: for mistakes that have no better place.
    pub const START: Self = Self::at(1, 1);

    /// An empty span at a line and a column.
    #[must_use]
    pub const fn at(line: u32, column: u32) -> Self {
        let position = Position { line, column };
        Self { start: position, end: position }
    }
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands in the spec.
    pub span: Span,
}

impl<T> Located<T> {
    /// A value at a place.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// Text as it was written, `${…}` not yet replaced.
pub type Text = Located<String>;

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The build goes on.
    Warning,
    /// The build is refused.
    Error,
}

/// One mistake or finding, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code, with a page in the docs.
    pub code: Code,
    /// Whether it stops the build.
    pub severity: Severity,
    /// Where in the spec.
    pub span: Span,
    /// What is wrong, lower case, the user's words quoted, no full stop.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A mistake that stops the build.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, span, message: message.into(), help: None }
    }

    /// Something that the user should know, but that stops nothing.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Whether it stops the build.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
