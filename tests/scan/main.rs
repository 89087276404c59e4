//! `hardpan scan` on images and file systems as they lie on disk: written here member by member, by
//! the tools of this machine, or wrong on purpose. They need root where files get owners; one of them
//! scans as somebody who has no rights at all.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod archive;
mod base;
mod bounds;
mod choice;
mod forms;
mod hostile;
mod layers;
#[path = "../inspect/rootfs.rs"]
#[allow(dead_code, reason = "shared with the tests of the inspection")]
mod rootfs;
#[path = "../support/tar.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared by several test programs")]
mod tar;
