//! The values that have a form of their own: users, ports, platforms, durations, paths, names.
//!
//! Each function takes a text and says what is wrong with it, at its place. The decoder calls them
//! on what has no `${…}`; `plan` calls them again on what an argument has filled in, so that
//! `user: ${UID}` cannot become root.

pub mod fetch;
pub mod harden;
pub mod numbers;
pub mod path;
pub mod reference;
pub mod runtime;
pub mod testing;

use crate::diagnostic::{Code, Diagnostic, Text};

/// A value that its key does not take.
fn invalid(text: &Text, message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::InvalidValue, text.span, message).help(help)
}
