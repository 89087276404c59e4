//! Asks a running example what its `ask.json` says (the format is in examples/README.md).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::http::{Request, Response};
use super::image::{json, text};

const START: Duration = Duration::from_secs(15);

/// Something that runs and can be asked.
pub trait Asked {
    /// Asks it over HTTP, from within its network.
    fn ask(&self, port: u16, request: Request<'_>) -> io::Result<Response>;

    /// How many times longer than usual it may take to start.
    fn patience(&self) -> u32 {
        1
    }

    /// Whether it still runs.
    fn runs(&mut self) -> bool;

    /// Ends it, and gives what it wrote: for the message of a test that fails.
    fn last_words(&mut self) -> String;
}

/// What an example must answer.
#[derive(Debug)]
pub struct Ask(Value);

impl Ask {
    /// Reads the `ask.json` of an example.
    pub fn read(folder: &Path) -> Self {
        Self(json(&fs::read(folder.join("ask.json")).unwrap()))
    }

    /// Reads what one of several apps of an example must answer.
    pub fn of_app(folder: &Path, app: &str) -> Self {
        Self(Self::read(folder).0["apps"][app].clone())
    }

    /// The paths that must be writable.
    pub fn writable(&self) -> Vec<&str> {
        self.0["writable"].as_array().into_iter().flatten().map(text).collect()
    }

    /// Asks everything, in order.
    pub fn ask(&self, container: &mut impl Asked) {
        let mut kept = BTreeMap::new();
        for (number, request) in self.0["requests"].as_array().unwrap().iter().enumerate() {
            let fill = |text: &str| {
                kept.iter().fold(text.to_owned(), |text, (name, id): (&String, &String)| {
                    text.replace(&format!("{{{name}}}"), id)
                })
            };
            let port = [&request["port"], &self.0["port"]].into_iter().find_map(Value::as_u64);
            let port = u16::try_from(port.unwrap()).unwrap();
            let sent = Sent::of(request, &fill);
            let patience = if number == 0 { START * container.patience() } else { Duration::ZERO };
            let answer = sent.ask(container, port, patience);
            check(request, &answer, &fill);
            if let Some(name) = request["keep"].as_str() {
                kept.insert(name.to_owned(), text(&json(&answer.body)["id"]).to_owned());
            }
        }
    }
}

struct Sent {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Sent {
    fn of(request: &Value, fill: &dyn Fn(&str) -> String) -> Self {
        let headers = request["headers"].as_object().into_iter().flatten();
        Self {
            method: request["method"].as_str().unwrap_or("GET").to_owned(),
            path: fill(text(&request["path"])),
            headers: headers.map(|(name, value)| (name.clone(), text(value).to_owned())).collect(),
            body: request["body"].as_str().unwrap_or_default().to_owned(),
        }
    }

    fn ask(&self, container: &mut impl Asked, port: u16, patience: Duration) -> Response {
        let Self { method, path, headers, body } = self;
        let deadline = Instant::now() + patience;
        loop {
            match container.ask(port, Request { method, path, headers, body: body.as_bytes() }) {
                Ok(answer) => return answer,
                Err(error) => {
                    let waits = error.kind() == io::ErrorKind::ConnectionRefused;
                    let goes_on = waits && Instant::now() < deadline && container.runs();
                    assert!(goes_on, "{method} {path}: {error}; {}", container.last_words());
                }
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn check(request: &Value, answer: &Response, fill: &dyn Fn(&str) -> String) {
    let seen = format!("{request}\n{} {:?}\n{}", answer.status, answer.headers, answer.text());
    assert_eq!(Some(u64::from(answer.status)), request["status"].as_u64(), "{seen}");
    let wanted = match &request["contains"] {
        Value::Array(list) => list.iter().map(text).collect(),
        one => one.as_str().into_iter().collect::<Vec<_>>(),
    };
    for part in wanted {
        assert!(answer.text().contains(&fill(part)), "no {part:?} in the answer to {seen}");
    }
    for (name, part) in request["header"].as_object().into_iter().flatten() {
        let value = answer.header(&name.to_lowercase()).unwrap_or_default();
        assert!(value.contains(&fill(text(part))), "header {name}: {seen}");
    }
}
