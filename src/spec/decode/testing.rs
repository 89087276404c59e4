//! The items of `test`: commands to run, and starts of the app.

use super::super::language;
use super::super::model::{Test, TestHttp, Trial};
use super::super::tree::{Entry, Node, Value};
use super::super::value::{numbers, testing};
use super::Decoder;
use super::fields::{Field, Fields};
use super::mounts::one_or_more;
use super::scalars::{Check, text_of};
use crate::diagnostic::{Code, Located, Text};
use crate::words::quoted;

/// What only a command that is run has.
const OF_RUN: [&str; 4] = ["run", "exit", "stdout", "stderr"];
/// Each takes its time.
const MOST: usize = 50;

impl Decoder {
    /// An item or a list of them.
    pub(super) fn tests(&mut self, field: &Field<'_>) -> Vec<Test> {
        let items = one_or_more(field);
        if items.len() > MOST {
            let message = format!("{} tests; there may be {MOST}", items.len());
            let help = "test what must hold in the image, and the app itself in a stage";
            self.error(Code::TooLarge, field.span(), message, help);
            return Vec::new();
        }
        items.iter().filter_map(|item| self.test(field, item)).collect()
    }

    fn test(&mut self, field: &Field<'_>, item: &Node) -> Option<Test> {
        let Value::Map(entries) = &item.value else {
            if std::ptr::eq(item, field.node()) {
                self.wrong_type(field, "a test or a list of them");
            } else {
                self.wrong_item(field, item, "a map with `run` or `start`");
            }
            return None;
        };
        let find = |name: &str| entries.iter().find(|entry| entry.key.value == name);
        match (find("run"), find("start")) {
            (Some(_), None) => {
                let fields = self.open(entries, item.span, &language::TEST_RUN);
                self.run_test(&fields)
            }
            (None, Some(_)) => {
                let fields = self.open(entries, item.span, &language::TEST_START);
                self.start_test(&fields)
            }
            (Some(_), Some(start)) => {
                let help = "write two tests: one that starts the app, and one that runs a command";
                let message = "`run` and `start` in one test";
                self.error(Code::ConflictingKeys, start.key.span, message, help);
                None
            }
            (None, None) => {
                self.refuse_test(item, entries);
                None
            }
        }
    }

    /// An item with neither of the two words. One that is misspelt is told as such.
    fn refuse_test(&mut self, item: &Node, entries: &[Entry]) {
        let (run, start) = (&language::TEST_RUN, &language::TEST_START);
        if entries.iter().all(|entry| run.has(&entry.key.value) && start.has(&entry.key.value)) {
            let help = "write `run: [node, --version]`, or `start: true` with what shows that it is up, such as `port: 8080`";
            let message = "a test needs `run` or `start`";
            return self.error(Code::MissingKey, item.span, message, help);
        }
        let is_of_run = |entry: &Entry| {
            run.meant(&entry.key.value).is_some_and(|meant| OF_RUN.contains(&meant))
        };
        let shape = if entries.iter().any(is_of_run) { run } else { start };
        self.open(entries, item.span, shape);
    }

    fn run_test(&mut self, fields: &Fields<'_>) -> Option<Test> {
        let exit = self.checked(fields, "exit", |text| testing::exit(text).map(drop));
        let stdout = self.checked(fields, "stdout", testing::found);
        let stderr = self.checked(fields, "stderr", testing::found);
        let command = self.command(&fields.get("run")?);
        let shared = self.shared(fields);
        let command = command?;
        self.refuse_shell(&command);
        Some(Test { trial: Trial::Run { command, exit, stdout, stderr }, ..shared })
    }

    fn start_test(&mut self, fields: &Fields<'_>) -> Option<Test> {
        let start = fields.get("start")?;
        if let Some(Located { value: false, span }) = self.flag(&start) {
            let help = "write `start: true`, or remove the test";
            self.error(Code::InvalidValue, span, "a `start` test that starts nothing", help);
        }
        let awaits = ["http", "port", "log"];
        if awaits.iter().all(|name| fields.get(name).is_none() && !fields.has_misspelt(name)) {
            let help = "say what shows that it is up: `http: 8080/healthz`, `port: 8080`, or a `log: TEXT` that it writes";
            let message = "a `start` test that waits for nothing";
            self.error(Code::MissingKey, start.key_span(), message, help);
        }
        let http = fields.get("http").and_then(|field| self.http(&field));
        let ports = fields.get("port");
        let ports = ports.map(|field| self.texts(&field, |text| testing::port(text).map(drop)));
        let log = self.checked(fields, "log", testing::found);
        let stops = self.time(fields, "stops");
        let trial = Trial::Start { http, ports: ports.unwrap_or_default(), log, stops };
        Some(Test { trial, ..self.shared(fields) })
    }

    /// What both kinds have.
    fn shared(&mut self, fields: &Fields<'_>) -> Test {
        let nothing = Located::new(Vec::new(), fields.span());
        Test {
            trial: Trial::Run { command: nothing, exit: None, stdout: None, stderr: None },
            within: self.time(fields, "within"),
            env: fields.get("env").map(|field| self.variables(&field)).unwrap_or_default(),
            span: fields.span(),
        }
    }

    fn http(&mut self, field: &Field<'_>) -> Option<TestHttp> {
        if let Some(port) = text_of(field.node()) {
            self.check_closed(&port, |text| testing::http(text).map(drop));
            return Some(TestHttp { port, path: None, status: None, body: None });
        }
        if !matches!(field.node().value, Value::Map(_)) {
            self.wrong_type(field, "a port and a path, or a map");
            return None;
        }
        let fields = self.open_node(field.node(), &language::TEST_HTTP)?;
        let path = self.checked(&fields, "path", testing::http_path);
        let status = self.checked(&fields, "status", |text| testing::status(text).map(drop));
        let body = self.checked(&fields, "body", testing::found);
        let port = self.checked(&fields, "port", |text| testing::port(text).map(drop))?;
        Some(TestHttp { port, path, status, body })
    }

    fn checked(&mut self, fields: &Fields<'_>, name: &str, check: Check) -> Option<Text> {
        self.checked_text(&fields.get(name)?, check)
    }

    /// A duration that is waited for.
    fn time(&mut self, fields: &Fields<'_>, name: &str) -> Option<Located<u64>> {
        let text = self.text(&fields.get(name)?)?;
        let help = "write how long it may take, such as `30s`, and at most `10m`";
        match numbers::duration(&text) {
            Ok(1..=testing::LONGEST) => {}
            Ok(0) => {
                let message = format!("`{name}` gives the app no time");
                self.error(Code::InvalidValue, text.span, message, help);
            }
            Ok(_) => {
                let message = format!("{} is too long for a build", quoted(&text.value));
                self.error(Code::InvalidValue, text.span, message, help);
            }
            Err(problem) => self.report(problem),
        }
        let value = numbers::duration(&text).ok()?;
        Some(Located::new(value, text.span))
    }
}
