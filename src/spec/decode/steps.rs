//! Steps of stages and of images: which one an item is, and `run` and `packages`.

use super::super::language;
use super::super::model::{Command, Place, Run, Step};
use super::super::template::is_name;
use super::super::tree::{Entry, Node, Value};
use super::super::value::path;
use super::Decoder;
use super::fields::{Field, Fields};
use super::scalars::text_of;
use crate::diagnostic::{Code, Diagnostic, Located, Span, Text};
use crate::words::{as_yaml, listed, nearest, quoted};

/// The words that make a step.
pub(super) const STEP_WORDS: &[&str] =
    &["run", "copy", "add", "write", "mkdir", "link", "packages"];
/// Those that only place files.
const PLACE_WORDS: &[&str] = &["copy", "add", "write", "mkdir", "link"];

impl Decoder {
    /// The steps of a stage.
    pub(super) fn steps(&mut self, items: &[Node]) -> Vec<Step> {
        let mut steps = Vec::new();
        for item in items {
            let Some((word, entries)) = self.step_word(item, STEP_WORDS) else { continue };
            let step = match word {
                "run" => {
                    let fields = self.open(entries, item.span, &language::RUN);
                    self.run(&fields).map(Step::Run)
                }
                "packages" => {
                    let fields = self.open(entries, item.span, &language::PACKAGES);
                    fields.get("packages").map(|field| {
                        let names = self.texts(&field, package_name);
                        Step::Packages { names, span: item.span }
                    })
                }
                word => self.place(word, entries, item.span).map(Step::Place),
            };
            steps.extend(step);
        }
        steps
    }

    /// The items of an image.
    pub(super) fn places(&mut self, items: &[Node]) -> Vec<Place> {
        let mut places = Vec::new();
        for item in items {
            let Some((word, entries)) = self.step_word(item, PLACE_WORDS) else { continue };
            places.extend(self.place(word, entries, item.span));
        }
        places
    }

