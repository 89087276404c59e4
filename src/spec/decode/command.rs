//! Exec lists: `entrypoint`, `cmd`, `healthcheck`. Text is refused with the list that it stands
//! for, and so is a shell that would have to be in the image.

use super::super::language;
use super::super::model::Healthcheck;
use super::super::shell::{self, Split};
use super::super::template::starts_variable;
use super::super::tree::Value;
use super::super::value::numbers;
use super::Decoder;
use super::fields::{Field, Fields};
use crate::diagnostic::{Code, Located, Text};
use crate::words::{as_yaml, quoted};

impl Decoder {
    /// An exec list.
    pub(super) fn command(&mut self, field: &Field<'_>) -> Option<Located<Vec<Text>>> {
        match &field.node().value {
            Value::List(items) => {
                let items = self.items(field, items);
                self.check_items(field, &items);
                Some(Located::new(items, field.span()))
            }
            Value::Scalar(scalar) => {
                let message = format!(
                    "`{}` is text, which a shell would have to split: the image has none",
                    field.name()
                );
                self.error(
                    Code::ShellForm,
                    field.span(),
                    message,
                    list_for(field.name(), &scalar.text),
                );
                None
            }
            _ => {
                self.wrong_type(field, "a list");
                None
            }
        }
    }

    fn check_items(&mut self, field: &Field<'_>, items: &[Text]) {
        if let Some(first) = items.first().filter(|first| first.value.trim().is_empty()) {
            let message = format!("the program of `{}` is empty", field.name());
            self.error(Code::InvalidValue, first.span, message, field.example());
        }
        for item in items {
            if item.value.contains('\0') {
                self.error(Code::InvalidValue, item.span, "a NUL byte in a command", "remove it");
            }
            if let Some(variable) = starts_variable(&item.value) {
                let message = format!(
                    "{} is not there yet: variables at start are part of the launcher",
                    quoted(variable)
                );
                let help = "a later release has it; for now the app reads its environment itself; `$$(` is text";
                self.error(Code::NotYet, item.span, message, help);
            }
        }
    }

    /// `[sh, -c, …]`: the shell would not be there.
    pub(super) fn refuse_shell(&mut self, command: &Located<Vec<Text>>) {
        let Some(first) = command.value.first() else { return };
        if !shell::is_shell(&first.value) {
            return;
        }
        let message = format!("{} is a shell, which the image does not have", quoted(&first.value));
        let script = match command.value.get(1..) {
            Some([option, script, ..])
                if option.value.starts_with('-') && option.value.ends_with('c') =>
            {
                Some(script)
            }
            _ => None,
        };
        let help = match script.map(|script| shell::split(&script.value)) {
            Some(Split::Words(words)) => format!("write the program itself: {}", flow_list(&words)),
            _ => "write the program itself as a list; what the script does before belongs into the app or into a stage".to_owned(),
        };
        self.error(Code::ShellForm, first.span, message, help);
    }

    /// `none`, an exec list, or a map with `run` and times.
    pub(super) fn healthcheck(&mut self, field: &Field<'_>) -> Option<Healthcheck> {
        match &field.node().value {
            Value::Scalar(scalar) if scalar.text == "none" => Some(Healthcheck::None(field.span())),
            Value::Scalar(scalar) if scalar.text.eq_ignore_ascii_case("none") => {
                self.error(
                    Code::InvalidValue,
                    field.span(),
                    format!("{} is not `none`", quoted(&scalar.text)),
                    "write `healthcheck: none`",
                );
                None
            }
            Value::Map(_) => {
                let fields = self.open_node(field.node(), &language::HEALTHCHECK)?;
                self.timed_check(&fields)
            }
            _ => {
                let command = self.check_command(field)?;
                Some(Healthcheck::Exec {
                    command,
                    interval: 0,
                    timeout: 0,
                    start_period: 0,
                    start_interval: 0,
                    retries: 0,
                })
            }
        }
    }

    fn timed_check(&mut self, fields: &Fields<'_>) -> Option<Healthcheck> {
        let interval = self.duration(fields, "interval");
        let timeout = self.duration(fields, "timeout");
        let start_period = self.duration(fields, "start-period");
        let start_interval = self.duration(fields, "start-interval");
        let retries = fields
            .get("retries")
            .and_then(|field| self.text(&field))
            .map(|text| numbers::count(&text));
        let retries = match retries {
            None => 0,
            Some(Ok(retries)) => retries,
            Some(Err(problem)) => {
                self.report(problem);
                0
            }
        };
        let command = self.check_command(&fields.get("run")?)?;
        Some(Healthcheck::Exec {
            command,
            interval,
            timeout,
            start_period,
            start_interval,
            retries,
        })
    }

    fn duration(&mut self, fields: &Fields<'_>, name: &str) -> u64 {
        let Some(text) = fields.get(name).and_then(|field| self.text(&field)) else { return 0 };
        numbers::duration(&text).unwrap_or_else(|problem| {
            self.report(problem);
            0
        })
    }

    fn check_command(&mut self, field: &Field<'_>) -> Option<Located<Vec<Text>>> {
        let command = self.command(field)?;
        let first = command.value.first()?;
        if matches!(first.value.as_str(), "CMD" | "CMD-SHELL" | "NONE") {
            let message =
                format!("{} is a word of compose files and image configs", quoted(&first.value));
            let help = if first.value == "NONE" {
                "write `healthcheck: none`"
            } else {
                "remove it: the list is the command itself"
            };
            self.error(Code::InvalidValue, first.span, message, help);
        }
        self.refuse_shell(&command);
        Some(command)
    }
}

/// The list that a command as text stands for.
fn list_for(name: &str, text: &str) -> String {
    match shell::split(text) {
        Split::Words(words) => format!("write `{name}: {}`", flow_list(&words)),
        Split::NeedsShell(what) => {
            format!(
                "write the program and its arguments as a list; {} needs a shell, and belongs into the app or into a stage",
                quoted(&what)
            )
        }
        Split::Nothing => format!("write `{name}: [PROGRAM, ARGUMENT]`"),
    }
}

fn flow_list(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| as_yaml(word)).collect();
    format!("[{}]", words.join(", "))
}
