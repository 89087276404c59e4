//! Definitions as the builder sends them, made fit to be sent back.
//!
//! Go's client writes an empty message into a map where a vertex has no source positions. prost
//! leaves an empty value out, and Go reads what was left out as nil and refuses the definition
//! ("invalid nil source locations", client/llb/definition.go). No entry says the same as an empty one.

use crate::proto::frontend::Ref;
use crate::proto::pb::{Definition, Locations, OpMetadata};

/// Takes out entries that say nothing, also of the definitions that source files came with.
pub(super) fn without_empty_entries(mut definition: Definition) -> Definition {
    definition.metadata.retain(|_, metadata| *metadata != OpMetadata::default());
    if let Some(source) = &mut definition.source {
        source.locations.retain(|_, locations| *locations != Locations::default());
        for info in &mut source.infos {
            // prost bounds how deep a message may be nested, and with it this.
            info.definition = info.definition.take().map(without_empty_entries);
        }
    }
    definition
}

/// The same for a ref.
pub(super) fn complete(found: Ref) -> Ref {
    Ref { def: found.def.map(without_empty_entries), ..found }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::proto::pb::{Location, Source, SourceInfo};

    #[test]
    fn only_entries_that_say_nothing_go() {
        let place = Locations { locations: vec![Location::default()] };
        let known = OpMetadata { ignore_cache: true, ..OpMetadata::default() };
        let with = |inner: Option<Definition>, empty: bool| {
            let entries = |name: &str| name != "empty" || empty;
            let names = ["full", "empty"].into_iter().filter(|name| entries(name));
            let locations: BTreeMap<String, Locations> = names
                .clone()
                .map(|name| {
                    let value = if name == "full" { place.clone() } else { Locations::default() };
                    (name.to_owned(), value)
                })
                .collect();
            let metadata = names.map(|name| {
                let value = if name == "full" { known.clone() } else { OpMetadata::default() };
                (name.to_owned(), value)
            });
            let infos = vec![SourceInfo { definition: inner, ..SourceInfo::default() }];
            Definition {
                def: vec![vec![1]],
                metadata: metadata.collect(),
                source: Some(Source { locations, infos }),
            }
        };
        let given = with(Some(with(None, true)), true);
        assert_eq!(without_empty_entries(given), with(Some(with(None, false)), false));
    }
}
