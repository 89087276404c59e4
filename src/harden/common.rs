//! What decisions share: whole or cut lists, several files in one sentence, rights to write.

use std::collections::BTreeMap;

use crate::inspect::accounts::Identity;
use crate::inspect::entry::Attributes;
use crate::inspect::evidence::{Item, Lookup};
use crate::paths;

use super::{Fault, Origin, Subject};

/// A list that was cut may hide a fault behind entries that are none.
pub(crate) fn complete(is_truncated: bool, faults: &mut [Fault]) -> Result<(), String> {
    match (is_truncated, faults.last_mut()) {
        (false, _) => Ok(()),
        (true, Some(last)) => {
            last.and_more();
            Ok(())
        }
        (true, None) => Err("there is too much to tell".to_owned()),
    }
}

/// The most faults of one kind that are told: a config has as many entries as its author likes.
const MAX_FAULTS: usize = 1_000;

/// As many faults as are ever told; the last one says that there are more.
pub(crate) fn at_most(faults: impl IntoIterator<Item = Fault>) -> Vec<Fault> {
    let mut faults = faults.into_iter();
    let mut told: Vec<Fault> = faults.by_ref().take(MAX_FAULTS).collect();
    if faults.next().is_some()
        && let Some(last) = told.last_mut()
    {
        last.and_more();
    }
    told
}

/// One fault for all items of a layer: the first by path and how many there are.
pub(crate) fn together<'a>(
    subject: &Subject<'_>,
    items: impl Iterator<Item = &'a Item>,
    say: impl Fn(&str) -> String,
) -> Vec<Fault> {
    let mut layers: BTreeMap<usize, (&str, Vec<String>)> = BTreeMap::new();
    for item in items {
        let first = layers.get_mut(&item.layer);
        match first {
            Some((_, others)) => others.push(item.path.clone()),
            None => drop(layers.insert(item.layer, (&item.path, Vec::new()))),
        }
    }
    let fault = |(layer, (path, others)): (usize, (&str, Vec<String>))| {
        let names = match others.len() {
            0 => path.to_owned(),
            more => format!("{path} and {more} more"),
        };
        Fault::new(subject.origin(layer), say(&names)).at(path).and(others)
    };
    layers.into_iter().map(fault).collect()
}

/// Why nothing is known of a path.
pub(crate) const TOO_MANY_PATHS: &str = "there are too many paths to look up";

/// What a path leads to that was asked about. Of too many, the last ones have no answer.
pub(crate) fn asked<'a>(subject: &Subject<'a>, path: &str) -> Result<&'a Lookup, String> {
    let answer = subject.inventory.asked(path);
    answer.ok_or_else(|| TOO_MANY_PATHS.to_owned())
}

/// Whether something was placed, or may have been.
pub(crate) fn is_placed(subject: &Subject<'_>, layer: usize) -> bool {
    subject.origin(layer) != Origin::Base
}

/// Whether a path is, or lies below, one that the spec declares writable.
pub(crate) fn is_declared_writable(subject: &Subject<'_>, path: &str) -> bool {
    subject.writable.iter().any(|root| paths::below(root.trim_end_matches('/'), path).is_some())
}

/// Whether someone may write a file, or what is in a folder; an owner may give itself the right.
pub(crate) fn may_write(who: &Identity, what: &Attributes) -> bool {
    let in_group = who.gid == what.gid || who.groups.contains(&what.gid);
    who.uid == what.uid || in_group && what.mode & 0o020 != 0 || what.mode & 0o002 != 0
}

/// Whether someone may put something else at the end of a lookup: write it, or a folder on the way
/// that is not sticky.
pub(crate) fn may_replace(who: &Identity, lookup: &Lookup) -> bool {
    let open = |what: &Attributes| may_write(who, what) && what.mode & 0o1000 == 0;
    lookup.searched.iter().any(|step| open(&step.attributes))
        || lookup.found.as_ref().is_some_and(|found| may_write(who, &found.attributes))
}

/// The value of a variable, the last one where it stands twice.
pub(crate) fn variable<'a>(env: &'a [String], name: &str) -> Option<&'a str> {
    let value = |variable: &'a String| variable.strip_prefix(name)?.strip_prefix('=');
    env.iter().rev().find_map(value)
}
