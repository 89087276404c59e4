//! hardpan, a BuildKit frontend that returns an image only after proving that it runs as non-root
//! and without a shell. ARCHITECTURE.md has the map of the modules.

pub mod archive;
pub mod bases;
pub mod cli;
pub mod context;
pub mod delegate;
pub mod diagnostic;
pub mod emit;
pub mod frontend;
pub mod gateway;
pub mod harden;
pub mod image;
pub mod input;
pub mod inspect;
pub mod llb;
pub mod options;
pub mod paths;
pub mod plan;
pub mod platform;
pub mod proto;
pub mod reference;
pub mod remote;
pub mod report;
pub mod result;
pub mod scan;
pub mod spec;
pub mod start;
pub mod words;
