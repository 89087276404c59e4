//! A graph as the definition that a daemon solves: only what one output needs, in the order of the
//! arena, closed by an op without a body whose input is the result.

use std::collections::BTreeMap;

use super::caps;
use super::digest::Digest;
use super::encode::encode_op;
use super::graph::{Graph, Mark, Output, Vertex};
use crate::proto::pb;

impl Graph {
    /// The definition of an output. `files` are those that the locations of its ops point into.
    /// Of scratch it is empty.
    pub fn marshal(&self, output: Output, files: &[pb::SourceInfo]) -> pb::Definition {
        let Some(result) = self.edge(output) else {
            return pb::Definition::default();
        };
        let needed = self.reachable(output);
        let vertices = || {
            self.vertices
                .iter()
                .zip(&needed)
                .filter(|(_, needed)| **needed)
                .map(|(vertex, _)| vertex)
        };
        let mut metadata: BTreeMap<String, pb::OpMetadata> =
            vertices().map(|vertex| (vertex.digest.to_string(), vertex.metadata.clone())).collect();
        let end = encode_op(pb::Op { inputs: vec![result], ..Default::default() });
        metadata.insert(Digest::of(&end).to_string(), closing_metadata(&metadata));
        let def = vertices().map(|vertex| vertex.bytes.clone()).chain([end]).collect();
        let locations = vertices().filter_map(|vertex| locations_of(vertex, files.len()));
        let infos = files.iter().chain(&self.imported_files).cloned();
        let source = pb::Source { locations: locations.collect(), infos: infos.collect() };
        pb::Definition { def, metadata, source: Some(source) }
    }
}

/// The last op carries what the definition as a whole needs.
fn closing_metadata(metadata: &BTreeMap<String, pb::OpMetadata>) -> pb::OpMetadata {
    let any = |has: fn(&pb::OpMetadata) -> bool| metadata.values().any(has);
    let caps = [
        (caps::CONSTRAINTS, true),
        (caps::PLATFORM, true),
        (caps::IGNORE_CACHE, any(|metadata| metadata.ignore_cache)),
        (caps::DESCRIPTION, any(|metadata| !metadata.description.is_empty())),
        (caps::EXPORT_CACHE, any(|metadata| metadata.export_cache.is_some())),
    ];
    let caps = caps
        .into_iter()
        .filter(|(_, needed)| *needed)
        .map(|(cap, needed)| (cap.to_owned(), needed));
    pb::OpMetadata { caps: caps.collect(), ..Default::default() }
}

/// The places that a vertex comes from; those in a file that the caller has not given are left out,
/// since a daemon refuses an index out of range.
fn locations_of(vertex: &Vertex, files: usize) -> Option<(String, pb::Locations)> {
    let location = |mark: &Mark| {
        let index = if mark.imported { files + mark.file } else { mark.file };
        let known = mark.imported || mark.file < files;
        let source_index = i32::try_from(index).ok().filter(|_| known)?;
        Some(pb::Location { source_index, ranges: mark.ranges.clone() })
    };
    let locations: Vec<pb::Location> = vertex.marks.iter().filter_map(location).collect();
    (!locations.is_empty()).then(|| (vertex.digest.to_string(), pb::Locations { locations }))
}
