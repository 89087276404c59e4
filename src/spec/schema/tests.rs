use std::collections::BTreeSet;

use serde_json::Value;

use super::accepts::accepts;
use super::*;
use crate::spec::tests::{corpus, golden};

/// Invalid files whose mistakes are meanings, not forms.
const ONLY_THE_DECODER: &[&str] = &[
    "apps-cycle",
    "arguments-alone",
    "names",
    "pins",
    "root",
    "root-by-number",
    "shells",
    "shells-2",
    "tests-meanings",
];

fn schema() -> Value {
    serde_json::from_str(&json()).unwrap()
}

#[test]
fn the_schema_of_the_repository_is_current() {
    golden("docs/hardpan.schema.json", &json());
}

#[test]
fn accepts_what_the_decoder_accepts() {
    let schema = schema();
    for (name, text) in corpus("valid") {
        let value = typed(&yaml::read(&text).root.unwrap());
        assert!(accepts(&schema, &schema, &value), "{name}: {value:#}");
    }
}

#[test]
fn refuses_mistakes_of_form_as_the_decoder_does() {
    let schema = schema();
    for (name, text) in corpus("invalid") {
        let document = yaml::read(&text);
        let Some(root) = document.root.filter(|_| document.problems.is_empty()) else { continue };
        let accepted = accepts(&schema, &schema, &typed(&root));
        assert_eq!(accepted, ONLY_THE_DECODER.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn examples_are_what_they_show() {
    let schema = schema();
    let definitions = schema["$defs"].as_object().unwrap();
    let mut seen = 0;
    for (name, shape) in
        definitions.iter().map(|(name, shape)| (name.as_str(), shape)).chain([("file", &schema)])
    {
        for (key, property) in shape["properties"].as_object().unwrap() {
            for example in property["examples"].as_array().unwrap() {
                assert!(accepts(property, &schema, example), "{name}.{key}: {example}");
                seen += 1;
            }
            assert!(
                property["description"].as_str().is_some_and(|text| text.len() > 5),
                "{name}.{key}"
            );
        }
        assert_eq!(shape["additionalProperties"], false, "{name}");
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn every_key_of_the_language_is_in_the_schema() {
    let schema = schema();
    let definitions = schema["$defs"].as_object().unwrap();
    let in_schema: BTreeSet<String> = definitions
        .iter()
        .chain([(&"file".to_owned(), &schema)])
        .flat_map(|(shape, fields)| {
            let shape = shape.strip_suffix("-of-app").unwrap_or(shape).to_owned();
            fields["properties"]
                .as_object()
                .unwrap()
                .keys()
                .map(move |key| format!("{shape}.{key}"))
        })
        .collect();
    let in_language: BTreeSet<String> = crate::spec::decode::tests::SHAPES
        .iter()
        .flat_map(|(shape, _)| shape.all().map(|key| format!("{}.{}", shape.name, key.name)))
        .collect();
    assert_eq!(in_schema, in_language);
}
