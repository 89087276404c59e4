//! Solves a graph with a real daemon and gives back the tree that comes out.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use hardpan::llb::{Graph, Output};
use prost::Message as _;

use super::tar::Tree;

/// Seconds for one solve, the pull of a base included.
const LIMIT: &str = "180";
/// What timeout(1) says when the time is over, and when there is no such program.
const OVER: i32 = 124;
const ABSENT: i32 = 127;

/// Solves an output with a local folder named `context`; the daemon's words if it refuses.
///
/// # Panics
/// If there is no daemon: `BUILDKIT_HOST` names it, `buildctl` has to be on the PATH.
pub fn solve(graph: &Graph, output: Output, context: &Path) -> Result<Tree, String> {
    let host = std::env::var("BUILDKIT_HOST")
        .expect("BUILDKIT_HOST is not set: eval \"$(make -s env)\" after make up");
    let folder = tempfile::tempdir().unwrap();
    let result = folder.path().join("result.tar");
    let mut child = Command::new("timeout")
        .args([LIMIT, "buildctl", "--addr", &host, "build", "--progress", "plain", "--local"])
        .arg(format!("context={}", context.display()))
        .arg("--output")
        .arg(format!("type=tar,dest={}", result.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("timeout(1) does not start");
    let definition = graph.marshal(output, &[]).encode_to_vec();
    // one that ended at once does not read; its exit code says why
    let _ = child.stdin.take().unwrap().write_all(&definition);
    let done = child.wait_with_output().unwrap();
    if done.status.success() {
        return Ok(Tree::from_tar(&std::fs::read(result).unwrap()));
    }
    let code = done.status.code();
    assert_ne!(
        code,
        Some(ABSENT),
        "buildctl is not on the PATH: eval \"$(make -s env)\" after make up"
    );
    assert_ne!(code, Some(OVER), "no answer from {host} within {LIMIT} seconds");
    let words = String::from_utf8_lossy(&done.stderr);
    let error =
        words.lines().rev().find(|line| line.starts_with("error:") || line.contains("ERROR"));
    Err(error.unwrap_or(&words).to_owned())
}
