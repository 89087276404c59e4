//! `harden`, its waivers, and the policy of whoever builds. Nothing is replaced in them: a build
//! argument that changes what is excused would be seen by nobody who reads the file.

use super::super::language::{self, ALLOW, FORBID, PROFILES};
use super::super::model::{Harden, Policy, Waivable, Waiver};
use super::super::tree::{Node, Value};
use super::super::value::harden;
use super::Decoder;
use super::fields::{Field, Fields};
use super::scalars::{Check, text_of};
use crate::diagnostic::{Code, Text};
use crate::words::{nearest, quoted};

/// More than anybody answers for; each is compared with each finding.
const MAX_WAIVERS: usize = 200;

impl Decoder {
    /// `harden`: the name of a profile, or a map.
    pub(super) fn harden(&mut self, field: &Field<'_>) -> Harden {
        if text_of(field.node()).is_some() {
            return Harden { profile: self.profile(field), waivers: Vec::new() };
        }
        if !matches!(field.node().value, Value::Map(_)) {
            self.wrong_type(field, "the name of a profile, or a map");
            return Harden::default();
        }
        let Some(fields) = self.open_node(field.node(), &language::HARDEN) else {
            return Harden::default();
        };
        let profile = fields.get("profile").and_then(|field| self.profile(&field));
        let waivers = fields.get("waivers").map(|field| self.waivers(&field)).unwrap_or_default();
        Harden { profile, waivers }
    }

    /// The file of a policy.
    pub(super) fn policy(&mut self, root: &Node) -> Policy {
        let Some(fields) = self.open_node(root, &language::POLICY) else {
            return Policy::default();
        };
        let check = |decoder: &mut Self, field: Field<'_>| decoder.fixed_texts(&field);
        Policy {
            profile: fields.get("profile").and_then(|field| self.profile(&field)),
            waivable: fields.get("waivers").and_then(|field| self.waivable(&field)),
            require: fields.get("require").map(|field| check(self, field)).unwrap_or_default(),
            waive: fields.get("waive").map(|field| self.waivers(&field)).unwrap_or_default(),
        }
    }

    fn profile(&mut self, field: &Field<'_>) -> Option<Text> {
        let text = self.text(field)?;
        if PROFILES.contains(&text.value.as_str()) {
            return Some(text);
        }
        let meant = nearest(&text.value, PROFILES.iter().copied());
        let meant = meant.map_or(String::new(), |meant| format!("did you mean `{meant}`? "));
        let message = format!("{} is not a profile", quoted(&text.value));
        let help = format!("{meant}the profiles are {}", PROFILES.join(", "));
        self.error(Code::InvalidValue, text.span, message, help);
        None
    }

    /// `forbid`, `allow`, or ids of checks.
    fn waivable(&mut self, field: &Field<'_>) -> Option<Waivable> {
        if let Value::List(items) = &field.node().value {
            return Some(Waivable::Only(self.items(field, items)));
        }
        let text = self.text(field)?;
        match text.value.as_str() {
            FORBID => return Some(Waivable::Only(Vec::new())),
            ALLOW => return Some(Waivable::All),
            _ => {}
        }
        let message = format!("`waivers` cannot be {}", quoted(&text.value));
        let help = "write `forbid`, `allow`, or a list of checks; what the policy itself accepts \
                    stands in `waive`";
        self.error(Code::InvalidValue, text.span, message, help);
        None
    }

    fn fixed_texts(&mut self, field: &Field<'_>) -> Vec<Text> {
        match &field.node().value {
            Value::List(items) => self.items(field, items),
            _ => self.text(field).into_iter().collect(),
        }
    }

    fn waivers(&mut self, field: &Field<'_>) -> Vec<Waiver> {
        let Value::List(items) = &field.node().value else {
            self.wrong_type(field, "a list of waivers");
            return Vec::new();
        };
        if items.len() > MAX_WAIVERS {
            let message = format!("{} waivers; there may be {MAX_WAIVERS}", items.len());
            self.error(Code::TooLarge, field.span(), message, "mend what they cover");
            return Vec::new();
        }
        let mut waivers = Vec::new();
        for item in items {
            if let Some(fields) = self.open_node(item, &language::WAIVER) {
                waivers.extend(self.waiver(&fields));
            }
        }
        waivers
    }

    /// A waiver, if all that it needs is there.
    fn waiver(&mut self, fields: &Fields<'_>) -> Option<Waiver> {
        let mut fixed = |name: &str, check: Check| {
            let text = self.text(&fields.get(name)?)?;
            self.check(check(&text));
            Some(text)
        };
        let check = fixed("check", harden::id);
        let path = fixed("path", harden::pattern);
        let reason = fixed("reason", harden::words);
        let owner = fixed("owner", harden::words);
        let expires = fixed("expires", harden::day);
        let dangerously = fields.get("dangerously").and_then(|field| self.flag(&field));
        Some(Waiver {
            check: check?,
            path,
            reason: reason?,
            owner: owner?,
            expires: expires?,
            dangerously: dangerously.is_some_and(|flag| flag.value),
        })
    }
}
