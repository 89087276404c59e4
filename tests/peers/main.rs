//! The same images in the eyes of others: what hadolint, checkov and Docker's own policies say of
//! them, beside what the gate says; and the recipe that signs the evidence.
//!
//! `make test` builds every image through the gate and compares with the column of docs/peers.md.
//! `make peers` installs the others and compares the whole table; `UPDATE=1 make peers` writes it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]
#![allow(
    unreachable_pub,
    dead_code,
    reason = "what the tests stand on is written for tests to come as well"
)]

mod cases;
mod files;
mod gate;
#[path = "../docs/markdown.rs"]
mod markdown;
mod others;
#[path = "../docs/run.rs"]
mod run;
mod signing;
#[path = "../builds/support/mod.rs"]
mod support;
mod table;

use std::env;
use std::io::{Write as _, stderr};
use std::path::PathBuf;

/// The folder of the tools, where `make peers` says so; otherwise what needs them is left out,
/// aloud.
fn tools(needed_for: &str) -> Option<PathBuf> {
    let tools = env::var_os("HARDPAN_PEERS").map(PathBuf::from);
    if tools.is_none() {
        // Past the test harness, which shows what macros print only of tests that fail.
        let _ = writeln!(stderr(), "left out: {needed_for}; `make peers` runs it");
    }
    tools
}
