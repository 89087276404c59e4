//! Definitions that others made: the frontend's own image, a bake target, a delegated Dockerfile.
//!
//! Ops keep their bytes, and with them their digests; metadata and source positions come along.
//! What a daemon sends is checked all the same: nothing here panics or recurses on it.

use std::collections::BTreeMap;

use prost::Message as _;

use super::digest::Digest;
use super::graph::{Graph, Mark, Output, Vertex};
use crate::proto::pb;

/// Why a definition cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// An op is not a protobuf message.
    #[error("op {position} of the definition cannot be read: {reason}")]
    Unreadable {
        /// Its place in the definition.
        position: usize,
        /// What the decoder says.
        reason: prost::DecodeError,
    },
    /// The last op does not name exactly one result.
    #[error("the definition ends with {inputs} results instead of one")]
    Results {
        /// How many it names.
        inputs: usize,
    },
    /// An op refers to one that is not there.
    #[error("the definition refers to \"{digest}\", which it does not hold")]
    Missing {
        /// The name of what is missing.
        digest: String,
    },
    /// An op refers to an output below 0.
    #[error("the definition refers to output {index} of an op")]
    Index {
        /// The number.
        index: i64,
    },
}

/// An op of the definition, decoded.
struct Entry<'a> {
    bytes: &'a [u8],
    inputs: Vec<pb::Input>,
}

impl Graph {
    /// Adds what the result of a definition needs, and gives that result. An empty definition is
    /// scratch.
    pub fn import(&mut self, definition: &pb::Definition) -> Result<Output, ImportError> {
        let Some((end, ops)) = definition.def.split_last() else {
            return Ok(Output::SCRATCH);
        };
        let mut entries = BTreeMap::new();
        for (position, bytes) in ops.iter().enumerate() {
            entries.insert(
                Digest::of(bytes),
                Entry { bytes, inputs: decode(position, bytes)?.inputs },
            );
        }
        let end = decode(ops.len(), end)?;
        let [result] = end.inputs.as_slice() else {
            return Err(ImportError::Results { inputs: end.inputs.len() });
        };
        let first_file = self.imported_files.len();
        let files = definition.source.iter().flat_map(|source| source.infos.iter().cloned());
        self.imported_files.extend(files);
        let result_digest = find(&entries, result)?;
        for digest in sorted(&entries, result_digest)? {
            self.import_op(digest, &entries, (definition, first_file))?;
        }
        self.output_of(&entries, result)
    }

    fn import_op(
        &mut self,
        digest: Digest,
        entries: &BTreeMap<Digest, Entry<'_>>,
        (definition, first_file): (&pb::Definition, usize),
    ) -> Result<(), ImportError> {
        let Some(entry) = entries.get(&digest) else {
            return Err(ImportError::Missing { digest: digest.to_string() });
        };
        let inputs = entry.inputs.iter().map(|input| self.output_of(entries, input));
        let inputs = inputs.collect::<Result<_, _>>()?;
        let name = digest.to_string();
        let metadata = definition.metadata.get(&name).cloned().unwrap_or_default();
        let marks = definition
            .source
            .as_ref()
            .map_or_else(Vec::new, |source| marks_of(source, &name, first_file));
        self.insert(Vertex { bytes: entry.bytes.to_vec(), digest, inputs, metadata, marks });
        Ok(())
    }

    fn output_of(
        &self,
        entries: &BTreeMap<Digest, Entry<'_>>,
        input: &pb::Input,
    ) -> Result<Output, ImportError> {
        let digest = find(entries, input)?;
        if input.index < 0 {
            return Err(ImportError::Index { index: input.index });
        }
        match self.by_digest.get(&digest) {
            Some(id) => Ok(Output { vertex: Some(*id), index: input.index }),
            None => Err(ImportError::Missing { digest: input.digest.clone() }),
        }
    }
}

fn decode(position: usize, bytes: &[u8]) -> Result<pb::Op, ImportError> {
    pb::Op::decode(bytes).map_err(|reason| ImportError::Unreadable { position, reason })
}

fn find(entries: &BTreeMap<Digest, Entry<'_>>, input: &pb::Input) -> Result<Digest, ImportError> {
    let digest = Digest::parse(&input.digest).filter(|digest| entries.contains_key(digest));
    digest.ok_or_else(|| ImportError::Missing { digest: input.digest.clone() })
}

/// What a result needs, inputs before those that use them. There can be no cycle: an op holds the
/// hashes of its inputs.
fn sorted(
    entries: &BTreeMap<Digest, Entry<'_>>,
    result: Digest,
) -> Result<Vec<Digest>, ImportError> {
    let mut order = Vec::new();
    let mut seen = BTreeMap::new();
    let mut stack = vec![result];
    while let Some(digest) = stack.last().copied() {
        let done = seen.get(&digest).copied();
        if done.is_none() {
            seen.insert(digest, false);
            let inputs = entries.get(&digest).map_or(&[][..], |entry| &entry.inputs);
            for input in inputs {
                let input = find(entries, input)?;
                if !seen.contains_key(&input) {
                    stack.push(input);
                }
            }
            continue;
        }
        stack.pop();
        if done == Some(false) {
            seen.insert(digest, true);
            order.push(digest);
        }
    }
    Ok(order)
}

