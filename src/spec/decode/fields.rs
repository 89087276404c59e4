//! Maps with keys of the language: which are unknown, which are missing, and how wrong kinds of
//! values are refused.

use super::super::language::{Key, Merges, Shape};
use super::super::tree::{Entry, Node, Value};
use super::Decoder;
use crate::diagnostic::{Code, Span};
use crate::words::{listed, quoted};

/// An opened map.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    shape: &'static Shape,
    entries: &'a [Entry],
    span: Span,
}

/// A key of the language with its value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    entry: &'a Entry,
    key: &'static Key,
}

impl<'a> Fields<'a> {
    /// The value of a key, if it is there.
    pub(super) fn get(&self, name: &str) -> Option<Field<'a>> {
        let key = self.shape.all().find(|key| key.name == name);
        debug_assert!(key.is_some(), "`{name}` is no key of {}", self.shape.title);
        let entry = self.entries.iter().find(|entry| entry.key.value == name)?;
        Some(Field { entry, key: key? })
    }

    /// Whether a key is there under a name that is refused, and its message says what was meant.
    pub(super) fn has_misspelt(&self, name: &str) -> bool {
        let refused = self.entries.iter().filter(|entry| !self.shape.has(&entry.key.value));
        refused.map(|entry| self.shape.meant(&entry.key.value)).any(|meant| meant == Some(name))
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The whole map.
    pub(super) fn span(&self) -> Span {
        self.span
    }
}

impl<'a> Field<'a> {
    /// The key as it is written.
    pub(super) fn name(&self) -> &'static str {
        self.key.name
    }

    /// The value.
    pub(super) fn node(&self) -> &'a Node {
        &self.entry.value
    }

    /// The place of the value.
    pub(super) fn span(&self) -> Span {
        self.entry.value.span
    }

    /// The place of the key.
    pub(super) fn key_span(&self) -> Span {
        self.entry.key.span
    }

    /// How the key is written right.
    pub(super) fn example(&self) -> String {
        format!("write `{}: {}`", self.key.name, self.key.example)
    }
}

impl Decoder {
    /// Opens the map of a value: `None`, if it is none, and that is reported.
    pub(super) fn open_node<'a>(
        &mut self,
        node: &'a Node,
        shape: &'static Shape,
    ) -> Option<Fields<'a>> {
        match &node.value {
            Value::Map(entries) => Some(self.open(entries, node.span, shape)),
            Value::Broken => None,
            _ => {
                let keys = listed(shape.all().map(|key| key.name));
                let message = format!("{} is a map, not {}", shape.title, node.kind());
                self.error(Code::WrongType, node.span, message, format!("its keys are {keys}"));
                None
            }
        }
    }

    /// Opens a map: reports keys that do not belong there, and those that are missing.
    pub(super) fn open<'a>(
        &mut self,
        entries: &'a [Entry],
        span: Span,
        shape: &'static Shape,
    ) -> Fields<'a> {
        for entry in entries.iter().filter(|entry| !shape.has(&entry.key.value)) {
            self.refuse_key(entry, shape);
        }
        let fields = Fields { shape, entries, span };
        let later = entries.iter().any(|entry| shape.later.contains(&entry.key.value.as_str()));
        let complete = !later && (!self.defaults || shape.merges == Merges::Never);
        for key in shape.all().filter(|key| key.required && complete) {
            let is_there = entries.iter().any(|entry| entry.key.value == key.name);
            if !is_there && !fields.has_misspelt(key.name) {
                let place = entries.first().map_or(span, |entry| entry.key.span);
                let message = format!("{} needs `{}`", shape.title, key.name);
                self.error(
                    Code::MissingKey,
                    place,
                    message,
                    format!("write `{}: {}`", key.name, key.example),
                );
            }
        }
        fields
    }

    fn refuse_key(&mut self, entry: &Entry, shape: &'static Shape) {
        let name = entry.key.value.as_str();
        let span = entry.key.span;
        if name == "extends" && shape.has("base") {
            let help = "the word is reserved for defaults of an organisation; remove it";
            return self.error(Code::NotYet, span, "`extends` is not there yet", help);
        }
        if shape.later.contains(&name) {
            let help = format!("a later release has it; for now {}", without(name));
            return self.error(
                Code::NotYet,
                span,
                format!("{} is not there yet", quoted(name)),
                help,
            );
        }
        if entry.bare {
            let message = format!(
                "{} is a key without a value: a comma ends the text before it",
                quoted(name)
            );
            return self.error(Code::Quoting, span, message, "put text with a comma in quotes");
        }
        let message = format!("{} is not a key of {}", quoted(name), shape.title);
        let instead = shape.instead(name);
        let keys = listed(shape.all().map(|key| key.name));
        let help = match (instead, shape.meant(name)) {
            (Some(instead), _) => instead.to_owned(),
            (None, Some(meant)) => format!("did you mean `{meant}`? its keys are {keys}"),
            (None, None) => format!("its keys are {keys}"),
        };
        self.error(Code::UnknownKey, span, message, help);
    }

    /// Reports a value of the wrong kind.
    pub(super) fn wrong_type(&mut self, field: &Field<'_>, expected: &str) {
        let (code, name) = (Code::WrongType, field.name());
        match field.node().value {
            Value::Broken => {}
            Value::Null => {
                let help = format!("{}, or leave it out", field.example());
                self.error(code, field.key_span(), format!("`{name}` has no value"), help);
            }
            _ => {
                let message = format!("`{name}` takes {expected}, not {}", field.node().kind());
                self.error(code, field.span(), message, field.example());
            }
        }
    }

    /// Reports an item of the wrong kind in a list.
    pub(super) fn wrong_item(&mut self, field: &Field<'_>, item: &Node, expected: &str) {
        let name = field.name();
        let message = format!("an item of `{name}` is {expected}, not {}", item.kind());
        let help = match (&item.value, split_text(item)) {
            (Value::Broken, _) => return,
            (_, Some(text)) => format!("quote it: \"{text}\""),
            (Value::Null, None) => "write the text; `null` and `~` as text need quotes".to_owned(),
            (_, None) => field.example(),
        };
        self.error(Code::WrongType, item.span, message, help);
    }
}

/// `a: b` that was meant as text.
fn split_text(item: &Node) -> Option<String> {
    let Value::Map(entries) = &item.value else { return None };
    let [entry] = entries.as_slice() else { return None };
    let value = entry.value.scalar()?;
    Some(format!("{}: {}", entry.key.value, value.text))
}

/// What to do without a key that is not there yet.
fn without(name: &str) -> &'static str {
    match name {
        "init" => "do such work in the app itself, or in a container that runs before it",
        "libs" => "copy the libraries that the program needs by their paths",
        "http" | "https" | "port" | "headers" | "insecure" => {
            "write `run` with a program of the image as a list"
        }
        _ => "leave it out",
    }
}
