//! Positioned tree → [`Spec`]. Written by hand, since keys have several forms and every value keeps
//! its place; all mistakes are collected, and what is wrong is left out of the result, so that the
//! later checks can still look at the rest.
//!
//! Every map is opened through [`fields::Fields`], which knows the valid keys from `language`.

mod app;
mod arguments;
mod command;
mod fields;
mod harden;
mod merge;
mod mounts;
mod place;
mod scalars;
mod stages;
mod steps;
mod testing;

use self::fields::Fields;
use super::language;
use super::model::{App, Policy, Spec};
use super::tree::{Entry, Node, Value};
use super::value::reference;
use crate::diagnostic::{Code, Diagnostic, Span, Text};
use crate::words::quoted;

/// How many apps a file may have; each repeats the defaults.
const MAX_APPS: usize = 50;
/// How many values the apps may have together after the defaults are merged in.
const MAX_MERGED: usize = 100_000;

/// Decodes a file. The spec is complete only if there are no problems.
pub(super) fn decode(root: &Node) -> (Spec, Vec<Diagnostic>) {
    let mut decoder = Decoder::default();
    let spec = decoder.file(root);
    (spec, decoder.problems)
}

/// Decodes the file of a policy. It is complete only if there are no problems.
pub(super) fn decode_policy(root: &Node) -> (Policy, Vec<Diagnostic>) {
    let mut decoder = Decoder::default();
    let policy = decoder.policy(root);
    (policy, decoder.problems)
}

/// Collects mistakes while it reads.
#[derive(Debug, Default)]
struct Decoder {
    problems: Vec<Diagnostic>,
    /// Whether defaults are read, which the apps may complete.
    defaults: bool,
}

impl Decoder {
    fn report(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    fn error(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.report(Diagnostic::error(code, span, message).help(help));
    }

    /// Reports what a check of `value` found.
    fn check(&mut self, result: Result<(), Diagnostic>) {
        if let Err(problem) = result {
            self.report(problem);
        }
    }

    fn file(&mut self, root: &Node) -> Spec {
        let mut spec = Spec {
            args: Vec::new(),
            registry: None,
            base: None,
            workdir: None,
            stages: Vec::new(),
            apps: Vec::new(),
            named_apps: false,
        };
        let Value::Map(entries) = &root.value else {
            self.refuse_root(root);
            return spec;
        };
        let fields = self.open(entries, root.span, &language::FILE);
        spec.args = fields.get("args").map(|field| self.arguments(&field)).unwrap_or_default();
        spec.registry = fields.get("registry").and_then(|field| self.text(&field));
        spec.stages = fields.get("build").map(|field| self.stages(&field)).unwrap_or_default();
        let apps = fields.get("apps");
        spec.named_apps = apps.is_some();
        // With `apps` the top level holds defaults; they are read alone too, for a mistake in one
        // that every app replaces.
        self.defaults = spec.named_apps;
        let defaults = self.app(&Text::new("app".to_owned(), root.span), &fields, root.span);
        self.defaults = false;
        spec.base = fields.get("base").map(|_| defaults.base.clone());
        spec.workdir.clone_from(&defaults.workdir);
        spec.apps = match apps {
            Some(apps) => self.apps(&apps, entries),
            None => vec![self.finish_app(defaults, fields.get("base").is_some())],
        };
        if fields.get("build").is_some() {
            self.require_images(&spec, &fields);
        }
        spec
    }

    fn refuse_root(&mut self, root: &Node) {
        let dockerfile = root.scalar().is_some_and(|scalar| {
            let text = scalar.text.trim_start().to_ascii_lowercase();
            text.starts_with("from ") || text.starts_with("arg ")
        });
        let help = if dockerfile {
            "this looks like a Dockerfile, which the same syntax line builds as it is; a spec starts with \
             `base: NAME:TAG`"
        } else {
            "a spec has keys, such as `base: node:24` and `entrypoint: [node, server.js]`"
        };
        match &root.value {
            Value::Broken => {}
            Value::Null => self.error(Code::Empty, Span::START, "the file holds no spec", help),
            _ => self.error(
                Code::WrongType,
                root.span,
                format!("a spec is a map, not {}", root.kind()),
                help,
            ),
        }
    }

    fn apps(&mut self, apps: &fields::Field<'_>, defaults: &[Entry]) -> Vec<App> {
        let Some(entries) = self.map(apps) else { return Vec::new() };
        if entries.is_empty() {
            let help = "write at least one app, such as `server: {entrypoint: [node, server.js]}`";
            self.error(Code::InvalidValue, apps.span(), "`apps` is empty", help);
        }
        if entries.len() > MAX_APPS {
            let message = format!("{} apps in one file; there may be {MAX_APPS}", entries.len());
            self.error(Code::TooLarge, apps.span(), message, "split the file");
            return Vec::new();
        }
        let defaults: Vec<&Entry> =
            defaults.iter().filter(|entry| language::APP.has(&entry.key.value)).collect();
        let mut budget = MAX_MERGED;
        let mut decoded = Vec::new();
        for entry in entries {
            self.check(reference::name(&entry.key));
            let Some(merged) = self.merge(&defaults, entry) else { continue };
            let size = merged.iter().map(|entry| entry.value.size()).sum::<usize>();
            let Some(rest) = budget.checked_sub(size) else {
                let message = format!(
                    "the apps have more than {MAX_MERGED} values together with their defaults"
                );
                self.error(Code::TooLarge, entry.key.span, message, "split the file");
                break;
            };
            budget = rest;
            let span = Span {
                start: entry.key.span.start,
                end: entry.value.span.end.max(entry.key.span.end),
            };
            let fields = self.open(&merged, span, &language::APP);
            let app = self.app(&entry.key, &fields, span);
            decoded.push(self.finish_app(app, fields.get("base").is_some()));
        }
        decoded
    }

    /// With a `build` there must be an `image`.
    fn require_images(&mut self, spec: &Spec, file: &Fields<'_>) {
        let last = spec.stages.last().map_or("build", |stage| stage.name.value.as_str()).to_owned();
        let help = format!(
            "nothing of a stage ships unless it is copied: write `image:` with `- {{copy: ., from: {last}}}`"
        );
        let apps_without: Vec<(String, Span)> = spec
            .apps
            .iter()
            .filter(|app| !app.image_written)
            .map(|app| (app.name.value.clone(), app.name.span))
            .collect();
        if spec.named_apps {
            for (name, span) in apps_without {
                self.error(
                    Code::MissingKey,
                    span,
                    format!("the app {} has no `image`", quoted(&name)),
                    help.clone(),
                );
            }
        } else if !apps_without.is_empty() {
            let span = file.get("build").map_or(file.span(), |build| build.key_span());
            self.error(Code::MissingKey, span, "there is a `build`, but no `image`", help);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
