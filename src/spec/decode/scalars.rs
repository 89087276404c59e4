//! Values of one kind: text, lists of text, flags, modes, maps of variables.

use super::super::model::Variable;
use super::super::template::is_open;
use super::super::tree::{Entry, Node, Scalar, Value};
use super::super::value::numbers;
use super::Decoder;
use super::fields::Field;
use crate::diagnostic::{Code, Diagnostic, Located, Text};
use crate::words::quoted;

/// A check of `value`.
pub(super) type Check = fn(&Text) -> Result<(), Diagnostic>;

impl Decoder {
    /// Text.
    pub(super) fn text(&mut self, field: &Field<'_>) -> Option<Text> {
        let text = text_of(field.node());
        if text.is_none() {
            self.wrong_type(field, "text");
        }
        text
    }

    /// Text that is checked, unless an argument is still to be filled in.
    pub(super) fn checked_text(&mut self, field: &Field<'_>, check: Check) -> Option<Text> {
        let text = self.text(field)?;
        self.check_closed(&text, check);
        Some(text)
    }

    /// Checks a text, unless an argument is still to be filled in.
    pub(super) fn check_closed(&mut self, text: &Text, check: Check) {
        if !is_open(&text.value) {
            self.check(check(text));
        }
    }

    /// One text or a list of texts; empty lists are refused.
    pub(super) fn texts(&mut self, field: &Field<'_>, check: Check) -> Vec<Text> {
        let texts = match &field.node().value {
            Value::List(items) => self.items(field, items),
            _ => self.text(field).into_iter().collect(),
        };
        for text in &texts {
            self.check_closed(text, check);
        }
        texts
    }

    /// The texts of a list, which must not be empty.
    pub(super) fn items(&mut self, field: &Field<'_>, items: &[Node]) -> Vec<Text> {
        if items.is_empty() {
            let message = format!("`{}` is empty", field.name());
            self.error(
                Code::InvalidValue,
                field.span(),
                message,
                format!("{}, or leave it out", field.example()),
            );
        }
        let mut texts = Vec::new();
        for item in items {
            match text_of(item) {
                Some(text) => texts.push(text),
                None => self.wrong_item(field, item, "text"),
            }
        }
        texts
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, field: &Field<'_>) -> Option<Located<bool>> {
        let span = field.span();
        match field.node().scalar() {
            Some(Scalar { text, plain: true }) if text == "true" => Some(Located::new(true, span)),
            Some(Scalar { text, plain: true }) if text == "false" => {
                Some(Located::new(false, span))
            }
            Some(scalar) => {
                let quotes = if scalar.plain { "" } else { " in quotes" };
                let message = format!(
                    "`{}` is `true` or `false`, not {}{quotes}",
                    field.name(),
                    quoted(&scalar.text)
                );
                let help = match scalar.text.to_lowercase().as_str() {
                    "yes" | "on" | "true" | "1" => format!("write `{}: true`", field.name()),
                    "no" | "off" | "false" | "0" => format!("write `{}: false`", field.name()),
                    _ => format!("write `{}: true`, or leave it out", field.name()),
                };
                self.error(Code::WrongType, span, message, help);
                None
            }
            None => {
                self.wrong_type(field, "`true` or `false`");
                None
            }
        }
    }

    /// Octal permissions.
    pub(super) fn mode(&mut self, field: &Field<'_>) -> Option<Located<u32>> {
        let text = self.text(field)?;
        match numbers::mode(&text) {
            Ok(mode) => Some(Located::new(mode, text.span)),
            Err(problem) => {
                self.report(problem);
                None
            }
        }
    }

    /// A map with keys of the user's choice.
    pub(super) fn map<'a>(&mut self, field: &Field<'a>) -> Option<&'a [Entry]> {
        if let Value::Map(entries) = &field.node().value {
            return Some(entries);
        }
        self.wrong_type(field, "a map");
        None
    }

    /// `env`, `labels`, `annotations`.
    pub(super) fn variables(&mut self, field: &Field<'_>) -> Vec<Variable> {
        if let Some(help) = assignments(field.node()) {
            let message = format!("`{}` takes a map, not {}", field.name(), field.node().kind());
            self.error(Code::WrongType, field.span(), message, help);
            return Vec::new();
        }
        let Some(entries) = self.map(field) else { return Vec::new() };
        let mut variables = Vec::new();
        for entry in entries {
            self.check_variable_name(field, entry);
            match text_of(&entry.value) {
                Some(value) => variables.push(Variable { name: entry.key.clone(), value }),
                None => self.wrong_variable(entry),
            }
        }
        variables
    }

    fn check_variable_name(&mut self, field: &Field<'_>, entry: &Entry) {
        let name = entry.key.value.as_str();
        let blank = field.name() == "env" && name.contains(char::is_whitespace);
        if name.is_empty() || name.contains('=') || blank || name.chars().any(char::is_control) {
            let message = format!("{} is not a name in `{}`", quoted(name), field.name());
            self.error(Code::InvalidValue, entry.key.span, message, "write `NAME: value`");
        }
    }

    fn wrong_variable(&mut self, entry: &Entry) {
        let name = entry.key.value.as_str();
        let (span, message) = match entry.value.value {
            Value::Broken => return,
            Value::Null => (entry.key.span, format!("{} has no value", quoted(name))),
            _ => (
                entry.value.span,
                format!("{} takes text, not {}", quoted(name), entry.value.kind()),
            ),
        };
        self.error(
            Code::WrongType,
            span,
            message,
            format!("write `{name}: text`; nothing at all is written `\"\"`"),
        );
    }
}

/// The text of a node, if it is a scalar.
pub(super) fn text_of(node: &Node) -> Option<Text> {
    node.scalar().map(|scalar| Text::new(scalar.text.clone(), node.span))
}

/// `[A=b]` or `A=b`, as Dockerfiles and compose files write it.
fn assignments(node: &Node) -> Option<String> {
    let first = match &node.value {
        Value::List(items) => items.first()?.scalar()?,
        _ => node.scalar()?,
    };
    let (name, value) = first.text.split_once('=')?;
    Some(format!("write `{}: {}`", name.trim(), crate::words::as_yaml(value.trim())))
}
