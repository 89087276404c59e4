//! Looks at root file systems and writes down what is there: the part of hardpan that runs inside
//! BuildKit as an exec (or on a laptop), on files that nobody vouches for.
//!
//! In: mounted trees and arguments. Out: one JSON document, versioned, bounded and the same for the
//! same tree. Nothing here decides whether something is good or bad; that is `harden`'s job.
//!
//! Invariants: no path of an inspected tree is ever resolved by the kernel across a link, no file
//! is opened for reading before it is known to be a regular one, nothing recurses, and names are
//! bytes until they are escaped for people.

pub mod accounts;
mod arguments;
mod beneath;
mod bounded;
mod cache;
mod collector;
pub mod collisions;
mod content;
mod credentials;
mod dynamic;
pub mod entry;
pub mod escape;
pub mod evidence;
pub mod facts;
pub mod inventory;
pub(crate) mod layered;
mod libraries;
mod loader;
mod lookup;
pub mod names;
pub mod newest;
pub mod os_release;
mod output;
mod pending;
pub mod program;
mod read;
mod resolve;
pub mod secrets;
pub mod shadow;
pub mod shell;
pub(crate) mod spool;
mod started;
mod threads;
pub mod tokens;
pub(crate) mod tree;
pub mod unlinked;
mod walk;

pub(crate) use arguments::run_mode;
pub use lookup::{behind_options, unwrap_init};
pub(crate) use output::write_json;
