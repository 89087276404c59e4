//! What a build did, from `--progress=rawjson`: every vertex once, with its last state.

use std::collections::BTreeMap;

use serde_json::Value;

/// A vertex of the graph, as the client saw it.
#[derive(Debug, Clone, Default)]
pub struct Vertex {
    /// Whether it stands on other vertices; sources do not.
    pub has_inputs: bool,
    /// Its name in the progress.
    pub name: String,
    /// Whether it was run.
    pub started: bool,
    /// Whether its result came from the cache.
    pub cached: bool,
    /// What it failed with; empty if it did not.
    pub error: String,
    /// What it wrote, both streams.
    pub log: String,
    /// For each of its statuses (`transferring context`, a blob) how far it came, in bytes.
    pub statuses: BTreeMap<String, u64>,
}

/// All vertices of a build, by digest.
#[derive(Debug, Default)]
pub struct Progress {
    /// The vertices.
    pub vertices: BTreeMap<String, Vertex>,
    /// The warnings: their short texts.
    pub warnings: Vec<String>,
}

impl Progress {
    /// Reads the lines that are JSON; the others are the client's last words.
    pub fn read(text: &str) -> Self {
        let mut progress = Self::default();
        for line in text.lines().filter(|line| line.starts_with('{')) {
            if let Ok(status) = serde_json::from_str::<Value>(line) {
                progress.take(&status);
            }
        }
        progress
    }

    fn take(&mut self, status: &Value) {
        for one in each(status, "vertexes") {
            let vertex = self.vertices.entry(string(&one["digest"])).or_default();
            vertex.name = string(&one["name"]);
            vertex.has_inputs |= one["inputs"].as_array().is_some_and(|inputs| !inputs.is_empty());
            vertex.started |= !one["started"].is_null();
            vertex.cached |= one["cached"] == true;
            vertex.error = string(&one["error"]);
        }
        for one in each(status, "statuses") {
            let vertex = self.vertices.entry(string(&one["vertex"])).or_default();
            vertex.statuses.insert(string(&one["id"]), one["current"].as_u64().unwrap_or(0));
        }
        for one in each(status, "logs") {
            let bytes = decode(one["data"].as_str().unwrap_or_default());
            let vertex = self.vertices.entry(string(&one["vertex"])).or_default();
            vertex.log += &String::from_utf8_lossy(&bytes);
        }
        for one in each(status, "warnings") {
            let short = decode(one["short"].as_str().unwrap_or_default());
            self.warnings.push(String::from_utf8_lossy(&short).into_owned());
        }
    }

    /// The names of the vertices that were run and not taken from the cache. What stands on nothing
    /// is left out: it is shown as done as soon as the builder has worked out its cache key.
    pub fn run(&self) -> Vec<&str> {
        let was_run = |vertex: &&Vertex| vertex.started && !vertex.cached && vertex.has_inputs;
        self.vertices.values().filter(was_run).map(|vertex| vertex.name.as_str()).collect()
    }

    /// The vertex whose name contains a text.
    #[track_caller]
    pub fn vertex(&self, part: &str) -> &Vertex {
        let found = self.vertices.values().find(|vertex| vertex.name.contains(part));
        found.unwrap_or_else(|| panic!("no vertex {part:?} in {:?}", self.names()))
    }

    /// The names of all vertices.
    pub fn names(&self) -> Vec<&str> {
        self.vertices.values().map(|vertex| vertex.name.as_str()).collect()
    }

    /// How many bytes the client sent for its local folders, all vertices together.
    pub fn sent(&self) -> u64 {
        let statuses = self.vertices.values().flat_map(|vertex| &vertex.statuses);
        statuses.filter(|(id, _)| id.contains("transferring")).map(|(_, bytes)| bytes).sum()
    }
}

fn each<'a>(status: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    status[key].as_array().into_iter().flatten()
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Base64, as Go's JSON writes bytes.
fn decode(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let Some(value) = LETTERS.iter().position(|&one| one == letter) else { break };
        bits = bits << 6 | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    bytes
}
