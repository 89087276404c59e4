//! The positioned tree between YAML and the language: what `yaml` builds and `decode` reads.
//!
//! Scalars are kept as they were written (`8.5`, `0755`, `yes`), and every key and every value
//! knows its place. Anchors, tags and repeated keys are gone: they were reported by `yaml`.

use crate::diagnostic::{Span, Text};

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// What was written.
    pub(super) value: Value,
    /// Where; for a value that is absent (`key:`), an empty span after the key.
    pub(super) span: Span,
}

/// The kinds of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing, or a plain `null` or `~`.
    Null,
    /// Text, number, truth value: all text here.
    Scalar(Scalar),
    /// A list in either notation.
    List(Vec<Node>),
    /// A map in either notation, in the order of the file.
    Map(Vec<Entry>),
    /// Something that was reported already and that says nothing about the language.
    Broken,
}

/// A scalar as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scalar {
    /// The text, escapes and folding done.
    pub(super) text: String,
    /// Whether it stood without quotes and not as a block.
    pub(super) plain: bool,
}

/// One `key: value` of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: Text,
    /// The value.
    pub(super) value: Node,
    /// `b` in `{a: 1, b}`: a key without a colon, mostly what a comma cut off.
    pub(super) bare: bool,
}

impl Node {
    /// The kind of the value for a message, with its article.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null | Value::Broken => "nothing",
            Value::Scalar(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The number of values in it, itself included.
    pub(super) fn size(&self) -> usize {
        match &self.value {
            Value::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Value::Map(entries) => {
                1 + entries.iter().map(|entry| 1 + entry.value.size()).sum::<usize>()
            }
            Value::Null | Value::Scalar(_) | Value::Broken => 1,
        }
    }

    /// The scalar, if it is one.
    pub(super) fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }
}
