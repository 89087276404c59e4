//! The arena that holds a graph while it is built.
//!
//! A vertex is added after its inputs and never changes afterwards, except that an identical op
//! adds what is known about it (lines of the spec, capabilities). So positions in the arena are a
//! topological order, and no walk ever has to recurse.

use std::collections::BTreeMap;

use super::caps::{self, Caps};
use super::digest::Digest;
use super::encode::{Inputs, as_index, encode_op};
use crate::diagnostic::Span;
use prost::Message as _;

use crate::proto::pb;

/// Part of the cache key of every Passthrough; the daemon wants one and reads nothing into it.
const PASSTHROUGH_ID: &str = "hardpan";

/// A file system that some vertex gives, or the empty one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Output {
    pub(super) vertex: Option<u32>,
    pub(super) index: i64,
}

impl Output {
    /// The empty file system; no vertex stands for it.
    pub const SCRATCH: Self = Self { vertex: None, index: 0 };
}

/// Where an op was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// An index into the files that `Graph::marshal` is given.
    pub file: usize,
    /// The places in it.
    pub spans: Vec<Span>,
}

/// What an op carries beside what it does; BuildKit's client calls it the same.
#[derive(Debug, Clone, Default)]
pub struct Constraints {
    /// What progress shows.
    pub name: Option<String>,
    /// Other texts for the client, by their keys.
    pub description: BTreeMap<String, String>,
    /// Run again even if the cache has the result.
    pub ignore_cache: bool,
    /// Vertices that are shown as one.
    pub progress_group: Option<pb::ProgressGroup>,
    /// The platform; only execs and images have one on the wire.
    pub platform: Option<pb::Platform>,
    /// Which workers may run it, as containerd filters.
    pub workers: Vec<String>,
    /// The lines that it comes from.
    pub locations: Vec<Location>,
    /// Limits of an exec, outside its cache key.
    pub resources: Option<pb::LinuxResources>,
    /// Whether a cache export may hold it; by default it may.
    pub export_cache: Option<bool>,
}

impl Constraints {
    /// Nothing but a name for progress.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::default() }
    }
}

/// A range in one of the files: the caller's, or one that came with an imported definition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    pub(super) imported: bool,
    pub(super) file: usize,
    pub(super) ranges: Vec<pb::Range>,
}

#[derive(Debug)]
pub(super) struct Vertex {
    pub(super) bytes: Vec<u8>,
    pub(super) digest: Digest,
    pub(super) inputs: Vec<Output>,
    pub(super) metadata: pb::OpMetadata,
    pub(super) marks: Vec<Mark>,
}

/// An op that is not in the arena yet.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) op: pb::op::Op,
    pub(super) inputs: Inputs,
    pub(super) caps: Caps,
    pub(super) has_platform: bool,
}

/// A build graph under construction.
#[derive(Debug, Default)]
pub struct Graph {
    pub(super) vertices: Vec<Vertex>,
    pub(super) by_digest: BTreeMap<Digest, u32>,
    /// Files that imported vertices point into.
    pub(super) imported_files: Vec<pb::SourceInfo>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lays file systems over each other, the last on top. Empty ones do not count; of a single one
    /// no op is made.
    pub fn merge(&mut self, layers: &[Output], with: &Constraints) -> Output {
        let layers: Vec<Output> =
            layers.iter().copied().filter(|layer| *layer != Output::SCRATCH).collect();
        if layers.len() < 2 {
            return layers.first().copied().unwrap_or(Output::SCRATCH);
        }
        let mut inputs = Inputs::default();
        let layers =
            layers.iter().map(|layer| pb::MergeInput { input: inputs.append(*layer) }).collect();
        let op = pb::op::Op::Merge(pb::MergeOp { inputs: layers });
        self.add(Draft { op, inputs, caps: Caps::from([caps::MERGE]), has_platform: false }, with)
    }

    /// What leads from one file system to another.
    pub fn diff(&mut self, lower: Output, upper: Output, with: &Constraints) -> Output {
        if lower == Output::SCRATCH {
            return upper;
        }
        let mut inputs = Inputs::default();
        let lower = Some(pb::LowerDiffInput { input: inputs.append(lower) });
        let upper = Some(pb::UpperDiffInput { input: inputs.append(upper) });
        let op = pb::op::Op::Diff(pb::DiffOp { lower, upper });
        self.add(Draft { op, inputs, caps: Caps::from([caps::DIFF]), has_platform: false }, with)
    }

