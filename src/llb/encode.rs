//! Ops as bytes, as BuildKit's Go client writes them: the digest of a vertex is the sha256 of these
//! bytes, so a different order of fields would be another vertex with a cold cache.

use prost::Message as _;

use super::graph::Output;
use crate::proto::pb;

/// Serializes an op.
///
/// prost writes the `op` oneof at its lowest number, before `platform` and `constraints`; Go writes
/// it last. Protobuf messages may be concatenated, so the two halves are encoded apart.
pub(super) fn encode_op(mut op: pb::Op) -> Vec<u8> {
    let body = pb::Op { op: op.op.take(), ..Default::default() };
    let mut bytes = Vec::with_capacity(op.encoded_len() + body.encoded_len());
    for half in [op, body] {
        half.encode(&mut bytes).expect("a Vec grows as it is written");
    }
    bytes
}

/// The edges of an op under construction, in the order of their first use.
#[derive(Debug, Default)]
pub(super) struct Inputs(pub(super) Vec<Output>);

impl Inputs {
    /// The index of an output among the inputs, which is added unless it is there; -1 for scratch.
    pub(super) fn index_of(&mut self, output: Output) -> i64 {
        match self.0.iter().position(|input| *input == output) {
            Some(index) => as_index(index),
            None => self.append(output),
        }
    }

    /// Adds an output even if it is there already; -1 for scratch.
    pub(super) fn append(&mut self, output: Output) -> i64 {
        if output == Output::SCRATCH {
            return -1;
        }
        self.0.push(output);
        as_index(self.0.len() - 1)
    }
}

/// A position as the wire format counts it.
pub(super) fn as_index(position: usize) -> i64 {
    i64::try_from(position).expect("a list in memory is shorter than 2^63")
}
