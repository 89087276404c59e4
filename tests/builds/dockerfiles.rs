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

/// The same for Docker's own frontend, with the same number of lines. Its first line is a directive
/// that changes nothing, so that more directives may follow.
fn dockers(text: &str) -> Project {
    let first = if text.contains("# escape=") { "# check=skip=none" } else { "# escape=\\" };
    Project::written(&format!("{first}\n{}", dedent(text)))
}

/// What a client wrote, with our syntax line as `dockers` has its first line, and without what is
/// never the same twice.
fn settled(project: &Project, text: &str) -> String {
    let text = text.replace(&format!("# syntax={}", environment().syntax), "# escape=\\");
    let text = text.replace(&project.path().display().to_string(), "/context");
    let mut settled = String::new();
    for word in text.split_inclusive(' ') {
        settled += if word.contains("::") { "REF " } else { word };
    }
    settled
}
