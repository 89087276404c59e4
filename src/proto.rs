//! The messages of `proto/`, as Rust. Nothing here is written by hand but the names of the modules,
//! which the generated code needs to be as deep as the packages; the aliases below are shorter.
//!
//! Only `gateway` and `llb` should have to import these types.

#![allow(missing_docs, missing_debug_implementations, unreachable_pub, reason = "generated code")]
#![allow(clippy::all, clippy::pedantic, reason = "generated code")]

pub mod pb {
    tonic::include_proto!("pb");
}
