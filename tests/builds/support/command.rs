//! Runs a program with a time limit of its own, in a process group of its own.
//!
//! Whatever happens (the limit, a failed assertion), the whole group is gone afterwards: a
//! cancelled local export was once seen to stall.

use std::ffi::OsStr;
use std::io::{Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

const POLL: Duration = Duration::from_millis(10);

/// A program to be run.
#[derive(Debug)]
pub struct Program {
    command: Command,
    limit: Duration,
    input: Vec<u8>,
}

impl Program {
    /// A program of the PATH, its words separated by blanks (`docker buildx`); 60 seconds.
    pub fn new(words: &str) -> Self {
        let mut words = words.split(' ');
        let mut command = Command::new(words.next().unwrap());
        command.args(words).process_group(0);
        Self { command, limit: Duration::from_secs(60), input: Vec::new() }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets the folder that it is started in.
    #[must_use]
    pub fn at(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets how long it may take.
    #[must_use]
    pub fn within(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds);
        self
    }

    /// Sets what it reads from its standard input.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Starts it.
    pub fn start(mut self) -> Running {
        let line = format!("{:?}", self.command);
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{line}: {error}"));
        let (mut stdin, input) = (child.stdin.take().unwrap(), self.input);
        // A program that does not read all of it is free to do so.
        thread::spawn(move || drop(stdin.write_all(&input)));
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        let began = Instant::now();
        Running { child, line, began, limit: self.limit, output: Some([stdout, stderr]) }
    }

    /// Runs it to its end.
    pub fn run(self) -> Outcome {
        self.start().finish()
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        drop(pipe.read_to_end(&mut bytes));
        bytes
    })
}

/// A program that runs. Dropped, it is killed with everything that it started.
#[derive(Debug)]
pub struct Running {
    child: Child,
    line: String,
    began: Instant,
    limit: Duration,
    output: Option<[JoinHandle<Vec<u8>>; 2]>,
}

impl Running {
    /// Sends a signal to it and all that it started.
    pub fn signal(&self, signal: Signal) {
        // It may have ended by itself in between.
        let _ = kill_process_group(self.group(), signal);
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end; a program beyond its limit fails the test.
    pub fn finish(mut self) -> Outcome {
        let status = self.wait();
        let [stdout, stderr] = self.output.take().unwrap();
        let text = |bytes: JoinHandle<Vec<u8>>| {
            String::from_utf8_lossy(&bytes.join().unwrap()).into_owned()
        };
        let late = status.is_none();
        let outcome = Outcome {
            code: status
                .and_then(|status| status.code().or(status.signal().map(|number| 128 + number))),
            stdout: text(stdout),
            stderr: text(stderr),
            elapsed: self.began.elapsed(),
            line: self.line.clone(),
        };
        assert!(!late, "not done after {:?}: {outcome}", self.limit);
        outcome
    }

    fn wait(&mut self) -> Option<ExitStatus> {
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            if self.began.elapsed() > self.limit {
                self.signal(Signal::KILL);
                self.child.wait().unwrap();
                return None;
            }
            thread::sleep(POLL);
        }
    }

    fn group(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed()).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::KILL);
            drop(self.child.wait());
        }
    }
}

/// What came of a program.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its exit code; as in a shell, 128 and more for a signal.
    pub code: Option<i32>,
    /// What it wrote to its standard output.
    pub stdout: String,
    /// What it wrote to its standard error.
    pub stderr: String,
    /// How long it took.
    pub elapsed: Duration,
    line: String,
}

impl Outcome {
    /// Itself, if it ended well.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// Itself, if it ended with a failure of its own (not by a signal).
    #[track_caller]
    pub fn failed(self) -> Self {
        assert!(matches!(self.code, Some(1..=127)), "{self}");
        self
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { code, stdout, stderr, elapsed, line } = self;
        write!(f, "{line}\nexit code {code:?} after {elapsed:?}\n{stdout}\n{stderr}")
    }
}
