//! Solves a graph with a real daemon and gives back the tree that comes out.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use hardpan::llb::{Graph, Output};
use prost::Message as _;

use super::tar::Tree;

/// Solves an output with a local folder named `context`; the daemon's words if it refuses.
///
/// # Panics
/// If there is no daemon: `BUILDKIT_HOST` names it, `buildctl` has to be on the PATH.
pub fn solve(graph: &Graph, output: Output, context: &Path) -> Result<Tree, String> {
    let host = std::env::var("BUILDKIT_HOST")
        .expect("BUILDKIT_HOST is not set: eval \"$(make -s env)\" after make up");
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("result.tar");
    let mut child = Command::new("buildctl")
        .args(["--addr", &host, "build", "--progress", "plain", "--local"])
        .arg(format!("context={}", context.display()))
        .arg("--output")
        .arg(format!("type=tar,dest={}", result.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("buildctl does not start: eval \"$(make -s env)\" after make up");
    let definition = graph.marshal(output, &[]).encode_to_vec();
    child.stdin.take().unwrap().write_all(&definition).unwrap();
    let done = child.wait_with_output().unwrap();
    if done.status.success() {
        return Ok(Tree::from_tar(&std::fs::read(result).unwrap()));
    }
    let words = String::from_utf8_lossy(&done.stderr);
    let error =
        words.lines().rev().find(|line| line.starts_with("error:") || line.contains("ERROR"));
    Err(error.unwrap_or(&words).to_owned())
}
