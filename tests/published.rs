//! What others hold the evidence against: the published schema, and the sizes that a builder takes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "../src/spec/schema/accepts.rs"]
#[allow(unreachable_pub, reason = "shared with the library")]
mod accepts;
#[path = "reports/documents.rs"]
#[allow(dead_code, reason = "written for more than this test")]
mod documents;

use std::collections::BTreeSet;

use accepts::accepts;
use hardpan::report::document::{MAX_BYTES, PREDICATE, Truncated, VERSION};
use hardpan::report::predicates::predicates;
use hardpan::report::{Document, Format};
use serde_json::{Value, json};

fn schema() -> Value {
    serde_json::from_str(include_str!("../docs/hardening.schema.json")).unwrap()
}

fn is_accepted(document: &Value) -> bool {
    let schema = schema();
    accepts(&schema, &schema, document)
}

fn value(document: &Document) -> Value {
    serde_json::to_value(document).unwrap()
}

/// With everything in it that there can be.
fn full() -> Document {
    let mut document = documents::failed();
    document.tool.frontend = Some(format!("sha256:{}", "f".repeat(64)));
    document.truncated = Some(Truncated { found: 9, listed: 8, per_check: 4 });
    assert!(document.policy.is_some() && !document.waivers.is_empty());
    assert!(!document.tests.is_empty() && !document.findings.is_empty());
    document
}

#[test]
fn documents_are_what_the_schema_says() {
    for document in [documents::clean(), documents::failed(), full()] {
        assert!(is_accepted(&value(&document)), "{:#}", value(&document));
    }
}

/// Changes one place of a document that is accepted otherwise.
fn changed(pointer: &str, to: Value) -> Value {
    let mut document = value(&full());
    *document.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = to;
    document
}

#[test]
fn near_misses_are_not() {
    for (pointer, to) in [
        ("/version", json!(2)),
        ("/version", json!("1")),
        ("/result", json!("PASSED")),
        ("/profile", json!("lax")),
        ("/tool/frontend", json!("sha256:f")),
        ("/source/kind", json!("Dockerfile")),
        ("/source/digest", json!("5".repeat(64))),
        ("/image/uid", json!("1000")),
        ("/image/uid", json!(-1)),
        ("/image/ports", json!("8080/tcp")),
        ("/bases/0/role", json!("base")),
        ("/bases/0/digest", json!("latest")),
        ("/summary/blocking", json!(null)),
        ("/checks/0/id", json!("usr-01")),
        ("/checks/0/status", json!("not evaluated")),
        ("/checks/0/severity", json!("off")),
        ("/findings/0/severity", json!("off")),
        ("/findings/0/origin", json!("layer")),
        ("/findings/0/position", json!(7)),
        ("/waivers/0/expires", json!("2026-11-23T00:00:00Z")),
        ("/waivers/0/status", json!("void")),
        ("/tests/0/outcome", json!("ok")),
        ("/contract/docker", json!("docker run")),
        ("/truncated/listed", json!("8")),
    ] {
        assert!(!is_accepted(&changed(pointer, to.clone())), "{pointer}: {to}");
    }
}

#[test]
fn every_key_is_asked_for_unless_it_may_be_absent() {
    let document = value(&full());
    let mut absent = BTreeSet::new();
    for pointer in places(&document, "") {
        let mut without = document.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        without.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
        if is_accepted(&without) {
            absent.insert(pointer);
        }
    }
    // What belongs to others is described by their own schemas.
    absent.retain(|pointer| !pointer.starts_with("/contract/") || pointer.matches('/').count() < 3);
    assert_eq!(absent.iter().collect::<Vec<_>>(), ["/policy", "/tool/frontend", "/truncated"]);
}

/// The keys of all objects, as JSON pointers.
fn places(value: &Value, prefix: &str) -> Vec<String> {
    let below = |(key, value): (String, &Value), is_key: bool| {
        let pointer = format!("{prefix}/{key}");
        let own = is_key.then(|| pointer.clone());
        own.into_iter().chain(places(value, &pointer)).collect::<Vec<_>>()
    };
    match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(key, value)| below((key.clone(), value), true)).collect()
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.flat_map(|(index, value)| below((index.to_string(), value), false)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn every_key_is_described() {
    let schema = schema();
    let mut known = BTreeSet::new();
    names(&schema, &mut known);
    let document = value(&full());
    let outside = |pointer: &&String| !pointer.starts_with("/contract/");
    for pointer in places(&document, "").iter().filter(outside) {
        let key = pointer.rsplit('/').next().unwrap();
        assert!(known.contains(key), "{pointer} is not in docs/hardening.schema.json");
    }
    assert!(accepts(&schema, &schema, &with_more(document)), "keys may be added");
}

fn with_more(mut document: Value) -> Value {
    document["later"] = json!({"x": 1});
    document["findings"][0]["later"] = json!(1);
    document
}

/// The names of all properties; each has a description.
fn names(schema: &Value, found: &mut BTreeSet<String>) {
    let Value::Object(keywords) = schema else { return };
    for (name, shape) in keywords.get("properties").and_then(Value::as_object).into_iter().flatten()
    {
        let is_told = shape["description"].as_str().is_some_and(|text| text.len() > 5);
        assert!(is_told || shape.get("$ref").is_some(), "{name}");
        found.insert(name.clone());
        names(shape, found);
    }
    for shape in keywords.get("$defs").and_then(Value::as_object).into_iter().flatten() {
        names(shape.1, found);
    }
    keywords.get("items").into_iter().for_each(|items| names(items, found));
}

#[test]
fn the_version_is_in_the_names() {
    let version = format!("/v{VERSION}");
    assert!(PREDICATE.ends_with(&version));
    assert_eq!(schema()["$id"], format!("{PREDICATE}/schema.json"));
    assert_eq!(schema()["properties"]["version"]["enum"], json!([VERSION]));
}

/// A document with as many findings as can be listed, full of what has to be escaped.
fn largest() -> Document {
    let mut document = documents::failed();
    let mut finding = document.findings[0].clone();
    finding.path = Some(format!("/srv/{}", "<&>|`".repeat(40)));
    finding.message = format!("no {}", "<&>".repeat(40));
    let one = serde_json::to_vec(&finding).unwrap().len();
    document.findings = vec![finding; MAX_BYTES / one];
    document
}

/// BuildKit takes messages of 16 MiB, and a graph has all files of a report in one.
#[test]
fn the_largest_evidence_fits_into_a_message() {
    let document = largest();
    let sizes = Format::ALL.map(|format| (format, format.render(&document).len()));
    let all: usize = sizes.iter().map(|(_, size)| size).sum();
    assert!(all < 12 << 20, "{sizes:?}");
    let all: usize = predicates(&document).iter().map(|one| one.data.len()).sum();
    assert!((1 << 20..4 << 20).contains(&all), "{all}");
}

#[test]
fn predicates_have_names_of_their_own() {
    let all = predicates(&full());
    let kinds: BTreeSet<&str> = all.iter().map(|one| one.kind).collect();
    let files: BTreeSet<&str> = all.iter().map(|one| one.file_name).collect();
    assert_eq!((kinds.len(), files.len()), (3, 3), "exporters write them by name");
    for one in &all {
        assert!(serde_json::from_slice::<Value>(&one.data).unwrap().is_object(), "{}", one.kind);
    }
}