    /// The one word that says which step an item is.
    fn step_word<'a>(
        &mut self,
        item: &'a Node,
        allowed: &[&'static str],
    ) -> Option<(&'static str, &'a [Entry])> {
        let in_image = !allowed.contains(&"run");
        let Value::Map(entries) = &item.value else {
            self.refuse_item(item, in_image);
            return None;
        };
        let word_of =
            |entry: &Entry| STEP_WORDS.iter().copied().find(|word| *word == entry.key.value);
        let words: Vec<(&'static str, Span)> =
            entries.iter().filter_map(|entry| Some((word_of(entry)?, entry.key.span))).collect();
        match words.as_slice() {
            [] => {
                self.refuse_step_without_word(item, entries, allowed);
                None
            }
            [(word, _)] if allowed.contains(word) => Some((*word, entries)),
            [(word, span)] => {
                self.refuse_in_image(word, *span);
                None
            }
            [(first, _), (second, span), ..] => {
                self.error(
                    Code::ConflictingKeys,
                    *span,
                    format!("`{first}` and `{second}` in one step"),
                    both_words(first, second),
                );
                None
            }
        }
    }

    /// `run` and `packages`, which only stages have.
    fn refuse_in_image(&mut self, word: &str, span: Span) {
        if word == "run" {
            let message = "`run` in an image: nothing runs there, since there is no shell";
            let help =
                "write it as a step of `build`, and copy what it makes: `- {copy: ., from: build}`";
            return self.error(Code::RunInImage, span, message, help);
        }
        let help = "a later release has it; for now install it in a stage, and copy the files that are needed";
        self.error(Code::NotYet, span, format!("`{word}` in an image is not there yet"), help);
    }

    fn refuse_item(&mut self, item: &Node, in_image: bool) {
        let word = if in_image { "copy" } else { "run" };
        let help = match item.scalar() {
            Some(scalar) => format!("write `- {word}: {}`", as_yaml(scalar.text.trim())),
            None => format!("write `- {word}: …`"),
        };
        if item.value != Value::Broken {
            self.error(
                Code::WrongType,
                item.span,
                format!("a step is a map, not {}", item.kind()),
                help,
            );
        }
    }

    fn refuse_step_without_word(
        &mut self,
        item: &Node,
        entries: &[Entry],
        allowed: &[&'static str],
    ) {
        let steps = listed(allowed.iter().copied());
        let Some(first) = entries.first() else {
            return self.error(
                Code::MissingKey,
                item.span,
                "an empty step",
                format!("the steps are {steps}"),
            );
        };
        let meant = entries
            .iter()
            .find_map(|entry| Some((entry, nearest(&entry.key.value, allowed.iter().copied())?)));
        let (entry, help) = match meant {
            Some((entry, meant)) => {
                (entry, format!("did you mean `{meant}`? the steps are {steps}"))
            }
            None if first.key.value.contains(' ') => {
                let command = first
                    .value
                    .scalar()
                    .map_or(String::new(), |scalar| format!(": {}", scalar.text));
                (
                    first,
                    format!(
                        "a command is written `- run: …`, in quotes where it has a `: `: `- run: \"{}{command}\"`",
                        first.key.value
                    ),
                )
            }
            None => (first, format!("the steps are {steps}")),
        };
        let message = format!("{} is not a step", quoted(&entry.key.value));
        self.error(Code::UnknownKey, entry.key.span, message, help);
    }

    fn run(&mut self, fields: &Fields<'_>) -> Option<Run> {
        let command = self.command_of_run(&fields.get("run")?);
        let run = Run {
            command: command.unwrap_or(Command::Script(Text::new(String::new(), fields.span()))),
            cache: fields.get("cache").map(|field| self.caches(&field)).unwrap_or_default(),
            secrets: fields.get("secret").map(|field| self.secrets(&field)).unwrap_or_default(),
            ssh: fields.get("ssh").map(|field| self.ssh(&field)).unwrap_or_default(),
            binds: fields.get("bind").map(|field| self.binds(&field)).unwrap_or_default(),
            tmpfs: fields
                .get("tmpfs")
                .map(|field| self.texts(&field, path::below_root))
                .unwrap_or_default(),
            env: fields.get("env").map(|field| self.variables(&field)).unwrap_or_default(),
            workdir: fields.get("workdir").and_then(|field| self.checked_text(&field, path::any)),
            args: fields
                .get("args")
                .map(|field| self.texts(&field, argument_name))
                .unwrap_or_default(),
            no_network: fields.get("network").is_some_and(|field| self.no_network(&field)),
            span: fields.span(),
        };
        Some(run)
    }

    fn command_of_run(&mut self, field: &Field<'_>) -> Option<Command> {
        if let Value::List(items) = &field.node().value {
            let items = self.items(field, items);
            return Some(Command::Exec(Located::new(items, field.span())));
        }
        let Some(text) = text_of(field.node()) else {
            self.wrong_type(field, "text or a list");
            return None;
        };
        if text.value.trim().is_empty() {
            self.error(Code::InvalidValue, text.span, "`run` is empty", field.example());
        }
        Some(Command::Script(text))
    }

    fn no_network(&mut self, field: &Field<'_>) -> bool {
        let Some(text) = self.text(field) else { return false };
        if text.value != "none" {
            let message = format!("{} is not a network for a run", quoted(&text.value));
            self.error(
                Code::InvalidValue,
                text.span,
                message,
                "write `network: none`, or leave it out: runs have network",
            );
        }
        true
    }
}

/// Two step words in one item.
fn both_words(first: &str, second: &str) -> String {
    match (first, second) {
        ("copy" | "add", "link") | ("link", "copy" | "add") => {
            "files are always placed as with `--link`; a symbolic link is a step of its own: `- {link: TARGET, to: PATH}`".to_owned()
        }
        _ => format!("write two steps: `- {first}: …` and `- {second}: …`"),
    }
}

fn package_name(text: &Text) -> Result<(), Diagnostic> {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "+-._:=~*/@<>".contains(character);
    let name = text.value.as_str();
    if name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.chars().all(plain) {
        return Ok(());
    }
    let help = if name.contains(char::is_whitespace) {
        format!(
            "write a list: `packages: [{}]`",
            name.split_whitespace().collect::<Vec<_>>().join(", ")
        )
    } else {
        "write the names of packages, such as `libpq-dev`".to_owned()
    };
    Err(Diagnostic::error(
        Code::InvalidValue,
        text.span,
        format!("{} is not the name of a package", quoted(name)),
    )
    .help(help))
}

fn argument_name(text: &Text) -> Result<(), Diagnostic> {
    if is_name(&text.value) {
        return Ok(());
    }
    let message = format!("{} is no name of a build argument", quoted(&text.value));
    Err(Diagnostic::error(Code::InvalidValue, text.span, message)
        .help("write names that stand below `args`, such as `[GIT_SHA]`"))
}