    /// Hands on `result` once `others` are solved too, without a change of a layer.
    pub fn passthrough(&mut self, result: Output, others: &[Output], with: &Constraints) -> Output {
        if result == Output::SCRATCH {
            return result;
        }
        let mut inputs = Inputs::default();
        let outputs = vec![inputs.append(result)];
        for other in others {
            inputs.append(*other);
        }
        let op =
            pb::op::Op::Passthrough(pb::PassthroughOp { id: PASSTHROUGH_ID.to_owned(), outputs });
        self.add(
            Draft { op, inputs, caps: Caps::from([caps::PASSTHROUGH]), has_platform: false },
            with,
        )
    }

    /// The digest of the vertex behind an output; scratch has none.
    pub fn digest(&self, output: Output) -> Option<Digest> {
        self.vertex(output).map(|vertex| vertex.digest)
    }

    /// Whether any of the outputs depends on a program that was run: under the same definition it may
    /// give other bytes the next time.
    #[must_use]
    pub fn runs(&self, outputs: &[Output]) -> bool {
        let mut open: Vec<u32> = outputs.iter().filter_map(|output| output.vertex).collect();
        let mut seen = std::collections::BTreeSet::new();
        while let Some(index) = open.pop() {
            let Some(vertex) = self.vertices.get(index as usize).filter(|_| seen.insert(index))
            else {
                continue;
            };
            if is_exec(&vertex.bytes) {
                return true;
            }
            open.extend(vertex.inputs.iter().filter_map(|input| input.vertex));
        }
        false
    }

    pub(super) fn vertex(&self, output: Output) -> Option<&Vertex> {
        self.vertices.get(output.vertex? as usize)
    }

    /// Adds an op and gives its first output.
    pub(super) fn add(&mut self, draft: Draft, with: &Constraints) -> Output {
        let metadata = metadata_of(&draft.caps, with);
        let op = pb::Op {
            inputs: draft.inputs.0.iter().filter_map(|input| self.edge(*input)).collect(),
            op: Some(draft.op),
            platform: with.platform.clone().filter(|_| draft.has_platform),
            // there even if empty: Go writes it so
            constraints: Some(pb::WorkerConstraints { filter: with.workers.clone() }),
        };
        let bytes = encode_op(op);
        let digest = Digest::of(&bytes);
        let marks = with.locations.iter().map(mark_of).collect();
        self.insert(Vertex { bytes, digest, inputs: draft.inputs.0, metadata, marks })
    }

    /// Puts a vertex into the arena, or what is new about it to the one that has the same bytes.
    pub(super) fn insert(&mut self, vertex: Vertex) -> Output {
        if let Some(known) = self.by_digest.get(&vertex.digest).copied() {
            join(&mut self.vertices[known as usize], vertex);
            return Output { vertex: Some(known), index: 0 };
        }
        let id = u32::try_from(self.vertices.len()).expect("memory ends before 2^32 vertices");
        self.by_digest.insert(vertex.digest, id);
        self.vertices.push(vertex);
        Output { vertex: Some(id), index: 0 }
    }

    /// An output as other ops refer to it.
    pub(super) fn edge(&self, output: Output) -> Option<pb::Input> {
        self.digest(output)
            .map(|digest| pb::Input { digest: digest.to_string(), index: output.index })
    }

    /// Whether each vertex is needed for an output.
    pub(super) fn reachable(&self, output: Output) -> Vec<bool> {
        let mut needed = vec![false; self.vertices.len()];
        if let Some(id) = output.vertex {
            needed[id as usize] = true;
        }
        // inputs come before what uses them, so one pass from the end sees every edge in time
        for id in (0..needed.len()).rev() {
            if needed[id] {
                let inputs = self.vertices[id].inputs.iter().filter_map(|input| input.vertex);
                inputs.for_each(|input| needed[input as usize] = true);
            }
        }
        needed
    }
}