fn marks_of(source: &pb::Source, digest: &str, first_file: usize) -> Vec<Mark> {
    let locations = source.locations.get(digest).map_or(&[][..], |locations| &locations.locations);
    let mark = |location: &pb::Location| {
        let file = usize::try_from(location.source_index)
            .ok()
            .filter(|file| *file < source.infos.len())?;
        Some(Mark { imported: true, file: first_file + file, ranges: location.ranges.clone() })
    };
    locations.iter().filter_map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Constraints, FileOps, MakeDir, Remove};
    use super::*;

    fn definition() -> pb::Definition {
        let mut graph = Graph::new();
        let image =
            pb::SourceOp { identifier: "docker-image://a".to_owned(), ..Default::default() };
        let image = graph.source_op(image, &Constraints::named("the image"));
        let mut ops = FileOps::on(image);
        ops.make_dir(MakeDir { path: "/app".to_owned(), mode: 0o755, ..MakeDir::default() });
        let output = graph.file(&ops, &Constraints::default());
        let mut definition = graph.marshal(output, &[]);
        let name = graph.digest(image).unwrap().to_string();
        let locations =
            [0, 7, -1].map(|source_index| pb::Location { source_index, ranges: Vec::new() });
        let source = definition.source.get_or_insert_default();
        source.infos =
            vec![pb::SourceInfo { filename: "Dockerfile".to_owned(), ..Default::default() }];
        source.locations.insert(name, pb::Locations { locations: locations.to_vec() });
        definition
    }

    fn end(inputs: &[(&str, i64)]) -> Vec<u8> {
        let input = |(digest, index): &(&str, i64)| pb::Input {
            digest: (*digest).to_owned(),
            index: *index,
        };
        pb::Op { inputs: inputs.iter().map(input).collect(), ..Default::default() }.encode_to_vec()
    }

    #[test]
    fn what_others_made_can_be_built_upon() {
        let (mut graph, theirs) = (Graph::new(), definition());
        let imported = graph.import(&theirs).unwrap();
        let mut ops = FileOps::on(imported);
        ops.remove(Remove { path: "/app".to_owned(), ..Remove::default() });
        let output = graph.file(&ops, &Constraints::default());
        let ours = graph.marshal(
            output,
            &[pb::SourceInfo { filename: "spec".to_owned(), ..Default::default() }],
        );
        assert_eq!(ours.def[..2], theirs.def[..2]);
        for bytes in &ours.def[..2] {
            let name = Digest::of(bytes).to_string();
            assert_eq!(ours.metadata[&name], theirs.metadata[&name]);
        }
        let source = ours.source.unwrap();
        assert_eq!(
            source.infos.iter().map(|info| info.filename.as_str()).collect::<Vec<_>>(),
            ["spec", "Dockerfile"]
        );
        let indexes = source
            .locations
            .values()
            .flat_map(|entry| entry.locations.iter().map(|at| at.source_index));
        assert_eq!(indexes.collect::<Vec<_>>(), [1], "theirs move behind ours, bad ones are gone");
    }

    #[test]
    fn an_op_that_is_here_already_is_not_there_twice() {
        let mut graph = Graph::new();
        let first = graph.import(&definition()).unwrap();
        assert_eq!(graph.import(&definition()).unwrap(), first);
        assert_eq!(graph.vertices.len(), 2);
    }

    #[test]
    fn an_empty_definition_is_scratch() {
        assert_eq!(Graph::new().import(&pb::Definition::default()).unwrap(), Output::SCRATCH);
    }

    #[test]
    fn broken_definitions_are_refused() {
        let whole = definition();
        let head = Digest::of(&whole.def[1]).to_string();
        let with_end = |end: Vec<u8>| vec![whole.def[0].clone(), whole.def[1].clone(), end];
        let cases: [(Vec<Vec<u8>>, &str); 8] = [
            (vec![vec![0xff; 9]], "op 0 of the definition cannot be read"),
            (
                vec![b"\x0a\xff\xff\xff\xff\x0f".to_vec(), end(&[])],
                "op 0 of the definition cannot be read",
            ),
            (vec![end(&[])], "the definition ends with 0 results instead of one"),
            (
                with_end(end(&[(&head, 0), (&head, 1)])),
                "the definition ends with 2 results instead of one",
            ),
            (with_end(end(&[(&head, -1)])), "the definition refers to output -1 of an op"),
            (
                with_end(end(&[("sha256:0", 0)])),
                "the definition refers to \"sha256:0\", which it does not hold",
            ),
            (with_end(end(&[("", 0)])), "the definition refers to \"\", which it does not hold"),
            (vec![whole.def[1].clone(), whole.def[2].clone()], "which it does not hold"),
        ];
        for (def, words) in cases {
            let error = Graph::new()
                .import(&pb::Definition { def, ..Default::default() })
                .unwrap_err()
                .to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
