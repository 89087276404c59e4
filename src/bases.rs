//! Which pair of images an app stands on: from the name in a spec to the names of a development and
//! a runtime image, and what the labels of those two say about each other.
//!
//! Everything here is pure. `table` knows the families of Docker Hardened Images, `catalog` their
//! tags as this release knows them, `nearest` what a wrong name probably meant, `labels` and
//! `judge` what a base says of itself and whether that will do.

mod catalog;
#[cfg(test)]
mod golden;
pub mod judge;
pub mod labels;
mod name;
mod nearest;
pub mod resolve;
mod table;

pub use name::{DEFAULT_REGISTRY, ImageName, NameError, PairNames, check_registry, qualify};
pub use nearest::nearest;
pub use resolve::{Resolved, Root};
pub use table::{dev, explicit, pair, runtime};
