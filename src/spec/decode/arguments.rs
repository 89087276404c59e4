//! `args`: `NAME: default`, `NAME:`, or `{default, values, description}`.

use super::super::language;
use super::super::model::Argument;
use super::super::template::{is_name, is_open};
use super::super::tree::{Entry, Value};
use super::Decoder;
use super::fields::Field;
use super::scalars::text_of;
use crate::diagnostic::{Code, Text};
use crate::spec::model::PLATFORM_NAMES;
use crate::words::{listed, nearest, quoted};

/// Beginnings that are options of the build.
const RESERVED: &[&str] = &["HARDPAN_", "BUILDKIT_"];

impl Decoder {
    /// The declarations of a file.
    pub(super) fn arguments(&mut self, field: &Field<'_>) -> Vec<Argument> {
        let Some(entries) = self.map(field) else { return Vec::new() };
        entries.iter().filter_map(|entry| self.argument(entry)).collect()
    }

    fn argument(&mut self, entry: &Entry) -> Option<Argument> {
        self.check_argument_name(&entry.key);
        let name = entry.key.clone();
        let mut argument = Argument { name, default: None, values: Vec::new(), description: None };
        match &entry.value.value {
            Value::Null | Value::Broken => {}
            Value::Scalar(_) => argument.default = text_of(&entry.value),
            Value::Map(_) => {
                let fields = self.open_node(&entry.value, &language::ARGUMENT)?;
                let default =
                    fields.get("default").filter(|field| field.node().value != Value::Null);
                argument.default = default.and_then(|field| self.text(&field));
                argument.values = fields
                    .get("values")
                    .map(|field| self.listed_values(&field))
                    .unwrap_or_default();
                argument.description =
                    fields.get("description").and_then(|field| self.text(&field));
            }
            Value::List(items) => {
                let values: Vec<String> =
                    items.iter().filter_map(|item| Some(item.scalar()?.text.clone())).collect();
                let message = format!(
                    "the build argument {} takes a default, not a list",
                    quoted(&entry.key.value)
                );
                let help = format!(
                    "write `{}: {{values: [{}]}}` for the values that are allowed",
                    entry.key.value,
                    values.join(", ")
                );
                self.error(Code::WrongType, entry.value.span, message, help);
            }
        }
        self.check_default(&argument);
        Some(argument)
    }

    fn listed_values(&mut self, field: &Field<'_>) -> Vec<Text> {
        if let Value::List(items) = &field.node().value {
            return self.items(field, items);
        }
        self.wrong_type(field, "a list");
        Vec::new()
    }

    fn check_argument_name(&mut self, name: &Text) {
        let written = name.value.as_str();
        if PLATFORM_NAMES.contains(&written) {
            let message = format!("{} is always declared", quoted(written));
            return self.error(
                Code::InvalidValue,
                name.span,
                message,
                "remove it; what BuildKit sets cannot have a default",
            );
        }
        if let Some(reserved) = RESERVED.iter().find(|reserved| written.starts_with(**reserved)) {
            let message = format!("{} is no name for a build argument", quoted(written));
            let help = format!(
                "names that start with `{reserved}` are options of the build; take another one"
            );
            return self.error(Code::InvalidValue, name.span, message, help);
        }
        if !is_name(written) {
            let message = format!("{} is no name for a build argument", quoted(written));
            self.error(
                Code::InvalidValue,
                name.span,
                message,
                "names have letters, digits and `_`, and start with no digit",
            );
        }
    }

    fn check_default(&mut self, argument: &Argument) {
        let Some(default) = argument.default.as_ref().filter(|default| !is_open(&default.value))
        else {
            return;
        };
        let values = || argument.values.iter().map(|value| value.value.as_str());
        if argument.values.is_empty() || values().any(|value| value == default.value) {
            return;
        }
        let message = format!(
            "the default {} is not among the values of {}",
            quoted(&default.value),
            quoted(&argument.name.value)
        );
        let help = match nearest(&default.value, values()) {
            Some(meant) => format!("did you mean `{meant}`? the values are {}", listed(values())),
            None => format!("the values are {}", listed(values())),
        };
        self.error(Code::ArgumentValue, default.span, message, help);
    }
}
