//! What several tests stand on. Each file of tests compiles its own copy and uses a part of it.

#![allow(dead_code, unreachable_pub, missing_docs, missing_debug_implementations)]
#![allow(clippy::unwrap_used, reason = "a test may fail here")]

pub mod fake_gateway;
