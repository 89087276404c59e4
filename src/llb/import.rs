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
