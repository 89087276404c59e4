//! Whether a JSON Schema accepts a value: for tests of the schemas that are published.

use serde_json::Value;

/// The keywords that the schemas use, and what they mean to a value: a check of our own, so that no
/// validator with thirty dependencies is needed. Any other keyword is a fault of the test.
pub(crate) fn accepts(schema: &Value, root: &Value, value: &Value) -> bool {
    let Value::Object(keywords) = schema else { panic!("{schema} is no schema") };
    keywords.iter().all(|(keyword, expected)| match keyword.as_str() {
        "$schema" | "$id" | "$defs" | "title" | "description" | "examples" => true,
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
