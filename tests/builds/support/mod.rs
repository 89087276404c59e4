//! What the tests with a real BuildKit stand on: programs with time limits, projects to be built,
//! images read back, containers under the runtime contract.
//!
//! Nothing here uses hardpan's own code: what it gives must hold in the eyes of others.

pub mod archive;
pub mod ask;
pub mod bake;
pub mod build;
pub mod command;
pub mod company;
pub mod container;
pub mod daemon;
pub mod environment;
pub mod http;
pub mod image;
pub mod listing;
pub mod progress;
pub mod project;
pub mod refusal;
pub mod registry;
pub mod serve;
pub mod site;
