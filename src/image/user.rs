//! Another user for an image config that somebody else has written: every other byte of it stays.
//!
//! Reading and writing it as `ImageConfig` would sort keys and drop empty values, so that an image
//! would differ from the one that Docker makes for no reason.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The keys and values of an object in their order, values as they are written.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(entries)
            }
        }
        deserializer.deserialize_map(InOrder).map(Self)
    }
}

/// The config with `User` set.
pub fn with_user(config: &[u8], user: &str) -> Result<Vec<u8>, serde_json::Error> {
    let image: Entries<'_> = serde_json::from_slice(config)?;
    let inner = image.0.iter().find(|(key, _)| key == "config").map(|(_, value)| value.get());
    let inner: Entries<'_> = serde_json::from_str(inner.unwrap_or("{}"))?;
    let inner = replace(&inner, "User", &serde_json::to_string(user)?)?;
    Ok(replace(&image, "config", &inner)?.into_bytes())
}

fn replace(object: &Entries<'_>, key: &str, value: &str) -> Result<String, serde_json::Error> {
    let mut parts = Vec::new();
    let mut found = false;
    for (name, old) in &object.0 {
        let is_it = name == key;
        found |= is_it;
        let shown = if is_it { value } else { old.get() };
        parts.push(format!("{}:{shown}", serde_json::to_string(name)?));
    }
    if !found {
        parts.push(format!("{}:{value}", serde_json::to_string(key)?));
    }
    Ok(format!("{{{}}}", parts.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn becomes(before: &str, after: &str) {
        let bytes = with_user(before.as_bytes(), "1000:1000").unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), after);
    }

    #[test]
    fn every_other_byte_stays() {
        becomes(
            r#"{"z":1.50,"config":{"Env":["A=é\u00e9"],"User":"node","Cmd":null,"X":{ "b": 1, "a": 2 }},"a":[]}"#,
            r#"{"z":1.50,"config":{"Env":["A=é\u00e9"],"User":"1000:1000","Cmd":null,"X":{ "b": 1, "a": 2 }},"a":[]}"#,
        );
    }

    #[test]
    fn a_user_is_added_where_there_is_none() {
        becomes(r#"{"os":"linux"}"#, r#"{"os":"linux","config":{"User":"1000:1000"}}"#);
        becomes(r#"{"config":{"A":1}}"#, r#"{"config":{"A":1,"User":"1000:1000"}}"#);
    }

    #[test]
    fn what_is_no_config_is_refused() {
        for bytes in [b"" as &[u8], b"[]", b"{\"config\":7}", b"null", b"{\"a\":\xff}"] {
            assert!(with_user(bytes, "1:1").is_err(), "{bytes:?}");
        }
    }
}