/// The first name stays; flags and capabilities add up, and both places in the spec are kept.
fn join(known: &mut Vertex, new: Vertex) {
    let (old, new_metadata) = (&mut known.metadata, new.metadata);
    old.ignore_cache |= new_metadata.ignore_cache;
    old.caps.extend(new_metadata.caps);
    for (key, value) in new_metadata.description {
        old.description.entry(key).or_insert(value);
    }
    if old.progress_group.is_none() {
        old.progress_group = new_metadata.progress_group;
    }
    if old.linux_resources.is_none() {
        old.linux_resources = new_metadata.linux_resources;
    }
    if old.export_cache.is_none() {
        old.export_cache = new_metadata.export_cache;
    }
    for mark in new.marks {
        if !known.marks.contains(&mark) {
            known.marks.push(mark);
        }
    }
}

fn metadata_of(needed: &Caps, with: &Constraints) -> pb::OpMetadata {
    let mut description = with.description.clone();
    if let Some(name) = &with.name {
        description.insert("llb.customname".to_owned(), name.clone());
    }
    let resources = with.resources.as_ref().map(|_| caps::EXEC_LINUX_RESOURCES);
    pb::OpMetadata {
        ignore_cache: with.ignore_cache,
        description,
        export_cache: with.export_cache.map(|value| pb::ExportCache { value }),
        caps: needed.iter().copied().chain(resources).map(|cap| (cap.to_owned(), true)).collect(),
        progress_group: with.progress_group.clone(),
        linux_resources: with.resources.clone(),
    }
}

fn mark_of(location: &Location) -> Mark {
    let position = |at: crate::diagnostic::Position| pb::Position {
        line: i32::try_from(at.line).unwrap_or(i32::MAX),
        // ours count from 1
        character: i32::try_from(at.column.saturating_sub(1)).unwrap_or(i32::MAX),
    };
    let ranges = location.spans.iter();
    let ranges = ranges
        .map(|span| pb::Range { start: Some(position(span.start)), end: Some(position(span.end)) });
    Mark { imported: false, file: location.file, ranges: ranges.collect() }
}

/// One of the outputs of a vertex.
pub(super) fn output_at(output: Output, position: usize) -> Output {
    Output { index: as_index(position), ..output }
}

fn is_exec(bytes: &[u8]) -> bool {
    // What cannot be read is taken for one: it is only looked at once more.
    pb::Op::decode(bytes).map_or(true, |op| matches!(op.op, Some(pb::op::Op::Exec(_))))
}

#[cfg(test)]
mod tests {
    use super::super::{Copy, FileOps, MakeDir};
    use super::*;

    fn image(graph: &mut Graph, name: &str) -> Output {
        let op =
            pb::SourceOp { identifier: format!("docker-image://{name}"), ..Default::default() };
        graph.source_op(op, &Constraints::default())
    }

    fn folder(graph: &mut Graph, on: Output, path: &str) -> Output {
        let mut ops = FileOps::on(on);
        ops.make_dir(MakeDir { path: path.to_owned(), mode: 0o755, ..Default::default() });
        graph.file(&ops, &Constraints::default())
    }

    #[test]
    fn ops_with_the_same_bytes_are_one_vertex() {
        let mut graph = Graph::new();
        let span = |line| Span {
            start: crate::diagnostic::Position { line, column: 3 },
            ..Span::at(line, 9)
        };
        let with = |name: &str, line| Constraints {
            locations: vec![Location { file: 0, spans: vec![span(line)] }],
            ignore_cache: line == 7,
            ..Constraints::named(name)
        };
        let op = pb::SourceOp { identifier: "docker-image://a".to_owned(), ..Default::default() };
        let first = graph.source_op(op.clone(), &with("first", 4));
        assert_eq!(graph.source_op(op.clone(), &with("second", 7)), first);
        assert_eq!(graph.source_op(op, &with("third", 7)), first);
        let definition = graph.marshal(first, &[pb::SourceInfo::default()]);
        assert_eq!(definition.def.len(), 2, "the image and the end");
        let name = graph.digest(first).unwrap().to_string();
        let metadata = &definition.metadata[&name];
        assert_eq!(metadata.description["llb.customname"], "first");
        assert!(metadata.ignore_cache);
        let source = definition.source.unwrap();
        let starts = source.locations[&name]
            .locations
            .iter()
            .map(|location| location.ranges[0].start.unwrap());
        assert_eq!(starts.map(|at| (at.line, at.character)).collect::<Vec<_>>(), [(4, 2), (7, 2)]);
    }

