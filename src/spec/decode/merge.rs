//! The defaults of the top level and what an app says of its own: maps merge by key, everything
//! else replaces, `KEY: null` drops. Both keep their places.

use super::super::tree::{Entry, Node, Value};
use super::Decoder;
use crate::diagnostic::Code;
use crate::words::quoted;

impl Decoder {
    /// The keys of one app. `None`, if it is no map, and that is reported.
    pub(super) fn merge(&mut self, defaults: &[&Entry], app: &Entry) -> Option<Vec<Entry>> {
        let own: &[Entry] = match &app.value.value {
            Value::Map(entries) => entries,
            Value::Null => &[],
            Value::Broken => return None,
            _ => {
                let message = format!("an app is a map, not {}", app.value.kind());
                let help = format!("write `{}: {{entrypoint: [node, server.js]}}`", app.key.value);
                self.error(Code::WrongType, app.value.span, message, help);
                return None;
            }
        };
        let mut merged: Vec<Entry> = defaults.iter().map(|entry| (*entry).clone()).collect();
        for entry in own {
            self.merge_entry(&mut merged, entry, true);
        }
        Some(merged)
    }

    fn merge_entry(&mut self, merged: &mut Vec<Entry>, entry: &Entry, merge_maps: bool) {
        let place = merged.iter().position(|default| default.key.value == entry.key.value);
        match (&entry.value.value, place) {
            (Value::Null, Some(place)) => {
                merged.remove(place);
            }
            (Value::Null, None) => {
                let message = format!(
                    "{} is not among the defaults, so there is nothing to drop",
                    quoted(&entry.key.value)
                );
                self.error(
                    Code::InvalidValue,
                    entry.key.span,
                    message,
                    "give it a value, or remove it",
                );
            }
            // A map there is the one item of a list.
            (Value::Map(own), place)
                if merge_maps && !["writable", "test"].contains(&entry.key.value.as_str()) =>
            {
                let mut inner = match place.map(|place| &merged[place].value.value) {
                    Some(Value::Map(defaults)) => defaults.clone(),
                    // Whoever adds waivers has not said that the gate may be less strict.
                    Some(Value::Scalar(_)) if entry.key.value == "harden" => {
                        place.map(|place| as_profile(&merged[place])).into_iter().collect()
                    }
                    _ => Vec::new(),
                };
                for entry in own {
                    self.merge_entry(&mut inner, entry, false);
                }
                let value = Node { value: Value::Map(inner), span: entry.value.span };
                put(merged, place, Entry { value, ..entry.clone() });
            }
            (_, place) => put(merged, place, entry.clone()),
        }
    }
}

/// `harden: strict` as the entry that it is short for.
fn as_profile(short: &Entry) -> Entry {
    let mut entry = short.clone();
    "profile".clone_into(&mut entry.key.value);
    entry
}

fn put(merged: &mut Vec<Entry>, place: Option<usize>, entry: Entry) {
    match place {
        Some(place) => merged[place] = entry,
        None => merged.push(entry),
    }
}
