//! The frontend as a process, with pipes as a builder makes them: it ends at once, and never with
//! success, when the builder is gone, silent or asks it to stop.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail here")]

mod support;

use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use support::fake_gateway::{self as fake, Script};
use tokio::net::unix::pipe;

fn frontend() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hardpan"));
    command.arg("frontend").env_clear();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits for at most a second.
#[track_caller]
fn ends(child: &mut Child) -> ExitStatus {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(1) {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    panic!("still running after a second");
}

fn stderr(mut child: Child) -> String {
    std::io::read_to_string(child.stderr.take().unwrap()).unwrap()
}

#[test]
fn ends_when_stdin_is_closed() {
    let mut child = frontend().spawn().unwrap();
    drop(child.stdin.take());
    let status = ends(&mut child);
    assert!(status.code().is_some_and(|code| code != 0), "{status}");
    let said = stderr(child);
    assert!(said.contains("the connection to the builder broke"), "{said}");
}

#[test]
fn ends_when_stdout_is_broken() {
    // Before its first write, and while it waits for an answer.
    for delay in [0, 100] {
        let mut child = frontend().spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        drop(child.stdout.take());
        let status = ends(&mut child);
        assert!(status.code().is_some_and(|code| code != 0), "{delay}: {status}");
    }
}

#[test]
fn ends_when_it_is_asked_to_stop() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut child = frontend().spawn().unwrap();
        // The builder says nothing: the process waits for the answer to its first call.
        std::thread::sleep(Duration::from_millis(100));
        assert!(child.try_wait().unwrap().is_none());
        kill_process(Pid::from_child(&child), signal).unwrap();
        assert_eq!(ends(&mut child).code(), Some(143), "{signal:?}");
    }
}

#[test]
fn says_in_one_sentence_that_it_is_not_for_hands() {
    for (input, output) in [(Stdio::null(), Stdio::piped()), (Stdio::piped(), Stdio::null())] {
        let mut child = frontend().stdin(input).stdout(output).spawn().unwrap();
        assert_eq!(ends(&mut child).code(), Some(2));
        let said = stderr(child);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("docker buildx build"), "{said}");
    }
}

#[tokio::test]
async fn returns_once_over_pipes_and_exits() {
    let mut child = frontend().spawn().unwrap();
    let input = OwnedFd::from(child.stdout.take().unwrap());
    let output = OwnedFd::from(child.stdin.take().unwrap());
    let stream = tokio::io::join(
        pipe::Receiver::from_owned_fd(input).unwrap(),
        pipe::Sender::from_owned_fd(output).unwrap(),
    );
    // Nothing can be built without options: the process has to say so, not to fall over.
    let calls = fake::serve(Script::default(), stream);
    let status = tokio::task::spawn_blocking(move || ends(&mut child)).await.unwrap();
    assert_eq!(status.code(), Some(1));
    let returned = calls.returned();
    assert_eq!(returned.len(), 1);
    assert!(returned[0].error.is_some());
}
