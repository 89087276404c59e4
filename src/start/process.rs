//! Programs of the image as processes: started under the contract, watched, and gone in the end
//! with all that they started.

use std::fs;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Signal, WaitOptions, getpid, kill_process, kill_process_group, set_child_subreaper, wait,
};

use super::lower::Refused;
use super::order::{Order, Test};
use super::output::Output;
use super::pattern::Pattern;
use super::signal;

/// How often is looked.
pub(super) const POLL: Duration = Duration::from_millis(20);
/// How long what was killed may take to be gone.
const END: Duration = Duration::from_secs(5);
/// Of the reason for which there is no program.
const REASON: u64 = 2_000;

/// Makes this process the parent of whatever its children leave behind.
pub(super) fn adopt() -> io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// A program that runs.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// What it writes.
    pub(super) output: Output,
}

impl Process {
    /// Starts a program of the image as its user; `log` is looked for in what it writes.
    pub(super) fn start(
        (order, test): (&Order, &Test),
        command: &[String],
        log: Option<Pattern>,
    ) -> Result<Self, Refused> {
        let fault = |error: io::Error| Refused::Contract(error.to_string());
        let (mut back, theirs) = io::pipe().map_err(fault)?;
        let mut lower = Command::new(std::env::current_exe().map_err(fault)?);
        lower.args(["lower", &order.uid.to_string(), &order.gid.to_string(), &order.workdir]);
        lower.args(command).env_clear();
        lower.envs(order.env.iter().chain(&test.env).map(|(name, value)| (name, value)));
        lower.stdin(OwnedFd::from(theirs)).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = lower.process_group(0).spawn().map_err(fault)?;
        drop(lower); // it holds the other end of the way back
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let process = Self { child, output: Output::collect(stdout, stderr, log) };
        let mut said = Vec::new();
        back.by_ref().take(REASON).read_to_end(&mut said).map_err(fault)?;
        match Refused::read(&String::from_utf8_lossy(&said)) {
            None => Ok(process),
            Some(refused) => {
                process.end();
                Err(refused)
            }
        }
    }

    /// How it ended, if it did.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for its end until a time.
    pub(super) fn ended_by(&mut self, deadline: Instant) -> Option<ExitStatus> {
        loop {
            let ended = self.ended();
            if ended.is_some() || Instant::now() >= deadline {
                return ended;
            }
            thread::sleep(POLL);
        }
    }

    /// Sends a signal to the program alone, as engines do.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            let _ = kill_process(pid, signal); // it may have ended in between
        }
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    /// Ends it and all that it started, and gives what they wrote.
    pub(super) fn end(mut self) -> Output {
        let deadline = Instant::now() + END;
        let group = self.pid();
        loop {
            kill_all(group);
            let _ = self.child.try_wait();
            let is_alone = reap();
            if is_alone || Instant::now() >= deadline {
                break;
            }
            thread::sleep(POLL);
        }
        self.output.finish(deadline);
        self.output
    }
}

/// Kills everything that a test may have left. As process 1 that is everything but ourselves, at
/// once, so that nothing can fork faster than it is killed; where others share our view of
/// processes, the group of the program and what was handed to us.
fn kill_all(group: Option<Pid>) {
    if getpid() == Pid::INIT {
        let _ = kill_process_group(Pid::INIT, Signal::KILL); // kill(-1): there is no group 1
        return;
    }
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    for child in children() {
        let _ = kill_process(child, Signal::KILL);
    }
}

/// Those that were left to us.
fn children() -> Vec<Pid> {
    let listed = fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    listed.split_whitespace().filter_map(|one| Pid::from_raw(one.parse().ok()?)).collect()
}

/// Collects what has ended; whether nothing is left.
fn reap() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(_) => return true,
        }
    }
}

/// How a program ended, in words.
pub(super) fn told(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(number)) => format!("was ended by {}", signal::name(number)),
        (None, None) => "ended".to_owned(),
    }
}

/// A time of the order, in words.
pub(super) fn told_time(milliseconds: u64) -> String {
    match milliseconds % 1_000 {
        0 => format!("{} s", milliseconds / 1_000),
        _ => format!("{milliseconds} ms"),
    }
}
