//! Text of a spec → [`model::Spec`], with every mistake found at once.

pub mod model;
