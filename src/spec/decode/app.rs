//! An app: the base, what is placed on it, and how it is started.

use super::super::language;
use super::super::model::{App, Base, Writable};
use super::super::tree::Value;
use super::super::value::{numbers, path, reference, runtime};
use super::Decoder;
use super::fields::{Field, Fields};
use super::mounts::one_or_more;
use super::scalars::text_of;
use crate::diagnostic::{Code, Span, Text};

impl Decoder {
    /// Reads the keys of an app; those that are missing are looked at by [`Self::finish_app`].
    pub(super) fn app(&mut self, name: &Text, fields: &Fields<'_>, span: Span) -> App {
        let image = fields.get("image");
        App {
            name: name.clone(),
            base: fields.get("base").and_then(|field| self.base(&field)).unwrap_or(Base::Pair {
                dev: None,
                runtime: None,
                span,
            }),
            workdir: fields.get("workdir").and_then(|field| self.checked_text(&field, path::any)),
            image: image.and_then(|field| self.image(&field)).unwrap_or_default(),
            image_written: image.is_some(),
            env: fields.get("env").map(|field| self.variables(&field)).unwrap_or_default(),
            writable: fields.get("writable").map(|field| self.writable(&field)).unwrap_or_default(),
            user: fields.get("user").and_then(|field| self.checked_text(&field, runtime::user)),
            entrypoint: fields.get("entrypoint").and_then(|field| self.command(&field)),
            cmd: fields.get("cmd").and_then(|field| self.command(&field)),
            expose: fields
                .get("expose")
                .map(|field| self.texts(&field, numbers::port))
                .unwrap_or_default(),
            labels: fields.get("labels").map(|field| self.variables(&field)).unwrap_or_default(),
            annotations: fields
                .get("annotations")
                .map(|field| self.variables(&field))
                .unwrap_or_default(),
            stopsignal: fields
                .get("stopsignal")
                .and_then(|field| self.checked_text(&field, runtime::signal)),
            volumes: fields
                .get("volumes")
                .map(|field| self.texts(&field, path::below_root))
                .unwrap_or_default(),
            platforms: fields
                .get("platforms")
                .map(|field| self.texts(&field, runtime::platform))
                .unwrap_or_default(),
            healthcheck: fields.get("healthcheck").and_then(|field| self.healthcheck(&field)),
            tests: fields.get("test").map(|field| self.tests(&field)).unwrap_or_default(),
            harden: fields.get("harden").map(|field| self.harden(&field)).unwrap_or_default(),
            span,
        }
    }

    /// What an app must have, defaults included.
    pub(super) fn finish_app(&mut self, app: App, has_base: bool) -> App {
        if !has_base {
            let help = "write `base: NAME:TAG`, such as `base: node:24`: it builds in dhi.io/node:24-dev and ships on dhi.io/node:24";
            let message = format!("there is no `base`{}", of_app(&app));
            let start = app.name.span.start;
            // Of a file without `apps`, the first key: the app is all of the file.
            let span = if app.name.span == app.span {
                Span::at(start.line, start.column)
            } else {
                app.name.span
            };
            self.error(Code::MissingKey, span, message, help);
        }
        let command = app.entrypoint.as_ref().or(app.cmd.as_ref());
        if let Some(command) = command {
            self.refuse_shell(command);
        }
        app
    }

    fn base(&mut self, field: &Field<'_>) -> Option<Base> {
        if !matches!(field.node().value, Value::Map(_)) {
            return self.checked_text(field, reference::image).map(Base::Name);
        }
        let fields = self.open_node(field.node(), &language::PAIR)?;
        if fields.is_empty() {
            self.error(Code::MissingKey, field.span(), "`base` is empty", field.example());
        }
        let dev = fields.get("dev").and_then(|field| self.checked_text(&field, reference::image));
        let runtime =
            fields.get("runtime").and_then(|field| self.checked_text(&field, reference::image));
        Some(Base::Pair { dev, runtime, span: field.span() })
    }

    fn image(&mut self, field: &Field<'_>) -> Option<Vec<super::super::model::Place>> {
        if let Value::List(items) = &field.node().value {
            return Some(self.places(items));
        }
        if let Value::Scalar(scalar) = &field.node().value {
            let help = format!(
                "write `image: [{{copy: {}}}]`; the name of the image is given with `--tag`",
                crate::words::as_yaml(&scalar.text)
            );
            self.error(
                Code::WrongType,
                field.span(),
                "`image` takes a list of what is placed, not text",
                help,
            );
            return None;
        }
        self.wrong_type(field, "a list of what is placed");
        None
    }

    fn writable(&mut self, field: &Field<'_>) -> Vec<Writable> {
        let mut writable = Vec::new();
        for item in one_or_more(field) {
            if let Some(path) = text_of(item) {
                self.check_closed(&path, path::below_root);
                writable.push(Writable { path, mode: None, group: None });
                continue;
            }
            match &item.value {
                Value::Map(_) => {
                    let Some(fields) = self.open_node(item, &language::WRITABLE) else { continue };
                    let path = fields
                        .get("path")
                        .and_then(|field| self.checked_text(&field, path::below_root));
                    let mode = fields.get("mode").and_then(|field| self.mode(&field));
                    let group = fields
                        .get("group")
                        .and_then(|field| self.checked_text(&field, runtime::group));
                    writable.extend(path.map(|path| Writable { path, mode, group }));
                }
                _ if std::ptr::eq(item, field.node()) => {
                    self.wrong_type(field, "a path, a map, or a list of them");
                }
                _ => self.wrong_item(field, item, "a path or a map"),
            }
        }
        if one_or_more(field).is_empty() {
            self.error(
                Code::InvalidValue,
                field.span(),
                "`writable` is empty",
                format!("{}, or leave it out", field.example()),
            );
        }
        writable
    }
}

fn of_app(app: &App) -> String {
    if app.name.span == app.span {
        String::new()
    } else {
        format!(" for the app {}", crate::words::quoted(&app.name.value))
    }
}