    #[test]
    fn only_what_is_needed_is_marshalled() {
        let mut graph = Graph::new();
        let (a, b) = (image(&mut graph, "a"), image(&mut graph, "b"));
        let on_a = folder(&mut graph, a, "/x");
        folder(&mut graph, b, "/y");
        assert_eq!(graph.marshal(on_a, &[]).def.len(), 3);
        assert_eq!(graph.marshal(a, &[]).def.len(), 2);
        assert_eq!(graph.marshal(Output::SCRATCH, &[]), pb::Definition::default());
    }

    #[test]
    fn long_chains_and_wide_merges_do_not_recurse() {
        let mut graph = Graph::new();
        let mut layers = Vec::new();
        let mut chain = image(&mut graph, "a");
        for step in 0..10_000 {
            chain = folder(&mut graph, chain, &format!("/{step}"));
            layers.push(chain);
        }
        let merged = graph.merge(&layers, &Constraints::default());
        let definition = graph.marshal(merged, &[]);
        assert_eq!(definition.def.len(), 10_003);
        assert_eq!(graph.to_text(merged).matches("mkdir").count(), 10_000);
        let mut other = Graph::new();
        let imported = other.import(&definition).unwrap();
        assert_eq!(other.marshal(imported, &[]), definition);
    }

    #[test]
    fn merges_that_change_nothing_are_no_op() {
        let mut graph = Graph::new();
        let with = Constraints::default();
        let a = image(&mut graph, "a");
        assert_eq!(graph.merge(&[], &with), Output::SCRATCH);
        assert_eq!(graph.merge(&[Output::SCRATCH, a, Output::SCRATCH], &with), a);
        assert_eq!(graph.diff(Output::SCRATCH, a, &with), a);
        assert_eq!(graph.passthrough(Output::SCRATCH, &[a], &with), Output::SCRATCH);
        assert_eq!(graph.file(&FileOps::on(a), &with), a);
        assert_eq!(graph.vertices.len(), 1);
    }

    #[test]
    fn places_in_a_file_that_is_not_given_are_left_out() {
        let mut graph = Graph::new();
        let locations = vec![Location { file: 1, spans: vec![Span::START] }];
        let op = pb::SourceOp { identifier: "local://a".to_owned(), ..Default::default() };
        let output = graph.source_op(op, &Constraints { locations, ..Default::default() });
        assert_eq!(
            graph.marshal(output, &[pb::SourceInfo::default()]).source.unwrap().locations.len(),
            0
        );
        let two = [pb::SourceInfo::default(), pb::SourceInfo::default()];
        assert_eq!(graph.marshal(output, &two).source.unwrap().locations.len(), 1);
    }

    #[test]
    fn a_copy_reads_from_a_chain_of_the_same_op() {
        let mut graph = Graph::new();
        let (a, b) = (image(&mut graph, "a"), image(&mut graph, "b"));
        let dir = |path: &str| MakeDir { path: path.to_owned(), mode: 0o700, ..Default::default() };
        let mut ops = FileOps::on(Output::SCRATCH);
        let side = ops.make_dir(dir("/root")).here();
        ops.restart(a)
            .copy(b, Copy { from: "/".to_owned(), to: "/".to_owned(), ..Default::default() });
        ops.copy(
            side,
            Copy { from: "/".to_owned(), to: "/".to_owned(), contents: true, ..Default::default() },
        );
        let output = graph.file(&ops, &Constraints::default());
        let text = graph.to_text(output);
        let expected = "\
#3 file
  mkdir: \"/root\" 0700 on scratch
  copy: #2 \"/\" to \"/\" on #1
  copy: action 1 \"/\" to \"/\" contents on action 2

result #3
";
        assert_eq!(
            text.split_once("#3 file").map(|(_, rest)| format!("#3 file{rest}")).unwrap(),
            expected
        );
    }
}
