//! The language as a JSON Schema, for editors: written from the same table as the decoder's.
//!
//! The schema knows forms, not meanings: what it refuses, the decoder refuses too, but not the
//! other way round. Texts may be numbers and truth values there, since an editor reads YAML by
//! types and hardpan reads it as it is written.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::language::{FILE, Key, Kind, Merges, NAME, STAGE, Shape};
use super::tree::{Node, Scalar, Value as Tree};
use super::yaml;

/// The JSON Schema of a spec, draft 2020-12.
pub fn json() -> String {
    let mut definitions = Definitions::default();
    let mut schema = definitions.fields(&FILE, Place::Alone);
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("hardpan"));
    schema.insert("anyOf".to_owned(), json!([{"required": ["base"]}, {"required": ["apps"]}]));
    let image = json!({"build": {"anyOf": [{"required": ["image"]}, {"required": ["apps"]}]}});
    schema.insert("dependentSchemas".to_owned(), image);
    schema.insert("$defs".to_owned(), json!(definitions.found));
    let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    format!("{text}\n")
}

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing is merged.
    Alone,
    /// Below an app, over the defaults: `null` drops, nothing is required.
    OverDefaults,
}

#[derive(Default)]
struct Definitions {
    found: BTreeMap<String, Value>,
}

impl Definitions {
    fn kind(&mut self, kind: &Kind, place: Place) -> Value {
        match kind {
            Kind::Text => json!({"type": ["string", "number", "boolean"]}),
            // `${…}` and `$$` are filled in later, so that the pattern cannot hold yet.
            Kind::Pattern(pattern) => {
                json!({"type": ["string", "number"], "pattern": format!("{pattern}|\\$[{{$]")})
            }
            Kind::Fixed(pattern) => json!({"type": ["string", "number"], "pattern": pattern}),
            Kind::Words(words) => json!({"enum": words}),
            Kind::Flag => json!({"type": "boolean"}),
            Kind::Count => {
                json!({"type": ["integer", "string"], "minimum": 1, "pattern": "^[0-9]+$"})
            }
            Kind::Null => json!({"type": "null"}),
            Kind::List(item) => json!({"type": "array", "items": self.kind(item, Place::Alone)}),
            Kind::Filled(item) => self.list(item),
            Kind::OneOrMore(item) => json!({"anyOf": [self.kind(item, place), self.list(item)]}),
            Kind::Any(kinds) => {
                let kinds: Vec<Value> = kinds.iter().map(|kind| self.kind(kind, place)).collect();
                json!({"anyOf": kinds})
            }
            Kind::Map(names, value) => {
                let value = self.kind(value, Place::Alone);
                let value = if place == Place::OverDefaults { or_null(&value) } else { value };
                json!({"type": "object", "propertyNames": {"pattern": names}, "additionalProperties": value})
            }
            Kind::Stages(value) => {
                let options: Vec<&str> = STAGE.all().map(|key| key.name).collect();
                let names = json!({"pattern": NAME, "not": {"enum": options}});
                json!({"type": "object", "propertyNames": names, "additionalProperties": self.kind(value, Place::Alone), "minProperties": 1})
            }
            Kind::Shape(shape) => self.shape(shape, place),
        }
    }

    fn list(&mut self, item: &Kind) -> Value {
        json!({"type": "array", "items": self.kind(item, Place::Alone), "minItems": 1})
    }

    /// A reference to the definition of a shape.
    fn shape(&mut self, shape: &'static Shape, place: Place) -> Value {
        let place = if shape.merges == Merges::OverDefaults { Place::OverDefaults } else { place };
        let name = match (shape.merges, place) {
            (Merges::ByKey | Merges::Never, Place::OverDefaults) => {
                format!("{}-of-app", shape.name)
            }
            _ => shape.name.to_owned(),
        };
        if !self.found.contains_key(&name) {
            self.found.insert(name.clone(), Value::Null); // ends the way around: stages hold steps
            let fields = self.fields(shape, place);
            self.found.insert(name.clone(), Value::Object(fields));
        }
        json!({"$ref": format!("#/$defs/{name}")})
    }

    fn fields(&mut self, shape: &'static Shape, place: Place) -> Map<String, Value> {
        let properties: Map<String, Value> =
            shape.all().map(|key| (key.name.to_owned(), self.property(key, place))).collect();
        let mut fields = Map::new();
        fields.insert("description".to_owned(), json!(shape.doc));
        fields.insert("type".to_owned(), json!("object"));
        fields.insert("properties".to_owned(), Value::Object(properties));
        fields.insert("additionalProperties".to_owned(), json!(false));
        let required: Vec<&str> =
            shape.all().filter(|key| key.required).map(|key| key.name).collect();
        if !required.is_empty() && place == Place::Alone && shape.merges == Merges::Never {
            fields.insert("required".to_owned(), json!(required));
        }
        fields
    }

    fn property(&mut self, key: &Key, place: Place) -> Value {
        let schema = self.kind(&key.kind, place);
        let schema = if place == Place::OverDefaults { or_null(&schema) } else { schema };
        let mut property = match schema {
            Value::Object(property) => property,
            _ => Map::new(),
        };
        property.insert("description".to_owned(), json!(key.doc));
        property.insert("examples".to_owned(), json!([example(key)]));
        Value::Object(property)
    }
}

fn or_null(schema: &Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

/// The example of a key as an editor sees it.
fn example(key: &Key) -> Value {
    yaml::read(key.example.as_bytes()).root.map_or(Value::Null, |root| typed(&root))
}

/// A tree with the types that YAML's core schema gives to plain scalars.
pub(super) fn typed(node: &Node) -> Value {
    match &node.value {
        Tree::Null | Tree::Broken => Value::Null,
        Tree::Scalar(scalar) => typed_scalar(scalar),
        Tree::List(items) => items.iter().map(typed).collect(),
        Tree::Map(entries) => Value::Object(
            entries.iter().map(|entry| (entry.key.value.clone(), typed(&entry.value))).collect(),
        ),
    }
}

fn typed_scalar(scalar: &Scalar) -> Value {
    let text = scalar.text.as_str();
    if !scalar.plain {
        return json!(text);
    }
    match text {
        "true" | "True" | "TRUE" => return json!(true),
        "false" | "False" | "FALSE" => return json!(false),
        _ => {}
    }
    let numeric =
        text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.'));
    let octal = text.strip_prefix("0o").and_then(|digits| u64::from_str_radix(digits, 8).ok());
    match (octal, text.parse::<i64>(), text.parse::<f64>()) {
        (Some(octal), _, _) => json!(octal),
        (None, Ok(integer), _) if numeric => json!(integer),
        (None, Err(_), Ok(float)) if numeric => json!(float),
        _ => json!(text),
    }
}

#[cfg(test)]
pub(crate) mod accepts;
#[cfg(test)]
mod tests;
