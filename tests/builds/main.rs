//! Builds with the frontend just built, inside a real BuildKit: what goes in is a spec, what is
//! looked at is what a user gets (images read back and started, messages as clients show them).
//!
//! `make test` starts what this needs; in a shell of one's own: eval "$(make -s env)".

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

mod bake;
mod cache;
mod calls;
mod certificates;
mod config;
mod contexts;
mod dockerfiles;
mod endings;
mod evidence;
mod examples;
mod fetching;
mod front_doors;
mod gate;
mod named;
mod options;
mod oracle;
mod placing;
mod platforms;
mod refusals;
mod remote;
mod reports;
mod scan_exports;
mod scans;
mod stages;
mod starts;
mod support;
mod targets;
mod waivers;
