//! What a `run` gets besides its file system: `cache`, `secret`, `ssh`, `bind`.

use super::super::language::{self, Shape};
use super::super::model::{Bind, Cache, Secret, Sharing, Ssh};
use super::super::template::is_name;
use super::super::tree::{Node, Value};
use super::super::value::path;
use super::Decoder;
use super::fields::{Field, Fields};
use super::scalars::text_of;
use crate::diagnostic::{Code, Diagnostic, Text};
use crate::words::{nearest, quoted};

impl Decoder {
    /// `cache`: a path, a map, or a list of them.
    pub(super) fn caches(&mut self, field: &Field<'_>) -> Vec<Cache> {
        let mut caches = Vec::new();
        for item in one_or_more(field) {
            let cache = match text_of(item) {
                Some(path) => {
                    self.check_closed(&path, path::below_root);
                    Some(Cache { path, id: None, sharing: Sharing::Shared })
                }
                None => self
                    .open_item(field, item, &language::CACHE)
                    .and_then(|fields| self.cache(&fields)),
            };
            caches.extend(cache);
        }
        self.refuse_empty(field);
        caches
    }

    fn cache(&mut self, fields: &Fields<'_>) -> Option<Cache> {
        let path = fields.get("path").and_then(|field| self.checked_text(&field, path::below_root));
        let id = fields.get("id").and_then(|field| self.checked_text(&field, id_of_mount));
        let sharing =
            fields.get("sharing").and_then(|field| self.sharing(&field)).unwrap_or_default();
        Some(Cache { path: path?, id, sharing })
    }

    fn sharing(&mut self, field: &Field<'_>) -> Option<Sharing> {
        let text = self.text(field)?;
        match text.value.as_str() {
            "shared" => return Some(Sharing::Shared),
            "private" => return Some(Sharing::Private),
            "locked" => return Some(Sharing::Locked),
            _ => {}
        }
        let words = ["shared", "private", "locked"];
        let meant = nearest(&text.value, words)
            .map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
        let message = format!("{} is not a way to share a cache", quoted(&text.value));
        self.error(
            Code::InvalidValue,
            text.span,
            message,
            format!("{meant}write `shared`, `private` or `locked`"),
        );
        None
    }

    /// `secret`: an id, a map, or a list of them.
    pub(super) fn secrets(&mut self, field: &Field<'_>) -> Vec<Secret> {
        let mut secrets = Vec::new();
        for item in one_or_more(field) {
            let secret = match text_of(item) {
                Some(id) => {
                    self.check_closed(&id, secret_id);
                    Some(Secret { id, env: None, target: None, optional: false })
                }
                None => self
                    .open_item(field, item, &language::SECRET)
                    .and_then(|fields| self.secret(&fields)),
            };
            secrets.extend(secret);
        }
        self.refuse_empty(field);
        secrets
    }

    fn secret(&mut self, fields: &Fields<'_>) -> Option<Secret> {
        let id = fields.get("id").and_then(|field| self.checked_text(&field, secret_id));
        let env = fields.get("env").and_then(|field| self.checked_text(&field, variable_name));
        let target =
            fields.get("target").and_then(|field| self.checked_text(&field, path::below_root));
        let optional = self.is_set(fields, "optional");
        Some(Secret { id: id?, env, target, optional })
    }

    /// `ssh`: `true`, an id, or a list of ids.
    pub(super) fn ssh(&mut self, field: &Field<'_>) -> Vec<Ssh> {
        match field.node().scalar() {
            Some(scalar) if scalar.plain && scalar.text == "true" => {
                vec![Ssh { id: Text::new("default".to_owned(), field.span()) }]
            }
            Some(scalar) if scalar.plain && scalar.text == "false" => Vec::new(),
            _ => self.texts(field, id_of_mount).into_iter().map(|id| Ssh { id }).collect(),
        }
    }

    /// `bind`: a map, or a list of maps.
    pub(super) fn binds(&mut self, field: &Field<'_>) -> Vec<Bind> {
        let mut binds = Vec::new();
        for item in one_or_more(field) {
            if let Some(text) = text_of(item) {
                let message = "a bind mount is a map, not text";
                let help = format!("write `{{source: {}}}`", crate::words::as_yaml(&text.value));
                self.error(Code::WrongType, item.span, message, help);
                continue;
            }
            let Some(fields) = self.open_item(field, item, &language::BIND) else { continue };
            if fields.is_empty() {
                self.error(
                    Code::MissingKey,
                    item.span,
                    "an empty bind mount",
                    "write `{source: .}` for the whole build context",
                );
            }
            let from = fields.get("from").and_then(|field| self.text(&field));
            let check = if from.is_some() { path::any } else { path::in_context };
            let source = fields.get("source").and_then(|field| self.checked_text(&field, check));
            let target =
                fields.get("target").and_then(|field| self.checked_text(&field, path::below_root));
            binds.push(Bind { from, source, target, span: item.span });
        }
        self.refuse_empty(field);
        binds
    }

    /// Opens an item that stands alone or in a list.
    fn open_item<'a>(
        &mut self,
        field: &Field<'_>,
        item: &'a Node,
        shape: &'static Shape,
    ) -> Option<Fields<'a>> {
        match item.value {
            Value::Map(_) => return self.open_node(item, shape),
            _ if std::ptr::eq(item, field.node()) => {
                self.wrong_type(field, "text, a map, or a list of them");
            }
            _ => self.wrong_item(field, item, "text or a map"),
        }
        None
    }

    fn refuse_empty(&mut self, field: &Field<'_>) {
        if one_or_more(field).is_empty() {
            let message = format!("`{}` is empty", field.name());
            self.error(
                Code::InvalidValue,
                field.span(),
                message,
                format!("{}, or leave it out", field.example()),
            );
        }
    }
}

/// The items of a list, or the value itself.
pub(super) fn one_or_more<'a>(field: &Field<'a>) -> &'a [Node] {
    match &field.node().value {
        Value::List(items) => items,
        _ => std::slice::from_ref(field.node()),
    }
}

/// Ids become parts of options and paths: `--secret id=ID,src=…`, /run/secrets/ID.
fn secret_id(text: &Text) -> Result<(), Diagnostic> {
    id_of_mount(text)?;
    if matches!(text.value.as_str(), "." | "..") || text.value.contains('/') {
        let message = format!("{} is not an id", quoted(&text.value));
        return Err(Diagnostic::error(Code::InvalidValue, text.span, message).help(
            "write the id that `--secret id=ID` gives, and the path of the file behind `target`",
        ));
    }
    Ok(())
}

fn id_of_mount(text: &Text) -> Result<(), Diagnostic> {
    let wrong = |character: char| {
        character.is_whitespace() || character.is_control() || matches!(character, ',' | '=')
    };
    if text.value.is_empty() || text.value.contains(wrong) {
        let message = format!("{} is not an id", quoted(&text.value));
        return Err(Diagnostic::error(Code::InvalidValue, text.span, message)
            .help("write a word without blanks, commas and `=`"));
    }
    Ok(())
}

fn variable_name(text: &Text) -> Result<(), Diagnostic> {
    if is_name(&text.value) {
        return Ok(());
    }
    let message = format!("{} is not the name of a variable", quoted(&text.value));
    Err(Diagnostic::error(Code::InvalidValue, text.span, message)
        .help("write a name such as `NPM_TOKEN`"))
}
