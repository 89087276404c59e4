//! hardpan, a BuildKit frontend that returns an image only after proving that it runs as non-root
//! and without a shell. ARCHITECTURE.md has the map of the modules.

pub mod cli;
pub mod diagnostic;
pub mod spec;
