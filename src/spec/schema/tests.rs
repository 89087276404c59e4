use std::collections::BTreeSet;

use serde_json::Value;

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

/// The keywords that the schema uses, and what they mean to a value: a check of our own, so that no
/// validator with thirty dependencies is needed. Any other keyword is a fault of the test.
fn accepts(schema: &Value, root: &Value, value: &Value) -> bool {
    let Value::Object(keywords) = schema else { panic!("{schema} is no schema") };
    keywords.iter().all(|(keyword, expected)| match keyword.as_str() {
        "$schema" | "$defs" | "title" | "description" | "examples" => true,
        "$ref" => {
            let name = expected.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
            accepts(&root["$defs"][name], root, value)
        }
        "type" => {
            let is = |name: &Value| match name.as_str().unwrap() {
                "string" => value.is_string(),
                "number" => value.is_number(),
                "integer" => value.is_i64() || value.is_u64(),
                "boolean" => value.is_boolean(),
                "null" => value.is_null(),
                "array" => value.is_array(),
                "object" => value.is_object(),
                name => panic!("no type {name}"),
            };
            expected.as_array().map_or_else(|| is(expected), |types| types.iter().any(is))
        }
        "enum" => expected.as_array().unwrap().contains(value),
        "not" => !accepts(expected, root, value),
        "anyOf" => expected.as_array().unwrap().iter().any(|schema| accepts(schema, root, value)),
        "pattern" => value.as_str().is_none_or(|text| {
            regex::Regex::new(expected.as_str().unwrap()).unwrap().is_match(text)
        }),
        "minimum" => value.as_f64().is_none_or(|number| number >= expected.as_f64().unwrap()),
        "minItems" => {
            value.as_array().is_none_or(|items| items.len() as u64 >= expected.as_u64().unwrap())
        }
        "minProperties" => {
            value.as_object().is_none_or(|fields| fields.len() as u64 >= expected.as_u64().unwrap())
        }
        "items" => value
            .as_array()
            .is_none_or(|items| items.iter().all(|item| accepts(expected, root, item))),
        "required" => value.as_object().is_none_or(|fields| {
            expected
                .as_array()
                .unwrap()
                .iter()
                .all(|name| fields.contains_key(name.as_str().unwrap()))
        }),
        "dependentSchemas" => {
            value.as_object().is_none_or(|fields| {
                expected.as_object().unwrap().iter().all(|(name, schema)| {
                    !fields.contains_key(name) || accepts(schema, root, value)
                })
            })
        }
        "properties" => value.as_object().is_none_or(|fields| {
            fields.iter().all(|(name, value)| {
                expected.get(name).is_none_or(|schema| accepts(schema, root, value))
            })
        }),
        "propertyNames" => value.as_object().is_none_or(|fields| {
            fields.keys().all(|name| accepts(expected, root, &Value::String(name.clone())))
        }),
        "additionalProperties" => value.as_object().is_none_or(|fields| {
            let others = fields.iter().filter(|(name, _)| {
                schema.get("properties").is_none_or(|known| known.get(name).is_none())
            });
            let others: Vec<&Value> = others.map(|(_, value)| value).collect();
            expected.as_bool().map_or_else(
                || others.iter().all(|value| accepts(expected, root, value)),
                |any| any || others.is_empty(),
            )
        }),
        keyword => panic!("the test does not know `{keyword}`"),
    })
}

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
