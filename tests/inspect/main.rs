//! Root file systems, each made for one fact, looked at as inside BuildKit. They need root, as the
//! exec has it, because files get owners.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod checks;
mod collisions;
mod corpus;
mod defects;
mod facts;
mod hostile;
mod hostile_files;
mod image;
mod inventory;
mod policy;
mod rootfs;
mod running;
mod supply;
