//! `build`: a list of steps, one stage with options, or a map of stages.

use super::super::language;
use super::super::model::{Base, Stage};
use super::super::tree::{Entry, Node, Value};
use super::super::value::{path, reference};
use super::Decoder;
use super::fields::Field;
use super::steps::STEP_WORDS;
use crate::diagnostic::{Code, Located, Span, Text};
use crate::words::quoted;

impl Decoder {
    /// All stages of a file.
    pub(super) fn stages(&mut self, build: &Field<'_>) -> Vec<Stage> {
        let name = Text::new("build".to_owned(), build.key_span());
        match &build.node().value {
            Value::List(_) => vec![self.stage(&name, build.node(), build)],
            Value::Map(entries) if entries.iter().any(|entry| is_option(&entry.key.value)) => {
                vec![self.stage(&name, build.node(), build)]
            }
            Value::Map(entries) => self.named_stages(entries, build),
            Value::Scalar(scalar) => {
                let message = "`build` takes steps, not text";
                let help = format!(
                    "write `build: [{{run: {}}}]`",
                    crate::words::as_yaml(scalar.text.trim())
                );
                self.error(Code::WrongType, build.span(), message, help);
                Vec::new()
            }
            Value::Null | Value::Broken => {
                self.wrong_type(build, "steps");
                Vec::new()
            }
        }
    }

    fn named_stages(&mut self, entries: &[Entry], build: &Field<'_>) -> Vec<Stage> {
        if entries.is_empty() {
            self.error(
                Code::InvalidValue,
                build.span(),
                "`build` is empty",
                format!("{}, or leave it out", build.example()),
            );
        }
        let mut stages = Vec::new();
        for entry in entries {
            let step = STEP_WORDS.contains(&entry.key.value.as_str());
            if step && !matches!(entry.value.value, Value::List(_) | Value::Map(_)) {
                let message =
                    format!("{} is a step, not the name of a stage", quoted(&entry.key.value));
                let help = format!("steps are a list: write `- {}: …`", entry.key.value);
                self.error(Code::WrongType, entry.key.span, message, help);
                continue;
            }
            self.check(reference::name(&entry.key));
            stages.push(self.stage(&entry.key, &entry.value, build));
        }
        stages
    }

    /// One stage in either form.
    fn stage(&mut self, name: &Text, node: &Node, build: &Field<'_>) -> Stage {
        let mut stage = Stage {
            name: name.clone(),
            base: None,
            on_build_platform: None,
            workdir: None,
            env: Vec::new(),
            cache: Vec::new(),
            steps: Vec::new(),
            span: Span { start: name.span.start, end: node.span.end.max(name.span.end) },
        };
        match &node.value {
            Value::List(items) => {
                if items.is_empty() {
                    let message = format!("the stage {} has no steps", quoted(&name.value));
                    self.error(
                        Code::InvalidValue,
                        node.span,
                        message,
                        "write a step, or remove the stage",
                    );
                }
                stage.steps = self.steps(items);
            }
            Value::Map(_) => self.stage_options(&mut stage, node),
            Value::Broken => {}
            Value::Null | Value::Scalar(_) => {
                let message =
                    format!("the stage {} takes steps, not {}", quoted(&name.value), node.kind());
                let span = if node.value == Value::Null { name.span } else { node.span };
                let help = match node.scalar() {
                    Some(scalar) => format!(
                        "write `{}: [{{run: {}}}]`",
                        name.value,
                        crate::words::as_yaml(scalar.text.trim())
                    ),
                    None => build.example(),
                };
                self.error(Code::WrongType, span, message, help);
            }
        }
        stage
    }

    fn stage_options(&mut self, stage: &mut Stage, node: &Node) {
        let Some(fields) = self.open_node(node, &language::STAGE) else { return };
        stage.base = fields.get("base").and_then(|field| self.stage_base(&field));
        stage.on_build_platform =
            fields.get("platform").and_then(|field| self.build_platform(&field));
        stage.workdir =
            fields.get("workdir").and_then(|field| self.checked_text(&field, path::any));
        stage.env = fields.get("env").map(|field| self.variables(&field)).unwrap_or_default();
        stage.cache = fields.get("cache").map(|field| self.caches(&field)).unwrap_or_default();
        let Some(steps) = fields.get("steps") else { return };
        match &steps.node().value {
            Value::List(items) => stage.steps = self.steps(items),
            _ => self.wrong_type(&steps, "a list of steps"),
        }
    }

    fn stage_base(&mut self, field: &Field<'_>) -> Option<Base> {
        if let Value::Map(_) = field.node().value {
            let message = "the `base` of a stage is one name, not a pair";
            self.error(
                Code::WrongType,
                field.span(),
                message,
                "write the image that the stage runs in: `base: golang:1`",
            );
            return None;
        }
        self.checked_text(field, reference::image).map(Base::Name)
    }

    fn build_platform(&mut self, field: &Field<'_>) -> Option<Located<bool>> {
        let text = self.text(field)?;
        if text.value == "build" {
            return Some(Located::new(true, text.span));
        }
        let message = format!("{} is not a platform for a stage", quoted(&text.value));
        let help = "write `platform: build` for the builder's own, or leave it out: then the stage runs once for each target platform";
        self.error(Code::InvalidValue, text.span, message, help);
        None
    }
}

/// Whether a key says that `build` is one stage with options.
fn is_option(name: &str) -> bool {
    language::STAGE.has(name)
}
