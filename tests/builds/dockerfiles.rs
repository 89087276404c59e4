//! Dockerfiles under the same gate: what comes out is what Docker's own frontend makes, but proven
//! and with numbers as its user; what Docker says is not touched; what the gate refuses is refused.

mod evidence;
mod recognised;
mod refused;
mod same;
mod untouched;

use crate::support::environment::environment;
use crate::support::project::{Project, dedent};

/// A Dockerfile for hardpan; its first line is line 2.
fn ours(text: &str) -> Project {
    Project::new(text)
}

/// The same for Docker's own frontend, with the same number of lines.
fn dockers(text: &str) -> Project {
    Project::written(&format!("# no syntax\n{}", dedent(text)))
}

/// What a client wrote, with our syntax line as `dockers` has its first line.
fn without_syntax(text: &str) -> String {
    text.replace(&format!("# syntax={}", environment().syntax), "# no syntax")
}
